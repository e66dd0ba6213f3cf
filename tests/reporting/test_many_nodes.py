# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The text for many nodes, as a person reads it on a terminal of 80 columns."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from datadog_checks.kubelet_compliance.model import Outcome, Unknown, Upgrade, UpgradeItem, UpgradeSubject
from datadog_checks.kubelet_compliance.reporting.layout import Style
from datadog_checks.kubelet_compliance.reporting.many_nodes import SYMBOLS
from datadog_checks.kubelet_compliance.reporting.output import NotEvaluated, Output, Results, short_names
from datadog_checks.kubelet_compliance.reporting.shared_texts import MOST_LINES
from datadog_checks.kubelet_compliance.reporting.text import text_report
from tests.support.made_up_results import LETTERS, made_up_node

NOW = datetime(2026, 11, 28, tzinfo=timezone.utc)
ALL = 21
"""The rules of the benchmark."""


def text_of(*nodes: Output | NotEvaluated, **style: bool) -> str:
    return text_report(Results(nodes, NOW, are_many=True), Style(**style))  # type: ignore[arg-type]


def table_of(text: str) -> list[str]:
    return text.partition('Nodes, with')[2].partition('\n\n')[0].splitlines()[1:]


def test_the_whole_text() -> None:
    nodes = [made_up_node(f'node-{n}', verdicts) for n, verdicts in enumerate(('x?.', '...', 'x?.', '.e.'))]
    assert text_of(*nodes, NotEvaluated('node-4', 'node.json is not valid: capture the node again')) == (
        '5 nodes, evaluated against cis-1.24\n'
        '2 compliant, 2 non-compliant, 1 unknown\n'
        '\n'
        'x non-compliant, ? unknown, e exempted, . compliant\n'
        '\n'
        'Rules                              x     ?     e     .  x in %\n'
        '  1  4.2.1  anonymous_auth         2     0     0     2    50.0\n'
        '  2  4.2.2  authorization_mode     0     2     1     1       0\n'
        '  3  4.2.3  client_ca_file         0     0     0     4       0\n'
        '\n'
        'Nodes, with a column for each rule by its number in the list above\n'
        '  123\n'
        '  x?.      2  node-0, node-2\n'
        '  ...      1  node-1\n'
        '  .e.      1  node-3\n'
        '\n'
        'Problems\n'
        '      1  node.json is not valid: capture the node again\n'
        '         node-4'
    )


def test_a_thousand_nodes_with_all_rules_fit_in_80_columns_and_on_a_few_screens() -> None:
    letters = ''.join(SYMBOLS.values())
    nodes = [
        made_up_node(f'fleet/ip-10-0-{n // 256}-{n % 256}', ''.join(letters[(n >> at) % 4] for at in range(ALL)))
        for n in range(1000)
    ]
    lines = text_of(*nodes).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) < 2 * MOST_LINES + ALL
    assert lines[0] == '1,000 nodes, evaluated against cis-1.24'
    assert re.fullmatch(r'  and [0-9]+ more nodes: print them with --verbose', lines[-1])


def test_the_numbers_of_the_columns_are_those_of_the_list() -> None:
    text = text_of(made_up_node('a', ALL * 'x'))
    tens, units, row = table_of(text)
    assert (
        tens == '           111111111122' and units == '  123456789012345678901' and row.startswith(f'  {ALL * "x"} ')
    )
    numbers = [int(line.split()[0]) for line in text.splitlines() if re.match(' +[0-9]+  4', line)]
    assert numbers == list(range(1, ALL + 1))


def test_rules_go_by_their_keys_and_not_by_their_numbers() -> None:
    """In cis-1.12, 4.2.6 is the number of the iptables rule, and protect_kernel_defaults is gone."""
    text = text_of(made_up_node('old', ALL * 'x'), made_up_node('new', ALL * 'x', 'cis-1.12'))
    assert text.startswith('2 nodes, evaluated against cis-1.24 (1 node), cis-1.12 (1 node)\n')
    assert '- not in the benchmark of the node' in ' '.join(text.split())
    shown = {line.split()[-6]: line.split()[1:-5] for line in text.splitlines() if re.match(' +[0-9]+  .*_', line)}
    assert shown['make_iptables_util_chains'] == ['make_iptables_util_chains']
    assert shown['protect_kernel_defaults'] == ['4.2.6', 'protect_kernel_defaults']
    assert any('-' in row.split()[0] and row.endswith('  new') for row in table_of(text))


