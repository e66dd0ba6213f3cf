# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What others on the node can write, and what the check then sends, logs and shows: the whole check, as it runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubelet_compliance import KubeletComplianceCheck
from datadog_checks.kubelet_compliance.cli import main
from datadog_checks.kubelet_compliance.model import Fault, Unreadable
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from tests.support.cases import TRUTH
from tests.support.kubelet_server import Certificates, KubeletServer
from tests.support.mounts import needs_mounts
from tests.support.nodes import HEAD, write_process
from tests.support.sent import (
    BAD,
    CRITICAL,
    GOOD,
    IPTABLES,
    KERNEL,
    OK,
    UNKNOWN,
    WARNING,
    Sent,
    check_of,
    collect,
    show,
)
from tests.support.standin import Standin, read_pid
from tests.support.users import OURS, needs_root

pytestmark = pytest.mark.same_for_every_user

PID, OTHER = 700, 701
POD = '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n'
IN_A_POD = {'cgroup': POD}
IN_A_CONTAINER = {'status': f'Uid:\t0\t0\t0\t0\nNSpid:\t{OTHER}\t1\n'}
ANOTHER = os.geteuid() + 1000
OF_A_USER = {'status': f'Uid:\t{ANOTHER}\t{ANOTHER}\t0\t0\nNSpid:\t{OTHER}\n'}


TURNED_AWAY = f'no kubelet runs on this host, but process {OTHER} is named kubelet and is ignored because it runs'
NONE_RUNS = {
    str(IN_A_POD): 'no kubelet runs on this host',
    str(IN_A_CONTAINER): f'{TURNED_AWAY} in its own PID namespace: set nested: true',
    str(OF_A_USER): f'{TURNED_AWAY} as user {ANOTHER}: add "{ANOTHER}" to allowed_users',
}
"""What is said where only such a process runs: of what an option would admit, the option."""


@pytest.fixture
def procfs(tmp_path: Path) -> Path:
    return tmp_path / 'proc'


def write_other(procfs: Path, files: dict[str, str], *arguments: str) -> None:
    """A process named kubelet that is not the node's."""
    write_process(procfs, OTHER, ('kubelet', *arguments))
    for name, text in files.items():
        (procfs / str(OTHER) / name).write_text(text)


@pytest.mark.parametrize('files', [IN_A_POD, IN_A_CONTAINER, OF_A_USER], ids=['pod', 'container', 'user'])
@pytest.mark.parametrize('real', ['true', 'false'])
@pytest.mark.parametrize('claims', ['true', 'false'])
def test_a_pods_kubelet_beside_the_real_one_changes_nothing_that_is_sent(
    procfs: Path, aggregator: AggregatorStub, files: dict[str, str], real: str, claims: str
) -> None:
    write_process(procfs, PID, ('kubelet', f'--make-iptables-util-chains={real}'))
    alone = collect(check_of(procfs), aggregator)
    write_other(procfs, files, f'--make-iptables-util-chains={claims}')
    assert collect(check_of(procfs), aggregator) == alone
    assert (alone.found, alone.status()) == (1, OK if real == 'true' else CRITICAL)


@pytest.mark.parametrize('files', [IN_A_POD, IN_A_CONTAINER, OF_A_USER], ids=['pod', 'container', 'user'])
@pytest.mark.parametrize('claims', ['true', 'false'])
def test_a_pods_kubelet_alone_is_no_kubelet(
    procfs: Path, aggregator: AggregatorStub, files: dict[str, str], claims: str
) -> None:
    write_other(procfs, files, f'--make-iptables-util-chains={claims}')
    sent = collect(check_of(procfs), aggregator)
    assert (sent.found, sent.rules, sent.green) == (0, {}, set())
    assert sent.kubelet == (UNKNOWN, NONE_RUNS[str(files)])


