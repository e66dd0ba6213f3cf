# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is true of a node, read from real files: the facts that decide whether a fix is offered."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.collection.fact_sources import read_fact_sources
from datadog_checks.kubelet_compliance.kubelet.flag_tokens import Terms
from datadog_checks.kubelet_compliance.kubelet.flags import parse_flags
from datadog_checks.kubelet_compliance.kubelet.kernel_settings import (
    EXPECTED,
    FOLDERS,
    KERNEL_SETTINGS_TEXT,
    OWN_FILE,
    sysctl_assignments,
)
from datadog_checks.kubelet_compliance.kubelet.release import Release
from datadog_checks.kubelet_compliance.model import Answer, Fact, Process, Unknown, Value
from datadog_checks.kubelet_compliance.node.captured import Capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from datadog_checks.kubelet_compliance.node.process_root import MAX_FILE_BYTES
from datadog_checks.kubelet_compliance.rules.node_facts import (
    MOST_SYSCTL_FILES,
    FactQuestion,
    FactSources,
    answer_facts,
)
from datadog_checks.kubelet_compliance.rules.problems import kernel_problem
from tests.support.made_up_node import Node

pytestmark = pytest.mark.usefixtures('no_handle_is_left')

KUBECONFIG = '/etc/kubernetes/kubelet.conf'
NOT_KNOWN = Answer()


@dataclass(frozen=True)
class Asked:
    """A kubelet, and the node that is read for the answers."""

    host: Host
    process: Process
    question: FactQuestion

    def read(self, *wanted: Fact) -> dict[Fact, Answer]:
        sources = read_fact_sources(self.host, self.process, self.question, wanted)
        return answer_facts(self.question, sources, wanted)


def asked(node: Node, *arguments: str, values: Mapping[str, Value] | None = None, host: Host | None = None) -> Asked:
    process = node.add(1200, 'kubelet', *arguments)
    flags = parse_flags(arguments, Terms(Release(36)))
    return Asked(host or node.host(node.root), process, FactQuestion(flags, (values or {}).get))


def answer(fact: Fact, question: Asked) -> Answer:
    return question.read(fact)[fact]


def kubeconfig(*users: Mapping[str, object]) -> bytes:
    rows = [{'name': f'u{number}', 'user': user} for number, user in enumerate(users)]
    return json.dumps({'apiVersion': 'v1', 'kind': 'Config', 'users': rows}).encode()


FILE = {'client-certificate': '/var/lib/kubelet/pki/kubelet-client-current.pem'}
DATA = {'client-certificate-data': 'Li4u', 'client-key-data': 'Li4u'}
TOKEN = {'token': 'abc'}
EXEC = {'exec': {'apiVersion': 'client.authentication.k8s.io/v1', 'command': 'aws'}}


@pytest.mark.parametrize(
    ('content', 'holds'),
    [
        pytest.param(kubeconfig(FILE), True, id='a file'),
        pytest.param(kubeconfig(DATA), True, id='data'),
        pytest.param(b'users:\n- name: u\n  user:\n    client-certificate: /c.pem\n', True, id='YAML'),
        pytest.param(kubeconfig(TOKEN), False, id='a token'),
        pytest.param(kubeconfig(EXEC), False, id='a plugin'),
        pytest.param(kubeconfig({**TOKEN, 'client-certificate': ''}), False, id='a token beside an empty certificate'),
        pytest.param(kubeconfig({**TOKEN, 'client-certificate-data': None}), False, id='a token beside no certificate'),
        pytest.param(kubeconfig(FILE, TOKEN), False, id='one user of two has none'),
        pytest.param(kubeconfig(), False, id='no user'),
        pytest.param(b'users: text', False, id='no list of users'),
        pytest.param(b'users: [text]', False, id='a user that is no mapping'),
        pytest.param(b'{', None, id='not to be read'),
        pytest.param(b'', False, id='empty'),
    ],
)
def test_a_kubelet_keeps_its_credentials_where_its_kubeconfig_has_a_certificate(
    node: Node, content: bytes, holds: bool | None
) -> None:
    node.write(KUBECONFIG, content)
    assert answer(Fact.CLIENT_CERTIFICATE, asked(node, f'--kubeconfig={KUBECONFIG}')).holds is holds


