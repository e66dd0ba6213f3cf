# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The layers of a kubelet's configuration, each one over the one before: defaults, file, drop-ins, flags.

Follows `NewKubeletCommand` in cmd/kubelet/app/server.go. The kubelet reads the flags first. The file then replaces the
legacy defaults, the drop-ins merge over the file, and the flags apply once more over everything.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping

from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, Missing, Origin, Source, Unreadable, Value

from .config_values import Problem
from .decoding import DEFAULT_ORIGIN, Configuration, Decoder, DecodingError, Notes, Tree, tree_of
from .defaults import merge_default_evictions, set_defaults
from .feature_gates import GATE_PREFIX, gate_problems
from .flags import Flags, FlagValue, iter_field_values
from .formats.documents import parse_document
from .formats.goyaml import Document, DocumentError, DocumentTooLarge
from .identity import check_identity, check_some_identity
from .merging import encode, encode_struct, go_name, merge, override
from .release import Release

MAX_DROP_IN_VALUES = 10_000
"""The limit for all drop-ins together: each one merges over the result of all before it."""


Parser = Callable[[bytes], Document]
"""Reads a document. Raises DocumentError, DocumentTooLarge."""


class ParsedOnce:
    """A parser that reads each document only once for all releases."""

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
    """The kubelet would not start with this configuration.

    `path`, `why`: the file, if it refuses the whole file. `line`: 0 if it is not about one line.
    """

    def __init__(self, text: str, path: str = '', why: str = '', line: int = 0) -> None:
        super().__init__(text)
        self.path = path
        self.why = why
        self.line = line


class NotRead(Exception):
    """This check could not read a part of the configuration."""

    def __init__(self, what: Unreadable) -> None:
        super().__init__(what.path)
        self.what = what


def read_layers(
    evidence: Evidence, flags: Flags, release: Release, parse: Parser = parse_document, notes: Notes | None = None
) -> Configuration:
    """The configuration after all layers. Raises Refused, NotRead.

    `parse`: reads a document. The result must not depend on the release. `notes`: records the refusals, and the rest is
    read without what is refused.
    """
    if evidence.config is not None:
        configuration = decode_file(evidence.config, Source.CONFIG_FILE, release, parse, notes)
        set_defaults(configuration, release, gates=gates_of(flags))
        configuration.early = early_gates(configuration, flags, release)
        merge_default_evictions(configuration)
    else:
        configuration = Configuration()
        set_defaults(configuration, release, legacy=True)
        keep_beneath(configuration, flags)
        apply_flags(configuration, flags)
    if evidence.drop_ins is not None:
        lower = configuration
        configuration = merge_drop_ins(lower, evidence.drop_ins, flags, release, parse, notes)
        merged = early_gates(configuration, flags, release)
        configuration.beneath, configuration.early = lower.beneath, [*lower.early, *merged]
    for field in RESET_BY_FLAGS:
        configuration.set(field, False, DEFAULT_ORIGIN)
    keep_beneath(configuration, flags)
    apply_flags(configuration, flags)
    return configuration


def keep_beneath(configuration: Configuration, flags: Flags) -> None:
    """Keep the values that flags are about to replace, unless flags set them before."""
    for path, _ in iter_field_values(flags):
        origin = configuration.origins.get(path)
        if origin is None or origin.source is not Source.FLAG:
            configuration.beneath[path] = configuration.get(path)


def early_gates(
    configuration: Configuration, flags: Flags, release: Release
) -> list[tuple[Problem, Mapping[str, Origin]]]:
    """The gates that a kubelet refuses before later layers can correct them, each with the origins of its layer.

    From 1.32 on, `SetDefaults_KubeletConfiguration` sets the gates of the main file, and again those with the drop-ins,
    over the gates of the flags, and panics if it can't. From 1.35 on, the gates of the flags alone must go together
    (server.go, "failed to set feature gates from initial flags-based config").
    """
    by_flags, own = gates_of(flags), configuration.get('featureGates')
    in_flags = {f'{GATE_PREFIX}{gate}': flag_origin(flags.values['feature-gates']) for gate in by_flags}
    in_files = {path: origin for path, origin in configuration.origins.items() if path.startswith(GATE_PREFIX)}
    found: list[tuple[Problem, Mapping[str, Origin]]] = []
    if isinstance(own, Mapping) and own:
        origins = {**in_flags, **in_files}
        refused = gate_problems({'featureGates': {**by_flags, **own}}, release)
        found += ((problem, origins) for problem in refused if release.at_least(GATES_COUNT_ALONE))
    if by_flags:
        found += ((problem, in_flags) for problem in gate_problems({'featureGates': by_flags}, release))
    return found


GATES_COUNT_ALONE = 32
"""From this release on, the kubelet refuses the gates of its main file even if a drop-in or flag would correct them."""


def gates_of(flags: Flags) -> Mapping[str, object]:
    """The feature gates on the command line. The kubelet sets them before it reads a file."""
    given = flags.values.get('feature-gates')
    return given.value if given is not None and isinstance(given.value, Mapping) else {}


RESET_BY_FLAGS = ('logging.options.text.splitStream', 'logging.options.json.splitStream')
"""Fields that their flags reset to the default (component-base logs/api/v1/options.go, `addFlags`)."""


def refuse(error: Refused, notes: Notes | None) -> None:
    """Raise the refusal, or record it if all are wanted."""
    if notes is None:
        raise error
    notes.refused.append(error)


