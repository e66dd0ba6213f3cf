# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What was read of a node: processes, files, and why something could not be read. `results.py` has the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

Value = bool | int | float | str | tuple['Value', ...] | Mapping[str, 'Value'] | None
"""A value of the kubelet's configuration. Durations are nanoseconds. None: not set."""


LEFT_OUT = 'left-out'
"""What a captured node has in place of a value that a capture does not keep."""


def lookup(values: Mapping[str, Value], path: str) -> Value:
    """The value at a dotted path in nested mappings. None if there is none.

    The last key may contain dots itself: `evictionHard.memory.available`.
    """
    value: Value = values
    rest = path
    while rest:
        if not isinstance(value, Mapping):
            return None
        if rest in value:
            return value[rest]
        name, _, rest = rest.partition('.')
        value = value.get(name)
    return None


class Source(Enum):
    """Where a value was set. The member's value is the tag `set_by`."""

    FLAG = 'flag'
    CONFIG_FILE = 'config_file'
    DROP_IN = 'drop_in'
    DEFAULT = 'default'
    CONFIGZ = 'configz'
    UNKNOWN = 'unknown'


class Place(NamedTuple):
    """A line of a file. `variable`: the environment variable that contains the text; '' for none.

    `line`: 0 if only the file is known.
    """

    path: str
    line: int
    variable: str = ''

    def __str__(self) -> str:
        line = f':{self.line}' if self.line else ''
        return f'{self.path}{line}' + (f' ({self.variable})' if self.variable else '')


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was set: the kind of place, and the place in words (`/etc/k.yaml:4`, `--flag=x`)."""

    source: Source
    place: str
    path: str | None = None
    where: str = ''
    """The file and line of a flag, and the variable that contains it. '' if they are not known."""
    line: int = 0
    """The line in the file `path`. 0 if it is not known."""


def was_flag(origin: Origin | None) -> bool:
    """Whether a flag set the value."""
    return origin is not None and origin.source is Source.FLAG


class Fault(Enum):
    """Why something could not be read. The member's value is its name in `agent diagnose`."""

    NOT_CONNECTED = 'not_connected'
    """The Agent itself can't reach the kubelet."""
    STARTING = 'starting'
    """The kubelet started a few seconds ago and does not serve yet."""
    REFUSED_CONNECTION = 'refused_connection'
    NO_SUCH_HOST = 'no_such_host'
    TIMED_OUT = 'timed_out'
    NO_CONNECTION = 'no_connection'
    WRONG_PORT = 'wrong_port'
    """No kubelet of this node listens on the port."""
    NOT_THE_KUBELET = 'not_the_kubelet'
    """The server is not a kubelet."""
    READ_ONLY_PORT = 'read_only_port'
    OTHER_KUBELET = 'other_kubelet'
    UNKNOWN_CA = 'unknown_ca'
    WRONG_NAME = 'wrong_name'
    EXPIRED = 'expired'
    NO_CERTIFICATE = 'no_certificate'
    """The kubelet has no serving certificate."""
    TLS_FAILED = 'tls_failed'
    NOT_VERIFIED = 'not_verified'
    """Nothing proves that the server is the kubelet."""
    CREDENTIALS_REFUSED = 'credentials_refused'
    FORBIDDEN = 'forbidden'
    API_SERVER_AWAY = 'api_server_away'
    """The kubelet could not ask the API server for the Agent's identity or permissions."""
    NOT_SERVED = 'not_served'
    FILES_NOT_SHOWN = 'files_not_shown'
    """The Agent has no access at all to the files of the kubelet."""
    FILES_NOT_MOUNTED = 'files_not_mounted'
    """`host_root` does not contain them."""
    MOUNTED_OVER = 'mounted_over'
    NOT_ALLOWED_TO_READ = 'not_allowed_to_read'


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a value is not known. `remedy`: the one change that fixes it."""

    reason: str
    remedy: str = ''
    refused: bool = False
    """The kubelet would refuse this configuration, so its next start fails."""
    fault: Fault | None = None
    """The failure, if the person who runs the Agent can fix it."""


@dataclass(frozen=True, slots=True)
class Process:
    """One kubelet process. `arguments`: those after argv[0]. None if the command line can't be trusted."""

    pid: int
    start_ticks: int
    arguments: tuple[str, ...] | None
    started_at: float | None = None
    """Seconds since the epoch. None if the machine's clock is not known."""
    container: str | None = None
    """The ID of the container that it runs in."""
    inside: str = ''
    """The program that contains the kubelet. Then `arguments` are that program's own."""
    program: str = ''
    """argv[0]."""
    stack: int = 0
    """The start address of its stack, which changes with each `exec`. 0 if the kernel does not show it."""
    unit: str = ''
    """On a machine that is not running: the service that would start it. There is no such process yet."""
    unknown: Unknown | None = None
    """Why the arguments are not known, if `unit` is set and does not determine them."""
    uses_cgroup_v1: bool | None = None
    """Whether the node uses cgroup v1 and not v2. None if its cgroup does not show that."""

    @property
    def key(self) -> tuple[int, ...]:
        """Identifies this program: the kernel reuses process IDs, and `exec` keeps the process ID and the start."""
        return self.pid, self.start_ticks, self.stack, hash((self.arguments, self.unit))


