# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of a service, found where systemd would look for them below a root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.collection.services import MAX_UNIT_FILES, read_unit, with_parent_times
from datadog_checks.kubelet_compliance.launch.unit_paths import UNIT_FOLDERS
from datadog_checks.kubelet_compliance.model import Argument, Folder, Missing, Place, Process, Unit, Unknown, Unreadable
from tests.support.service_node import ServiceNode
from tests.support.systemd_cases import PROCESS, Booted, root_below, unit_in, words_of

NAME = 'kubelet.service'
USR, ETC = '/usr/lib/systemd/system', '/etc/systemd/system'
RUN = '[Service]\nExecStart=/k'


@pytest.fixture
def node(tmp_path: Path) -> ServiceNode:
    return root_below(tmp_path)


def unit_of(node: ServiceNode, name: str = NAME) -> Unit:
    unit = unit_in(node, name)
    assert isinstance(unit, Unit), unit
    return unit


def words(node: ServiceNode, name: str = NAME) -> tuple[str, ...] | str:
    found = words_of(unit_in(node, name))
    return found.reason if isinstance(found, Unknown) else found


def adds(*words: str) -> str:
    """A drop-in that makes these the arguments."""
    return f'[Service]\nExecStart=\nExecStart=/k {" ".join(words)}\n'


@pytest.mark.parametrize('first', range(len(UNIT_FOLDERS)))
def test_the_unit_file_of_the_first_folder_counts(node: ServiceNode, first: int) -> None:
    for number in range(first, len(UNIT_FOLDERS)):
        if UNIT_FOLDERS[number] != '/lib/systemd/system' or first == number:
            node.write(f'{UNIT_FOLDERS[number]}/{NAME}', f'{RUN} {number}\n')
    assert words(node) == ('/k', str(first))
    assert unit_of(node).paths == ((UNIT_FOLDERS[first] if first != 11 else USR) + f'/{NAME}',)


@pytest.mark.parametrize('first', range(len(UNIT_FOLDERS)))
def test_a_drop_in_hides_those_of_its_name_in_later_folders(node: ServiceNode, first: int) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    for number in range(first, len(UNIT_FOLDERS)):
        if UNIT_FOLDERS[number] != '/lib/systemd/system' or first == number:
            node.write(f'{UNIT_FOLDERS[number]}/{NAME}.d/10.conf', adds(str(number)))
    assert words(node) == ('/k', str(first))
    assert len(unit_of(node).files) == 2


@pytest.mark.parametrize(
    'files, expected',
    [
        ({f'{ETC}/{NAME}.d/2.conf': '2', f'{USR}/{NAME}.d/1.conf': '1'}, '2'),
        ({f'{ETC}/{NAME}.d/1.conf': '1', f'{USR}/{NAME}.d/2.conf': '2'}, '2'),
        ({f'{ETC}/{NAME}.d/10.conf': '10', f'{ETC}/{NAME}.d/9.conf': '9'}, '9'),
        ({f'{ETC}/{NAME}.d/a.conf': 'a', f'{ETC}/{NAME}.d/B.conf': 'B'}, 'a'),
        ({f'{ETC}/{NAME}.d/~.conf': '~', f'{ETC}/{NAME}.d/\u00e4.conf': 'ae'}, 'ae'),
        ({f'{ETC}/service.d/1.conf': 'all', f'{USR}/{NAME}.d/1.conf': 'own'}, 'own'),
        ({f'{ETC}/service.d/2.conf': 'all', f'{USR}/{NAME}.d/1.conf': 'own'}, 'all'),
        ({f'{ETC}/{NAME}.d/1.conf~': 'x', f'{ETC}/{NAME}.d/.1.conf': 'x', f'{ETC}/{NAME}.d/1.txt': 'x'}, ''),
        ({f'{ETC}/{NAME}.d/sub/1.conf': 'x', f'{ETC}/other.service.d/1.conf': 'x'}, ''),
    ],
)
def test_drop_ins_count_in_the_order_of_the_bytes_of_their_names(
    node: ServiceNode, files: Mapping[str, str], expected: str
) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    node.lay_out({path: adds(word) for path, word in files.items()})
    assert words(node) == ('/k', *([expected] if expected else []))


def test_drop_ins_of_a_prefix_count_and_lose_to_those_of_the_whole_name(node: ServiceNode) -> None:
    node.write(f'{USR}/a-b.service', RUN)
    node.write(f'{ETC}/a-.service.d/1.conf', adds('prefix'))
    assert words(node, 'a-b.service') == ('/k', 'prefix')
    node.write(f'{USR}/a-b.service.d/1.conf', adds('whole'))
    assert words(node, 'a-b.service') == ('/k', 'prefix')
    node.write(f'{ETC}/a-b.service.d/1.conf', adds('whole'))
    assert words(node, 'a-b.service') == ('/k', 'whole')


