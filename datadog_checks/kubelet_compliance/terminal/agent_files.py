# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files and the environment of the Agent on this machine. Only the command reads them, never the check."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import yaml

from datadog_checks.kubelet_compliance.node.process_root import reason

from .as_the_agent import ConfigError, Configured, Settings, connection_info, load_yaml, read_configured, read_yaml

FileContent = TypeVar('FileContent')

AGENT_FOLDER = '/etc/datadog-agent'
CHECK = 'kubelet_compliance'
ENDINGS = ('.yaml', '.yml')
NOT_OF_A_CHECK = ('auto_conf.yaml', 'metrics.yaml')
"""Files in `conf.d` folders without instances for this machine."""

HINT = "specify a file with --conf, or ignore the Agent's configuration with --no-conf"
CONTAINER_PROCFS = '/host/proc'
MAX_CONF_BYTES = 1024 * 1024


def settings() -> Settings:
    """The Agent's own settings. Raises ConfigError."""
    path = f'{AGENT_FOLDER}/datadog.yaml'
    try:
        data = read_if_there(path)
    except ConfigError as error:
        raise ConfigError(f'{error}; {HINT}') from None
    return Settings(os.environ, read_yaml(data) if data and data.strip() else {})


def configured_in(path: str) -> tuple[Configured, str]:
    """The instances in a file from the command line, and its path. Raises ConfigError."""
    return parsed(path), path


def configured(settings: Settings) -> tuple[Configured, str] | None:
    """The first instance of the check in the Agent's `conf.d`, and its file. None if there is none. Raises ConfigError.

    The Agent reads conf.d/CHECK.d/*.yaml and conf.d/CHECK.yaml, which is where the Helm chart puts `datadog.confd`.
    """
    found = [(parsed(path), path) for path in iter_conf_files(settings.get('confd_path') or f'{AGENT_FOLDER}/conf.d')]
    if not found:
        return None
    first, path = found[0]
    total = sum(each.instances for each, _ in found)
    return Configured(first.init_config, first.instance, total), path


def parsed(path: str) -> Configured:
    return parse_named(path, read_configured)


def parse_named(path: str, parse: Callable[[bytes], FileContent]) -> FileContent:
    """Parse a file. Raises ConfigError, which names the file."""
    data = read_named(path)
    try:
        return parse(data)
    except ConfigError as error:
        raise ConfigError(f'{path}: {error}') from None


def custom_rows(path: str) -> list[Any]:
    """The rows in a file of custom rules: a list, or a mapping with `custom_rules`. Raises ConfigError."""
    content = parse_named(path, load_without_duplicates)
    rows = content.get('custom_rules') if isinstance(content, dict) else content
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f'{path}: it has no custom rules: a list of them, or a mapping with custom_rules')
    return rows


def load_without_duplicates(data: bytes) -> Any:
    refuse_duplicates(data)
    return load_yaml(data)


def refuse_duplicates(data: bytes) -> None:
    """Raise ConfigError for a name that is there twice in one mapping: YAML libraries would use the last one."""
    try:
        events = list(yaml.parse(data, yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError('it is not valid YAML') from None
    # The names seen in each open mapping, or None for a list; and whether a name comes next.
    opened: list[set[str] | None] = []
    is_name = [False]
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            opened.pop()
            is_name.pop()
        elif isinstance(event, yaml.NodeEvent):
            seen = opened[-1] if opened else None
            if seen is not None and is_name[-1] and isinstance(event, yaml.ScalarEvent):
                if event.value in seen:
                    raise ConfigError(f'it has the name {event.value[:60]!r} twice in one mapping: remove one of them')
                seen.add(event.value)
            is_name[-1] = not is_name[-1]
            if isinstance(event, yaml.CollectionStartEvent):
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                opened.append(set() if is_mapping else None)
                is_name.append(is_mapping)


def iter_conf_files(folder: str) -> Iterator[str]:
    """The config files of the check in `conf.d`, conf.yaml first. Raises ConfigError."""
    own = os.path.join(folder, f'{CHECK}.d')
    names = [name for name in file_names_in(own) if name.endswith(ENDINGS) and name not in NOT_OF_A_CHECK]
    if not names and 'conf.yaml.default' in file_names_in(own):
        names = ['conf.yaml.default']
    yield from (os.path.join(own, name) for name in sorted(names, key=lambda name: (name != 'conf.yaml', name)))
    yield from (
        os.path.join(folder, name) for name in file_names_in(folder) if name in [f'{CHECK}{end}' for end in ENDINGS]
    )


def file_names_in(folder: str) -> list[str]:
    """The sorted names in a folder. Empty if it does not exist. Raises ConfigError."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigError(f'{folder}: {reason(error)}; {HINT}') from None


def own_connection(settings: Settings) -> dict[str, str] | None:
    """How the Agent on this machine reaches the kubelet, from its settings. Raises ConfigError."""
    token = read_if_there(settings.token_path)
    return connection_info(
        settings,
        token.decode('ascii', 'replace').strip() if token else None,
        has_ca=os.path.isfile(settings.ca_path),
    )


def procfs(settings: Settings) -> str:
    """The Agent's `procfs_path`. Otherwise /host/proc if it shows processes, as in a container, or /proc."""
    given = settings.get('procfs_path')
    return given or (CONTAINER_PROCFS if os.path.isdir(f'{CONTAINER_PROCFS}/1') else '/proc')


def read_if_there(path: str) -> bytes | None:
    """Raises ConfigError."""
    return read_named(path) if os.path.exists(path) else None


def read_named(path: str, limit: int = MAX_CONF_BYTES) -> bytes:
    """A file from the command line or a setting, which may be a link or a pipe. Raises ConfigError."""
    try:
        with open(path, 'rb') as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigError(f'{path}: {reason(error)}') from None
    if len(data) > limit:
        raise ConfigError(f'{path}: it is larger than {limit >> 20} MiB')
    return data