@pytest.mark.parametrize('files', [IN_A_POD, IN_A_CONTAINER, OF_A_USER], ids=['pod', 'container', 'user'])
def test_no_file_of_a_pods_kubelet_is_examined(
    procfs: Path, aggregator: AggregatorStub, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    write_other(procfs, files, '--config=/etc/shadow', '--config-dir=/etc', '--kubeconfig=/proc/1/environ')
    for name in ('read_file', 'read_files', 'file_status', 'list_folder', 'real_path'):
        monkeypatch.setattr(LiveHost, name, None)
    sent = collect(check_of(procfs, rules=None), aggregator)
    assert sent.kubelet == (UNKNOWN, NONE_RUNS[str(files)])


SECRETS = ('hunter2pass', 'nodekeeper', 'QUtJQXNlY3JldA')
SECRET_FILES = {
    'shadow': 'root:$6$hunter2pass$QUtJQXNlY3JldA:19000:0:99999:7:::\nnodekeeper:!:19000::::::\n',
    'environ': 'AWS_SECRET=hunter2pass\0USER=nodekeeper\0TOKEN=QUtJQXNlY3JldA\0',
    'kubeconfig': (
        'apiVersion: v1\nkind: Config\nusers:\n- name: nodekeeper\n  user: {token: hunter2pass}\n'
        'clusters:\n- QUtJQXNlY3JldA\n'
    ),
    'yaml': 'hunter2pass: nodekeeper\nnodekeeper: {QUtJQXNlY3JldA: hunter2pass}\n',
    'json': '{"type": "nodekeeper", "private_key": "QUtJQXNlY3JldA", "hunter2pass": ["nodekeeper"]}',
    'key': '-----BEGIN EC PRIVATE KEY-----\nQUtJQXNlY3JldA\nhunter2pass==\n-----END EC PRIVATE KEY-----\n',
    'broken-yaml': '- hunter2pass\nnodekeeper: [QUtJQXNlY3JldA\n',
    'tabs': '\thunter2pass\t*nodekeeper &QUtJQXNlY3JldA !QUtJQXNlY3JldA\n',
}
POINTED_AT = {
    'config': ('--config={0}',),
    'config-dir': ('--config-dir={0}.d',),
    'kubeconfig': ('--kubeconfig={0}',),
    'client-ca': ('--client-ca-file={0}',),
}


def everything(check: KubeletComplianceCheck, sent: Sent, caplog: pytest.LogCaptureFixture) -> str:
    """All text that leaves the check: what is sent, logged, and shown by `agent diagnose`."""
    return repr(sent) + caplog.text + str(check.get_diagnoses())


@pytest.mark.parametrize('flag', POINTED_AT)
@pytest.mark.parametrize('name', SECRET_FILES)
@pytest.mark.parametrize('by_link', [False, True], ids=['itself', 'by-a-link'])
def test_no_content_of_a_file_that_a_kubelet_points_at_is_shown(
    procfs: Path, tmp_path: Path, aggregator: AggregatorStub, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str], flag: str, name: str, by_link: bool,
) -> None:  # fmt: skip
    file, pointed = tmp_path / name, tmp_path / 'pointed'
    file.write_text(SECRET_FILES[name])
    pointed.with_name('pointed.d').mkdir()
    for path in (pointed, pointed.with_name('pointed.d') / '1.conf'):
        path.symlink_to(file) if by_link else path.write_text(SECRET_FILES[name])
    write_process(procfs, PID, ('kubelet', *(text.format(pointed) for text in POINTED_AT[flag])))
    check = check_of(procfs, rules=None)
    with caplog.at_level('DEBUG'):
        sent = collect(check, aggregator)
    for options in ([], ['--json']):
        main(['--procfs', str(procfs), *options])
    shown = everything(check, sent, caplog) + capsys.readouterr().out
    assert not [secret for secret in SECRETS if secret in shown]
    assert sent.found == 1
    if flag in ('config', 'config-dir'):
        assert IPTABLES not in sent.green
        assert 'the kubelet would refuse' in sent.kubelet[1]


