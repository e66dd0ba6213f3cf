# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.collection.file_sets import files_of
from datadog_checks.kubelet_compliance.collection.services import read_unit_of
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.model import (
    Evidence,
    FileSet,
    FileSubject,
    Origin,
    Setting,
    Source,
    Unknown,
)
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED
from tests.support.nodes import PID, made_up_host

CA = Origin(Source.CONFIG_FILE, '/c.yaml:9')
FIELD = 'authentication.x509.clientCAFile'
UNREAD = Unknown('/c.yaml could not be read')
NO_CA = Setting(((FIELD, ''),), None, NOT_ASKED)


@pytest.mark.parametrize('cgroup', ['0::/', '0::/system.slice', '0::/user.slice/session-1.scope'])
def test_a_kubelet_outside_of_a_service_says_nothing_of_its_unit(tmp_path: Path, cgroup: str) -> None:
    host, process = made_up_host(tmp_path, (), tmp_path)
    (tmp_path / 'proc' / str(PID) / 'cgroup').write_text(f'{cgroup}\n')
    evidence = Evidence(process, unit=read_unit_of(host, process).unit)
    found = files_of(FileSubject.SERVICE, host, evidence, NO_CA, Unknown(''))
    assert isinstance(found, Unknown)
    assert 'names no systemd service' in found.reason


@pytest.mark.parametrize('changed', [None, '/c.yaml'])
def test_which_client_ca_is_used_is_not_known_once_its_file_changed(tmp_path: Path, changed: str | None) -> None:
    host, process = made_up_host(tmp_path, (), tmp_path)
    (tmp_path / 'ca.crt').write_bytes(b'')
    setting = Setting(((FIELD, str(tmp_path / 'ca.crt')),), CA, NOT_ASKED, changed)
    found = files_of(FileSubject.CLIENT_CA, host, Evidence(process), setting, Flags({}))
    if changed is None:
        assert not isinstance(found, Unknown) and len(found.files) == 1
    else:
        assert isinstance(found, Unknown) and found.reason.startswith(f'{changed} changed after the kubelet started')


@pytest.mark.parametrize(
    'declared, running, names',
    [
        ('now.crt', 'now.crt', ['now.crt']),
        ('next.crt', 'now.crt', ['now.crt', 'next.crt']),
        ('', 'now.crt', ['now.crt']),
        (None, 'now.crt', ['now.crt']),
        ('next.crt', '', ['next.crt']),
    ],
)
def test_what_configz_tells_of_the_client_ca_counts_whatever_changed(
    tmp_path: Path, declared: str | None, running: str, names: list[str]
) -> None:
    host, process = made_up_host(tmp_path, (), tmp_path)
    paths = {name: str(tmp_path / name) if name else '' for name in (declared, running, *names) if name is not None}
    for name in names:
        (tmp_path / name).write_bytes(b'')
    told = UNREAD if declared is None else ((FIELD, paths[declared]),)
    setting = Setting(told, CA, ((FIELD, paths[running]),), '/c.yaml')
    found = files_of(FileSubject.CLIENT_CA, host, Evidence(process), setting, Flags({}))
    assert isinstance(found, FileSet)
    assert [file.path for file in found.files] == [paths[name] for name in names]