@pytest.mark.parametrize(
    ('arguments', 'holds'),
    [
        pytest.param(('--bootstrap-kubeconfig=/b', f'--kubeconfig={KUBECONFIG}'), True, id='it can ask for another'),
        pytest.param(('--kubeconfig=/none',), None, id='the kubeconfig is not there'),
        pytest.param((), None, id='no kubeconfig'),
    ],
)
def test_without_a_kubeconfig_that_can_be_read_only_a_bootstrap_shows_it(
    node: Node, arguments: tuple[str, ...], holds: bool | None
) -> None:
    node.write(KUBECONFIG, kubeconfig(TOKEN))
    assert answer(Fact.CLIENT_CERTIFICATE, asked(node, *arguments)).holds is holds


@pytest.mark.parametrize(
    ('content', 'override', 'holds'),
    [
        pytest.param(b'vm\n', 'vm', True, id='the same'),
        pytest.param(b'VM.example\n', ' vm.Example', True, id='the same as the kubelet spells it'),
        pytest.param(b'vm\n', 'ip-10-0-0-1.ec2.internal', False, id='another'),
        pytest.param(b'vm.example\n', 'vm', False, id='only its beginning'),
        pytest.param(b'\n', 'vm', None, id='an empty file'),
        pytest.param(None, 'vm', None, id='no file'),
        pytest.param(b'vm\n', '', None, id='no override'),
    ],
)
def test_the_host_has_the_name_of_the_flag(
    node: Node, content: bytes | None, override: str, holds: bool | None
) -> None:
    if content is not None:
        node.write('/etc/hostname', content)
    question = asked(node, values={'--hostname-override': override})
    assert answer(Fact.HOST_NAME, question).holds is holds


STATIC = '/etc/kubernetes/manifests'


@pytest.mark.parametrize(
    ('names', 'found'),
    [
        pytest.param(None, Answer(True), id='no folder'),
        pytest.param([], Answer(True), id='empty'),
        pytest.param(['.kubelet-keep', '.swp'], Answer(True), id='only what the kubelet passes over'),
        pytest.param(['etcd.yaml'], Answer(False, ' (it holds 1 file)'), id='one pod'),
        pytest.param(['etcd.yaml', 'old', '.keep'], Answer(False, ' (it holds 2 files)'), id='two'),
    ],
)
@pytest.mark.parametrize('by', ['field', 'flag'])
def test_a_static_pod_path_holds_what_the_kubelet_would_run(
    node: Node, by: str, names: list[str] | None, found: Answer
) -> None:
    if names is not None:
        (node.root / STATIC[1:]).mkdir(parents=True)
    for name in names or ():
        node.write(f'{STATIC}/{name}', b'kind: Pod')
    question = (
        asked(node, values={'staticPodPath': STATIC}) if by == 'field' else asked(node, f'--pod-manifest-path={STATIC}')
    )
    assert answer(Fact.NO_STATIC_PODS, question) == found


def test_a_static_pod_path_that_is_one_file_is_not_taken_for_empty(node: Node) -> None:
    node.write(f'{STATIC}/etcd.yaml')
    values = {'staticPodPath': f'{STATIC}/etcd.yaml'}
    assert answer(Fact.NO_STATIC_PODS, asked(node, values=values)) == Answer(False)


@pytest.mark.parametrize(
    ('fact', 'path', 'value', 'holds'),
    [
        pytest.param(Fact.TOKENS_ACCEPTED, 'authentication.webhook.enabled', True, True, id='tokens'),
        pytest.param(Fact.TOKENS_ACCEPTED, 'authentication.webhook.enabled', False, False, id='no tokens'),
        pytest.param(Fact.TOKENS_ACCEPTED, 'authentication.webhook.enabled', None, None, id='tokens, not known'),
        pytest.param(Fact.CERTIFICATES_VERIFIED, 'authentication.x509.clientCAFile', '/ca', True, id='a client CA'),
        pytest.param(Fact.CERTIFICATES_VERIFIED, 'authentication.x509.clientCAFile', '', False, id='no client CA'),
        pytest.param(Fact.CERTIFICATES_VERIFIED, 'authentication.x509.clientCAFile', None, None, id='CA, not known'),
    ],
)
def test_whom_the_kubelet_takes_its_clients_for_follows_from_its_settings(
    node: Node, fact: Fact, path: str, value: Value, holds: bool | None
) -> None:
    assert answer(fact, asked(node, values={path: value})).holds is holds