@needs_root
@pytest.mark.parametrize('flag', POINTED_AT)
def test_of_the_real_shadow_nothing_is_shown(
    procfs: Path, tmp_path: Path, aggregator: AggregatorStub, caplog: pytest.LogCaptureFixture, flag: str
) -> None:
    (tmp_path / 'x.d').mkdir()
    (tmp_path / 'x.d' / '1.conf').symlink_to('/etc/shadow')
    path = tmp_path / 'x' if flag == 'config-dir' else '/etc/shadow'
    write_process(procfs, PID, ('kubelet', *(text.format(path) for text in POINTED_AT[flag])))
    check = check_of(procfs, rules=None)
    with caplog.at_level('DEBUG'):
        shown = everything(check, collect(check, aggregator), caplog)
    entries = [line for line in Path('/etc/shadow').read_text().splitlines() if line]
    assert entries
    for line in entries:
        assert line not in shown
        assert not [part for part in line.split(':')[1:2] if len(part) > 4 and part in shown]


LIES_IN_PROC = 'it is in /proc, which differs between processes'


@pytest.mark.parametrize('target', ['/proc/1/environ', '/proc/self/environ', '/proc/1/root/etc/shadow'])
@pytest.mark.parametrize('by_link', [False, True], ids=['itself', 'by-a-link'])
@pytest.mark.parametrize('flag', POINTED_AT)
def test_what_lies_in_proc_is_refused_by_name(
    procfs: Path, tmp_path: Path, aggregator: AggregatorStub, flag: str, target: str, by_link: bool,
) -> None:  # fmt: skip
    (tmp_path / 'link').symlink_to(target)
    (tmp_path / 'link.d').mkdir()
    (tmp_path / 'link.d' / '1.conf').symlink_to(target)
    path = tmp_path / 'link' if by_link or flag == 'config-dir' else target
    write_process(procfs, PID, ('kubelet', *(text.format(path) for text in POINTED_AT[flag])))
    sent = collect(check_of(procfs, rules=None), aggregator)
    assert LIES_IN_PROC in sent.kubelet[1]
    unseen = {'config': IPTABLES, 'config-dir': IPTABLES, 'kubeconfig': 'kubeconfig_permissions'}
    rule = unseen.get(flag, 'client_ca_permissions')
    assert sent.status(rule) == UNKNOWN
    assert LIES_IN_PROC in sent.says(rule)


HOSTILE = {
    'escape': '\x1b[31;1mred\x1b[2J\x1b]0;title\x07\x9b31m',
    'lines': 'one\ntwo\r\nthree\x0b\x0c\x85four',
    'tabs': 'a\tb\x08\x7f',
    'separators': 'a\u2028b\u2029c',
    'bidi': '\u202egpj.exe\u2066\u200b\ufeff',
    'not-utf-8': 'a\udcff\udc80b',
    'long': 'x' * 100_000,
    'long-lines': 'y\n' * 50_000,
    'format': '%s%n{0}{x!r}$(id)`id`;|&',
    'tags': 'x,verdict:compliant,kubelet:other',
}
IN_A_NAME = {name: text.replace('/', '')[:60] for name, text in HOSTILE.items()}


def assert_harmless(check: KubeletComplianceCheck, sent: Sent, caplog: pytest.LogCaptureFixture) -> None:
    for message in sent.messages:
        assert message == '' or message.isprintable(), ascii(message)
        assert len(message) <= 500
        message.encode()
    for record in caplog.records:
        if 'kubelet_compliance' in record.name:
            assert record.getMessage().isprintable(), ascii(record.getMessage())
    for diagnosis in json.loads(check.get_diagnoses()):
        for text in (diagnosis['diagnosis'], diagnosis.get('remediation') or ''):
            assert text == '' or text.isprintable(), ascii(text)
    for tags in sent.tags:
        assert all(tag.isascii() and tag.isprintable() and ',' not in tag and len(tag) <= 200 for tag in tags), tags


