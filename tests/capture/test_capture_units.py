# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""`--capture` and the systemd service that starts a kubelet: the copy comes to the same, and holds no secret."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.capture.recorder import record
from datadog_checks.kubelet_compliance.capture.redact_units import redact_command
from datadog_checks.kubelet_compliance.capture.writer import write_node
from datadog_checks.kubelet_compliance.collection.collect import Collection, Collector
from datadog_checks.kubelet_compliance.model import Unit, Unknown
from datadog_checks.kubelet_compliance.node.captured import NODE_FACTS, CannotCapture, parse_capture
from datadog_checks.kubelet_compliance.node.captured_host import CapturedHost
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.live_host import LiveHost
from tests.support.nodes import HEAD, write_process
from tests.support.service_node import ALL, ARGUMENTS, CONFIG, DROP_IN, ENVIRONMENT, OFF, UNIT, ServiceNode, usual_node
from tests.support.users import OURS, needs_root

pytestmark = pytest.mark.same_for_every_user

FOLDER = '/etc/systemd/system/kubelet.service.d'
SECRET = 'S3CR3T'
RUN = '[Service]\nExecStart=/usr/bin/kubelet'


def copy_of(node: ServiceNode) -> Host:
    copy = node.folder / 'copy'
    image = record(LiveHost(str(node.procfs), admission=OURS), ALL, None)
    write_node(str(copy), image.files, image.links, seal=NODE_FACTS)
    capture = parse_capture((copy / NODE_FACTS).read_bytes())
    return CapturedHost(str(copy / 'proc'), str(copy), admission=OURS, capture=capture)


def collected(host: Host) -> Collection:
    return Collector(host, ALL).collect()


def findings(collection: Collection) -> list[tuple[object, ...]]:
    node = collection.node
    return [
        (node.found, node.restart_pending, [problem.reason for problem in node.problems]),
        *((each.rule.key, each.verdict, each.set_by, each.message) for each in node.findings),
    ]


def facts(unit: Unit | Unknown | None) -> object:
    """All of a unit that a verdict can rest on, without its secrets."""
    if not isinstance(unit, Unit):
        return unit
    command: object = unit.command
    if not isinstance(unit.command, Unknown):
        words = redact_command([word.text for word in unit.command])
        command = list(zip(words, (word.place for word in unit.command), strict=True))
    files = [(type(file), file.path, getattr(file, 'changed_at', None)) for file in unit.files]
    return unit.name, unit.paths, command, unit.directory, unit.unread, unit.folders, files


def assert_copied(node: ServiceNode) -> None:
    live = LiveHost(str(node.procfs), admission=OURS)
    copy = copy_of(node)
    assert facts(node.evidence(copy).unit) == facts(node.evidence(live).unit)
    assert findings(collected(copy)) == findings(collected(live))


def hides_by_name(node: ServiceNode) -> None:
    node.write(f'/run/systemd/system/kubelet.service.d/{Path(DROP_IN).name}', f'[Service]\nEnvironment=A={OFF}\n')


def many(node: ServiceNode) -> None:
    for number in range(70):
        node.write(f'{FOLDER}/{number:03}.conf', '[Service]\n')


def mask(node: ServiceNode, path: str) -> None:
    os.mknod(node.at('/dev/null'), 0o20666, os.makedev(1, 3))
    node.link(path, '/dev/null')


def by_patterns(node: ServiceNode) -> None:
    node.write(f'{FOLDER}/20.conf', '[Service]\nEnvironmentFile=/etc/kubelet.env.d/*.env\n')
    for name, value in (('1.env', 'true'), ('2.env', 'false'), ('.keep', 'x'), ('other', 'true')):
        node.write(f'/etc/kubelet.env.d/{name}', f'KUBELET_EXTRA_ARGS=--make-iptables-util-chains={value}\n')


def alias(node: ServiceNode) -> None:
    node.link('/etc/systemd/system/kubelet.service', '/usr/lib/systemd/system/node.service')
    node.at(UNIT).rename(node.at('/usr/lib/systemd/system/node.service'))
    node.write('/etc/systemd/system/node.service.d/50.conf', f'[Service]\nEnvironment=KUBELET_EXTRA_ARGS={OFF}\n')