@pytest.mark.parametrize(
    ('arguments', 'holds'),
    [
        pytest.param((f'--kubeconfig={KUBECONFIG}',), True, id='named'),
        pytest.param((), False, id='standalone'),
    ],
)
def test_a_kubelet_has_an_api_server_where_it_has_a_kubeconfig(
    node: Node, arguments: tuple[str, ...], holds: bool
) -> None:
    assert answer(Fact.API_SERVER, asked(node, *arguments)).holds is holds


def test_flags_that_are_not_known_show_nothing(node: Node) -> None:
    known = asked(node)
    question = replace(known, question=replace(known.question, flags=Unknown('not believed')))
    facts = (Fact.API_SERVER, Fact.CLIENT_CERTIFICATE, Fact.NO_STATIC_PODS)
    assert set(question.read(*facts).values()) == {NOT_KNOWN}


@pytest.mark.parametrize('is_there', [True, False])
def test_the_client_ca_of_the_fix_is_there(node: Node, is_there: bool) -> None:
    if is_there:
        node.write('/etc/kubernetes/pki/ca.crt')
    assert answer(Fact.CLIENT_CA, asked(node)).holds is is_there


AS_EXPECTED = KERNEL_SETTINGS_TEXT.replace(' ', '\n').encode()
ALL = f'{KERNEL_SETTINGS_TEXT} (one per line) to {OWN_FILE}'


@pytest.mark.parametrize(
    ('files', 'found'),
    [
        pytest.param({OWN_FILE: AS_EXPECTED}, Answer(True), id='the file of the fix'),
        pytest.param({'/usr/lib/sysctl.d/10-k.conf': AS_EXPECTED}, Answer(True), id='a file of a package'),
        pytest.param({}, Answer(False, ALL), id='no file'),
        pytest.param({OWN_FILE: KERNEL_SETTINGS_TEXT.encode()}, Answer(False, ALL), id='all on one line'),
        pytest.param(
            {OWN_FILE: AS_EXPECTED, '/etc/sysctl.d/zzz.conf': b'kernel.panic = 0'},
            Answer(False, 'kernel.panic=10 to /etc/sysctl.d/zzz.conf'),
            id='a file after it says otherwise, and is the place to change',
        ),
        pytest.param(
            {OWN_FILE: AS_EXPECTED, '/usr/lib/sysctl.d/99-x.conf': b'kernel.panic = 0'},
            Answer(True),
            id='a file before it says otherwise',
        ),
        pytest.param(
            {'/etc/sysctl.d/k.conf': b'', '/usr/lib/sysctl.d/k.conf': AS_EXPECTED},
            Answer(False, ALL),
            id='a file of that name in a stronger folder',
        ),
    ],
)
def test_sysctl_sets_what_the_kubelet_expects_at_the_next_boot(
    node: Node, files: dict[str, bytes], found: Answer
) -> None:
    for path, data in files.items():
        node.write(path, data)
    assert answer(Fact.KERNEL_SETTINGS, asked(node)) == found


