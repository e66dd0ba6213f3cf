# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope='session')
def dd_environment() -> Iterator[dict[str, Any]]:
    yield {}


@pytest.fixture
def instance() -> dict[str, Any]:
    return {}
