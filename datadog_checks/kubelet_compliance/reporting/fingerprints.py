# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What identifies a result of SARIF from run to run, so that code scanning opens one alert for it."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from datadog_checks.kubelet_compliance.model import Place

from .output import NotEvaluated, Output, name_of_node

HASHED_CHARACTERS: Final = 16
SEPARATOR: Final = '\0'


def fingerprints_of(rule: str, place: Place, subject: str = '') -> dict[str, str]:
    """What identifies a result: its rule, its file without the line, and its subject. All results of a run differ.

    Code scanning reads only `primaryLocationLineHash`. Its upload computes that from the text of a line, so kubelets
    that share the line share the alert.
    """
    parts = (rule, place.path, *([subject] if subject else []))
    digest = hashlib.sha256(SEPARATOR.join(parts).encode('utf-8', 'backslashreplace')).hexdigest()[:HASHED_CHARACTERS]
    return {'kubeletRule/v1': digest, **({} if place.line else {'primaryLocationLineHash': f'{digest}:1'})}


def subject_of(node: Output | NotEvaluated, *, are_many: bool) -> str:
    """What distinguishes a node from the others of the run. '' for a single one: its folder may have any name."""
    if not are_many:
        return ''
    return node.name if isinstance(node, NotEvaluated) else name_of_node(node)


def subjects_of_kubelets(node: Output, *, are_many: bool) -> list[str]:
    """What distinguishes each kubelet from all others of the run.

    A process ID changes with each start, so kubelets of the same name, or without one, are counted.
    """
    subject = subject_of(node, are_many=are_many)
    if len(node.kubelets) == 1:
        return [subject]
    seen: Counter[str] = Counter()
    subjects = []
    for kubelet in node.kubelets:
        own = kubelet.process.unit or kubelet.name
        seen[own] += 1
        subjects.append(SEPARATOR.join((subject, own, str(seen[own]))))
    return subjects
