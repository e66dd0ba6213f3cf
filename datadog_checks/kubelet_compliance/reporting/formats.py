# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The formats in which the command prints its results, by the value of `--format`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from .as_json import json_report
from .layout import Style
from .output import Output
from .text import text_report

FORMATS: Final[Mapping[str, Callable[[Output, Style, datetime], str]]] = {'text': text_report, 'json': json_report}
"""Each takes the results, the style for text, and the time of the run."""
