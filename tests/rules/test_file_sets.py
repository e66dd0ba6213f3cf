# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which files a kubelet uses: the rules on modes and owners are about these, and never about a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.collection.services import read_unit_of
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.model import (
    DropIns,
    Evidence,
    File,
    FileSet,
    FileStatus,
    Missing,
    Origin,
    Process,
    Setting,
    Source,
    Unit,
    Unknown,
    Unreadable,
)
from datadog_checks.kubelet_compliance.rules.file_sets import (
    AZURE_JSON,
    FilesInUse,
    azure_json,
    client_ca_files,
    config_files,
    file_set_of,
    files_of_unit,
    kubeconfig_files,
)
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED
from tests.support.nodes import PID, made_up_host

CA = Origin(Source.CONFIG_FILE, '/c.yaml:9')
FIELD = 'authentication.x509.clientCAFile'
UNREAD = Unknown('/c.yaml could not be read')
WHY = Unknown('the flags are not known')
PROCESS = Process(1, 1, ())
NO_FOLDER, SHUT = Missing('/d', 'no such file or directory'), Unreadable('/d', 'permission denied')


@pytest.mark.parametrize('cgroup', ['0::/', '0::/system.slice', '0::/user.slice/session-1.scope'])
def test_a_kubelet_outside_of_a_service_says_nothing_of_its_unit(tmp_path: Path, cgroup: str) -> None:
    host, process = made_up_host(tmp_path, (), tmp_path)
    (tmp_path / 'proc' / str(PID) / 'cgroup').write_text(f'{cgroup}\n')
    found = files_of_unit(read_unit_of(host, process).unit)
    assert isinstance(found, Unknown)
    assert 'belongs to no systemd service' in found.reason


@pytest.mark.parametrize(
    ('unit', 'found'),
    [
        pytest.param(None, FilesInUse(), id='none in a container'),
        pytest.param(WHY, WHY, id='not known'),
        pytest.param(
            Unit('k.service', ('/u', '/d/1.conf'), WHY, unread=(SHUT,)),
            FilesInUse(('/u', '/d/1.conf'), unread=(SHUT,)),
            id='its file, its drop-ins, and the folder that could not be read',
        ),
    ],
)
def test_the_files_of_a_service_are_its_unit_file_and_drop_ins(
    unit: Unit | Unknown | None, found: FilesInUse | Unknown
) -> None:
    assert files_of_unit(unit) == found


def config(path: str, drop_ins: DropIns | Missing | Unreadable | None = None) -> Evidence:
    return Evidence(PROCESS, File(path, b'', None), drop_ins)


@pytest.mark.parametrize(
    ('evidence', 'found'),
    [
        pytest.param(Evidence(PROCESS), FilesInUse((), Source.FLAG), id='no file'),
        pytest.param(config('/a/../c'), FilesInUse(('/c',), Source.FLAG), id='the path as the kubelet cleans it'),
        pytest.param(
            config('/c', DropIns('/d', (File('/d/1.conf', b'', None),), None)),
            FilesInUse(('/c', '/d/1.conf'), Source.FLAG),
            id='drop-ins too',
        ),
        pytest.param(config('/c', NO_FOLDER), FilesInUse(('/c',), Source.FLAG, (NO_FOLDER,)), id='no such folder'),
        pytest.param(config('/c', SHUT), FilesInUse(('/c',), Source.FLAG, (SHUT,)), id='a folder that is shut'),
    ],
)
def test_the_config_files_are_those_that_were_read(evidence: Evidence, found: FilesInUse) -> None:
    assert config_files(evidence, Flags({})) == found


def test_flags_that_are_not_known_name_no_files() -> None:
    assert config_files(config('/c'), WHY) is WHY
    assert kubeconfig_files(WHY) is WHY
    assert client_ca_files(Setting(((FIELD, '/ca'),), CA, NOT_ASKED), WHY) is WHY


STATUS, ABSENT = FileStatus(AZURE_JSON, 0o600, 0, 0), Missing(AZURE_JSON, 'no such file or directory')


@pytest.mark.parametrize(
    ('files', 'status', 'found'),
    [
        pytest.param(azure_json(), STATUS, (STATUS,), id='optional and there'),
        pytest.param(azure_json(), ABSENT, (), id='optional and not there'),
        pytest.param(FilesInUse((AZURE_JSON,)), ABSENT, (ABSENT,), id='not optional and not there'),
        pytest.param(FilesInUse((AZURE_JSON,), unread=(SHUT,)), STATUS, (STATUS, SHUT), id='a folder was not read'),
    ],
)
def test_a_file_that_is_not_there_counts_unless_it_is_optional(
    files: FilesInUse, status: FileStatus | Missing, found: tuple[object, ...]
) -> None:
    assert file_set_of(files, {AZURE_JSON: status}) == FileSet(found)  # type: ignore[arg-type]
    assert file_set_of(WHY, {}) is WHY


@pytest.mark.parametrize('changed', [None, '/c.yaml'])
def test_which_client_ca_is_used_is_not_known_once_its_file_changed(changed: str | None) -> None:
    found = client_ca_files(Setting(((FIELD, '/ca.crt'),), CA, NOT_ASKED, changed), Flags({}))
    if changed is None:
        assert found == FilesInUse(('/ca.crt',), Source.CONFIG_FILE)
    else:
        assert isinstance(found, Unknown) and found.reason.startswith(f'{changed} changed after the kubelet started')


@pytest.mark.parametrize(
    'declared, running, names',
    [
        ('/now.crt', '/now.crt', ('/now.crt',)),
        ('/next.crt', '/now.crt', ('/now.crt', '/next.crt')),
        ('', '/now.crt', ('/now.crt',)),
        (None, '/now.crt', ('/now.crt',)),
        ('/next.crt', '', ('/next.crt',)),
    ],
)
def test_what_configz_answers_of_the_client_ca_counts_whatever_changed(
    declared: str | None, running: str, names: tuple[str, ...]
) -> None:
    said = UNREAD if declared is None else ((FIELD, declared),)
    found = client_ca_files(Setting(said, CA, ((FIELD, running),), '/c.yaml'), Flags({}))
    assert found == FilesInUse(names, Source.CONFIG_FILE)
