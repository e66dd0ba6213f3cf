# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""find -> read -> resolve -> judge -> report: no step goes back, and none does its work twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.api.configz import Connection
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection import collect, reading
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.kubelet import command_lines, layers
from datadog_checks.kubelet_compliance.model import Verdict
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.process_root import Root
from datadog_checks.kubelet_compliance.rules.selection import AUTO, chooser, select
from tests.support.nodes import HEAD
from tests.support.service_node import CONFIG, ServiceNode, usual_node
from tests.support.users import OURS

RULES = select('cis-1.24', None)
TEXTS = ('read_command_lines', 'parse_flags', 'read_configurations', 'parse_document')
ONCE = dict.fromkeys(TEXTS, 1)
METRICS = answers({'/metrics': b'kubernetes_build_info{git_version="v1.31.4"} 1\n'})


@pytest.fixture
def node(tmp_path: Path) -> ServiceNode:
    return usual_node(tmp_path)


def host_of(node: ServiceNode) -> Host:
    return LiveHost(str(node.procfs), admission=OURS)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the functions were called that make something of a command line or a file."""
    counts: Counter[str] = Counter()

    def count(module: ModuleType, name: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, counted)

    for name in ('read_command_lines', 'read_configurations'):
        count(reading, name)
    count(command_lines, 'parse_flags')
    count(layers, 'parse_document')
    return counts


def full_collection(collector: Collector, connection: Connection | None, calls: Counter[str]) -> dict[str, int]:
    calls.clear()
    collector.host.give_up()
    assert collector.collect(connection).node.found == 1
    return dict(calls)


@pytest.mark.parametrize(
    ('version', 'connection'),
    [
        pytest.param(None, None, id='not asked'),
        pytest.param(None, answers({}), id='asked in vain'),
        pytest.param('1.33', None, id='the version is given'),
    ],
)
def test_a_collection_reads_each_text_once(
    node: ServiceNode, calls: Counter[str], version: str | None, connection: Connection | None
) -> None:
    collector = Collector(host_of(node), RULES, None, version)
    assert [full_collection(collector, connection, calls) for _ in range(2)] == [ONCE, ONCE]


def test_only_the_collection_that_learns_the_version_reads_the_configuration_again(
    node: ServiceNode, calls: Counter[str]
) -> None:
    """Whom to ask for the version depends on where the kubelet listens, and so on its configuration."""
    collector = Collector(host_of(node), RULES, chooser(AUTO, None))
    first, second = (full_collection(collector, METRICS, calls) for _ in range(2))
    assert (first, second) == ({**ONCE, 'read_configurations': 2, 'parse_document': 2}, ONCE)


def note(monkeypatch: pytest.MonkeyPatch, steps: list[str], where: object, name: str, step: str) -> None:
    """Note each call of a function among the steps."""
    real = getattr(where, name)

    def noted(*arguments: Any, **options: Any) -> Any:
        steps.append(step)
        return real(*arguments, **options)

    monkeypatch.setattr(where, name, noted)


@pytest.mark.parametrize(
    ('config', 'verdict', 'expected'),
    [
        pytest.param('protectKernelDefaults: true\n', Verdict.COMPLIANT, ['read', 'resolve', 'judge'], id='compliant'),
        pytest.param('', Verdict.NON_COMPLIANT, ['read', 'resolve', 'read', 'judge'], id='a fix depends on the node'),
    ],
)
def test_nothing_is_read_once_judging_has_begun(
    node: ServiceNode, monkeypatch: pytest.MonkeyPatch, config: str, verdict: Verdict, expected: list[str]
) -> None:
    node.write(CONFIG, f'{HEAD}{config}')
    steps: list[str] = []
    note(monkeypatch, steps, Root, '__init__', 'read')
    note(monkeypatch, steps, collect, 'resolve_settings', 'resolve')
    note(monkeypatch, steps, collect, 'judge_kubelet', 'judge')
    collection = Collector(host_of(node), select('cis-1.24', ['protect_kernel_defaults'])).collect()
    assert [finding.verdict for finding in collection.node.findings] == [verdict]
    assert [step for number, step in enumerate(steps) if step != steps[number - 1] or not number] == expected