def test_an_instance_is_read_from_its_template_and_both_have_drop_ins(node: ServiceNode) -> None:
    node.write(f'{USR}/k@.service', f'{RUN} %i')
    assert words(node, 'k@x.service') == ('/k', 'x')
    node.write(f'{USR}/k@.service.d/1.conf', adds('template'))
    node.write(f'{USR}/k@x.service.d/2.conf', adds('instance'))
    assert words(node, 'k@x.service') == ('/k', 'instance')
    assert words(node, 'k@y.service') == ('/k', 'template')
    node.write(f'{USR}/k@x.service', f'{RUN} own')
    assert unit_of(node, 'k@x.service').files[0].path == f'{USR}/k@x.service'


def test_a_unit_that_is_nowhere_is_not_known(node: ServiceNode) -> None:
    node.write(f'{ETC}/{NAME}.d/1.conf', adds('x'))
    assert unit_in(node) == Unknown(
        f'could not find a unit file of {NAME}', 'let the Agent read the systemd units of the host (host_root)'
    )


@pytest.mark.parametrize('target', ['/dev/null', '../../../dev/null'])
def test_a_mask_hides_the_unit_of_later_folders(node: ServiceNode, target: str) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    node.link(f'{ETC}/{NAME}', target)
    unit = unit_of(node)
    assert unit.command == Unknown(f'{ETC}/{NAME} is masked, so systemd does not start {NAME}', refused=True)


def test_a_mask_of_a_later_folder_does_not_count(node: ServiceNode) -> None:
    node.write(f'{ETC}/{NAME}', RUN)
    node.link(f'{USR}/{NAME}', '/dev/null')
    assert words(node) == ('/k',)