def another_config(node: ServiceNode) -> None:
    node.write('/etc/other.yaml', f'{HEAD}staticPodURL: {SECRET}\nmakeIPTablesUtilChains: false\n')
    node.write(ENVIRONMENT, 'KUBELET_EXTRA_ARGS=--config=/etc/other.yaml\n')


def with_unit(text: str | bytes) -> Callable[[ServiceNode], object]:
    return lambda node: (node.at(DROP_IN).unlink(), node.write(UNIT, text))


def with_environment(text: str | bytes) -> Callable[[ServiceNode], object]:
    return lambda node: node.write(ENVIRONMENT, text)


def with_drop_in(text: str | bytes) -> Callable[[ServiceNode], object]:
    return lambda node: node.write(f'{FOLDER}/50.conf', text)


CHANGES: dict[str, Callable[[ServiceNode], object]] = {
    'as it was': lambda node: None,
    'a flag in a drop-in': with_drop_in(f'[Service]\nEnvironment="KUBELET_CONFIG_ARGS={OFF} --v=1"\n'),
    'a flag in an environment file': with_environment(f'# why\n\nKUBELET_EXTRA_ARGS="--v=2 {OFF}"\n'),
    'an environment file of many lines': with_environment(f'A="x\ny"\nB=1\\\n2\nKUBELET_EXTRA_ARGS=--v=2 \\\n{OFF}\n'),
    'comments within a command': with_unit(
        f'[Service]\n# a\nExecStart=/usr/bin/kubelet \\\n# b\n  --config={CONFIG} \\\n ; c\n  {OFF} \\\n  --v=2\n'
    ),
    'line ends of another system': with_unit(f'[Service]\r\nExecStart=/usr/bin/kubelet \\\r\n --v=2 {OFF}\r\n'),
    'quotes': with_unit(f'[Service]\nExecStart="/usr/bin/kubelet" "--v=2" \'{OFF}\' --node-labels="a=b c"\n'),
    'specifiers and escapes': with_unit(f'[Service]\nExecStart=/usr/bin/%p --v=2 --hostname-override=\\x61%n {OFF}\n'),
    'braces': with_unit('[Service]\nEnvironment=A=false\nExecStart=kubelet --make-iptables-util-chains=${A}\n'),
    'a shell': with_unit(f'[Service]\nExecStart=/bin/sh -c "exec kubelet {OFF} $KUBELET_EXTRA_ARGS"\n'),
    'a wrapper': with_unit(f'[Service]\nExecStart=/usr/local/bin/kubenswrapper /usr/bin/kubelet --v=2 {OFF}\n'),
    'another name of the program': with_unit(f'[Service]\nExecStart=-@/usr/bin/kubelet kubelet --v=2 {OFF}\n'),
    'two commands': with_unit(f'{RUN}\nExecStart=/usr/bin/kubelet --v=2\n'),
    'commands in one line': with_unit('[Service]\nExecStart=/bin/true ; /usr/bin/kubelet --v=2\n'),
    'another root': with_unit('[Service]\nRootDirectory=/x\nExecStart=/usr/bin/kubelet\n'),
    'a variable of systemd': with_unit(f'{RUN} --v=${{INVOCATION_ID}}\n'),
    'unset variables': with_drop_in('[Service]\nUnsetEnvironment=KUBELET_CONFIG_ARGS\nPassEnvironment=B\n'),
    'no command': with_unit('[Service]\nRestart=always\n'),
    'an invalid header': with_unit('[Service]\n[Serv\nExecStart=/usr/bin/kubelet\n'),
    'other sections': with_unit(f'[Unit]\nExecStart=x\n[X-Mine]\nA={OFF}\n{RUN} {OFF}\n'),
    'no UTF-8': with_unit(RUN.encode() + b' --hostname-override=\xff\n'),
    'an environment file that is no UTF-8': with_environment(b'KUBELET_EXTRA_ARGS=\xff\n'),
    'an empty unit': with_unit(''),
    'no unit': lambda node: (node.at(DROP_IN).unlink(), node.at(UNIT).unlink()),
    'an environment file that is gone': lambda node: node.at(ENVIRONMENT).unlink(),
    'one that must be there is gone': with_drop_in('[Service]\nEnvironmentFile=/etc/none\n'),
    'a larger drop-in than is read': with_drop_in('#' * (256 * 1024 + 1)),
    'a larger unit than is understood': with_unit('#' * (65 * 1024)),
    'a folder in place of a drop-in': lambda node: node.at(f'{FOLDER}/50.conf').mkdir(),
    'a FIFO in place of a drop-in': lambda node: os.mkfifo(node.at(f'{FOLDER}/50.conf')),
    'a FIFO in place of a unit': lambda node: (node.at(UNIT).unlink(), os.mkfifo(node.at(UNIT))),
    'a FIFO in place of an environment file': lambda node: (
        node.at(ENVIRONMENT).unlink(),
        os.mkfifo(node.at(ENVIRONMENT)),
    ),
    'a drop-in that leads nowhere': lambda node: node.link(f'{FOLDER}/50.conf', '/none'),
    'a drop-in that leads to itself': lambda node: node.link(f'{FOLDER}/50.conf', '50.conf'),
    'a link to a drop-in': lambda node: (
        node.write('/opt/x', f'[Service]\nEnvironment=KUBELET_EXTRA_ARGS={OFF}\n'),
        node.link(f'{FOLDER}/50.conf', '/opt/x'),
    ),
    'a folder of drop-ins that is empty': lambda node: node.at('/run/systemd/system/kubelet.service.d/x'),
    'a file in place of a folder of drop-ins': lambda node: node.write('/run/systemd/system/kubelet.service.d', 'x'),
    'drop-ins of the same name': hides_by_name,
    'drop-ins of every service': lambda node: node.write('/etc/systemd/system/service.d/1.conf', '[Service]\nType=x\n'),
    'more drop-ins than are read': many,
    'patterns': by_patterns,
    'an alias': alias,
    'another configuration file': another_config,
}  # fmt: skip


