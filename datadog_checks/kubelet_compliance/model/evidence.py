# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What was seen of a node: processes, files, and what could not be seen. All that it comes to is in `results.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

Value = bool | int | float | str | tuple['Value', ...] | Mapping[str, 'Value'] | None
"""A value of the kubelet's configuration. Durations are nanoseconds; None: the kubelet was not told."""


def lookup(values: Mapping[str, Value], path: str) -> Value:
    """The value of a dotted path in nested mappings; None where there is none."""
    value: Value = values
    for name in path.split('.'):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


class Source(Enum):
    """Where a value was set; its value is the tag `set_by`."""

    FLAG = 'flag'
    CONFIG_FILE = 'config_file'
    DROP_IN = 'drop_in'
    DEFAULT = 'default'
    CONFIGZ = 'configz'
    UNKNOWN = 'unknown'


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was set: the kind of place, and the place as a person finds it (`/etc/k.yaml:4`, `--flag=x`)."""

    source: Source
    place: str
    path: str | None = None
    where: str = ''
    """The file and line of a flag, with the variable that it is in; '' where they are not known."""


def was_flag(origin: Origin | None) -> bool:
    """Whether a flag set the value."""
    return origin is not None and origin.source is Source.FLAG


class Fault(Enum):
    """What keeps something from being known; the value names it in `agent diagnose`."""

    NOT_CONNECTED = 'not_connected'
    """The Agent itself does not reach the kubelet."""
    STARTING = 'starting'
    """The kubelet started some seconds ago and does not serve yet."""
    REFUSED_CONNECTION = 'refused_connection'
    NO_SUCH_HOST = 'no_such_host'
    TIMED_OUT = 'timed_out'
    NO_CONNECTION = 'no_connection'
    WRONG_PORT = 'wrong_port'
    """No kubelet of this node listens there."""
    NOT_THE_KUBELET = 'not_the_kubelet'
    """What answers is no kubelet."""
    READ_ONLY_PORT = 'read_only_port'
    OTHER_KUBELET = 'other_kubelet'
    UNKNOWN_CA = 'unknown_ca'
    WRONG_NAME = 'wrong_name'
    EXPIRED = 'expired'
    NO_CERTIFICATE = 'no_certificate'
    """The kubelet has no serving certificate."""
    TLS_FAILED = 'tls_failed'
    NOT_VERIFIED = 'not_verified'
    """Nothing shows that who answered is the kubelet."""
    CREDENTIALS_REFUSED = 'credentials_refused'
    FORBIDDEN = 'forbidden'
    API_SERVER_AWAY = 'api_server_away'
    """The kubelet could not ask the API server who asks, or what the Agent may do."""
    NOT_SERVED = 'not_served'
    FILES_NOT_SHOWN = 'files_not_shown'
    """The Agent has no way at all to the files of the kubelet."""
    FILES_NOT_MOUNTED = 'files_not_mounted'
    """`host_root` does not show them."""
    MOUNTED_OVER = 'mounted_over'
    NOT_ALLOWED_TO_READ = 'not_allowed_to_read'


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that cannot be told, and why. `remedy` is the one change that mends it."""

    reason: str
    remedy: str = ''
    refused: bool = False
    """True: the kubelet would refuse this configuration, so its next start fails."""
    fault: Fault | None = None
    """What failed, where something did that the one who runs the Agent can change."""


@dataclass(frozen=True, slots=True)
class Process:
    """One kubelet process. `arguments` follow argv[0]; None where the command line cannot be believed."""

    pid: int
    start_ticks: int
    arguments: tuple[str, ...] | None
    started_at: float | None = None
    """Seconds since the epoch; None where the machine's clock is not known."""
    container: str | None = None
    """The id of the container that it runs in."""
    inside: str = ''
    """The program that the kubelet is a part of; then `arguments` are that program's own."""
    program: str = ''
    """argv[0]."""
    stack: int = 0
    """Where its stack begins, which each `exec` places anew; 0 where the kernel does not show it to us."""
    unit: str = ''
    """The service that would start it, of a machine that does not run; then there is no such process yet."""
    unknown: Unknown | None = None
    """Why its arguments are not known, where `unit` does not tell them."""

    @property
    def key(self) -> tuple[int, ...]:
        """What tells this program from every other one: a pid is used again, and `exec` keeps pid and start."""
        return self.pid, self.start_ticks, self.stack, hash((self.arguments, self.unit))


