# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Finds the kubelets of a node, and tracks what became of those that the last collection found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.model import Process, Scan, Unknown
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.reporting.report import problem_text

NONE_RUNS = 'no kubelet runs on this host: start it, or check the log of its service'
"""For a host where `/proc` shows all processes."""


@dataclass(frozen=True, slots=True)
class FoundKubelets:
    """The kubelets of this collection.

    `lost`: kubelets of the last collection that may still run, but can't be seen. `ended`: kubelets that ended since.
    """

    scan: Scan
    lost: tuple[Process, ...] = ()
    ended: tuple[Process, ...] = ()

    @property
    def all(self) -> tuple[Process, ...]:
        return (*self.scan.processes, *self.lost)


class Search:
    """Finds the kubelets of a node in each collection."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.known: tuple[Process, ...] = ()
        self.ended: int | None = None
        """The process ID of the last kubelet that ended, until another one is found."""

    def find(self) -> FoundKubelets:
        scan = self.host.find_kubelets()
        lost = self.lost(scan)
        found = FoundKubelets(scan, lost, tuple(process for process in self.known if process not in lost))
        self.known = found.all
        return found

    def lost(self, scan: Scan) -> tuple[Process, ...]:
        if not scan.doubtful:
            return ()
        keys = {process.key for process in scan.processes}
        return tuple(
            process for process in self.known if process.key not in keys and self.host.is_running(process) is not False
        )

    def why_none(self, found: FoundKubelets, *, is_reachable: bool) -> str:
        """Why no kubelet was found; '' if nothing is known about that.

        `is_reachable`: the Agent knows how to reach a kubelet.
        """
        likely = found.scan.none_found_because or first_admissible(found.scan.turned_away)
        if not likely and is_reachable:
            likely = NONE_RUNS if self.host.shows_all_processes() else none_shown(self.host.procfs)
        if likely and self.ended is not None:
            return f'the kubelet (process {self.ended}) ended, and no other kubelet runs'
        return likely

    def note(self, found: FoundKubelets, *, is_any_judged: bool) -> None:
        """Remember the last kubelet that ended, once it is known which of the kubelets still run."""
        if is_any_judged:
            self.ended = None
        elif found.ended:
            self.ended = found.ended[-1].pid


def first_admissible(turned_away: Sequence[Unknown]) -> str:
    """A sentence on the first process that an option would admit; '' for none."""
    admissible = [each for each in turned_away if each.remedy]
    if not admissible:
        return ''
    more = f' (and {len(admissible) - 1} more)' if len(admissible) > 1 else ''
    return f'no kubelet runs on this host, but {problem_text(admissible[0])}{more}'


def none_shown(procfs: str) -> str:
    """For a host where the Agent has the address of a kubelet, but no process is a kubelet."""
    return (
        f'no kubelet runs on this host, or {procfs} does not show it: if there is one, '
        'set hostPID: true or mount the /proc of the host'
    )
