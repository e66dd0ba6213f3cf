# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.file_sets import CLIENT_CA_FIELD, files_of
from datadog_checks.kubelet_compliance.flags import parse_flags
from datadog_checks.kubelet_compliance.model import Declared, Evidence, FileSubject, Origin, Source, Unknown

from .nodes import PID, made_up_host

CA = Origin(Source.CONFIG_FILE, '/c.yaml:9')


@pytest.mark.parametrize('cgroup', ['0::/', '0::/system.slice', '0::/user.slice/session-1.scope'])
def test_a_kubelet_outside_of_a_service_says_nothing_of_its_unit(tmp_path: Path, cgroup: str) -> None:
    host, process = made_up_host(tmp_path, (), tmp_path)
    (tmp_path / 'proc' / str(PID) / 'cgroup').write_text(f'{cgroup}\n')
    found = files_of(FileSubject.SERVICE, host, Evidence(process), Declared({}, {}), None)
    assert isinstance(found, Unknown)
    assert 'names no systemd service' in found.reason


@pytest.mark.parametrize('changed', [None, '/c.yaml'])
def test_which_client_ca_is_used_is_not_known_once_its_file_changed(tmp_path: Path, changed: str | None) -> None:
    host, process = made_up_host(tmp_path, (), tmp_path)
    (tmp_path / 'ca.crt').write_bytes(b'')
    x509 = {'x509': {'clientCAFile': str(tmp_path / 'ca.crt')}}
    declared = replace(Declared({'authentication': x509}, {CLIENT_CA_FIELD: CA}), changed=changed)
    found = files_of(FileSubject.CLIENT_CA, host, Evidence(process), declared, parse_flags(()))
    if changed is None:
        assert not isinstance(found, Unknown) and len(found.files) == 1
    else:
        assert isinstance(found, Unknown) and found.reason.startswith(f'{changed} changed after the kubelet started')