def assert_harmless_at_the_terminal(procfs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ['--json']):
        assert main(['--procfs', str(procfs), *options]) in (0, 1, 2)
        shown = capsys.readouterr()
        assert shown.err == ''
        shown.out.encode()
        assert all(line.isprintable() for line in shown.out.split('\n')), ascii(shown.out)
        if options:
            json.loads(shown.out)


ARGUMENTS = {
    'config': '--config=/{0}',
    'config-dir': '--config-dir={0}',
    'kubeconfig': '--kubeconfig=/{0}',
    'client-ca': '--client-ca-file=/{0}',
    'hostname': '--hostname-override={0}',
    'bool': '--make-iptables-util-chains={0}',
    'number': '--event-qps={0}',
    'duration': '--streaming-connection-idle-timeout={0}',
    'words': '--tls-cipher-suites={0}',
    'mode': '--authorization-mode={0}',
    'gates': '--feature-gates={0}=true',
    'no-flag': '--{0}',
    'no-flag-at-all': '{0}',
}


def judged_harmlessly(
    procfs: Path, aggregator: AggregatorStub, caplog: pytest.LogCaptureFixture, **options: Any
) -> Sent:
    check = check_of(procfs, rules=None, **options)
    with caplog.at_level('DEBUG'):
        sent = collect(check, aggregator)
    assert_harmless(check, sent, caplog)
    return sent


@pytest.mark.parametrize('text', HOSTILE)
@pytest.mark.parametrize('argument', ARGUMENTS)
def test_an_argument_makes_one_printable_line_of_at_most_500_characters(
    procfs: Path, aggregator: AggregatorStub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str],
    argument: str, text: str,
) -> None:  # fmt: skip
    write_process(procfs, PID, ('kubelet', ARGUMENTS[argument].format(HOSTILE[text])))
    assert judged_harmlessly(procfs, aggregator, caplog).found == 1
    assert_harmless_at_the_terminal(procfs, capsys)


@pytest.mark.parametrize('text', IN_A_NAME)
@pytest.mark.parametrize('content', [GOOD, BAD, f'{HEAD}maxPods: x\n', '?'], ids=['good', 'bad', 'refused', 'no-yaml'])
def test_a_file_name_makes_one_printable_line(
    procfs: Path, tmp_path: Path, aggregator: AggregatorStub, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str], text: str, content: str,
) -> None:  # fmt: skip
    folder = tmp_path / f'd{IN_A_NAME[text]}'
    folder.mkdir()
    (folder / f'{IN_A_NAME[text]}.conf').write_text(content)
    (folder / f'{IN_A_NAME[text]}.conf').chmod(0o666)
    write_process(procfs, PID, ('kubelet', f'--config-dir={folder}'))
    judged_harmlessly(procfs, aggregator, caplog)
    assert_harmless_at_the_terminal(procfs, capsys)


IN_YAML = {
    'value': 'authentication: {{x509: {{clientCAFile: {0}}}}}\n',
    'wrong-type': 'makeIPTablesUtilChains: {0}\n',
    'words': 'tlsCipherSuites: [{0}]\n',
    'key': '{0}: 1\n',
    'gate': 'featureGates: {{{0}: true}}\n',
    'kind': 'kind: {0}\n',
    'version': 'apiVersion: {0}\n',
    'anchor-of-nothing': 'maxPods: *{1}\n',
    'tag': 'maxPods: !{1} 1\n',
}


