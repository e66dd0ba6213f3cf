# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a custom rule can name: each field, flag, and feature gate of the tables, and the form of its value. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from datadog_checks.kubelet_compliance.kubelet.feature_gates import STAGE_GATES
from datadog_checks.kubelet_compliance.kubelet.startup_values import RESERVABLE, SIGNALS
from datadog_checks.kubelet_compliance.kubelet.tables.field_kinds import Field, Kind, iter_secret_fields
from datadog_checks.kubelet_compliance.kubelet.tables.fields import KUBELET_CONFIGURATION
from datadog_checks.kubelet_compliance.kubelet.tables.flag_defaults import FLAG_DEFAULTS
from datadog_checks.kubelet_compliance.kubelet.tables.flag_kinds import FlagKind
from datadog_checks.kubelet_compliance.kubelet.tables.flags import FLAGS
from datadog_checks.kubelet_compliance.kubelet.tables.gates import GATES
from datadog_checks.kubelet_compliance.kubelet.tables.removed_gates import GONE_GATES
from datadog_checks.kubelet_compliance.kubelet.tables.startup import MANAGERS
from datadog_checks.kubelet_compliance.model import Value

from .field_facts import parts_of_path
from .in_effect import FEATURE_GATES

MOST_SUGGESTIONS = 3
LONGEST_KEY_OF_MAP = 100
SECRET_SETTINGS = frozenset(iter_secret_fields(KUBELET_CONFIGURATION))


class SettingError(Exception):
    """A setting that no kubelet has, or that no rule can compare. The text says what would do."""


class Form(Enum):
    """What the value of a setting is. The member's value is its name in messages."""

    SWITCH = 'true or false'
    WHOLE = 'a whole number'
    NUMBER = 'a number'
    TEXT = 'text'
    DURATION = 'a duration'
    AMOUNT = 'a quantity or a percentage'
    LIST = 'a list of text'
    NUMBERS = 'a list of whole numbers'
    MAP = 'a mapping (to compare an entry, add a dot and its key to the setting)'
    OTHER = 'a structure'


@dataclass(frozen=True, slots=True)
class Named:
    """A setting: its field or flag, and the form of its value.

    `can_be_unset`: whether a kubelet can have no value there. `default`: the value of a flag that is not given, None if
    it is not known.
    """

    name: str
    form: Form
    can_be_unset: bool = False
    default: Value = None
    is_entry: bool = False
    """Whether it is a key of a map, and not a field or a flag."""


FORMS_OF_FIELDS = {
    Kind.BOOL: Form.SWITCH,
    Kind.INT32: Form.WHOLE,
    Kind.INT64: Form.WHOLE,
    Kind.UINT32: Form.WHOLE,
    Kind.FLOAT64: Form.NUMBER,
    Kind.DURATION: Form.DURATION,
    Kind.TIME_OR_DURATION: Form.DURATION,
    Kind.QUANTITY: Form.AMOUNT,
    Kind.STRING: Form.TEXT,
    Kind.TIME: Form.TEXT,
    Kind.MAP: Form.MAP,
}
FORMS_OF_FLAGS = {
    FlagKind.BOOL: Form.SWITCH,
    FlagKind.VERSION: Form.SWITCH,
    FlagKind.INT: Form.WHOLE,
    FlagKind.INT32: Form.WHOLE,
    FlagKind.UINT64: Form.WHOLE,
    FlagKind.FLOAT64: Form.NUMBER,
    FlagKind.DURATION: Form.DURATION,
    FlagKind.STRING: Form.TEXT,
    FlagKind.SEVERITY: Form.TEXT,
    FlagKind.TRACE_LOCATION: Form.TEXT,
    FlagKind.NODE_LABELS: Form.OTHER,
}
"""The forms of the flags that set no field."""
FORMS_OF_TEXTS = {
    'containerLogMaxSize': Form.AMOUNT,
    'evictionHard': Form.AMOUNT,
    'evictionSoft': Form.AMOUNT,
    'evictionMinimumReclaim': Form.AMOUNT,
    'kubeReserved': Form.AMOUNT,
    'systemReserved': Form.AMOUNT,
    'qosReserved': Form.AMOUNT,
    'evictionSoftGracePeriod': Form.DURATION,
}
"""Fields of text, or maps of text, that hold something to compare."""


KEYS_OF_MAPS: Mapping[str, Collection[str]] = {
    **dict.fromkeys(('evictionHard', 'evictionSoft', 'evictionSoftGracePeriod', 'evictionMinimumReclaim'), SIGNALS),
    **dict.fromkeys(('kubeReserved', 'systemReserved'), RESERVABLE),
    **{manager.field: manager.options for manager in MANAGERS},
    'qosReserved': ('memory',),
}
"""The keys that a kubelet accepts in each map that does not accept every key. It refuses all others."""


