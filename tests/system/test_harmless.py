# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check writes nothing, runs nothing and talks to nobody but the kubelet; a disk that is full is none of its."""

from __future__ import annotations

from pathlib import Path

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from tests.support.apart import run_apart
from tests.support.kubelet_server import Certificates, KubeletServer
from tests.support.mounts import needs_mounts
from tests.support.sent import BAD, GOOD, check_of, collect, show
from tests.support.standin import Standins


@pytest.fixture
def procfs(standins: Standins, tmp_path: Path, api: KubeletServer) -> Path:
    """A kubelet that listens, with a file for every rule on files."""
    (tmp_path / 'd').mkdir()
    for name, text in (('c.yaml', GOOD), ('d/1.conf', BAD), ('kubeconfig', ''), ('ca.pem', '')):
        (tmp_path / name).write_text(text)
    flags = ('config=c.yaml', 'config-dir=d', 'kubeconfig=kubeconfig', f'client-ca-file={tmp_path}/ca.pem')
    argv = ('kubelet', *(f'--{flag}' for flag in flags))
    return show(tmp_path / 'proc', standins.launch(argv, cwd=tmp_path, handles=(api.handle,)))


WATCH = """
import os, sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HARMFUL = (
    'os.mkdir', 'os.rename', 'os.remove', 'os.rmdir', 'os.link', 'os.symlink', 'os.truncate', 'os.chmod', 'os.chown',
    'os.utime', 'os.setxattr', 'os.removexattr', 'os.chdir', 'os.putenv', 'os.kill', 'os.fork', 'os.forkpty', 'os.exec',
    'os.spawn', 'os.posix_spawn', 'os.system', 'subprocess.Popen', 'pty.spawn', 'shutil.', 'tempfile.', 'signal.',
    'socket.bind', 'socket.sendto', 'socket.sendmsg', 'socket.gethostby', 'ctypes.dlopen', 'fcntl.flock', 'exec',
)
seen, harm = [], []

def watch(event, arguments):
    if not watching:
        return
    if event == 'open':
        path, _, flags = arguments
        seen.append(str(path))
        if isinstance(flags, int) and flags & WRITES:
            harm.append((event, arguments))
    elif event.startswith(HARMFUL):
        harm.append((event, arguments))
    elif event == 'socket.connect' and arguments[1] != kubelet:
        harm.append((event, arguments))
    elif event == 'socket.getaddrinfo' and arguments[0] != kubelet[0]:
        harm.append((event, arguments))
    elif event == 'socket.connect':
        seen.append(event)

watching = False
kubelet = ('127.0.0.1', {port})
sys.dont_write_bytecode = True
sys.addaudithook(watch)
check_from(sys.argv[1]).run()
check.load_configuration_models()
watching = True
{doing}
report(check)
report(check)
watching = False
assert any(path.endswith('c.yaml') or '/proc/self/fd' in path for path in seen), seen
assert 'socket.connect' in seen, seen
if harm:
    sys.exit(f'HARM {{harm}}')
"""


def watched(procfs: Path, api: KubeletServer, certificates: Certificates, doing: str = '') -> None:
    port = int(api.url.rpartition(':')[2])
    options = {'kubelet_url': api.url, 'tls_ca_cert': str(certificates.ca), 'rules': None}
    first, second = run_apart(procfs, WATCH.format(port=port, doing=doing), **options)
    assert first.found == second.found == 1


def test_a_collection_writes_nothing_runs_nothing_and_connects_to_the_kubelet_alone(
    procfs: Path, api: KubeletServer, certificates: Certificates
) -> None:
    watched(procfs, api, certificates)


@pytest.mark.parametrize(
    'doing',
    [
        "open('/dev/null', 'w').close()",
        "os.close(os.open('/dev/null', os.O_RDWR))",
        "os.system('true')",
        "__import__('subprocess').run(['true'])",
        "__import__('tempfile').TemporaryFile().close()",
        "__import__('socket').socket().connect_ex(('127.0.0.1', 1))",
    ],
)
def test_the_watch_above_sees_harm(procfs: Path, api: KubeletServer, certificates: Certificates, doing: str) -> None:
    with pytest.raises(AssertionError, match='HARM'):
        watched(procfs, api, certificates, doing)


CANNOT_WRITE = """
import errno, os, tempfile
for folder in ('.', tempfile.gettempdir()):
    try:
        with open(os.path.join(folder, 'probe'), 'w') as file:
            file.write('x' * 100_000)
    except OSError as error:
        assert error.errno in ({errors}), error
    else:
        raise SystemExit(f'{{folder}} can be written to')
report(check)
report(check)
"""
READ_ONLY = """
for folder in $(cut -d' ' -f2 /proc/mounts); do
    case $folder in /proc*|/sys*) ;; *) mount -o remount,bind,ro "$folder" 2>/dev/null ;; esac
done
exec "$@"
"""


@needs_mounts
def test_on_a_read_only_system_the_same_is_sent(procfs: Path, aggregator: AggregatorStub) -> None:
    whole = collect(check_of(procfs, rules=None), aggregator)
    code = CANNOT_WRITE.format(errors='errno.EROFS,').replace('tempfile.gettempdir()', "'/tmp'")
    wrap = ('unshare', '--mount', 'sh', '-c', READ_ONLY, 'sh')
    assert run_apart(procfs, code, wrapped_in=wrap, rules=None) == [whole, whole]


@needs_mounts
def test_on_a_full_disk_the_same_is_sent(procfs: Path, tmp_path: Path, aggregator: AggregatorStub) -> None:
    """Its working directory and its folder for temporary files are full."""
    whole = collect(check_of(procfs, rules=None), aggregator)
    (tmp_path / 'full').mkdir()
    code = f"import os, tempfile\nos.chdir('{tmp_path}/full')\ntempfile.tempdir = '{tmp_path}/full'\n"
    code += CANNOT_WRITE.format(errors='errno.ENOSPC,')
    wrap = (
        'unshare',
        '--mount',
        'sh',
        '-c',
        'mount -t tmpfs -o size=4k full "$0" && exec "$@"',
        str(tmp_path / 'full'),
    )
    assert run_apart(procfs, code, wrapped_in=wrap, rules=None) == [whole, whole]


def test_where_no_file_may_grow_the_same_is_sent(procfs: Path, aggregator: AggregatorStub) -> None:
    """As on a full disk, wherever the tests run."""
    whole = collect(check_of(procfs, rules=None), aggregator)
    code = f'import os, tempfile\ntempfile.tempdir = {str(procfs.parent)!r}\nos.chdir(tempfile.tempdir)\n'
    code += CANNOT_WRITE.format(errors='errno.EFBIG,')
    wrap = ('sh', '-c', 'ulimit -f 0 && exec "$@"', 'sh')
    assert run_apart(procfs, code, wrapped_in=wrap, rules=None) == [whole, whole]