def test_a_mask_hides_a_drop_in(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    node.write(f'{USR}/{NAME}.d/1.conf', adds('x'))
    node.link(f'{ETC}/{NAME}.d/1.conf', '/dev/null')
    assert words(node) == ('/k',)


def test_a_link_to_nothing_hides_a_drop_in(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    node.write(f'{USR}/{NAME}.d/1.conf', adds('1'))
    node.write(f'{USR}/{NAME}.d/2.conf', adds('2'))
    node.link(f'{ETC}/{NAME}.d/2.conf', '/none')
    assert words(node) == ('/k', '1')


def test_a_folder_hides_a_drop_in(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    node.at(f'{ETC}/{NAME}.d/1.conf/x')
    node.write(f'{USR}/{NAME}.d/1.conf', adds('1'))
    assert words(node) == ('/k',)


def alias(node: ServiceNode, text: str) -> None:
    node.write(f'{USR}/real.service', text)
    node.link(f'{ETC}/{NAME}', f'{USR}/real.service')


def test_an_alias_has_the_drop_ins_of_both_of_its_names(node: ServiceNode) -> None:
    alias(node, RUN)
    assert words(node) == ('/k',)
    node.write(f'{USR}/real.service.d/1.conf', adds('real'))
    assert words(node) == ('/k', 'real')
    node.write(f'{USR}/{NAME}.d/1.conf', adds('alias'))
    assert words(node) == ('/k', 'alias')


def test_an_alias_whose_specifiers_depend_on_its_name_is_unknown(node: ServiceNode) -> None:
    alias(node, f'{RUN} %n')
    assert words(node) == f'{NAME} and real.service are one unit, and its specifiers depend on the name'
    alias(node, f'{RUN} %t')
    assert words(node) == ('/k', '/run')


def test_a_link_out_of_the_folders_of_units_is_no_other_name(node: ServiceNode) -> None:
    node.write('/opt/real.service', f'{RUN} %n')
    node.link(f'{ETC}/{NAME}', '/opt/real.service')
    assert words(node) == ('/k', NAME)


def test_a_template_under_another_name_is_not_supported(node: ServiceNode) -> None:
    node.write(f'{USR}/real@.service', RUN)
    node.link(f'{ETC}/k@.service', f'{USR}/real@.service')
    assert words(node, 'k@x.service') == (
        f'{ETC}/k@.service is a link to a unit with another name, which this check does not support for templates'
    )


def with_drop_ins(node: ServiceNode, number: int) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    for each in range(number):
        node.write(f'{ETC}/{NAME}.d/{each:03}.conf', adds(str(each)))


def test_no_more_drop_ins_are_read_than_the_most(node: ServiceNode) -> None:
    with_drop_ins(node, MAX_UNIT_FILES)
    assert words(node) == ('/k', str(MAX_UNIT_FILES - 1))
    with_drop_ins(node, MAX_UNIT_FILES + 1)
    unit = unit_of(node)
    reason = f'the unit has more than {MAX_UNIT_FILES} drop-ins'
    assert unit.unread == (Unreadable(f'{ETC}/{NAME}.d', reason),)
    assert unit.command == Unknown(f'could not read {ETC}/{NAME}.d: {reason}')
    assert len(unit.files) == MAX_UNIT_FILES + 1


def test_a_drop_in_that_is_hidden_does_not_count_to_the_most(node: ServiceNode) -> None:
    with_drop_ins(node, MAX_UNIT_FILES)
    for each in range(MAX_UNIT_FILES):
        node.write(f'{USR}/{NAME}.d/{each:03}.conf', '')
    assert words(node) == ('/k', str(MAX_UNIT_FILES - 1))


ENVIRONMENT = '[Service]\nEnvironmentFile=%s\nExecStart=/k $A $B $C\n'


@pytest.mark.parametrize(
    'pattern, files, expected',
    [
        ('/e/a', {'/e/a': 'A=1'}, ('1',)),
        ('/e/*', {'/e/a': 'A=1', '/e/b': 'B=2'}, ('1', '2')),
        ('/e/*', {'/e/b': 'A=2', '/e/a': 'A=1'}, ('2',)),
        ('/e/*.env', {'/e/a': 'A=1', '/e/b.env': 'B=2'}, ('2',)),
        ('/e/*', {'/e/.a': 'A=1', '/e/b': 'B=2'}, ('2',)),
        ('-/e/.*', {'/e/.a': 'A=1', '/e/b': 'B=2'}, ('1',)),
        ('/e/?', {'/e/a': 'A=1', '/e/bb': 'B=2'}, ('1',)),
        ('/e/[ab]', {'/e/a': 'A=1', '/e/b': 'B=2', '/e/c': 'C=3'}, ('1', '2')),
        ('/e/[!a]', {'/e/a': 'A=1', '/e/b': 'B=2'}, ('2',)),
        ('-/e/none*', {'/e/a': 'A=1'}, ()),
        ('-/none/*', {}, ()),
        ('-/e/none', {}, ()),
        ('/e//a', {'/e/a': 'A=1'}, ('1',)),
        ('/e/../e/a', {'/e/a': 'A=1'}, ()),
        ('/e/./a/', {'/e/a': 'A=1'}, ('1',)),
    ],
)
def test_environment_files_are_those_that_a_pattern_matches_in_the_order_of_their_names(
    node: ServiceNode, pattern: str, files: Mapping[str, str], expected: tuple[str, ...]
) -> None:
    node.write(f'{USR}/{NAME}', ENVIRONMENT % pattern)
    node.lay_out(files)
    assert words(node) == ('/k', *expected)


@pytest.mark.parametrize('pattern', ['/e/none', '/e/none*', '/none/*'])
def test_an_environment_file_that_must_be_there_is_refused_where_it_is_not(node: ServiceNode, pattern: str) -> None:
    node.write(f'{USR}/{NAME}', ENVIRONMENT % pattern)
    node.write('/e/a', 'A=1')
    command = unit_of(node).command
    assert isinstance(command, Unknown) and command.refused
    assert 'does not exist, so systemd does not start kubelet.service' in command.reason


@pytest.mark.parametrize(
    'pattern', ['/e/\\a', '/e/\\*', '/e/[a\\]', '/e/[^b]', '/e/.*', '/e/[[:alpha:]]', '/e/[b[=a=]]']
)
def test_a_pattern_that_glob_reads_otherwise_is_unknown(node: ServiceNode, pattern: str) -> None:
    node.write(f'{USR}/{NAME}', ENVIRONMENT % pattern)
    node.write('/e/a', 'A=1')
    command = unit_of(node).command
    assert command == Unknown(f'{pattern} is a pattern that this check does not support')


@pytest.mark.parametrize('pattern', ['/*/a'])
def test_a_pattern_that_is_not_supported_is_unknown(node: ServiceNode, pattern: str) -> None:
    node.write(f'{USR}/{NAME}', ENVIRONMENT % pattern)
    node.write('/e/a', 'A=1')
    command = unit_of(node).command
    assert command == Unknown(
        f'{pattern} could not be read: this check does not support a wildcard in the name of a folder'
    )


def test_a_pattern_that_matches_too_many_files_is_unknown(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', ENVIRONMENT % '/e/*')
    for number in range(MAX_UNIT_FILES):
        node.write(f'/e/{number:03}', f'A={number}')
    assert words(node) == ('/k', str(MAX_UNIT_FILES - 1))
    node.write('/e/x', '')
    assert words(node) == f'/e/* could not be read: the pattern matches more than {MAX_UNIT_FILES} files'


def test_a_unit_names_its_files_in_the_order_in_which_they_count(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', '[Service]\nEnvironmentFile=-/e/b\nEnvironmentFile=-/e/none\nWorkingDirectory=/w\n')
    node.write(f'{ETC}/{NAME}.d/2.conf', '[Service]\nEnvironmentFile=/e/a*\n')
    node.write(f'{USR}/{NAME}.d/1.conf', adds('$KUBELET_EXTRA_ARGS'))
    node.lay_out({'/e/a1': '', '/e/a2': '', '/e/b': 'KUBELET_EXTRA_ARGS=--v=2\n'})
    unit = unit_of(node)
    own = (f'{USR}/{NAME}', f'{USR}/{NAME}.d/1.conf', f'{ETC}/{NAME}.d/2.conf')
    assert unit.paths == own
    assert [file.path for file in unit.files] == [*own, '/e/b', '/e/none', '/e/a1', '/e/a2']
    assert [isinstance(file, Missing) for file in unit.files] == [False] * 4 + [True] + [False] * 2
    assert unit.directory == '/w'
    assert unit.folders == (
        Folder(f'{ETC}/{NAME}.d', ('2.conf',), unit.folders[0].changed_at),
        Folder(f'{USR}/{NAME}.d', ('1.conf',), unit.folders[1].changed_at),
        *unit.folders[2:],
    )
    assert unit.parents[-1] == '/e' and ETC in unit.parents
    assert not any('generator' in parent or 'transient' in parent for parent in unit.parents)


def test_the_place_of_an_argument_of_the_process_is_known(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', '[Service]\nEnvironmentFile=/e\nExecStart=/bin/sh -c "exec /k $KUBELET_ARGS"\n')
    node.write('/e', 'KUBELET_ARGS="--a=1 \\\n  --b=2"\n')
    process = replace(PROCESS, arguments=('--b=2', '--c=3', ' ' * 3))
    unit = unit_in(node, process=process)
    assert isinstance(unit, Unit)
    assert unit.places == {'--b=2': Place('/e', 2, 'KUBELET_ARGS')}


def test_the_variables_that_are_options_are_kept_with_their_place(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', f'{RUN}\nEnvironment=K3S_CONFIG_FILE=/c A=1\n')
    assert unit_of(node).environment == {
        'K3S_CONFIG_FILE': Argument('/c', Place(f'{USR}/{NAME}', 3, 'K3S_CONFIG_FILE'))
    }


def test_the_files_of_a_unit_that_would_not_start_are_known_all_the_same(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', '[Service\n')
    unit = unit_of(node)
    assert isinstance(unit.command, Unknown) and unit.command.refused
    assert unit.paths == (f'{USR}/{NAME}',)


class Mounted(Booted):
    """A folder of the check in which the root of a node is mounted."""

    is_its_own = False
    whole = True

    def shows_whole_root(self, process: Process) -> bool:
        return self.whole


class PartlyMounted(Mounted):
    """The same with a part of it."""

    whole = False


@pytest.mark.parametrize(
    'kind, expected',
    [
        (Mounted, (Argument('/k', Place(f'{ETC}/{NAME}', 2)),)),
        (PartlyMounted, Unknown(f'host_root does not show all folders that may contain files of {NAME}')),
    ],
)
def test_a_root_that_shows_only_a_part_of_the_node_does_not_show_the_command(
    node: ServiceNode, kind: type[Mounted], expected: object
) -> None:
    node.write(f'{ETC}/{NAME}', RUN)
    unit = read_unit(kind(str(node.root)), PROCESS, NAME)
    assert isinstance(unit, Unit)
    assert unit.command == expected


def test_a_folder_of_drop_ins_that_cannot_be_listed_leaves_the_command_unknown(node: ServiceNode) -> None:
    class Shut(Booted):
        def list_folder(self, process: Process, path: str) -> Folder | Missing | Unreadable:
            is_shut = path == f'{ETC}/{NAME}.d'
            return Unreadable(path, 'no permission') if is_shut else super().list_folder(process, path)

    node.write(f'{USR}/{NAME}', RUN)
    unit = read_unit(Shut(str(node.root)), PROCESS, NAME)
    assert isinstance(unit, Unit)
    assert unit.unread == (Unreadable(f'{ETC}/{NAME}.d', 'no permission'),)
    assert unit.command == Unknown(f'could not read {ETC}/{NAME}.d: no permission')


def test_the_last_change_of_its_folders_is_the_latest_of_them(node: ServiceNode) -> None:
    node.write(f'{USR}/{NAME}', RUN)
    host = Booted(str(node.root))
    unit = with_parent_times(host, PROCESS, unit_of(node))
    assert unit.parents_changed_at == os.stat(node.root / USR.lstrip('/')).st_ctime
    node.write(f'{ETC}/other.service', '')
    later = with_parent_times(host, PROCESS, unit_of(node)).parents_changed_at
    assert later == os.stat(node.root / ETC.lstrip('/')).st_ctime