@pytest.mark.parametrize('change', CHANGES.values(), ids=CHANGES)
def test_a_captured_service_comes_to_the_same_command_from_the_same_places(
    tmp_path: Path, change: Callable[[ServiceNode], object]
) -> None:
    node = usual_node(tmp_path)
    change(node)
    assert_copied(node)


@needs_root
@pytest.mark.parametrize('path', [UNIT, DROP_IN, ENVIRONMENT, '/etc/systemd/system/kubelet.service'])
def test_what_is_masked_is_masked_in_the_copy(tmp_path: Path, path: str) -> None:
    node = usual_node(tmp_path)
    mask(node, path)
    assert_copied(node)


def test_these_nodes_show_drift_where_their_service_was_changed(tmp_path: Path) -> None:
    """Else the copies could be the same for nothing."""
    node = usual_node(tmp_path)
    assert collected(copy_of(node)).node.restart_pending is False
    CHANGES['a flag in a drop-in'](node)
    (node.folder / 'copy').rename(node.folder / 'before')
    (iptables,) = (row for row in findings(collected(copy_of(node))) if row[0] == 'make_iptables_util_chains')
    assert f'{FOLDER}/50.conf:2' in str(iptables[3])


SECRETS: dict[str, Callable[[ServiceNode], object]] = {
    'a variable that no command uses': with_drop_in(f'[Service]\nEnvironment=HTTPS_PROXY=http://u:{SECRET}@proxy\n'),
    'one beside a used one': with_drop_in(
        f'[Service]\nEnvironment="TOKEN={SECRET} {SECRET}" KUBELET_EXTRA_ARGS=--v=2 OTHER={SECRET}\n'
    ),
    'one in single quotes within': with_drop_in(f"[Service]\nEnvironment=TOKEN='{SECRET} x' A=\n"),
    'a variable that goes on': with_drop_in(
        f'[Service]\nEnvironment=TOKEN=a \\\n# {SECRET}\n B={SECRET} \\\n {SECRET}\n'
    ),
    'no variable at all': with_drop_in(f'[Service]\nEnvironment={SECRET}\n'),
    'a comment': with_drop_in(f'# {SECRET}\n[Service]\n; {SECRET}\n'),
    'another setting': with_drop_in(f'[Service]\nExecStartPre=/bin/login {SECRET}\nSetCredential=a:{SECRET}\n'),
    'another section': with_drop_in(f'[X-{SECRET}]\nEnvironment=A={SECRET}\nExecStart={SECRET}\n'),
    'a setting before any section': with_drop_in(f'ExecStart={SECRET}\n'),
    'a line without an equals sign': with_drop_in(f'[Service]\n{SECRET}\n'),
    'an environment file': with_environment(f'HTTPS_PROXY="http://u:{SECRET}@proxy"\nKUBELET_EXTRA_ARGS=--v=2\n'),
    'an environment file of many lines': with_environment(f'T="a\n{SECRET}\n"\nU=a\\\n{SECRET}\nB=\n'),
    'a comment of an environment file': with_environment(f'# {SECRET}\n;{SECRET}\nKUBELET_EXTRA_ARGS=--v=2\n'),
    'no assignment of an environment file': with_environment(f'{SECRET}\nexport A={SECRET}\n1A={SECRET}\n'),
    'a flag in a used variable': with_environment(f'KUBELET_EXTRA_ARGS="--v=2 --manifest-url=https://u:{SECRET}@x"\n'),
    'a flag and its value': with_environment(f'KUBELET_EXTRA_ARGS=--manifest-url https://{SECRET} --v=2\n'),
    'a flag in a variable of the unit': with_drop_in(
        f'[Service]\nEnvironment="KUBELET_EXTRA_ARGS=--v=2 --manifest-url-header=Authorization:{SECRET}"\n'
    ),
    'a flag in a command': with_unit(f'{RUN} --v=2 --manifest-url={SECRET} {OFF}\n'),
    'a flag in quotes': with_unit(f'{RUN} --v=2 "--manifest-url={SECRET} x" {OFF}\n'),
    'a flag that no kubelet has': with_unit(f'{RUN} --v=2 --password {SECRET}\n'),
    'a command that another one replaces': with_unit(
        f'{RUN} --manifest-url={SECRET}\nExecStart=\nExecStart=/usr/bin/kubelet --v=2\n'
    ),
    'what a shell runs': with_unit(f'[Service]\nExecStart=/bin/sh -c "T={SECRET} exec kubelet --token={SECRET}"\n'),
    'another program': with_unit(f'[Service]\nExecStart=/usr/bin/docker run -e TOKEN={SECRET} kubelet {SECRET}\n'),
    'a variable of a secret flag': with_unit(f'{RUN} --manifest-url=${{U}} --v=2\nEnvironment=U={SECRET}\n'),
    'the configuration of the next start': another_config,
}  # fmt: skip


