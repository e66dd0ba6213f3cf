# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The layers of a kubelet's configuration, each over the one before: defaults, file, drop-ins, flags. Pure.

Follows `NewKubeletCommand` in the kubelet's cmd/kubelet/app/server.go: flags, then the file in place of the legacy
defaults, then the drop-ins merged over it, then the flags once more over all.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping

from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Missing, Origin, Source, Unreadable, Value

from .decoding import (
    DEFAULT_ORIGIN,
    Configuration,
    Decoder,
    DecodingError,
    Tree,
    check_identity,
    check_some_identity,
    tree_of,
)
from .defaults import set_defaults
from .flags import Flags, FlagValue, iter_field_values
from .formats.documents import parse_document
from .formats.goyaml import Document, DocumentError, DocumentTooLarge
from .merging import encode, encode_struct, go_name, merge, override
from .release import Release

MAX_DROP_IN_VALUES = 10_000
"""All drop-ins together: each is merged over what all before it came to."""


Parser = Callable[[bytes], Document]
"""Reads a document. Raises DocumentError, DocumentTooLarge."""


class ParsedOnce:
    """A parser that reads each document once, however many releases want it."""

    def __init__(self) -> None:
        self.found: dict[bytes, Document | DocumentError | DocumentTooLarge] = {}

    def __call__(self, data: bytes) -> Document:
        """Raises DocumentError, DocumentTooLarge."""
        if data not in self.found:
            try:
                self.found[data] = parse_document(data)
            except (DocumentError, DocumentTooLarge) as error:
                self.found[data] = error
        found = self.found[data]
        if isinstance(found, Document):
            return found
        raise found


class Refused(Exception):
    """The kubelet would not start with this configuration."""


class NotRead(Exception):
    """A part of the configuration could not be read by us."""

    def __init__(self, what: Unreadable) -> None:
        super().__init__(what.path)
        self.what = what


def read_layers(evidence: Evidence, flags: Flags, release: Release, parse: Parser = parse_document) -> Configuration:
    """The layers in order, each over the one before. Raises Refused, NotRead.

    `parse`: reads a document, the same for all releases.
    """
    if evidence.config is not None:
        configuration = decode_file(evidence.config, Source.CONFIG_FILE, release, parse)
        set_defaults(configuration, release, gates=gates_of(flags))
    else:
        configuration = Configuration()
        set_defaults(configuration, release, legacy=True)
        keep_beneath(configuration, flags)
        apply_flags(configuration, flags)
    if evidence.drop_ins is not None:
        beneath = configuration.beneath
        configuration = merge_drop_ins(configuration, evidence.drop_ins, flags, release, parse)
        configuration.beneath = beneath
    for field in PUT_BACK_BY_FLAGS:
        configuration.set(field, False, DEFAULT_ORIGIN)
    keep_beneath(configuration, flags)
    apply_flags(configuration, flags)
    return configuration


def keep_beneath(configuration: Configuration, flags: Flags) -> None:
    """Remember what the fields are that flags are about to set, unless flags have set them before."""
    for path, _ in iter_field_values(flags):
        origin = configuration.origins.get(path)
        if origin is None or origin.source is not Source.FLAG:
            configuration.beneath[path] = configuration.get(path)


def gates_of(flags: Flags) -> Mapping[str, object]:
    """The feature gates of the command line, which the kubelet sets before it reads a file."""
    given = flags.values.get('feature-gates')
    return given.value if given is not None and isinstance(given.value, Mapping) else {}


PUT_BACK_BY_FLAGS = ('logging.options.text.splitStream', 'logging.options.json.splitStream')
"""Fields whose flags begin with a value of their own (component-base logs/api/v1/options.go, `addFlags`)."""


def decode_file(
    config: File | Missing | Unreadable, source: Source, release: Release, parse: Parser = parse_document
) -> Configuration:
    """A whole configuration file: names in exact case, of a key that stands twice the last one (`loadConfigFile`)."""
    document, path = open_document(config, parse)
    try:
        check_identity(document, any_case=True)
        configuration = Decoder(any_case=False, release=release).decode(tree_of(document.root, source, path))
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


def merge_drop_ins(
    base: Configuration, drop_ins: DropIns | Missing | Unreadable, flags: Flags, release: Release, parse: Parser
) -> Configuration:
    """The drop-ins over the configuration so far, as the release merges them (`mergeKubeletConfigurations`)."""
    if isinstance(drop_ins, Unreadable):
        raise NotRead(drop_ins)
    if isinstance(drop_ins, Missing):
        raise Refused(f'the kubelet would refuse to start: --config-dir {drop_ins.path}: {drop_ins.why}')
    if release.before(29):
        return laid_over(base, drop_ins, release, parse)
    is_of_format = release.at_least(32)
    patches = iter_patches(drop_ins, check_drop_in if is_of_format else check_some_identity, parse)
    try:
        if not is_of_format:
            decoder = Decoder(any_case=True, release=release, over=base, spelled=go_name)
            return decoder.decode(merge(encode_struct(base), patches))
        configuration = Decoder(any_case=True, release=release).decode(merge(encode(base), patches))
    except DecodingError as error:
        raise Refused(f'the kubelet would refuse its drop-ins: {error}') from None
    set_defaults(configuration, release, gates=gates_of(flags))
    return configuration


def laid_over(base: Configuration, drop_ins: DropIns, release: Release, parse: Parser) -> Configuration:
    """1.28: each drop-in is a whole configuration, defaults included, and what is not empty in it counts."""
    for file in drop_ins.files:
        upper = decode_file(file, Source.DROP_IN, release, parse)
        set_defaults(upper, release)
        base = override(base, upper)
    return base


def check_drop_in(document: Document) -> None:
    check_identity(document, any_case=False)


def iter_patches(drop_ins: DropIns, check: Callable[[Document], None], parse: Parser) -> Iterator[Tree]:
    """The drop-ins in order. Raises Refused, NotRead."""
    room = MAX_DROP_IN_VALUES
    for file in drop_ins.files:
        document, path = open_document(file, parse)
        room -= document.root.size
        if room < 0:
            why = f'its drop-ins hold more than {MAX_DROP_IN_VALUES} values together'
            raise NotRead(Unreadable(drop_ins.path, why, 'make them smaller'))
        yield drop_in_tree(document, path, check)


def drop_in_tree(document: Document, path: str, check: Callable[[Document], None]) -> Tree:
    """A drop-in as JSON without a type (`DecodeKubeletConfigurationIntoJSON`): no key twice, no number too large."""
    try:
        check(document)
    except DecodingError as error:
        raise Refused(refusal(path, error)) from None
    if document.duplicate is not None:
        line = document.duplicate[1]
        raise Refused(refusal(f'{path}:{line}' if line else path, 'a key stands twice, which a drop-in may not have'))
    if document.has_endless_number:
        raise Refused(refusal(path, 'it holds a number that is too large'))
    return tree_of(document.root, Source.DROP_IN, path)


def open_document(file: File | Missing | Unreadable, parse: Parser) -> tuple[Document, str]:
    """Parse a file of the configuration. Raises Refused, NotRead."""
    if isinstance(file, Unreadable):
        raise NotRead(file)
    if isinstance(file, Missing):
        raise Refused(f'the kubelet would refuse to start: {file.path}: {file.why}')
    if not file.data:
        raise Refused(refusal(file.path, 'it is empty'))
    try:
        return parse(file.data), file.path
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