def test_a_file_that_is_masked_sets_nothing(node: Node) -> None:
    node.write('/usr/lib/sysctl.d/k.conf', AS_EXPECTED)
    node.write(OWN_FILE, b'kernel.panic=10')
    node.link('/etc/sysctl.d/k.conf', '/dev/null')
    lacking = ALL.replace('kernel.panic=10 ', '')
    assert answer(Fact.KERNEL_SETTINGS, asked(node)) == Answer(False, lacking)
    (node.root / 'dev').mkdir()
    try:
        os.mknod(node.root / 'dev/null', stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip('only root makes a device')
    assert answer(Fact.KERNEL_SETTINGS, asked(node)) == Answer(False, lacking)


@pytest.mark.parametrize('what', ['one that is too large', 'too many'])
def test_files_that_are_not_all_read_show_nothing(node: Node, what: str) -> None:
    node.write(OWN_FILE, AS_EXPECTED)
    if what == 'too many':
        for number in range(MOST_SYSCTL_FILES):
            node.write(f'/run/sysctl.d/{number}.conf')
    else:
        node.write(f'{FOLDERS[0]}/50-x.conf', b' ' * (MAX_FILE_BYTES + 1))
    assert answer(Fact.KERNEL_SETTINGS, asked(node)) == Answer(None, ALL)


def set_kernel(node: Node, **changes: str) -> None:
    """What the made-up kernel has: all as expected but for the changes, whose names have `__` for a dot."""
    for name, value in {**EXPECTED, **{name.replace('__', '.'): value for name, value in changes.items()}}.items():
        file = node.procfs / 'sys' / name.replace('.', '/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'{value}\n')


def test_what_the_kernel_has_now_counts_beside_the_files(node: Node) -> None:
    node.write(OWN_FILE, AS_EXPECTED.replace(b'vm.panic_on_oom=0', b''))
    set_kernel(node, kernel__panic='0')
    assert answer(Fact.KERNEL_SETTINGS, asked(node)) == Answer(
        False, f'vm.panic_on_oom=0 kernel.panic=10 (one per line) to {OWN_FILE}'
    )


def test_the_kernel_of_this_machine_says_nothing_of_a_machine_that_does_not_run(node: Node) -> None:
    node.write(OWN_FILE, AS_EXPECTED)
    set_kernel(node, kernel__panic='0')
    living = asked(node)
    image = replace(living, process=replace(living.process, unit='kubelet.service'))
    assert answer(Fact.KERNEL_SETTINGS, living).holds is False
    assert answer(Fact.KERNEL_SETTINGS, image) == Answer(True)


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        pytest.param({}, None, id='as expected'),
        pytest.param({'kernel__panic': '0'}, 'kernel.panic is 0', id='one differs'),
        pytest.param(
            {'kernel__panic': '0', 'vm__overcommit_memory': '2'},
            'vm.overcommit_memory is 2, kernel.panic is 0',
            id='two differ',
        ),
        pytest.param({'kernel__panic': '-1'}, 'kernel.panic is -1', id='one is below zero: reboot at once'),
        pytest.param({'kernel__panic': ''}, None, id='one cannot be read'),
    ],
)
def test_a_kubelet_that_protects_the_kernel_would_not_start_where_it_differs(
    node: Node, changes: dict[str, str], says: str | None
) -> None:
    set_kernel(node, **changes)
    problem = kernel_problem(node.host().kernel_settings(EXPECTED))
    if says is None:
        assert problem is None
        return
    assert problem is not None
    assert problem.refused
    assert problem.reason.endswith(f'differ from what the kubelet expects: {says}')
    assert problem.remedy == f'set {sysctl_assignments(name for name in EXPECTED if name in says)}'


def test_a_kernel_that_cannot_be_seen_is_no_problem(node: Node) -> None:
    assert kernel_problem(node.host().kernel_settings(EXPECTED)) is None


KEPT = {Fact.KERNEL_SETTINGS: Answer(False, 'kernel.panic=10'), Fact.HOST_NAME: Answer(True)}


def test_a_captured_node_answers_with_what_was_kept_and_reads_no_file(node: Node) -> None:
    node.write(OWN_FILE, AS_EXPECTED)
    host = CapturedHost(str(node.procfs), str(node.root), capture=Capture(facts=KEPT))
    found = asked(node, host=host).read(*KEPT, Fact.NO_STATIC_PODS, Fact.API_SERVER)
    assert found == {**KEPT, Fact.NO_STATIC_PODS: NOT_KNOWN, Fact.API_SERVER: Answer(False)}


def test_what_is_read_for_advice_is_not_watched(node: Node) -> None:
    node.write('/etc/hostname', b'vm')
    question = asked(node, values={'--hostname-override': 'vm'})
    assert answer(Fact.HOST_NAME, question).holds
    assert isinstance(question.host, LiveHost)
    assert question.host.trace.anchors == {}


def test_only_what_is_wanted_is_read(node: Node) -> None:
    question = asked(node)
    assert set(question.read(Fact.API_SERVER)) == {Fact.API_SERVER}
    assert read_fact_sources(question.host, question.process, question.question, [Fact.API_SERVER]) == FactSources()


def test_a_link_that_leads_out_of_the_root_is_not_followed_there(node: Node, tmp_path: Path) -> None:
    (tmp_path / 'outside').write_bytes(b'vm')
    (node.root / 'etc').mkdir()
    node.link('/etc/hostname', str(tmp_path / 'outside'))
    question = asked(node, values={'--hostname-override': 'vm'})
    assert answer(Fact.HOST_NAME, question) == NOT_KNOWN