@pytest.mark.parametrize('text', [*HOSTILE, 'nul', 'surrogate'])
@pytest.mark.parametrize('place', IN_YAML)
@pytest.mark.parametrize('drop_in', [False, True], ids=['config', 'drop-in'])
def test_yaml_makes_one_printable_line(
    procfs: Path, tmp_path: Path, aggregator: AggregatorStub, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str], text: str, place: str, drop_in: bool,
) -> None:  # fmt: skip
    raw = {**HOSTILE, 'nul': 'a\0b', 'surrogate': 'a\ud800b'}[text]
    quoted = json.dumps(raw)
    (tmp_path / 'd').mkdir()
    body = HEAD + IN_YAML[place].format(quoted, raw.replace('\n', ' ')[:200])
    path = tmp_path / 'd' / '1.conf'
    path.write_text(body, errors='surrogateescape' if text == 'not-utf-8' else 'replace')
    write_process(procfs, PID, ('kubelet', f'--config-dir={tmp_path}/d' if drop_in else f'--config={path}'))
    judged_harmlessly(procfs, aggregator, caplog)
    assert_harmless_at_the_terminal(procfs, capsys)


def configz_with(**changes: Any) -> bytes:
    """A real answer, with some fields changed."""
    body = json.loads((TRUTH / 'configz' / 'kubelet-1.36.json').read_bytes())
    body['kubeletconfig'].update(changes)
    return json.dumps(body).encode()


@pytest.mark.parametrize('text', [*HOSTILE, 'nul', 'surrogate'])
@pytest.mark.parametrize('place', ['value', 'wrong-type', 'words', 'key', 'status', 'location'])
def test_an_answer_of_configz_makes_one_printable_line(
    procfs: Path, aggregator: AggregatorStub, caplog: pytest.LogCaptureFixture, api: KubeletServer,
    certificates: Certificates, text: str, place: str,
) -> None:  # fmt: skip
    raw = {**HOSTILE, 'nul': 'a\0b', 'surrogate': 'a\ud800b'}[text]
    changes: dict[str, dict[str, Any]] = {
        'value': {'authentication': {'x509': {'clientCAFile': raw}}},
        'wrong-type': {'makeIPTablesUtilChains': raw},
        'words': {'tlsCipherSuites': [raw]},
        'key': {raw: raw},
    }
    api.body = configz_with(**changes.get(place, {}))
    if place in ('status', 'location'):
        api.status = 599 if place == 'status' else 302
        api.location = raw.encode('ascii', 'replace').decode().replace('\n', ' ').replace('\r', ' ')[:30_000]
    write_process(procfs, PID, ('kubelet',))
    options = {'kubelet_url': api.url, 'tls_ca_cert': str(certificates.ca), 'timeout': 5}
    sent = judged_harmlessly(procfs, aggregator, caplog, **options)
    assert api.paths()[0] == '/configz'
    if place in ('wrong-type', 'status', 'location'):
        assert 'could not read /configz: ' in sent.kubelet[1]


OF_BENCHMARK = ('benchmark:cis-1.24', 'compliance_framework:cis-kubernetes')
OF_IPTABLES = (*OF_BENCHMARK, 'cis_controls:6.9', 'compliance_control:4.2.7', f'rule:{IPTABLES}')
VERDICTS = ('compliant', 'exempted', 'non_compliant', 'unknown')


def expected_tags(set_by: str, *own: str) -> frozenset[tuple[str, ...]]:
    sets = [
        (),
        OF_BENCHMARK,
        OF_IPTABLES,
        (*OF_IPTABLES, f'set_by:{set_by}'),
        *((*OF_BENCHMARK, f'verdict:{verdict}') for verdict in VERDICTS),
    ]
    return frozenset(tuple(sorted((*tags, *own))) for tags in sets)


INJECTED = ['x,verdict:compliant', 'x\nverdict:compliant', 'x verdict:compliant', 'rule:other', 'é\udcff', '#', '']