@pytest.mark.parametrize('change', SECRETS.values(), ids=SECRETS)
def test_no_secret_of_a_service_is_captured_and_it_comes_to_the_same(
    tmp_path: Path, change: Callable[[ServiceNode], object]
) -> None:
    node = usual_node(tmp_path)
    change(node)
    copy = copy_of(node)
    written = [path for path in (node.folder / 'copy').rglob('*') if path.is_file()]
    assert len(written) > 5
    for path in written:
        assert SECRET.encode() not in path.read_bytes(), path.read_text()
    live, kept = node.unit(), node.unit(copy)
    assert kept.paths == live.paths
    if isinstance(live.command, Unknown):
        assert kept.command == live.command
        return
    assert not isinstance(kept.command, Unknown), kept.command
    assert [word.text for word in kept.command] == list(redact_command([word.text for word in live.command]))
    assert [word.place for word in kept.command] == [word.place for word in live.command]


def test_the_same_secret_in_the_process_and_its_service_is_no_drift_of_the_copy(tmp_path: Path) -> None:
    node = usual_node(tmp_path)
    node.write(ENVIRONMENT, f'KUBELET_EXTRA_ARGS=--manifest-url=https://{SECRET}\n')
    node.start(ARGUMENTS[0], f'--manifest-url=https://{SECRET}')
    assert collected(copy_of(node)).node.restart_pending is False


def test_a_drift_of_nothing_but_a_secret_cannot_be_captured(tmp_path: Path) -> None:
    node = usual_node(tmp_path)
    node.write(ENVIRONMENT, f'KUBELET_EXTRA_ARGS=--manifest-url=https://{SECRET}\n')
    node.start(ARGUMENTS[0], '--manifest-url=https://other')
    with pytest.raises(CannotCapture, match='differ only in what may be secret'):
        copy_of(node)


