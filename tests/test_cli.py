# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.kubelet_compliance.cli import main
from tests.support.cases import TRUTH
from tests.support.nodes import write_process

EXAMPLES = Path(__file__).parent.parent / 'examples'
KUBEADM = str(EXAMPLES / 'kubeadm')
EKS = str(EXAMPLES / 'eks-al2023')
IPTABLES = 'make_iptables_util_chains'


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A captured node without a process."""
    (tmp_path / 'node' / 'proc').mkdir(parents=True)
    return tmp_path / 'node'


def add_kubelet(node: Path, *arguments: str, pid: int = 1000, comm: str = 'kubelet', program: str = 'kubelet') -> None:
    write_process(node / 'proc', pid, (program, *arguments), comm=comm)


def test_a_node_that_is_not_compliant_ends_with_1_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--rule', IPTABLES]) == 1
    shown = ' '.join(capsys.readouterr().out.split())
    assert shown.startswith(
        'kubelet, process 1000, evaluated against cis-1.24 1 rule: 1 non-compliant next start as it runs now '
    )
    assert (
        ' NON-COMPLIANT 4.2.7 Kubelet should be able to manage changes to iptables '
        'value makeIPTablesUtilChains is false set by /var/lib/kubelet/config.yaml:16 (config_file) expected true '
    ) in shown
    assert ' fix set makeIPTablesUtilChains: true in /var/lib/kubelet/config.yaml, then run: systemctl ' in shown


def test_a_node_that_is_compliant_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', EKS, '--rule', IPTABLES, '--verbose']) == 0
    shown = ' '.join(capsys.readouterr().out.split())
    assert ' COMPLIANT 4.2.7 ' in shown
    assert 'set by /etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf:4 (drop_in)' in shown


def test_json_holds_the_same_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--json', '--rule', IPTABLES]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer['exit_status'] == 1
    assert (answer['benchmark'], answer['compliance_framework']) == ('cis-1.24', 'cis-kubernetes')
    (kubelet,) = answer['kubelets']
    assert (kubelet['pid'], kubelet['problems'], kubelet['restart_pending']) == (1000, [], False)
    (rule,) = kubelet['rules']
    message = rule.pop('message')
    assert message.startswith('makeIPTablesUtilChains is false (/var/lib/kubelet/config.yaml:16); expected true. ')
    fix = rule.pop('fix')
    assert fix.startswith('set makeIPTablesUtilChains: true in /var/lib/kubelet/config.yaml, then run: systemctl ')
    assert rule == {
        'rule': 'make_iptables_util_chains',
        'title': 'Kubelet should be able to manage changes to iptables',
        'benchmark': 'cis-1.24',
        'compliance_control': ['4.2.7'],
        'verdict': 'non_compliant',
        'declared': {'makeIPTablesUtilChains': False},
        'running': None,
        'set_by': 'config_file',
        'place': '/var/lib/kubelet/config.yaml:16',
        'expected': 'true',
        'caution': None,
        'note': None,
    }


def test_no_kubelet_ends_with_2(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_process(node / 'proc', 7, ('grep', 'kubelet'), comm='grep')
    assert main(['--node', str(node)]) == 2
    assert capsys.readouterr().out.strip() == 'No kubelet runs here.'


def test_a_rule_that_cannot_be_determined_ends_with_2(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_kubelet(node, '--config=/c.yaml')
    assert main(['--node', str(node), '--rule', IPTABLES]) == 2
    shown = ' '.join(capsys.readouterr().out.split())
    assert 'UNKNOWN 4.2.7' in shown
    assert 'the kubelet would refuse to start: /c.yaml: no such file or directory' in shown


def test_a_process_that_could_not_be_identified_ends_with_2(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_kubelet(node, '--make-iptables-util-chains')
    add_kubelet(node, pid=2000, program='something')
    assert main(['--node', str(node), '--rule', IPTABLES]) == 2
    assert 'process 2000 is named kubelet' in ' '.join(capsys.readouterr().out.split())


def test_one_that_is_not_compliant_outweighs_one_that_is_unknown(node: Path) -> None:
    add_kubelet(node, '--make-iptables-util-chains=false')
    add_kubelet(node, '--config=/c.yaml', pid=2000)
    assert main(['--node', str(node)]) == 1


def test_an_argument_can_put_no_escape_on_the_terminal(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_kubelet(node, '--config=/\x1b[2J\nkubelet OK\u202e.yaml')
    assert main(['--node', str(node)]) == 2
    shown = capsys.readouterr().out
    assert '\x1b' not in shown and '\u202e' not in shown
    assert '/?[2J?kubelet OK?.yaml' in ' '.join(shown.split())


@pytest.mark.parametrize(
    'options, message',
    [
        (['--benchmark', 'cis-9'], "unknown benchmark 'cis-9'; choose from: auto, "),
        (['--rule', 'bogus'], 'unknown rules for cis-1.24: bogus; choose from: '),
        (['--node', '/nonexistent'], '/nonexistent: could not read its folder proc: no such file or directory'),
        (['--node', KUBEADM, '--configz', '/nonexistent'], '/nonexistent: no such file or directory'),
        (['--node', KUBEADM, '--configz', '/etc'], '/etc: is a directory'),
        (['--node', KUBEADM, '--configz', '/dev/zero'], '/dev/zero: it is larger than 1 MiB'),
    ],
)
def test_a_wrong_option_is_an_error_in_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    printed = capsys.readouterr()
    assert printed.out == ''
    assert printed.err.startswith(f'kubelet-compliance: {message}')
    assert printed.err.count('\n') == 1


def test_explain_shows_all_about_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--explain', 'make_iptables_util_chains']) == 0
    shown = ' '.join(capsys.readouterr().out.split())
    for text in (
        'what',
        'why',
        'impact',
        'default true',
        'in a file set `makeIPTablesUtilChains: true`',
        'by a flag remove `--make-iptables-util-chains` where it is set',
        'then restart the kubelet. The message of the check names the file, the line, and the service',
        'numbers 4.2.7 in cis-1.5, cis-1.6, ',
        'cis_controls:6.9',
    ):
        assert text in shown


def test_explain_takes_the_number_of_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--explain', '3.2.6', '--benchmark', 'eks-1.8.0']) == 0
    assert '(make_iptables_util_chains)' in capsys.readouterr().out
    assert main(['--explain', '4.9.9']) == 2
    assert 'cis-1.24 has no rule with the number 4.9.9; choose from: 4.1.1, ' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('rule', 'fix'),
    [
        ('kubeconfig_permissions', 'fix `chmod 600 FILE`'),
        ('kubeconfig_ownership', 'fix `chown root:root FILE`'),
        ('anonymous_auth', 'set `enabled: false` under `authentication: anonymous:` (do not add a second block)'),
        ('anonymous_auth', 'remove `--anonymous-auth` where it is set, and set the field in the file'),
        ('rotate_kubelet_server_certificate', 'in `--feature-gates` where it is set (keep its other gates)'),
    ],
)
def test_explain_shows_the_fix_of_every_kind_of_rule(rule: str, fix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--explain', rule]) == 0
    assert fix in ' '.join(capsys.readouterr().out.split())


@pytest.mark.parametrize('is_pipe', [False, True], ids=['link', 'pipe'])
def test_an_answer_of_configz_may_be_a_link_or_a_pipe(
    is_pipe: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = TRUTH / 'configz' / 'kubelet-1.36-iptables-flag-false.json'
    given = tmp_path / 'given'
    if is_pipe:
        os.mkfifo(given)
        writer = threading.Thread(target=lambda: given.write_bytes(body.read_bytes()))
        writer.start()
    else:
        given.symlink_to(body)
    assert main(['--node', EKS, '--configz', str(given), '--rule', IPTABLES]) == 1
    assert 'NON-COMPLIANT' in capsys.readouterr().out
    if is_pipe:
        writer.join()


def test_the_benchmark_that_goes_by_the_version_says_that_none_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--benchmark', 'auto', '--rule', IPTABLES]) == 1
    shown = ' '.join(capsys.readouterr().out.split())
    assert 'problem the default benchmark cis-1.24 is used: the version of the kubelet is not known' in shown


def test_why_no_kubelet_is_seen_is_in_the_text_and_in_the_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / '7').mkdir()
    (tmp_path / '7' / 'comm').write_text('bash\n')
    for procfs, words, problem in (
        (str(tmp_path), 'no kubelet runs on this host, or ', f'{tmp_path} does not show it: it hides process 1'),
        ('/nonexistent', 'Could not find a kubelet.', 'could not list the processes in /nonexistent: no such file'),
    ):
        assert main(['--procfs', procfs]) == 2
        assert ' '.join(capsys.readouterr().out.split()).startswith(words.strip())
        assert main(['--procfs', procfs, '--json']) == 2
        (shown,) = json.loads(capsys.readouterr().out)['problems']
        assert problem in shown


def test_a_capture_that_does_not_say_when_its_files_changed_says_so(
    node: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_kubelet(node, '--make-iptables-util-chains')
    assert main(['--node', str(node), '--rule', IPTABLES]) == 0
    assert 'does not record when its kubelet started' in capsys.readouterr().out


def test_the_facts_of_a_capture_count_as_if_live(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_kubelet(node, '--config=/c.yaml')
    shutil.copy(EXAMPLES / 'kubeadm/var/lib/kubelet/config.yaml', node / 'c.yaml')
    facts = {'booted_at': 1000, 'files': {'/c.yaml': {'mode': '666', 'uid': 5, 'gid': 0, 'changed_at': 9e12}}}
    (node / 'node.json').write_text(json.dumps(facts))
    assert main(['--node', str(node), '--json', '--rule', 'anonymous_auth', '--rule', 'config_file_ownership']) == 1
    (kubelet,) = json.loads(capsys.readouterr().out)['kubelets']
    assert kubelet['restart_pending'] is True
    assert [rule['verdict'] for rule in kubelet['rules']] == ['unknown', 'non_compliant']
    assert '/c.yaml changed after the kubelet started' in kubelet['rules'][0]['message']


def test_a_capture_with_broken_facts_is_an_error(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / 'node.json').write_text('{"files": []}')
    assert main(['--node', str(node)]) == 2
    assert capsys.readouterr().err == f'kubelet-compliance: {node}: node.json is not valid: capture the node again\n'


def test_a_link_in_a_captured_node_does_not_lead_out_of_it(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = node.parent / 'outside.yaml'
    shutil.copy(EXAMPLES / 'kubeadm/var/lib/kubelet/config.yaml', outside)
    (node / 'c.yaml').symlink_to(outside)
    add_kubelet(node, '--config=/c.yaml')
    assert main(['--node', str(node)]) == 2
    assert 'no such file' in capsys.readouterr().out


@pytest.mark.parametrize(
    'command', [[sys.executable, '-m', 'datadog_checks.kubelet_compliance'], ['kubelet-compliance']]
)
def test_both_commands_run_as_a_user_runs_them(command: list[str]) -> None:
    program, *rest = command
    path = program if rest else str(Path(sys.executable).parent / program)
    done = subprocess.run([path, *rest, '--node', EKS, '--rule', IPTABLES], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, '')
    assert 'COMPLIANT  4.2.7' in done.stdout


def run_into(stdout: int, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command as a process, with its output led somewhere."""
    command = [sys.executable, '-m', 'datadog_checks.kubelet_compliance', '--node', KUBEADM]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, check=False, env={**os.environ, **environment}
    )


