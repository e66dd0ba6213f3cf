# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is fuzzed: each target takes any bytes, and raises only where a promise is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from datadog_checks.kubelet_compliance.api.configz import AskError, parse_configz, parse_version
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.capture.recorded_files import comparable, with_data
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.kubelet.decoding import Configuration
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.formats.goyaml import DocumentError, DocumentTooLarge
from datadog_checks.kubelet_compliance.kubelet.programs import COMMS, NoKubelet, read_command_line
from datadog_checks.kubelet_compliance.kubelet.tables.programs import PROGRAMS
from datadog_checks.kubelet_compliance.model import (
    DropIns,
    Evidence,
    File,
    Finding,
    Process,
    Unknown,
    Verdict,
)
from datadog_checks.kubelet_compliance.node.captured import CaptureError, parse_capture
from datadog_checks.kubelet_compliance.node.listeners import listeners_at
from datadog_checks.kubelet_compliance.node.mount_table import mounts_of, other_mounts
from datadog_checks.kubelet_compliance.reporting.redact import (
    redact_arguments,
    redact_configuration,
    redact_configz,
)
from datadog_checks.kubelet_compliance.reporting.redact_programs import redact_program_arguments, redact_program_file
from datadog_checks.kubelet_compliance.rules.resolve import NOT_ASKED
from tests.support.nodes import declare, flags_told

from .checks import check, check_independently, is_chosen, rules_for, verdict_of
from .laid_out import HEADER
from .memory_host import PIDS, MemoryHost, launch_of, proc_of
from .promises import FEW, SELECTION, check_reported, judged, promise
from .unit_targets import fuzz_environment_files, fuzz_units

PART, PROCESS = b'\x1e', b'\x1d'
"""What stands between the parts of an input, and between its processes."""

CONFIG, DROP_INS = '/etc/kubelet.yaml', '/etc/kubelet.d'
PROC_FILES = ('comm', 'cmdline', 'stat', 'status', 'cgroup', 'mountinfo', 'net/tcp', 'net/tcp6')


def is_document(data: bytes) -> bool:
    try:
        parse_document(data)
    except (DocumentError, DocumentTooLarge):
        return False
    return True


def fuzz_argv(data: bytes) -> None:
    """`/proc/PID/comm`, a line end, and `/proc/PID/cmdline`."""
    comm, _, line = data.partition(b'\n')
    if comm not in COMMS:
        comm, line = b'kubelet', data
    read = read_command_line(comm.decode(), line)
    if isinstance(read, NoKubelet):
        return
    process = Process(1000, 100, read.arguments, inside=read.inside)
    launch = launch_of(process, ())
    if process.inside and launch is None:
        return
    evidence = Evidence(process, launch=launch)
    flags = flags_told(evidence)
    if (isinstance(flags, Unknown) or not isinstance(evidence.arguments, tuple)) and not is_chosen(data, 16):
        return
    evidence = with_files(evidence, flags)
    check(data, evidence, declare(evidence))


def fuzz_files(data: bytes) -> None:
    """A configuration file."""
    evidence = Evidence(Process(1000, 100, (f'--config={CONFIG}',), 1.0), File(CONFIG, data, 1.0))
    declared = declare(evidence)
    if declared.unknown is None:
        check_independently(data, declared)
    elif not is_chosen(data, 16):
        return
    check(data, evidence, declared)


def fuzz_trees(data: bytes) -> None:
    """A configuration file (none, where it is empty) and drop-ins."""
    main, *drop_ins = data.split(PART)
    arguments = (*((f'--config={CONFIG}',) if main else ()), f'--config-dir={DROP_INS}')
    files = tuple(File(f'{DROP_INS}/{number:05}.conf', part, 1.0) for number, part in enumerate(drop_ins))
    evidence = Evidence(
        Process(1000, 100, arguments, 1.0), File(CONFIG, main, 1.0) if main else None, DropIns(DROP_INS, files, 1.0)
    )
    if not is_chosen(data, 16) and not all(is_document(part) for part in (main, *drop_ins) if part):
        # Nearly all that is made up is none, and is the matter of `files`.
        return
    newer = declare(evidence)
    has_null = b'null' in data or b'~' in data
    older = declare(evidence, 31) if is_chosen(data, 2 if has_null else 16) else newer
    if not older.values and newer.values:
        promise(older.unknown is not None, 'an older kubelet has no values')
    for declared in (newer,) if older is newer else (newer, older):
        if declared.unknown is None or is_chosen(data, 16):
            check(data, evidence, declared)


def fuzz_proc(data: bytes) -> None:
    """Options, and for each process the files of its folder in `/proc`."""
    options, *processes = data.split(PROCESS)
    proc = {
        (pid, name): content
        for pid, process in zip(PIDS, processes, strict=False)
        for name, content in zip(PROC_FILES, process.split(PART), strict=False)
        if content != b'-'
    }
    is_nested, is_asked = b'nested' in options, b'configz' in options
    host = MemoryHost(proc, {CONFIG: HEADER, f'{DROP_INS}/1.conf': HEADER + b'readOnlyPort: 0\n'}, nested=is_nested)
    for (_, name), content in proc.items():
        if name == 'mountinfo':
            other_mounts(mounts_of(content.decode('utf-8', 'surrogateescape')), mounts_of('1 1 8:1 / / rw'), '/')
        elif name.startswith('net/'):
            listeners_at(content.decode('utf-8', 'surrogateescape'), '127.0.0.1', 10250)
    scan = host.find_kubelets()
    if not is_chosen(data, 4 if scan.processes else 16):
        return
    selection = SELECTION if is_chosen(data, 32) else FEW
    collection = Collector(host, selection).collect(answers({}) if is_asked else None)
    check_reported(collection.kubelets, collection.node, nested=is_nested)
    for kubelet in collection.kubelets:
        if kubelet.process.arguments is None:
            green = [finding.rule.key for finding in kubelet.findings if is_green_setting(finding)]
            promise(not green, f'{green} are green, and the command line is not known')


