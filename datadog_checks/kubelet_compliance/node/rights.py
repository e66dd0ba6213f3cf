# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reads the user and the capabilities that the Agent itself has on this machine."""

from __future__ import annotations

from .file_remedies import Rights

MAX_STATUS_BYTES = 64 * 1024
CAPABILITIES = b'CapEff:'
USERS = b'Uid:'
EFFECTIVE = 2
"""The index of the effective user in the words of that line."""


def own_rights() -> Rights:
    """The effective user and capabilities of this process; unknown ones are None."""
    try:
        with open('/proc/self/status', 'rb') as file:
            rows = [line.split() for line in file.read(MAX_STATUS_BYTES).splitlines()]
    except OSError:
        return Rights()
    users = next((row for row in rows if row[:1] == [USERS]), [])
    masks = next((row for row in rows if row[:1] == [CAPABILITIES]), [])
    try:
        return Rights(int(users[EFFECTIVE]), int(masks[1], 16))
    except (IndexError, ValueError):
        return Rights()
