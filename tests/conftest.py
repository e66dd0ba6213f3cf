# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.apart import open_to_all
from tests.support.cases import TRUTH
from tests.support.handles import open_handles
from tests.support.kubelet_server import Certificates, KubeletServer, make_certificates, serve
from tests.support.made_up_node import Node, make_node
from tests.support.paths import TESTS
from tests.support.standin import Standins, build

# How long an example takes depends on the machine, and benchmarks measure speed. Every run uses the same examples, so
# that no run fails by chance: `make fuzz` looks for new ones.
settings.register_profile('repeatable', deadline=None, derandomize=True)
settings.load_profile('repeatable')

# Data.
collect_ignore = ['truth']

PURE_ROOMS = frozenset({'kubelet', 'rules', 'launch', 'reporting'})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of pure code: they give the same result for every user."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in PURE_ROOMS:
            item.add_marker(pytest.mark.same_for_every_user)


@pytest.fixture(scope='session')
def dd_environment() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A kind cluster: what `ddev env start` starts, and ends with `ddev env stop`."""
    # Only here: it takes a second to import, and only ddev uses this fixture.
    from tests.support.kind_cluster import kind_environment

    with kind_environment() as environment:
        yield environment


@pytest.fixture(scope='session')
def standin_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp('standin'))


@pytest.fixture
def standins(standin_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standins]:
    with Standins(standin_program, tmp_path_factory.mktemp('programs')) as launcher:
        yield launcher


@pytest.fixture(scope='session')
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp('certificates'))


@pytest.fixture
def api(certificates: Certificates) -> Iterator[KubeletServer]:
    """What answers at the kubelet's port: a real body of a kubelet that runs with makeIPTablesUtilChains: true."""
    with serve(certificates) as server:
        server.body = (TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes()
        yield server


@pytest.fixture
def no_handle_is_left() -> Iterator[None]:
    before = open_handles()
    yield
    assert open_handles() - before == set()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with open_to_all() as folder:
        yield folder


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return make_node(tmp_path)


@pytest.fixture
def open_node(open_folder: Path) -> Node:
    return make_node(open_folder)