@pytest.mark.parametrize(
    ('broken', 'share'),
    [(0, '0'), (1, '0.1'), (500, '25.0'), (1999, '99.9'), (2000, '100')],
)
def test_a_share_is_0_or_100_only_if_it_is_exactly_that(broken: int, share: str) -> None:
    nodes = [made_up_node(f'n{n}', 'x' if n < broken else '.') for n in range(2000)]
    (line,) = [line for line in text_of(*nodes).splitlines() if 'anonymous_auth' in line]
    assert line.split()[-1] == share


def test_only_failed_leaves_out_compliant_nodes_and_rules() -> None:
    text = text_of(made_up_node('good', '..e'), made_up_node('bad', '.?.'), only_failed=True)
    assert '1 compliant, 1 unknown' in text
    assert table_of(text) == ['  1', '  ?      1  bad']
    assert 'anonymous_auth' not in text and 'authorization_mode' in text


def test_verbose_prints_every_node_in_full_after_the_table() -> None:
    text = text_of(made_up_node('fleet/a', 'x'), NotEvaluated('fleet/b', 'the reason'), is_verbose=True)
    assert (
        text.index('Nodes, with')
        < text.index('\n\nfleet/a:\nkubelet, process 7')
        < text.index('\n\nfleet/b:\nthe reason')
    )
    assert 'a message' in text and '\n\n\n' not in text


def test_without_any_results_there_is_no_table() -> None:
    text = text_of(NotEvaluated('a', 'why'), NotEvaluated('b', 'why'))
    assert text == '2 nodes\n2 unknown\n\nProblems\n      2  why\n         a, b'


def test_a_cell_has_the_color_of_its_verdict() -> None:
    text = text_of(made_up_node('a', ''.join(LETTERS)), has_colors=True)
    for letter, color in zip('x?e.', ('31', '33', '36', '32'), strict=True):
        assert f'\x1b[{color}m{letter}\x1b[0m' in text


@pytest.mark.parametrize(
    ('folders', 'names'),
    [
        (['fleet/a', 'fleet/b/'], ['a', 'b']),
        (['one/a', 'two/a', 'two/b'], ['one/a', 'two/a', 'b']),
        (['.', '/x/y'], ['.', 'y']),
    ],
)
def test_nodes_have_short_names_unless_two_have_the_same(folders: list[str], names: list[str]) -> None:
    assert short_names(folders) == names


def upgrade(*blockers: str, **changes: object) -> Upgrade:
    items = tuple(UpgradeItem(UpgradeSubject.FLAG, flag, 'Kubernetes 1.35 removed this flag') for flag in blockers)
    return Upgrade('1.37', blockers=items, **changes)  # type: ignore[arg-type]


def upgraded(name: str, of: Upgrade | None) -> Output:
    node = made_up_node(name, 'x', upgrade=of)
    return Output(node.node, node.kubelets, node.benchmark, True, name=name, for_version='1.37')


def test_an_upgrade_of_many_nodes_names_each_item_once() -> None:
    nodes = [
        upgraded('a', upgrade('--old')),
        upgraded('b', upgrade('--old', '--older')),
        upgraded('c', upgrade()),
        upgraded('d', upgrade(unknown=Unknown('could not read X', 'mount it'))),
    ]
    assert [node.node.upgrade.outcome for node in nodes if node.node.upgrade] == [
        Outcome.BLOCKED,
        Outcome.BLOCKED,
        Outcome.STARTS,
        Outcome.UNKNOWN,
    ]
    text = text_of(*nodes, NotEvaluated('e', 'why'))
    assert text.startswith(
        '5 nodes, upgrade to 1.37\n'
        '1 would start, 2 would not start, 2 unknown\n'
        '\n'
        'Blockers\n'
        '      2  --old: Kubernetes 1.35 removed this flag\n'
        '         a, b\n'
        '      1  --older: Kubernetes 1.35 removed this flag\n'
        '         b\n'
        '\n'
        'Unknown\n'
        '      1  could not read X: mount it\n'
        '         d\n'
    )
    assert text.endswith('Problems\n      1  why\n         e')
    assert 'Rules' not in text