@pytest.mark.parametrize(
    'text',
    [
        pytest.param(f'{RUN} --v=2 --manifest"-url={SECRET}"\n', id='a quote within a name'),
        pytest.param(f'{RUN} --manifest-url $U\nEnvironment=U={SECRET}\n', id='a variable behind a flag'),
        pytest.param(
            f'{RUN} --manifest-url $U\nEnvironment=U={SECRET}\nExecStart=\nExecStart=/usr/bin/kubelet\n', id='replaced'
        ),
        pytest.param(f'{RUN} --manifest\\x2durl={SECRET}\n', id='an escape within a name'),
        pytest.param(
            f'{RUN} --manifest-${{A}}={SECRET}\nEnvironment=A=url\n', id='a part of a name'
        ),
    ],
)  # fmt: skip
def test_what_hides_where_a_secret_is_is_never_captured_with_it(tmp_path: Path, text: str) -> None:
    node = usual_node(tmp_path)
    with_unit(text)(node)
    try:
        copy_of(node)
    except CannotCapture:
        return
    for path in (node.folder / 'copy').rglob('*'):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path.read_text()


def holder_node(folder: Path, unit: str, *argv: str, comm: str) -> ServiceNode:
    """A node on which `k3s.service` starts a program that contains a kubelet."""
    node = usual_node(folder)
    node.write('/etc/systemd/system/k3s.service', unit)
    shutil.rmtree(node.procfs)
    write_process(node.procfs, 1000, argv, comm=comm, cgroup='0::/system.slice/k3s.service')
    for name in ('root', 'cwd'):
        (node.procfs / '1000' / name).unlink()
        (node.procfs / '1000' / name).symlink_to(node.root)
    return node


@pytest.mark.parametrize(
    ('command', 'kept'),
    [
        pytest.param(
            f'/usr/bin/env K3S_TOKEN={SECRET} /usr/local/bin/k3s server --kubelet-arg={OFF[2:]}',
            f'/usr/bin/env K3S_TOKEN=left-out /usr/local/bin/k3s server --kubelet-arg={OFF[2:]}',
            id='assigned by env',
        ),
        pytest.param(
            f'env A=b "K3S_TOKEN={SECRET} x" k3s agent --token {SECRET} -c /k.yaml',
            'env A=left-out "K3S_TOKEN=left-out" k3s agent --token left-out -c /k.yaml',
            id='assigned by env in quotes',
        ),
        pytest.param('k3s server $K3S_OPTIONS', 'k3s server $K3S_OPTIONS', id='in a variable'),
        pytest.param('k3s server --token $T $K3S_OPTIONS', 'k3s server --token left-out $K3S_OPTIONS', id='both'),
        pytest.param('env T=${T} k3s server', 'env T=left-out k3s server', id='a variable assigned by env'),
        pytest.param(f'env -u T {SECRET}=x k3s server', 'env -u left-out left-out left-out left-out', id='another env'),
        pytest.param(f'rke2 server --token {SECRET}', 'rke2 server --token left-out', id='RKE2'),
        pytest.param(f'k0s worker {SECRET} --data-dir=/d', 'k0s worker left-out --data-dir=left-out', id='k0s'),
    ],
)  # fmt: skip
def test_a_service_of_a_program_is_captured_without_its_secrets(tmp_path: Path, command: str, kept: str) -> None:
    options = f'Environment="K3S_OPTIONS=--token {SECRET} --kubelet-arg=v=2" T={SECRET}\n'
    node = holder_node(tmp_path, f'[Service]\n{options}ExecStart={command}\n', 'k3s', 'server', comm='k3s-server')
    live = collected(LiveHost(str(node.procfs), admission=OURS))
    assert findings(collected(copy_of(node))) == findings(live)
    written = (node.folder / 'copy/etc/systemd/system/k3s.service').read_text()
    assert written.splitlines()[2] == f'ExecStart={kept}'
    for path in (node.folder / 'copy').rglob('*'):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path.read_text()


@pytest.mark.parametrize('value', [f'K3S_TOKEN={SECRET}', SECRET])
def test_what_a_variable_assigns_by_env_is_never_captured(tmp_path: Path, value: str) -> None:
    unit = f'[Service]\nEnvironment=T={value}\nExecStart=/usr/bin/env $T k3s server\n'
    with pytest.raises(CannotCapture, match='could not remove what may be secret'):
        copy_of(holder_node(tmp_path, unit, 'k3s', 'server', comm='k3s-server'))