@pytest.mark.parametrize('text', INJECTED)
def test_no_value_of_a_process_or_file_comes_into_a_tag(
    procfs: Path, tmp_path: Path, aggregator: AggregatorStub, text: str
) -> None:
    folder = tmp_path / f'f{text}'
    folder.mkdir()
    (folder / f'c{text}').write_text(f'{BAD}tlsCipherSuites: [{json.dumps(text)}]\nownField: {json.dumps(text)}\n')
    arguments = (f'--config={folder}/c{text}', f'--hostname-override={text}', f'--node-labels={text}')
    write_process(procfs, PID, ('kubelet', *arguments))
    sent = collect(check_of(procfs), aggregator)
    assert sent.found == 1
    tags = expected_tags('config_file') if sent.status() == CRITICAL else expected_tags('unknown')
    assert sent.tags == tags


@pytest.mark.parametrize(
    'name, tag',
    [
        ('x,verdict:compliant', 'x-verdict-compliant'),
        ('x\nverdict:compliant', 'x-verdict-compliant'),
        ('Ünode\x1b[31m', 'node-31m'),
        ('\udcff', 'unnamed'),
        (',' * 100_000, 'unnamed'),
        ('n' * 100_000, 'n' * 63),
    ],
)
def test_a_nested_kubelet_chooses_one_tag_and_of_that_only_plain_letters(
    procfs: Path, aggregator: AggregatorStub, name: str, tag: str
) -> None:
    write_other(procfs, IN_A_CONTAINER, f'--hostname-override={name}')
    sent = collect(check_of(procfs, nested=True), aggregator)
    assert sent.tags == expected_tags('default', f'kubelet:{tag}')


def test_an_answer_of_configz_chooses_no_tag(
    procfs: Path, aggregator: AggregatorStub, api: KubeletServer, certificates: Certificates
) -> None:
    api.version = 'v1.31.4,verdict:compliant'
    api.body = configz_with(**{'verdict:compliant': True, 'tlsCipherSuites': ['x,verdict:compliant']})
    write_process(procfs, PID, ('kubelet',))
    options = {'kubelet_url': api.url, 'tls_ca_cert': str(certificates.ca), 'benchmark': 'auto'}
    sent = collect(check_of(procfs, **options), aggregator)
    assert sent.tags == expected_tags('default')
    assert sent.kubelet[0] == WARNING


def test_the_rules_that_these_tests_use_can_be_red_and_green(procfs: Path, aggregator: AggregatorStub) -> None:
    """Else what they find not to be green would show nothing."""
    write_process(procfs, PID, ('kubelet', '--protect-kernel-defaults'))
    assert collect(check_of(procfs, rules=[IPTABLES, KERNEL]), aggregator).green == {IPTABLES, KERNEL, 'node'}


@needs_mounts
def test_a_file_that_is_mounted_over_for_the_kubelet_alone_is_not_read_from_the_hosts_root(
    standin_program: Path, tmp_path: Path, aggregator: AggregatorStub
) -> None:
    """As by `BindPaths=` of its unit: the node shows the good file, and the kubelet runs with the bad one."""
    good, bad = tmp_path / 'c.yaml', tmp_path / 'bad.yaml'
    good.write_text(GOOD)
    bad.write_text(BAD)
    ours, its = os.pipe()
    command = f'mount --bind {bad} {good} && exec {standin_program} --config={good}'
    launcher = subprocess.Popen(
        ['unshare', '--mount', 'sh', '-c', command], env={**os.environ, 'STANDIN_READY': str(its)}, pass_fds=(its,)
    )
    os.close(its)
    try:
        standin = Standin(read_pid(ours), launcher)
        procfs = show(tmp_path / 'proc', standin)
        sent = collect(check_of(procfs, host_root='/'), aggregator)
        assert (sent.status(), sent.green) == (CRITICAL, set())
        host = LiveHost(str(procfs), '/', admission=OURS)
        (process,) = host.find_kubelets().processes
        host.ways.refused.add(process.key)
        unread = host.read_file(process, str(good))
        assert isinstance(unread, Unreadable) and 'a different mount there' in str(unread)
        assert unread.fault is Fault.MOUNTED_OVER
    finally:
        launcher.kill()
        launcher.wait()
