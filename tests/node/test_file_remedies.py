# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import os

import pytest

from datadog_checks.kubelet_compliance.model import Fault
from datadog_checks.kubelet_compliance.node.file_remedies import (
    DAC_READ_SEARCH,
    SYS_PTRACE,
    Rights,
    not_allowed,
    not_mounted,
    not_shown,
)
from datadog_checks.kubelet_compliance.node.rights import own_rights
from tests.support.apart import NOBODY
from tests.support.made_up_node import unprivileged
from tests.support.users import needs_root

ROOT = Rights(0, 0)
TRACER = Rights(0, 1 << SYS_PTRACE)
READER = Rights(0, 1 << DAC_READ_SEARCH)
ANYONE = Rights(100, 0)


@pytest.mark.parametrize(
    ('rights', 'can_have_root', 'is_on_host', 'begins', 'offers_root'),
    [
        pytest.param(ROOT, True, False, "add the capability SYS_PTRACE to the Agent's container", True, id='root'),
        pytest.param(ANYONE, True, False, "run the Agent's container as user 0 with", True, id='anyone'),
        pytest.param(Rights(), True, False, "run the Agent's container as user 0 with", True, id='not-known'),
        pytest.param(TRACER, True, False, 'let the AppArmor profile or the SELinux type', True, id='has-it-already'),
        pytest.param(ROOT, False, False, "add the capability SYS_PTRACE to the Agent's container", False, id='set'),
        pytest.param(ANYONE, True, True, 'set host_root: /', True, id='on-the-host'),
        pytest.param(ANYONE, False, True, "run the Agent's container as user 0 with", False, id='on-the-host-and-set'),
    ],
)
def test_what_is_missing_is_said_for_the_user_and_capabilities_that_the_agent_has(
    rights: Rights, can_have_root: bool, is_on_host: bool, begins: str, offers_root: bool
) -> None:
    advice = not_shown(rights, can_have_root=can_have_root, is_on_host=is_on_host)
    assert advice.fault is Fault.FILES_NOT_SHOWN
    assert advice.remedy.startswith(begins)
    assert ('host_root' in advice.remedy) is offers_root


@pytest.mark.parametrize(
    ('rights', 'words'),
    [
        (ANYONE, ('CAP_DAC_READ_SEARCH', 'a group that may read the file')),
        (ROOT, ("add the capability DAC_READ_SEARCH to the Agent's container",)),
        (READER, ('SELinux type',)),
    ],
)
def test_a_file_that_is_seen_and_may_not_be_read_is_another_thing(rights: Rights, words: tuple[str, ...]) -> None:
    advice = not_allowed(rights)
    assert advice.fault is Fault.NOT_ALLOWED_TO_READ
    assert all(word in advice.remedy for word in words)
    assert 'PTRACE' not in advice.remedy


def test_what_host_root_does_not_show_is_to_be_mounted() -> None:
    assert 'below host_root too' in not_mounted('/etc/x').remedy
    assert not_mounted('').remedy == 'mount the root file system of the host read-only at host_root'


def test_the_rights_are_those_that_the_kernel_shows() -> None:
    rights = own_rights()
    assert rights.uid == os.geteuid()
    assert rights.capabilities is not None


@needs_root
def test_who_gives_up_its_rights_has_none_of_them() -> None:
    module = 'datadog_checks.kubelet_compliance.node.rights'
    say = f'from {module} import own_rights\nr = own_rights()\nsay(r.uid); say(r.has(19))'
    assert unprivileged(say) == [NOBODY, False]


def test_where_the_kernel_shows_nothing_no_right_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(24, 'Too many open files')

    monkeypatch.setattr('builtins.open', fail)
    rights = own_rights()
    monkeypatch.undo()
    assert rights == Rights()
    assert not rights.has(SYS_PTRACE)
