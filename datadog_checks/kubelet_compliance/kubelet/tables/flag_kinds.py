# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The types that flags take, and the row that describes one flag."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from datadog_checks.kubelet_compliance.kubelet.release import OLDEST, Release


class FlagKind(Enum):
    """The parsers of values. The last occurrence of a repeated flag wins unless the comment says otherwise.

    A map or list that a flag sets replaces the whole map or list of the file, except for MAP_STRING_BOOL. Only STRING,
    IP, STRING_SLICE, NODE_LABELS, TAINTS, RESERVED_MEMORY, VMODULE, TRACE_LOCATION, and the maps (but not
    MAP_STRING_STRING_ONE) accept an empty value.
    """

    # strconv.ParseBool: 1 t T true True TRUE 0 f F false False FALSE. Bare means true. Never takes the next argument.
    BOOL = 'bool'
    # Anything. The kubelet may check the text later.
    STRING = 'string'
    # strconv.ParseInt(v, 0, bits): optional sign; decimal, 0x, 0o, 0b, or a leading 0 for octal; _ as in Go literals.
    INT = 'int'  # 64 bits
    INT32 = 'int32'
    INT64 = 'int64'
    # strconv.ParseUint(v, 0, 64): like INT64, without a sign.
    UINT64 = 'uint64'
    # strconv.ParseFloat(v, 64): decimal or hexadecimal, exponents, inf and nan in any case.
    FLOAT64 = 'float64'
    # time.ParseDuration: optional sign, then 0 or numbers with units (ns us µs μs ms s m h), all within int64 ns.
    DURATION = 'duration'
    QUANTITY = 'quantity'  # resource.ParseQuantity: 512, 1K, 2Ki, 5Mi, 1e3
    # IPv4 (leading zeros allowed) or IPv6, not trimmed, no zone. Empty changes nothing, but a later one then panics.
    IP = 'ip'
    # The first record of encoding/csv, so quotes count. Empty is no element. The first replaces, later ones append.
    STRING_SLICE = 'stringSlice'
    # 'k=v,k=v', split at the first =, both trimmed, empty pairs skipped, = required. First clears, later ones merge.
    MAP_STRING_STRING = 'mapStringString'
    # One k=v, where a comma belongs to the value. = is required, so empty is refused. First clears, later ones merge.
    MAP_STRING_STRING_ONE = 'mapStringStringNoSplit'
    # Like MAP_STRING_STRING, each value a ParseBool. Gates that only the file sets remain; otherwise the flag wins.
    MAP_STRING_BOOL = 'mapStringBool'
    # Like MAP_STRING_STRING, but 'k:v', and the values of a repeated key add up.
    MULTIMAP = 'colonSeparatedMultimapStringString'
    # Like MAP_STRING_STRING, but 'k<v'.
    EVICTION = 'langleSeparatedMapStringString'
    # Like MAP_STRING_STRING, but without = the value is empty, and nothing is refused here. All merge.
    NODE_LABELS = 'configurationMap'
    # 'key[=value]:Effect,…' of NoSchedule, PreferNoSchedule, NoExecute, valid label names, no key and effect twice.
    # 'key-' and 'key:Effect-' parse too (and add none). Empty means none.
    TAINTS = 'taints'
    TAINTS_TO_ADD = 'taints to add'  # neither 'key-' nor 'key:Effect-', but a bare 'key', whose effect is empty
    # 'node:type=quantity,…;node:…', type memory or hugepages-*. First clears, later ones append. Empty changes nothing,
    # but any later one is then refused.
    RESERVED_MEMORY = 'reservedMemory'
    RESERVED_MEMORY_OF_ONE_NODE = 'reservedMemory of one node'  # no ';'
    # raw and any true of ParseBool print and exit, any false continues. Bare means true. Never takes the next argument.
    # 'vX.Y.Z…' of the kubelet's own X.Y.Z also continues.
    VERSION = 'version'
    RAW_OR_BOOL = 'raw or bool'  # like VERSION, but no 'vX.Y.Z…'
    # strconv.ParseUint(v, 10, 31): decimal digits, no sign, no _.
    LOG_LEVEL = 'level'
    SIGNED_LOG_LEVEL = 'klog.Level'  # strconv.ParseInt(v, 10, 32)
    # INFO, WARNING, ERROR, FATAL in any case, or strconv.ParseInt(v, 10, 32).
    SEVERITY = 'severity'
    # 'file.go:N', one colon, a dot in the file, N > 0 in decimal.
    TRACE_LOCATION = 'traceLocation'
    # 'pattern=N,…', N like LOG_LEVEL, empty items skipped. Repeats append.
    VMODULE = 'moduleSpec'


# A flag of these kinds may be bare and never takes the next argument. A flag of any other kind must have a value.
BARE_KINDS: Final = frozenset({FlagKind.BOOL, FlagKind.VERSION, FlagKind.RAW_OR_BOOL})


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. What a capture keeps of its value follows from `field`, `kind`, `secret` and `is_kept`."""

    kind: FlagKind
    # Path of the KubeletConfiguration field that the flag sets (v1beta1 names). None: it sets no field.
    field: str | None = None
    # First and last minor release with the flag. 20 means 1.20 or older. None means that the newest still has it.
    since: int = OLDEST
    until: int | None = None
    # The last minor release that parsed the value in another way, and that way.
    older: tuple[int, FlagKind] | None = None
    # From a library (cAdvisor, klog, …). With --config or --config-dir the kubelet parses its arguments a second time,
    # over the files. That second parse treats all library flags as flags that need a value: a bare BOOL consumes the
    # next argument, and as the last argument it stops the kubelet (server.go: newFakeFlagSet).
    library: bool = False
    # It names another source of the kubelet's own configuration. A source that is not read can set any field.
    names_configuration: bool = False
    # False: only in a vendor's builds. Every other kubelet refuses it.
    is_upstream: bool = True
    # The value can be a password or a token: never shown, never captured. So is a flag that sets a secret field.
    secret: bool = False
    # A capture keeps the text, because a verdict needs it. It leaves out the value of any other text flag that sets no
    # field.
    is_kept: bool = False

    def is_in(self, release: Release) -> bool:
        """Whether kubelets of that release have the flag, or those of a vendor at least."""
        return release.is_in(self.since, self.until)

    def kind_in(self, release: Release) -> FlagKind:
        """How kubelets of that release parse the value."""
        if self.older is not None and release.before(self.older[0] + 1):
            return self.older[1]
        return self.kind