def decode_file(
    config: File | Missing | Unreadable,
    source: Source,
    release: Release,
    parse: Parser = parse_document,
    notes: Notes | None = None,
) -> Configuration:
    """A whole configuration file (`loadConfigFile`). Names in exact case; of duplicate keys, the last counts."""
    try:
        document, path = open_document(config, parse)
    except Refused as error:
        refuse(error, notes)
        return Configuration()
    try:
        check_identity(document, any_case=True)
        decoder = Decoder(any_case=False, release=release, notes=notes)
        configuration = decoder.decode(tree_of(document.root, source, path))
    except DecodingError as error:
        refuse(of_file(path, error), notes)
        return Configuration()
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
    """Relative paths in the main file start at its own folder (configfiles.go, `resolveRelativePaths`)."""
    for field in PATH_FIELDS:
        value = configuration.get(field)
        if isinstance(value, str) and value and not value.startswith('/') and folder:
            path = posixpath.normpath(posixpath.join(folder, value))
            configuration.set(field, path, configuration.origins[field])


def merge_drop_ins(
    base: Configuration,
    drop_ins: DropIns | Missing | Unreadable,
    flags: Flags,
    release: Release,
    parse: Parser,
    notes: Notes | None,
) -> Configuration:
    """Merge the drop-ins over the configuration, as the release does (`mergeKubeletConfigurations`)."""
    if isinstance(drop_ins, Unreadable):
        raise NotRead(drop_ins)
    if isinstance(drop_ins, Missing):
        text = f'the kubelet would refuse to start: --config-dir {drop_ins.path}: {drop_ins.why}'
        refuse(Refused(text, drop_ins.path, drop_ins.why), notes)
        return base
    if release.before(29):
        return merge_whole_files(base, drop_ins, release, parse, notes)
    is_of_format = release.at_least(32)
    patches = iter_patches(drop_ins, check_drop_in if is_of_format else check_some_identity, parse, notes)
    try:
        if not is_of_format:
            decoder = Decoder(any_case=True, release=release, over=base, spelled=go_name, notes=notes)
            return decoder.decode(merge(encode_struct(base), patches))
        decoder = Decoder(any_case=True, release=release, notes=notes)
        configuration = decoder.decode(merge(encode(base), patches))
    except DecodingError as error:
        raise Refused(f'the kubelet would refuse its drop-ins: {error}') from None
    set_defaults(configuration, release, gates=gates_of(flags))
    return configuration


def merge_whole_files(
    base: Configuration, drop_ins: DropIns, release: Release, parse: Parser, notes: Notes | None
) -> Configuration:
    """Merge as 1.28 does: each drop-in is a whole configuration with defaults, and its non-empty values count."""
    for file in drop_ins.files:
        upper = decode_file(file, Source.DROP_IN, release, parse, notes)
        set_defaults(upper, release)
        base = override(base, upper)
    return base


def check_drop_in(document: Document) -> None:
    check_identity(document, any_case=False)


def iter_patches(
    drop_ins: DropIns, check: Callable[[Document], None], parse: Parser, notes: Notes | None
) -> Iterator[Tree]:
    """The drop-ins in order. Raises Refused, NotRead."""
    room = MAX_DROP_IN_VALUES
    for file in drop_ins.files:
        try:
            document, path = open_document(file, parse)
            room -= document.root.size
            if room < 0:
                why = f'the drop-ins have more than {MAX_DROP_IN_VALUES} values in total'
                raise NotRead(Unreadable(drop_ins.path, why, 'reduce their size'))
            tree = drop_in_tree(document, path, check)
        except Refused as error:
            refuse(error, notes)
        else:
            yield tree


def drop_in_tree(document: Document, path: str, check: Callable[[Document], None]) -> Tree:
    """A drop-in as untyped JSON (`DecodeKubeletConfigurationIntoJSON`): no duplicate keys, no huge numbers."""
    try:
        check(document)
    except DecodingError as error:
        raise of_file(path, error) from None
    if document.duplicate is not None:
        line = document.duplicate[1]
        raise of_file(path, 'duplicate key, which a drop-in must not have', line or 0)
    if document.has_endless_number:
        raise of_file(path, 'a number is too large')
    return tree_of(document.root, Source.DROP_IN, path)


def open_document(file: File | Missing | Unreadable, parse: Parser) -> tuple[Document, str]:
    """Parse a configuration file. Raises Refused, NotRead."""
    if isinstance(file, Unreadable):
        raise NotRead(file)
    if isinstance(file, Missing):
        raise Refused(f'the kubelet would refuse to start: {file.path}: {file.why}', file.path, file.why)
    if not file.data:
        raise of_file(file.path, 'the file is empty')
    try:
        return parse(file.data), file.path
    except DocumentError as error:
        raise of_file(file.path, error) from None
    except DocumentTooLarge as error:
        raise NotRead(Unreadable(file.path, str(error), 'reduce its size')) from None


def of_file(path: str, error: object, line: int = 0) -> Refused:
    place = f'{path}:{line}' if line else path
    return Refused(f'the kubelet would refuse {place}: {error}', path, str(error), line)


def apply_flags(configuration: Configuration, flags: Flags) -> None:
    """Flags override every file. Only feature gates merge."""
    for path, given in iter_field_values(flags):
        value: Value = given.value
        if path == 'featureGates' and isinstance(value, dict):
            value = {**(configuration.values.get(path) or {}), **value}
            for gate in given.value:  # type: ignore[union-attr]
                configuration.origins[f'{path}.{gate}'] = flag_origin(given)
        configuration.set(path, value, flag_origin(given))


def flag_origin(given: FlagValue) -> Origin:
    return Origin(Source.FLAG, given.typed)
