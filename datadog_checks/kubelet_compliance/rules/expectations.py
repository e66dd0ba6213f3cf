# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What rules expect: functions that make an expectation, each with its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

from datadog_checks.kubelet_compliance.model import Benchmark, Expectation, Value

SHA256_ALIAS = ('CHACHA20_POLY1305', 'CHACHA20_POLY1305_SHA256')
"""Go has two names for each ChaCha20 suite (crypto/tls). Benchmarks list the short one."""


def one_value(text: str, holds: Callable[[Value], bool]) -> Expectation:
    """For a rule that reads one setting."""
    return Expectation(lambda _: text, lambda values, _: len(values) == 1 and holds(values[0]))


def is_true() -> Expectation:
    return one_value('true', lambda value: value is True)


def any_true() -> Expectation:
    return Expectation(lambda _: 'true', lambda values, _: any(value is True for value in values))


def is_false() -> Expectation:
    return one_value('false', lambda value: value is False)


def is_zero() -> Expectation:
    return one_value('0', lambda value: is_whole(value) and value == 0)


def above_zero(text: str = 'above 0') -> Expectation:
    return one_value(text, lambda value: is_whole(value) and value > 0)


def zero_or_more() -> Expectation:
    return one_value('0 or more', lambda value: is_whole(value) and value >= 0)


def is_whole(value: Value) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def names_a_file() -> Expectation:
    return one_value('a file', is_path)


def is_not_set() -> Expectation:
    return one_value('not set', lambda value: value in (None, ''))


def other_than(wrong: str) -> Expectation:
    return one_value(f'other than {wrong}', lambda value: isinstance(value, str) and value not in ('', wrong))


def is_path(value: Value) -> bool:
    return isinstance(value, str) and value != ''


CERTIFICATE, KEY, BOOTSTRAP = 'tlsCertFile', 'tlsPrivateKeyFile', 'serverTLSBootstrap'
GATE, ALL_BETA = 'featureGates.RotateKubeletServerCertificate', 'featureGates.AllBeta'


def lacks_certificate(values: Mapping[str, Value]) -> bool:
    """Whether there is neither a certificate with its key nor a request to the cluster for one."""
    return not (is_path(values[CERTIFICATE]) and is_path(values[KEY])) and values[BOOTSTRAP] is not True


def is_gate_off(values: Mapping[str, Value]) -> bool:
    """Whether the feature gate is off, by its own name or with all beta features."""
    gate, all_beta = values.get(GATE), values.get(ALL_BETA)
    return gate is not True and (gate is not None or all_beta is False)


def certificate_or_bootstrap() -> Expectation:
    """For certificate, key, and server bootstrap: a pair of files, or a certificate from the cluster."""

    def holds(values: Sequence[Value], _: Benchmark) -> bool:
        return not lacks_certificate(dict(zip((CERTIFICATE, KEY, BOOTSTRAP), values, strict=True)))

    return Expectation(lambda _: 'a certificate and a key, or serverTLSBootstrap', holds)


def gate_and_certificate_or_bootstrap() -> Expectation:
    """As above, after the feature gate and the gate of all beta features: the first must not be off."""

    def holds(values: Sequence[Value], _: Benchmark) -> bool:
        named = dict(zip((GATE, ALL_BETA, CERTIFICATE, KEY, BOOTSTRAP), values, strict=True))
        return not is_gate_off(named) and not lacks_certificate(named)

    return Expectation(lambda _: 'the gate on, and a certificate and a key or serverTLSBootstrap', holds)


def only_strong_ciphers() -> Expectation:
    """For a list of cipher suites: not empty, and all of them are suites that the benchmark allows."""

    def is_strong(suite: Value, benchmark: Benchmark) -> bool:
        return suite in {
            name for each in benchmark.strong_cipher_suites for name in (each, each.replace(*SHA256_ALIAS))
        }

    def holds(values: Sequence[Value], benchmark: Benchmark) -> bool:
        (suites,) = values
        return isinstance(suites, tuple) and bool(suites) and all(is_strong(suite, benchmark) for suite in suites)

    return Expectation(
        lambda benchmark: f'only suites that {benchmark.name} allows',
        holds,
        is_strong,
        is_stated_by=lambda benchmark: bool(benchmark.strong_cipher_suites),
    )


def allowed_mode(key: str) -> Expectation:
    """For the modes of files, as octal text: each is one that the benchmark allows for the rule."""

    def holds(values: Sequence[Value], benchmark: Benchmark) -> bool:
        modes = benchmark.modes[key]
        return all(isinstance(value, str) and modes.allow(int(value, 8)) for value in values)

    return Expectation(
        lambda benchmark: f'mode {benchmark.modes[key]}', holds, is_stated_by=lambda benchmark: key in benchmark.modes
    )


def owned_by_root() -> Expectation:
    return Expectation(lambda _: 'owner root:root', lambda values, _: all(value == 'root:root' for value in values))