@dataclass(frozen=True, slots=True)
class File:
    """A file as the kubelet sees it. `changed_at`: the latest ctime of the file and of the links on its path."""

    path: str
    data: bytes
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Missing:
    """The kubelet itself would find no file here, or none that it can read. It would refuse to start."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """This check could not read a file that the kubelet may be able to read. `remedy`: the one change that fixes it."""

    path: str
    why: str
    remedy: str = ''
    absent: bool = False
    """The file does not exist for this check. The kubelet may see another file."""
    fault: Fault | None = None
    """As in `Unknown`."""


def is_absent(answer: object) -> bool:
    """Whether the file does not exist, as far as this check can see."""
    return isinstance(answer, Missing) or isinstance(answer, Unreadable) and answer.absent


@dataclass(frozen=True, slots=True)
class DropIns:
    """The files of `--config-dir` in the kubelet's order. `changed_at`: the latest ctime of the folders."""

    path: str
    files: tuple[File | Missing | Unreadable, ...]
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Folder:
    """The sorted names in a folder. `changed_at`: the latest ctime of the folder and of the links on its path."""

    path: str
    names: tuple[str, ...]
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Launch:
    """How a program starts the kubelet that it contains. `path`: the file with the kubelet's arguments, if any.

    `places`: the place of each argument. `files`: the files that the arguments come from, to see when they change.
    `doubt`: why there may be more arguments. Then they can show that a rule is broken, but never that it holds.
    """

    program: str
    arguments: tuple[str, ...] | Unknown
    path: str
    places: Mapping[str, Place] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    doubt: Unknown | None = None
    drop_ins: str = ''
    """The folder for drop-ins that the program passes by itself. '' if there is none."""
    is_whole: bool = False
    """Each known argument counts, whatever the program passes before it."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A word of a command line, and its file and line. `place`: None if it is not known."""

    text: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Unit:
    """The systemd service that starts a kubelet.

    `paths`: its unit file and drop-ins, in the order in which systemd reads them. `command`: the command of its next
    start, argv[0] first.
    """

    name: str
    paths: tuple[str, ...]
    command: tuple[Argument, ...] | Unknown
    files: tuple[File | Missing | Unreadable, ...] = ()
    """The files that determine the command line: `paths`, and the environment files."""
    environment: Mapping[str, Argument] = field(default_factory=dict)
    """Its variables from which a program reads options."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """The places of arguments of the process that are words of a variable, even if the command does not use it."""
    directory: str = ''
    """The working directory of the command. '' if the unit does not set it."""
    unread: tuple[Unreadable, ...] = ()
    """Drop-in folders that could not be read."""
    unset: frozenset[str] = frozenset()
    """Variables that the command uses and no file of the service sets. They count as empty."""
    folders: tuple[Folder, ...] = ()
    """The existing folders that can contain its drop-ins."""
    parents: tuple[str, ...] = ()
    """The folders from which one of its files or drop-in folders may have been removed."""
    parents_changed_at: float | None = None
    """The latest ctime of `parents`, if it was read."""
    lacks_files: bool = False
    """Files that it consisted of while the process ran no longer exist."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was read of one kubelet. None: the command line names no such file or folder."""

    process: Process
    config: File | Missing | Unreadable | None = None
    drop_ins: DropIns | Missing | Unreadable | None = None
    launch: Launch | None = None
    """None: the kubelet is a separate process."""
    unit: Unit | Unknown | None = None
    """The systemd service that starts it. None: it runs in a container."""
    service: str = ''
    """The name of that service, even if nothing else is known about it."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """The file and line of each argument, if they are known."""
    options: str = ''
    """The file with the options of the program that starts it, if it was read."""
    age_seconds: float | None = None
    """How long the process has been running. None if that is not known."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Files that the configuration names and the kubelet would not accept: path and reason."""
    statuses: Mapping[str, FileStatus | Missing | Unreadable] = field(default_factory=dict)
    """Modes and owners of the files that the rules are about, by path."""
    kernel: Mapping[str, str | None] | None = None
    """The kernel settings that the kubelet expects. None if its next start does not depend on them."""

    @property
    def arguments(self) -> tuple[str, ...] | Unknown | None:
        """The kubelet's own arguments. None if its command line can't be trusted."""
        if self.launch is not None:
            return self.launch.arguments
        return self.process.unknown if self.process.arguments is None else self.process.arguments


class FileSubject(Enum):
    """The files whose mode and owner the rules judge. The member's value is their name in messages."""

    SERVICE = 'service file'
    KUBECONFIG = 'kubeconfig'
    CONFIG = 'configuration file'
    CLIENT_CA = 'client CA'
    AZURE_JSON = 'azure.json'


class FileAspect(Enum):
    """The property of a file that a rule judges."""

    MODE = 'mode'
    OWNER = 'owner'


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A file's permission bits and owner, links followed. `path`: as the kubelet names it."""

    path: str
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of one subject that are in use, and where they are named. An empty set means nothing to judge."""

    files: tuple[FileStatus | Missing | Unreadable, ...]
    source: Source = Source.DEFAULT


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a search through the processes.

    `doubtful`: processes that may be a kubelet, with the reason. `turned_away`: processes that only have a kubelet's
    name, and the option that would admit each of them, if there is one.
    """

    processes: tuple[Process, ...] = ()
    doubtful: tuple[Unknown, ...] = ()
    turned_away: tuple[Unknown, ...] = ()
    names: frozenset[str] = frozenset()
    """The names of processes that handle service traffic, if they are known: see `DATAPATHS`."""
    none_found_because: str = ''
    """Why no kubelet was found, if that is known."""
