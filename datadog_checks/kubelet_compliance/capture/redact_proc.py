# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Removes secrets, and what no verdict needs, from the files of a process in `/proc`. Pure."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.kubelet.programs import (
    NoKubelet,
    program_named,
    read_command_line,
    word_text,
)
from datadog_checks.kubelet_compliance.reporting.redact import LEFT_OUT, redact_arguments
from datadog_checks.kubelet_compliance.reporting.redact_programs import redact_program_arguments

STATUS_FIELDS = (b'Name:', b'Uid:', b'NSpid:')


def redacted_proc(name: str, data: bytes, comm: bytes) -> bytes:
    if name == 'cmdline':
        return redacted_command_line(data, comm)
    if name == 'status':
        return b''.join(line for line in data.splitlines(True) if line.startswith(STATUS_FIELDS))
    if name == 'stat':
        head, _, tail = data.rpartition(b')')
        fields = tail.split()
        kept = {0, 6, 19}
        return head + b') ' + b' '.join(word if i in kept else b'0' for i, word in enumerate(fields)) + b'\n'
    return data


def redacted_command_line(line: bytes, comm: bytes) -> bytes:
    """The command line without secrets. It is recognized as the same kind of command line as before."""
    read = read_command_line(word_text(comm), line)
    first = line.split(b'\0', 1)[0]
    if isinstance(read, NoKubelet):
        return first.split(b' ')[0] + b'\0' + LEFT_OUT.encode() + b'\0'
    if read.arguments is None:
        return line if read.inside else first
    words = line[:-1].split(b'\0')
    count = len(words) - len(read.arguments)
    if read.inside:
        arguments = redact_program_arguments(program_named(read.inside), read.arguments)
    else:
        arguments = redact_arguments(read.arguments)
    kept = [*map(word_text, words[:count]), *arguments]
    return b''.join(word.encode('utf-8', 'surrogateescape') + b'\0' for word in kept)
