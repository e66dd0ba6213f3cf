# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from datadog_checks.kubelet_compliance.kubelet.formats import goyaml
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from tests.fuzz.bounds import BOUNDS
from tests.fuzz.file_bounds import DROP_INS, FILES
from tests.fuzz.kept import all_kept
from tests.fuzz.laid_out import HEADER, Bound
from tests.fuzz.targets import PART, PROCESS, TARGETS

KEPT = all_kept()

# The same ones at each run: what is new is looked for by `make fuzz`.
made_up = settings(derandomize=True, deadline=None, max_examples=100)


@pytest.mark.parametrize(('target', 'name', 'data'), KEPT, ids=[f'{target}-{name}' for target, name, _ in KEPT])
def test_no_kept_input_breaks_a_promise(target: str, name: str, data: bytes) -> None:
    TARGETS[target](data)


def test_each_target_has_kept_inputs() -> None:
    assert {target for target, _, _ in KEPT} == set(TARGETS)


@pytest.mark.parametrize('bound', BOUNDS, ids=lambda bound: bound.name)
def test_the_worst_inputs_come_to_what_is_stated(bound: Bound, tmp_path: Path) -> None:
    assert bound.prepare(tmp_path)() is bound.outcome


@pytest.mark.parametrize('bound', [*FILES, *DROP_INS], ids=lambda bound: bound.name)
def test_without_libyaml_they_come_to_the_same(bound: Bound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goyaml, 'YAML_PARSER', goyaml.GoParser)
    assert bound.prepare(tmp_path)() is bound.outcome


words = st.sampled_from(
    ['true', 'false', 'y', 'no', 'null', '~', '', '0', '-1', '1e3', '0x1f', '10s', '1Gi', '5%', '[]', '{}', '"\\ud800"']
)
texts = st.one_of(words, st.text(max_size=8))
names = st.sampled_from(sorted(KUBELET_CONFIGURATION.fields or ()))
lines = st.lists(st.builds('{}: {}'.format, names, texts), max_size=6).map('\n'.join)
documents = st.one_of(
    lines.map(lambda text: HEADER + text.encode('utf-8', 'replace')),
    st.recursive(texts, lambda inner: st.builds('{{{}: {}, <<: [{}]}}'.format, names, inner, inner), max_leaves=8).map(
        lambda text: HEADER + text.encode('utf-8', 'replace')
    ),
    st.binary(max_size=64),
)
flags = st.builds('--{}={}'.format, st.sampled_from(sorted(FLAGS)), texts)
command_lines = st.lists(st.one_of(flags, texts), max_size=6).map(
    lambda parts: b'kubelet\nkubelet\0' + '\0'.join(parts).encode('utf-8', 'replace')
)
proc_files = st.one_of(
    st.binary(max_size=32),
    st.sampled_from(
        [b'kubelet\n', b'kubelet\0--v=1\0', b'Uid:\t0\nNSpid:\t1\n', b'0::/kubepods/a\n', b'0::/a.service\n', b'-']
    ),
    st.integers().map(lambda number: b'1 (kubelet) S ' + b'0 ' * 18 + str(number).encode()),
)
processes = st.lists(st.lists(proc_files, max_size=8).map(PART.join), max_size=4)
answers = st.builds('{{"kubeletconfig": {{"{}": {}, "{}": {}}}}}'.format, names, words, names, texts).map(
    lambda text: text.encode('utf-8', 'replace')
)

unit_words = st.sampled_from(
    ['ExecStart=', 'ExecStart=/k ', 'Environment=', 'EnvironmentFile=/e', 'UnsetEnvironment=', 'A=', '$A', '${A}', '$$']
    + ['%n', '%', ' ', '"', "'", '\\', '\\x41', ' ; ', '#', '\\\n', '\n', '\r', '[Service', 'b']
)
unit_texts = st.lists(unit_words, max_size=24).map(lambda parts: ''.join(parts).encode())


@given(line=command_lines)
@made_up
def test_no_command_line_breaks_a_promise(line: bytes) -> None:
    TARGETS['argv'](line)


@given(document=documents)
@made_up
def test_no_file_breaks_a_promise(document: bytes) -> None:
    TARGETS['files'](document)
    TARGETS['redact'](document)


@given(parts=st.lists(documents, min_size=1, max_size=4))
@made_up
def test_no_drop_in_breaks_a_promise(parts: list[bytes]) -> None:
    TARGETS['trees'](PART.join(parts))
    TARGETS['launches'](b'k3s\0server' + PART + PART.join(parts))


@given(options=st.sampled_from([b'', b'nested', b'configz', b'nested configz']), processes=processes)
@made_up
def test_no_process_breaks_a_promise(options: bytes, processes: list[bytes]) -> None:
    TARGETS['proc'](PROCESS.join([options, *processes]))


@given(parts=st.tuples(st.one_of(answers, st.binary(max_size=64)), st.binary(max_size=64), documents, command_lines))
@made_up
def test_no_answer_breaks_a_promise(parts: tuple[bytes, ...]) -> None:
    TARGETS['configz'](PART.join(parts))


@given(parts=st.tuples(unit_texts, unit_texts, unit_texts))
@made_up
def test_no_service_breaks_a_promise(parts: tuple[bytes, ...]) -> None:
    unit, drop_in, environment = parts
    TARGETS['units'](PART.join([b'[Service]\nExecStart=/k $A\n' + unit, b'[Service]\n' + drop_in, environment]))
    TARGETS['environment-files'](b'A=' + environment)
