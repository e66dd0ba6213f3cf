# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The formats in which the command prints its results, by the value of `--format`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .as_json import json_report
from .junit import junit_report
from .layout import Style
from .output import Results
from .sarif import sarif_report
from .text import text_report

FORMATS: Final[Mapping[str, Callable[[Results, Style], str]]] = {
    'text': text_report,
    'json': json_report,
    'junit': junit_report,
    'sarif': sarif_report,
}
"""Each takes the results, and the style: how text looks, and which results to leave out."""
