# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from typing import Any

import pytest

from tests.support.assets import RUNS
from tools.agent import Collection
from tools.preview.evaluation import Store
from tools.preview.fleet import GOOD, Node, run_check, store_of
from tools.preview.story import STEP, STEPS, simulated_nodes


@pytest.fixture(scope='session')
def emitted() -> Collection:
    """All that the check sends over nodes of every kind."""
    own = {'key': 'max_pods', 'title': 'Few pods', 'setting': 'maxPods', 'at_most': 110}
    options: list[dict[str, Any]] = [{'nested': True}, {'custom_rules': [own]}]
    runs = [*(run_check(state) for state in RUNS), *(run_check(GOOD, each) for each in options)]
    return Collection(
        tuple(sent for run in runs for sent in run.metrics),
        tuple(sent for run in runs for sent in run.service_checks),
    )


@pytest.fixture(scope='session')
def story() -> tuple[tuple[Node, ...], Store]:
    """The nodes of the simulated week, and their series."""
    nodes = simulated_nodes()
    return nodes, store_of(nodes, STEPS, STEP)
