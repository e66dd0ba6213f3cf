# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One collection of a node: find, read, resolve, judge, report. `Collector.collect_anew` has one line for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from datadog_checks.kubelet_compliance.api.configz import Connection, KubeletApi
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import (
    Answer,
    Cost,
    Fact,
    KubeletReport,
    NodeReport,
    Process,
    Selection,
    Setting,
    Target,
    Unknown,
)
from datadog_checks.kubelet_compliance.node.clock import monotonic_seconds
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.rules.judge import judge_node
from datadog_checks.kubelet_compliance.rules.problems import not_seen
from datadog_checks.kubelet_compliance.rules.settings import depends_on_version, wanted_facts
from datadog_checks.kubelet_compliance.rules.upgrades import worst_upgrade

from .asking import NO_VERSION, Asking
from .fact_sources import read_facts
from .file_statuses import with_statuses
from .find import FoundKubelets, Search
from .history import History
from .judging import judge_kubelet, resolve_settings
from .reading import KubeletReader


@dataclass(frozen=True, slots=True)
class Collection:
    """The result of one collection. `version`: the version of the kubelet, if known."""

    node: NodeReport
    kubelets: tuple[KubeletReport, ...]
    selection: Selection
    version: str | None = None


class Collector:
    """Collects from a node, and keeps what stays the same from one collection to the next."""

    def __init__(
        self,
        host: Host,
        selection: Selection,
        choose: Callable[[str | None], Selection] | None = None,
        version: str | None = None,
        target: Target | None = None,
    ) -> None:
        """`choose`: selects the rules by the kubelet's version (None: unknown) instead of `selection`.

        `version`: the version of the kubelet, for when the kubelet itself does not show it. `target`: the release of
        an upgrade to judge; None: none.
        """
        self.target = target
        self.version = version
        self.selection = self.default = selection
        self.choose = choose
        self.search = Search(host)
        self.reader = KubeletReader(host, History())
        self.asking = Asking(host, KubeletApi())
        self.last: Collection | None = None
        self.last_asked: object = None
        self.unchanged = 0
        self.cost_of_full = Cost()

    @property
    def cost(self) -> Cost:
        """What the collections so far cost."""
        return replace(self.cost_of_full, unchanged=self.unchanged)

    @property
    def host(self) -> Host:
        """The node. It can't be replaced: what was seen before belongs to it."""
        return self.search.host

    @property
    def api(self) -> KubeletApi:
        return self.asking.api

    def for_host(self, host: Host) -> Collector:
        """A collector of the same rules for another node."""
        return Collector(host, self.default, self.choose, self.version, self.target)

    def collect(self, connection: Connection | Unknown | None = None) -> Collection:
        """Judge the node. `connection`: how to reach its kubelet; None: do not ask it.

        If nothing changed, this returns the same object as last time, without reading or judging anything.
        """
        asked = connection.url if isinstance(connection, Connection) else connection
        is_unchanged = self.host.begin() and asked == self.last_asked and not self.api.has_to_ask()
        if self.last is not None and is_unchanged:
            self.unchanged += 1
            return self.last
        self.last = None
        began_at = monotonic_seconds()
        self.last, self.last_asked = self.collect_anew(connection), asked
        self.cost_of_full = self.cost_of_full.with_full(monotonic_seconds() - began_at)
        return self.last

    def collect_anew(self, connection: Connection | Unknown | None) -> Collection:
        """find -> read -> resolve -> judge -> report.

        Only facts about the node are read later, because the broken rules decide which of them matter.
        """
        found = self.search.find()
        kubelets = self.read(found, connection)
        settings = [self.resolve(kubelet) for kubelet in kubelets]
        facts = [self.read_facts(*each) for each in zip(kubelets, settings, strict=True)]
        judged = [self.judge(found, *each) for each in zip(kubelets, settings, facts, strict=True)]
        return self.report(found, kubelets, judged, connection)

    def read(self, found: FoundKubelets, connection: Connection | Unknown | None) -> list[Kubelet]:
        """Everything that the rules need of each kubelet: its files, and its answers."""
        self.reader.history.forget_all_but(found.all)
        self.asking.forget_all_but(found.all)
        processes = found.scan.processes
        read = [self.reader.read(process, self.known_version(process, connection)) for process in processes]
        kubelets = self.asking.ask([kubelet for kubelet in read if kubelet is not None], connection)
        version = self.version_of(kubelets, connection)
        kubelets = self.with_selection(kubelets, version)
        known = None if isinstance(version, Unknown) else version
        kubelets = [replace(self.reader.with_version(kubelet, known), release=version) for kubelet in kubelets]
        return [with_statuses(self.host, kubelet, self.selection) for kubelet in kubelets]

    def resolve(self, kubelet: Kubelet) -> dict[str, Setting]:
        """The setting of each rule, by rule key."""
        return resolve_settings(kubelet, self.selection)

    def read_facts(self, kubelet: Kubelet, settings: Mapping[str, Setting]) -> dict[Fact, Answer]:
        """The facts about the node that the fixes of broken rules depend on. A compliant kubelet needs none."""
        return read_facts(self.host, kubelet, wanted_facts(settings, self.selection))

    def judge(
        self, found: FoundKubelets, kubelet: Kubelet, settings: Mapping[str, Setting], facts: Mapping[Fact, Answer]
    ) -> KubeletReport:
        return judge_kubelet(kubelet, settings, facts, self.selection, found.scan.names, self.target)

    def report(
        self,
        found: FoundKubelets,
        kubelets: Sequence[Kubelet],
        judged: Sequence[KubeletReport],
        connection: Connection | Unknown | None,
    ) -> Collection:
        """The result for the node, from the reports on the kubelets that still run after everything was read."""
        reports = [report for each in judged if (report := self.while_running(each)) is not None]
        self.search.note(found, is_any_judged=bool(reports))
        because = ''
        if reports:
            reports += [not_seen(process, self.selection) for process in found.lost]
        else:
            because = self.search.why_none(found, is_reachable=isinstance(connection, Connection))
        self.host.expect(report.process for report in reports)
        node = replace(
            judge_node(reports, found.scan.doubtful, because),
            turned_away=found.scan.turned_away,
            upgrade=worst_upgrade(reports, self.target),
        )
        version = next((kubelet.release for kubelet in kubelets if isinstance(kubelet.release, str)), None)
        return Collection(node, tuple(reports), self.selection, version)

    def while_running(self, report: KubeletReport) -> KubeletReport | None:
        """The report on a kubelet that still runs; None if it ended. If that can't be seen, every rule is unknown."""
        is_running = self.host.is_running(report.process)
        if is_running is False:
            return None
        return report if is_running else not_seen(report.process, self.selection)

    def known_version(self, process: Process, connection: Connection | Unknown | None) -> str | None:
        """The version of a kubelet before it is read. A given version counts only if the kubelet can't be asked."""
        given = None if isinstance(connection, Connection) else self.version
        return self.api.known_version(process) or given

    def version_of(self, kubelets: Sequence[Kubelet], connection: Connection | Unknown | None) -> str | Unknown:
        """The version of the only kubelet, else the given version."""
        found = self.asked_version(kubelets, connection)
        return self.version if isinstance(found, Unknown) and self.version is not None else found

    def asked_version(self, kubelets: Sequence[Kubelet], connection: Connection | Unknown | None) -> str | Unknown:
        """The version of the only kubelet. The check asks for it only if a result depends on it: `/metrics` is long."""
        if len(kubelets) != 1:
            return NO_VERSION
        (kubelet,) = kubelets
        known = self.api.known_version(kubelet.process)
        if known is not None:
            return known
        is_wanted = self.choose is not None or self.target is not None
        if not is_wanted and not depends_on_version(kubelet, self.selection):
            return NO_VERSION
        return self.asking.version(kubelet, connection)

    def with_selection(self, kubelets: list[Kubelet], version: str | Unknown) -> list[Kubelet]:
        """Select the rules by the version, if `choose` is set. An unknown version becomes a problem."""
        if self.choose is None:
            return kubelets
        self.selection = self.choose(None if isinstance(version, Unknown) else version)
        if not isinstance(version, Unknown):
            return kubelets
        name = self.selection.benchmark.name
        doubt = Unknown(f'the default benchmark {name} is used: {version.reason}', version.remedy)
        return [replace(kubelet, problems=(*kubelet.problems, doubt)) for kubelet in kubelets]