def test_an_answer_that_could_not_be_written_is_said_to_be_none() -> None:
    with open('/dev/full', 'wb') as full:
        done = run_into(full.fileno())
    message = b'kubelet-compliance: could not write the output: no space left on device\n'
    assert (done.returncode, done.stderr) == (2, message)


def test_a_reader_that_has_gone_away_is_no_crash() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run_into(writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (2, b'')


@pytest.mark.parametrize('options', [[], ['--json'], ['--color', 'never']], ids=lambda options: ' '.join(options))
def test_a_closed_standard_output_is_said(options: list[str]) -> None:
    command = [sys.executable, '-m', 'datadog_checks.kubelet_compliance', '--node', KUBEADM, *options]
    done = subprocess.run(['sh', '-c', '"$@" >&-', 'sh', *command], stderr=subprocess.PIPE, check=False)
    message = b'kubelet-compliance: could not write the output: standard output is closed\n'
    assert (done.returncode, done.stderr) == (2, message)


def test_a_letter_that_the_terminal_does_not_have_is_no_crash(node: Path) -> None:
    add_kubelet(node, '--config=/etc/k\u00e9.yaml')
    command = [sys.executable, '-m', 'datadog_checks.kubelet_compliance', '--node', str(node)]
    ascii_only = {**os.environ, 'PYTHONUTF8': '0', 'PYTHONIOENCODING': 'ascii'}
    done = subprocess.run(command, capture_output=True, check=False, env=ascii_only)
    assert (done.returncode, done.stderr) == (2, b'')
    assert b'/etc/k\\xe9.yaml' in done.stdout


ELSEWHERE = """
import os, sys, time
for name in ('O_PATH', 'O_DIRECTORY', 'O_NOFOLLOW', 'O_NONBLOCK', 'O_CLOEXEC', 'sysconf', 'geteuid'):
    delattr(os, name)
for name in ('CLOCK_BOOTTIME', 'clock_gettime'):
    delattr(time, name)
import datadog_checks.kubelet_compliance.cli as cli
import datadog_checks.kubelet_compliance
sys.platform = sys.argv[1]
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize('platform', ['win32', 'darwin'])
@pytest.mark.parametrize('options', [[], ['--node', '.'], ['--capture', 'x']], ids=['live', 'node', 'capture'])
def test_on_another_system_the_command_ends_without_a_traceback(
    platform: str, options: list[str], tmp_path: Path
) -> None:
    command = [sys.executable, '-c', ELSEWHERE, platform, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, '', 'kubelet-compliance: not applicable: Linux only\n')
    assert list(tmp_path.iterdir()) == []


def shown_next_start(node: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """What is said of the next start, in words and as JSON."""
    main(['--node', str(node), '--rule', IPTABLES])
    text = ' '.join(capsys.readouterr().out.partition('next start ')[2].partition('\n\n')[0].split())
    main(['--node', str(node), '--rule', IPTABLES, '--json'])
    (kubelet,) = json.loads(capsys.readouterr().out)['kubelets']
    return text, {key: kubelet[key] for key in ('unit', 'arguments', 'arguments_unknown', 'flags')}


def add_unit(node: Path, command: str) -> None:
    (node / 'etc/systemd/system').mkdir(parents=True)
    (node / 'etc/systemd/system/kubelet.service').write_text(f'[Service]\nExecStart={command}\n')


def test_the_next_start_of_a_kubelet_that_runs(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_kubelet(node, '--v=2', program='/usr/bin/kubelet')
    add_unit(node, '/usr/bin/kubelet --v=2')
    text, found = shown_next_start(node, capsys)
    assert text == 'as it runs now (kubelet.service)'
    assert found == {
        'unit': 'kubelet.service',
        'arguments': ['/usr/bin/kubelet', '--v=2'],
        'arguments_unknown': None,
        'flags': [{'flag': '--v=2', 'place': '/etc/systemd/system/kubelet.service:2'}],
    }


def test_a_next_start_with_other_arguments(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_kubelet(node, '--v=2', program='/usr/bin/kubelet')
    add_unit(node, '/usr/bin/kubelet --v=4')
    text, found = shown_next_start(node, capsys)
    assert text.startswith('with different arguments (kubelet.service) restart ')
    assert found['arguments'] == ['/usr/bin/kubelet', '--v=4']


def test_a_next_start_that_is_not_known(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_kubelet(node, '--v=2', program='/usr/bin/kubelet')
    add_unit(node, '/usr/local/bin/rke2 server')
    text, found = shown_next_start(node, capsys)
    why = 'kubelet.service starts /usr/local/bin/rke2, which is not a kubelet'
    assert text == f'unknown: {why}; the flags are those of the process'
    assert (found['arguments'], found['arguments_unknown']) == (None, why)
    assert found['flags'] == [{'flag': '--v=2', 'place': None}]


def test_an_upgrade_that_is_blocked_ends_with_1_and_shows_no_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--kubelet-version', '1.34', '--for-version', '1.35']) == 1
    lines = capsys.readouterr().out.split('\n')
    assert lines[1] == 'Upgrade to 1.35: the kubelet would not start (1 blocker, 2 changes)'
    assert 'BLOCKER  --pod-infra-container-image' in lines
    assert not any('NON-COMPLIANT' in line for line in lines)


def test_an_upgrade_that_nothing_stops_ends_with_0_whatever_the_rules_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--for-version', '1.34']) == 0
    assert 'Upgrade to 1.34: the kubelet would start\n' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('options', 'status', 'part'),
    [
        pytest.param([], 2, 'it cannot be determined whether the kubelet would start', id='not known'),
        pytest.param(['--cgroup-version', '2'], 0, 'the kubelet would start', id='v2'),
        pytest.param(['--cgroup-version', '1'], 1, 'failCgroupV1', id='v1'),
    ],
)
def test_an_image_does_not_show_the_cgroup_version_of_its_machines(
    options: list[str], status: int, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['--root', str(EXAMPLES / 'image'), '--for-version', '1.36', *options]) == status
    assert part in capsys.readouterr().out


@pytest.mark.parametrize('version', ['1.24', '1.38', '2.0', 'latest'])
def test_a_release_that_the_check_does_not_know_is_no_pass(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--for-version', version]) == 2
    shown = capsys.readouterr()
    assert shown.out == ''
    assert f'--for-version {version}: this check knows Kubernetes 1.25 to 1.37' in shown.err


def test_the_cgroup_version_is_about_an_upgrade(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--cgroup-version', '2']) == 2
    assert 'add --for-version' in capsys.readouterr().err


def test_an_upgrade_without_a_kubelet_is_not_known(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', str(node), '--for-version', '1.37']) == 2


OWN_RULES = """\
- key: max_pods
  title: Nodes should run at most 110 pods
  setting: maxPods
  at_most: 110
- key: idle_timeout
  title: Idle connections should end
  setting: streamingConnectionIdleTimeout
  at_most: 5m
"""


@pytest.fixture
def own_rules(tmp_path: Path) -> str:
    """A file of custom rules."""
    path = tmp_path / 'rules.yaml'
    path.write_text(OWN_RULES)
    return str(path)


@pytest.mark.parametrize('subject', [['--node', KUBEADM], ['--root', str(EXAMPLES / 'image')]], ids=['node', 'image'])
def test_rules_of_a_file_are_evaluated_beside_those_of_the_benchmark(
    own_rules: str, subject: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*subject, '--no-conf', '--json', '--rules', own_rules, '--rule', IPTABLES, '--rule', 'custom']
    assert main(arguments) == 1
    rules = json.loads(capsys.readouterr().out)['kubelets'][0]['rules']
    assert [(rule['rule'], rule['benchmark'], rule['compliance_control'], rule['verdict']) for rule in rules][1:] == [
        ('max_pods', 'custom', [], 'compliant'),
        ('idle_timeout', 'custom', [], 'non_compliant'),
    ]


def test_the_example_rules_are_evaluated_by_what_is_in_effect(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ['--node', KUBEADM, '--kubelet-version', '1.33', '--json', '--rule', 'custom']
    assert main([*arguments, '--rules', str(EXAMPLES / 'custom-rules.yaml')]) == 1
    rules = json.loads(capsys.readouterr().out)['kubelets'][0]['rules']
    assert {rule['rule']: rule['verdict'] for rule in rules} == {
        'max_pods': 'compliant', 'idle_connections': 'non_compliant', 'container_log_size': 'compliant',
        'memory_reserve': 'non_compliant', 'no_swap_gate': 'non_compliant', 'profiling_off': 'non_compliant',
        'log_query_off': 'compliant', 'no_unsafe_sysctls': 'compliant', 'healthz_local': 'compliant',
        'graceful_shutdown': 'non_compliant', 'root_dir': 'compliant',
    }  # fmt: skip


def test_a_custom_rule_is_selected_and_explained_by_its_key(own_rules: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--node', KUBEADM, '--rules', own_rules, '--rule', 'max_pods']) == 0
    assert ' COMPLIANT max_pods Nodes should run at most 110 pods' in f' {" ".join(capsys.readouterr().out.split())}'
    assert main(['--rules', own_rules, '--explain', 'idle_timeout', '--no-conf']) == 0
    shown = ' '.join(capsys.readouterr().out.split())
    assert shown.startswith(
        'Idle connections should end (idle_timeout) what streamingConnectionIdleTimeout: at most 5m.'
    )
    assert 'in a file set `streamingConnectionIdleTimeout: 5m`' in shown


@pytest.mark.parametrize(
    'text, message',
    [
        (None, 'rules.yaml: no such file or directory'),
        ('a: [', 'rules.yaml: it is not valid YAML'),
        ('a: 1', 'rules.yaml: it has no custom rules: a list of them, or a mapping with custom_rules'),
        ('custom_rules: []', 'rules.yaml: it has no custom rules'),
        ('- key: a\n  key: b', "rules.yaml: it has the name 'key' twice in one mapping: remove one of them"),
        ('custom_rules: []\ncustom_rules: []', "rules.yaml: it has the name 'custom_rules' twice in one mapping"),
        ('- {is: [a, a], title: is, "title": b}', "rules.yaml: it has the name 'title' twice in one mapping"),
        (f'- {{key: a, title: b, setting: maxPods, is: 0x{"f" * 5000}}}', 'custom rule 1 (a): is of maxPods needs a'),
        ('- key: a', 'rules.yaml: custom rule 1 (a): title is missing'),
        ('x' * (1024 * 1024 + 1), 'rules.yaml: it is larger than 1 MiB'),
    ],
)
def test_a_file_without_valid_rules_is_an_error(
    tmp_path: Path, text: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'rules.yaml'
    if text is not None:
        path.write_text(text)
    assert main(['--node', KUBEADM, '--rules', str(path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    'more, keys',
    [
        pytest.param([], ['log_size'], id='those of the Agent'),
        pytest.param(['--rules'], ['log_size', 'max_pods', 'idle_timeout'], id='those of a file too'),
    ],
)
def test_the_custom_rules_of_the_agent_are_evaluated_too(
    tmp_path: Path, own_rules: str, more: list[str], keys: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rule = {'key': 'log_size', 'title': 'Small logs', 'setting': 'containerLogMaxSize', 'at_most': '50Mi'}
    conf = tmp_path / 'conf.yaml'
    conf.write_text(json.dumps({'instances': [{'custom_rules': [rule], 'procfs_path': '/proc', 'use_configz': False}]}))
    files = [own_rules] if more else []
    explained = ['--conf', str(conf), *more, *files, '--explain', keys[0]]
    assert main(explained) == 0
    assert f'({keys[0]})' in capsys.readouterr().out
    main(['--conf', str(conf), *more, *files, '--json', '--rule', 'custom'])
    answer = json.loads(capsys.readouterr().out)
    assert all([rule['rule'] for rule in kubelet['rules']] == keys for kubelet in answer['kubelets'])


def test_an_unknown_rule_to_explain_is_an_error_with_what_is_known(
    own_rules: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['--explain', 'xyzzy', '--rules', own_rules, '--no-conf']) == 2
    error = capsys.readouterr().err
    assert "unknown rule 'xyzzy'; choose from: anonymous_auth, " in error


def test_an_upgrade_can_change_the_result_of_a_custom_rule_on_a_gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / 'rules.yaml'
    gate = 'featureGates.InPlacePodVerticalScaling'
    rules.write_text(f'- {{key: resize, title: No resizing, setting: {gate}, is: false}}')
    main(['--node', KUBEADM, '--kubelet-version', '1.30', '--for-version', '1.36', '--rules', str(rules), '--json'])
    (kubelet,) = json.loads(capsys.readouterr().out)['kubelets']
    (change,) = (
        each for each in kubelet['upgrade']['changes'] if each['subject'] == 'rule' and each['what'] == 'resize'
    )
    assert change['why'] == f'changes from compliant to non-compliant: {gate} is true'


def test_the_command_says_what_a_value_without_a_limit_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / 'rules.yaml'
    rules.write_text('- {key: processes, title: Few processes, setting: podPidsLimit, at_most: 4096}')
    assert main(['--node', KUBEADM, '--rules', str(rules), '--rule', 'processes']) == 1
    assert 'podPidsLimit is -1, which means no limit' in capsys.readouterr().out