def named_setting(setting: str) -> Named:
    """What a setting in a rule stands for: `maxPods`, `--max-pods`, `featureGates.NAME`. Raises SettingError."""
    if setting.startswith('--'):
        return named_flag(setting)
    names = parts_of_path(setting)
    if '.'.join(names) != setting:
        raise SettingError(f'unknown setting {setting!r}{nearest(setting)}')
    field = KUBELET_CONFIGURATION
    for number, name in enumerate(names):
        if field.kind is Kind.MAP:
            return named_key(setting, names[number - 1], name, field)
        inner = (field.fields or {}).get(name)
        if inner is None:
            raise SettingError(f'unknown setting {setting!r}{nearest(setting)}')
        field = inner
    if field.kind is Kind.STRUCT:
        inside = ', '.join(f'{setting}.{name}' for name in list(field.fields or {})[:MOST_SUGGESTIONS])
        raise SettingError(f'{setting} contains settings: name one of them, such as {inside}')
    refuse_secret(setting, is_secret=setting in SECRET_SETTINGS)
    return Named(setting, form_of(setting, field), can_be_unset=can_be_unset(field))


def named_flag(setting: str) -> Named:
    name = setting.removeprefix('--')
    flag = FLAGS.get(name)
    if flag is None:
        raise SettingError(f'unknown setting {setting!r}{nearest(setting)}')
    if flag.field is not None:
        return named_setting(flag.field)
    refuse_secret(setting, is_secret=flag.secret)
    return Named(setting, FORMS_OF_FLAGS[flag.kind], can_be_unset=True, default=FLAG_DEFAULTS.get(name))


def named_key(setting: str, parent: str, key: str, row: Field) -> Named:
    """A key of a map, such as a feature gate or an eviction signal."""
    refuse_secret(setting, is_secret=row.secret)
    if parent == FEATURE_GATES:
        if key not in GATES and key not in GONE_GATES and key not in STAGE_GATES:
            close = get_close_matches(key, (*GATES, *GONE_GATES), MOST_SUGGESTIONS)
            like = f': did you mean {" or ".join(close)}?' if close else ': see the feature gates of Kubernetes'
            raise SettingError(f'unknown feature gate {key!r}{like}')
        return Named(setting, Form.SWITCH, is_entry=True)
    if not key or len(key) > LONGEST_KEY_OF_MAP:
        raise SettingError(f'{setting!r} does not name a key of {parent}')
    known = KEYS_OF_MAPS.get(parent)
    if known is not None and key not in known:
        close = [f'{parent}.{name}' for name in get_close_matches(key, known, MOST_SUGGESTIONS)]
        like = f'did you mean {" or ".join(close)}?' if close else f'choose from: {", ".join(sorted(known))}'
        raise SettingError(f'{parent} has no key {key!r}: {like}')
    return Named(setting, FORMS_OF_TEXTS.get(parent, Form.TEXT), can_be_unset=True, is_entry=True)


def form_of(path: str, field: Field) -> Form:
    if field.kind is Kind.LIST and field.items is not None:
        of_items = FORMS_OF_FIELDS.get(field.items.kind)
        return {Form.TEXT: Form.LIST, Form.WHOLE: Form.NUMBERS}.get(of_items or Form.OTHER, Form.OTHER)
    if field.kind is Kind.STRING and path in FORMS_OF_TEXTS:
        return FORMS_OF_TEXTS[path]
    return FORMS_OF_FIELDS.get(field.kind, Form.OTHER)


def can_be_unset(field: Field) -> bool:
    """Whether some kubelet can have no value in a field. An empty text, list, or map is none."""
    return any(is_empty_possible(row) for row in (field, *field.iter_older()))


def is_empty_possible(row: Field) -> bool:
    if row.kind in (Kind.LIST, Kind.MAP, Kind.STRING, Kind.QUANTITY, Kind.TIME):
        # Even if a file can't make it empty, a flag can.
        return True
    return row.nullable and row.default is None


def refuse_secret(setting: str, *, is_secret: bool) -> None:
    if is_secret:
        raise SettingError(f'{setting} can contain a password or a token, so no rule can show or compare it')


def nearest(setting: str) -> str:
    """The known names that are most like an unknown one, for a message."""
    known = {name.lower(): name for name in iter_settings()}
    ends = {name.rpartition('.')[2]: name for name in known}
    wanted = setting.lower().strip('.')
    same = [name for name in known if name.endswith(f'.{wanted}')]
    found = same[:MOST_SUGGESTIONS] or get_close_matches(wanted, known, MOST_SUGGESTIONS)
    names = [known[name] for name in found or map(ends.__getitem__, get_close_matches(wanted, ends, 1))]
    return f': did you mean {" or ".join(names)}?' if names else ': see the fields and flags of the kubelet'


def iter_settings() -> Iterator[str]:
    """All settings that a rule can name, without the keys of maps other than feature gates."""
    yield from iter_fields_of(KUBELET_CONFIGURATION, '')
    yield from (f'--{name}' for name, flag in FLAGS.items() if not flag.secret and flag.field not in SECRET_SETTINGS)
    yield from (f'{FEATURE_GATES}.{gate}' for gate in (*STAGE_GATES, *GATES, *GONE_GATES))


def iter_fields_of(field: Field, path: str) -> Iterator[str]:
    for name, inner in (field.fields or {}).items():
        inner_path = f'{path}.{name}' if path else name
        if inner.kind is Kind.STRUCT:
            yield from iter_fields_of(inner, inner_path)
        elif not inner.secret:
            yield inner_path