def fuzz_configz(data: bytes) -> None:
    """Answers of `/configz` and of `/metrics`, a configuration file, and a command line."""
    body, metrics, main, line = (data.split(PART, 3) + [b'', b'', b''])[:4]
    try:
        version: str | None = parse_version(metrics)
    except AskError as error:
        version = None
        promise(error.why.isprintable(), 'an error holds what was answered')
    promise(version is None or version.isascii() and len(version) <= 64, f'the version {version!r}')
    try:
        running: Configuration | Unknown = parse_configz(body)
    except AskError as error:
        promise(error.why.isprintable(), 'an error holds what was answered')
        running = NOT_ASKED
    if isinstance(running, Unknown) and not is_chosen(data, 16):
        return
    arguments = tuple(word.decode('utf-8', 'surrogateescape') for word in line.split(b'\0') if word)
    if main:
        arguments = (f'--config={CONFIG}', *arguments)
    evidence = Evidence(Process(1000, 100, arguments, 1.0), File(CONFIG, main, 5.0) if main else None)
    declared = declare(evidence)
    report = judged(evidence, declared, running, rules_for(data))
    check_reported([report])
    if isinstance(running, Configuration) and running.get('makeIPTablesUtilChains') is False:
        promise(verdict_of(report) is not Verdict.COMPLIANT, 'what runs with false is green')
    if is_chosen(data, 16):
        connection = answers({'/configz': body, '/metrics': metrics})
        host = MemoryHost(proc_of(arguments), {CONFIG: main}, nested=False)
        collection = Collector(host, SELECTION if is_chosen(data, 32) else FEW).collect(connection)
        check_reported(collection.kubelets, collection.node)


def fuzz_launches(data: bytes) -> None:
    """A command line and files of k3s, or of MicroK8s where the line says so."""
    line, *parts = data.split(PART)
    arguments = tuple(word.decode('utf-8', 'surrogateescape') for word in line.split(b'\0'))
    inside = 'MicroK8s' if line.startswith(b'kubelite') else 'k3s'
    process = Process(1000, 100, arguments[1:], 1.0, inside=inside)
    launch = launch_of(process, parts)
    if launch is None or not is_chosen(data, 8):
        return
    evidence = Evidence(process, launch=launch)
    evidence = with_files(evidence, flags_told(evidence))
    check(data, evidence, declare(evidence))


def fuzz_captures(data: bytes) -> None:
    """`node.json`, and all that is asked of it."""
    try:
        capture = parse_capture(data)
    except CaptureError:
        return
    for ticks in (0, 100, 1 << 63):
        capture.started_at(ticks)
    for path in [*capture.files, *capture.unseen, CONFIG]:
        capture.status(path)
        capture.changed_at(path)
    if not is_chosen(data, 8):
        return
    host = MemoryHost(proc_of((f'--config={CONFIG}',)), {CONFIG: HEADER}, nested=False, capture=capture)
    collection = Collector(host, SELECTION).collect()
    check_reported(collection.kubelets, collection.node)


SECRET = 'zq8secretzq8'
"""Put where a secret may stand; what is left out of a capture must not hold it."""


def fuzz_redact(data: bytes) -> None:
    """Files and command lines on their way into a capture."""
    evidence = Evidence(Process(1000, 100, (f'--config={CONFIG}',)), File(CONFIG, data, None))
    before = comparable(declare(evidence))

    def is_same(other: bytes) -> bool:
        return comparable(declare(with_data(evidence, CONFIG, other))) == before

    if data:
        redacted = redact_configuration(data, is_same)
        promise(redacted is None or is_same(redacted), 'a redacted file gets another outcome')
    redact_configz(data)
    words = tuple(word.decode('utf-8', 'surrogateescape') for word in data.split(b'\0'))
    for program in PROGRAMS:
        redact_program_file(program, data)
        redact_program_arguments(program, words)
    kept = redact_arguments(words)
    promise(known(words) == known(kept), 'a redacted command line gets another outcome')


def known(arguments: Sequence[str]) -> object:
    """What a capture must keep of a command line."""
    evidence = Evidence(Process(1000, 100, tuple(arguments)))
    declared = declare(evidence)
    unknown = declared.unknown
    verdicts = [finding.verdict for finding in judged(evidence, declared).findings]
    return verdicts, unknown is None, unknown is not None and unknown.refused, declared.flags_known


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    'argv': fuzz_argv,
    'files': fuzz_files,
    'trees': fuzz_trees,
    'proc': fuzz_proc,
    'configz': fuzz_configz,
    'launches': fuzz_launches,
    'captures': fuzz_captures,
    'redact': fuzz_redact,
    'units': fuzz_units,
    'environment-files': fuzz_environment_files,
}


def with_files(evidence: Evidence, flags: Flags | Unknown) -> Evidence:
    """The evidence with a plain file and no drop-in, where the command line names such."""
    if isinstance(flags, Unknown):
        return evidence
    config, folder = flags.text('config'), flags.text('config-dir')
    return Evidence(
        evidence.process,
        File(config, HEADER, 1.0) if config else None,
        DropIns(folder, (), 1.0) if folder else None,
        evidence.launch,
    )


def is_green_setting(finding: Finding) -> bool:
    return finding.verdict is Verdict.COMPLIANT and finding.rule.files is None
