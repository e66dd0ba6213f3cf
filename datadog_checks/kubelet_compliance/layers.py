# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The layers of a kubelet's configuration, each over the one before: defaults, file, drop-ins, flags. Pure.

Follows `NewKubeletCommand` in the kubelet's cmd/kubelet/app/server.go: flags, then the file in place of the legacy
defaults, then the drop-ins merged over it, then the flags once more over all.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from .decoding import Configuration, Decoder, DecodingError, Tree, check_identity, encode, merge, tree_of
from .defaults import set_defaults
from .documents import parse_document
from .flags import Flags, FlagValue, iter_field_values
from .goyaml import Document, DocumentError, DocumentTooLarge
from .model import DropIns, Evidence, File, Missing, Origin, Source, Unreadable, Value
from .release import Release

MAX_DROP_IN_VALUES = 10_000
"""All drop-ins together: each is merged over what all before it came to."""


class Refused(Exception):
    """The kubelet would not start with this configuration."""


class NotRead(Exception):
    """A part of the configuration could not be read by us."""

    def __init__(self, what: Unreadable) -> None:
        super().__init__(what.path)
        self.what = what


def read_layers(evidence: Evidence, flags: Flags, release: Release) -> Configuration:
    """The layers in order, each over the one before. Raises Refused, NotRead."""
    if evidence.config is not None:
        configuration = decode_main(evidence.config)
        set_defaults(configuration, release, gates=gates_of(flags))
    else:
        configuration = Configuration()
        set_defaults(configuration, release, legacy=True)
        apply_flags(configuration, flags)
    if evidence.drop_ins is not None:
        configuration = merge_drop_ins(configuration, evidence.drop_ins, release)
        set_defaults(configuration, release)
    apply_flags(configuration, flags)
    return configuration


def gates_of(flags: Flags) -> Mapping[str, object]:
    given = flags.values.get('feature-gates')
    return given.value if given is not None and isinstance(given.value, Mapping) else {}


def decode_main(config: File | Missing | Unreadable) -> Configuration:
    """The `--config` file: names in exact case, of a key that stands twice the last one."""
    document, path = open_document(config)
    try:
        check_identity(document, any_case=True)
        configuration = Decoder(any_case=False).decode(tree_of(document.root, Source.CONFIG_FILE, path))
    except DecodingError as error:
        raise Refused(refusal(path, error)) from None
    make_absolute(configuration, path.rpartition('/')[0])
    return configuration


PATH_FIELDS = (
    'staticPodPath',
    'authentication.x509.clientCAFile',
    'tlsCertFile',
    'tlsPrivateKeyFile',
    'resolvConf',
    'volumePluginDir',
    'podLogsDir',
)


def make_absolute(configuration: Configuration, folder: str) -> None:
    """Relative paths in the main file are meant from its own folder (configfiles.go, `resolveRelativePaths`)."""
    for field in PATH_FIELDS:
        value = configuration.get(field)
        if isinstance(value, str) and value and not value.startswith('/') and folder:
            path = posixpath.normpath(posixpath.join(folder, value))
            configuration.set(field, path, configuration.origins[field])


def merge_drop_ins(base: Configuration, drop_ins: DropIns | Missing | Unreadable, release: Release) -> Configuration:
    """The drop-ins over the configuration so far (`mergeKubeletConfigurations`)."""
    if isinstance(drop_ins, Unreadable):
        raise NotRead(drop_ins)
    if isinstance(drop_ins, Missing):
        raise Refused(f'the kubelet would refuse to start: --config-dir {drop_ins.path}: {drop_ins.why}')
    try:
        merged = merge(encode(base), iter_patches(drop_ins), null_keeps=release.before(32))
        return Decoder(any_case=True).decode(merged)
    except DecodingError as error:
        raise Refused(f'the kubelet would refuse its drop-ins: {error}') from None


def iter_patches(drop_ins: DropIns) -> Iterator[Tree]:
    """The drop-ins in order. Raises Refused, NotRead."""
    room = MAX_DROP_IN_VALUES
    for file in drop_ins.files:
        document, path = open_document(file)
        room -= document.root.size
        if room < 0:
            why = f'its drop-ins hold more than {MAX_DROP_IN_VALUES} values together'
            raise NotRead(Unreadable(drop_ins.path, why, 'make them smaller'))
        yield drop_in_tree(document, path)


def drop_in_tree(document: Document, path: str) -> Tree:
    try:
        check_identity(document, any_case=False)
    except DecodingError as error:
        raise Refused(refusal(path, error)) from None
    if document.duplicate is not None:
        line = document.duplicate[1]
        raise Refused(refusal(f'{path}:{line}' if line else path, 'a key stands twice, which a drop-in may not have'))
    return tree_of(document.root, Source.DROP_IN, path)


def open_document(file: File | Missing | Unreadable) -> tuple[Document, str]:
    """Parse a file of the configuration. Raises Refused, NotRead."""
    if isinstance(file, Unreadable):
        raise NotRead(file)
    if isinstance(file, Missing):
        raise Refused(f'the kubelet would refuse to start: {file.path}: {file.why}')
    if not file.data:
        raise Refused(refusal(file.path, 'it is empty'))
    try:
        return parse_document(file.data), file.path
    except DocumentError as error:
        raise Refused(refusal(file.path, error)) from None
    except DocumentTooLarge as error:
        raise NotRead(Unreadable(file.path, str(error), 'make it smaller')) from None


def refusal(place: str, error: object) -> str:
    return f'the kubelet would refuse {place}: {error}'


def apply_flags(configuration: Configuration, flags: Flags) -> None:
    """Flags win over every file; only feature gates merge."""
    for path, given in iter_field_values(flags):
        value: Value = given.value
        if path == 'featureGates' and isinstance(value, dict):
            value = {**(configuration.values.get(path) or {}), **value}
            for gate in given.value:  # type: ignore[union-attr]
                configuration.origins[f'{path}.{gate}'] = flag_origin(given)
        configuration.set(path, value, flag_origin(given))


def flag_origin(given: FlagValue) -> Origin:
    return Origin(Source.FLAG, given.typed)
