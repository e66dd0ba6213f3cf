# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Text as SARIF spells it: a reader must take nothing in it as a placeholder or as a link."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import LONGEST_MESSAGE

from .report import printable


def message_of(text: str, longest: int = LONGEST_MESSAGE) -> dict[str, str]:
    """A message in plain text. A file name may look like a link, which is `[text](address)`."""
    return {'text': with_literal_braces(printable(text, longest)).replace('](', '] (')}


def with_literal_braces(text: str) -> str:
    """The text with doubled braces: `{0}` is a placeholder (SARIF 2.1.0, section 3.11.5)."""
    return text.replace('{', '{{').replace('}', '}}')