@dataclass(frozen=True, slots=True)
class File:
    """A file as the kubelet sees it. `changed_at`: the latest ctime of the file and of the links on the way to it."""

    path: str
    data: bytes
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Missing:
    """The kubelet itself would not find a file here, or not one that it can read: it refuses to start."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """We could not read what the kubelet may well read. `remedy` is the one change that mends it."""

    path: str
    why: str
    remedy: str = ''
    absent: bool = False
    """We see the place, and no such file there; the kubelet may see another one."""
    fault: Fault | None = None
    """As of `Unknown`."""


def is_absent(answer: object) -> bool:
    """Whether there is no such file, as far as we can see."""
    return isinstance(answer, Missing) or isinstance(answer, Unreadable) and answer.absent


@dataclass(frozen=True, slots=True)
class DropIns:
    """The files of `--config-dir` in the kubelet's own order. `changed_at`: the latest ctime of the folders."""

    path: str
    files: tuple[File | Missing | Unreadable, ...]
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder lists, sorted. `changed_at`: the latest ctime of it and of the links on the way to it."""

    path: str
    names: tuple[str, ...]
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Launch:
    """How a program starts the kubelet that is a part of it. `path`: the file with its arguments, if any.

    `places`: where each argument stands. `files`: those that the arguments come from and that say when they changed.
    `doubt`: why the arguments may not be all of them: then they can show what is wrong, never that all is well.
    """

    program: str
    arguments: tuple[str, ...] | Unknown
    path: str
    places: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    doubt: Unknown | None = None
    drop_ins: str = ''
    """The folder for drop-ins that the program passes by itself, where there is one."""
    is_whole: bool = False
    """Whether each argument that is known counts, whatever else the program passes before it."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A word of a command line, and the file and line that it stands in."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Unit:
    """The systemd service that starts a kubelet.

    `paths`: its unit file and its drop-ins, in the order in which systemd reads them. `command`: what its next start
    runs, argv[0] first.
    """

    name: str
    paths: tuple[str, ...]
    command: tuple[Argument, ...] | Unknown
    files: tuple[File | Missing | Unreadable, ...] = ()
    """All that the command line is made of: `paths`, and the environment files."""
    environment: Mapping[str, Argument] = field(default_factory=dict)
    """Those of its variables that a program takes options from."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where arguments of the process stand as words of a variable, whether the command uses it or not."""
    directory: str = ''
    """The working directory of the command; '' where the unit does not set it."""
    unread: tuple[Unreadable, ...] = ()
    """Folders of drop-ins that could not be read."""
    unset: frozenset[str] = frozenset()
    """Variables that the command uses and no file of the service sets: they are taken for empty."""
    folders: tuple[Folder, ...] = ()
    """Those that its drop-ins may lie in, as far as they are there."""
    parents: tuple[str, ...] = ()
    """The folders that a file of it, or a folder of drop-ins, may have been taken out of."""
    parents_changed_at: float | None = None
    """The latest ctime of these, where that was asked for."""
    lacks_files: bool = False
    """Files that it was made of while the process ran are no longer there."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was read of one kubelet. None: the command line does not name such a file or folder."""

    process: Process
    config: File | Missing | Unreadable | None = None
    drop_ins: DropIns | Missing | Unreadable | None = None
    launch: Launch | None = None
    """None: the kubelet is a process of its own."""
    unit: Unit | Unknown | None = None
    """The systemd service that starts it; None: it runs in a container."""
    service: str = ''
    """The name of that service, also where nothing else of it is known."""
    places: Mapping[str, str] = field(default_factory=dict)
    """The file and line of each argument, as far as they are known."""
    options: str = ''
    """The file with the options of the program that starts it, where they were read."""
    age_seconds: float | None = None
    """For how long the process has been running; None where that is not known."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Files that the configuration names and that the kubelet would not take, by path, and why."""
    statuses: Mapping[str, FileStatus | Missing | Unreadable] = field(default_factory=dict)
    """Modes and owners of the files that the rules are about, by path."""
    kernel: Mapping[str, str | None] | None = None
    """The kernel settings that the kubelet expects; None where it does not depend on them."""

    @property
    def arguments(self) -> tuple[str, ...] | Unknown | None:
        """The kubelet's own; None where its command line cannot be believed."""
        if self.launch is not None:
            return self.launch.arguments
        return self.process.unknown if self.process.arguments is None else self.process.arguments


class FileSubject(Enum):
    """The files whose mode and owner are judged; the value says in words which they are."""

    SERVICE = 'service file'
    KUBECONFIG = 'kubeconfig'
    CONFIG = 'configuration file'
    CLIENT_CA = 'client CA'
    AZURE_JSON = 'azure.json'


class FileAspect(Enum):
    """What of a file is judged."""

    MODE = 'mode'
    OWNER = 'owner'


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A file's permission bits and owner, links followed. `path` as the kubelet names it."""

    path: str
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of one subject that are in use, and what names them. None at all is an answer: nothing to judge."""

    files: tuple[FileStatus | Missing | Unreadable, ...]
    source: Source = Source.DEFAULT


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look through the processes found.

    `doubtful`: processes that may be a kubelet, with the reason. `turned_away`: what only bears the name, and the
    option that would admit it, if any does.
    """

    processes: tuple[Process, ...] = ()
    doubtful: tuple[Unknown, ...] = ()
    turned_away: tuple[Unknown, ...] = ()
    names: frozenset[str] = frozenset()
    """Those of the processes that handle the traffic to services, as far as they are known: see `DATAPATHS`."""
    none_found_because: str = ''
    """Why no kubelet was found, where that is known."""
