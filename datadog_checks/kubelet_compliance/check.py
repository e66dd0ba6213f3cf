# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check as the Agent runs it: options in, one pass over the node, metrics and service checks out."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from datadog_checks.base import AgentCheck, ConfigurationError

from .collect import Collection, Collector
from .config_models import ConfigMixin
from .configz import Connection
from .connection import connect, wants_configz
from .exemptions import ExemptionError, apply_exemptions, parse_exemptions
from .host import Host
from .model import Selection, Unknown
from .ownership import UrlError, address_of
from .processes import Admission, AdmissionError, parse_users
from .report import Detail, iter_gauges, iter_reports, iter_service_checks, printable, tell
from .rules import RULES_BY_KEY
from .selection import AUTO, SelectionError, select

try:
    import datadog_agent
except ImportError:
    from datadog_checks.base.stubs import datadog_agent

try:
    from kubeutil import get_connection_info
except ImportError:
    get_connection_info = None


class KubeletComplianceCheck(AgentCheck, ConfigMixin):
    """Judges the node's kubelet against a CIS benchmark, at each collection."""

    __NAMESPACE__ = 'kubelet_compliance'

    def __init__(self, name: str, init_config: dict[str, Any], instances: list[dict[str, Any]]) -> None:
        super().__init__(name, init_config, instances)
        # The options are there only once the base class has read them.
        self.check_initializations.append(self.prepare)
        self.diagnosis.register(self.diagnose)
        self.told: set[str] = set()
        self.last: Collection | None = None

    def prepare(self) -> None:
        """Turn the options into what a collection needs. Raises ConfigurationError, and so stops the check."""
        options = self.config
        try:
            selection = select(options.benchmark, options.rules)
            rows = [row.model_dump() for row in options.exemptions or ()]
            self.exemptions = parse_exemptions(rows, RULES_BY_KEY)
            self.use_configz = wants_configz(options.use_configz)
            if options.kubelet_url:
                address_of(options.kubelet_url)
            admission = Admission(parse_users(options.allowed_users), bool(options.nested))
        except (SelectionError, ExemptionError, AdmissionError, UrlError, ValueError) as error:
            raise ConfigurationError(str(error)) from None
        procfs = options.procfs_path or datadog_agent.get_config('procfs_path') or '/proc'
        host = Host(procfs.rstrip('/') or '/', options.host_root, admission=admission)
        self.collector = Collector(host, selection, self.choose if options.benchmark == AUTO else None)
        self.detail = Detail(options.metrics or Detail.FULL)
        self.instance_tags = tuple(options.tags or ())

    def check(self, _: Any) -> None:
        collection = self.collector.collect(self.connection())
        self.submit(collection)
        self.last = collection
        self.tell_changes(collection)
        self.tell_metadata(collection)

    def connection(self) -> Connection | Unknown | None:
        if self.use_configz is False:
            return None
        connection = connect(self.http, self.config.kubelet_url, get_connection_info)
        if connection is None and self.use_configz:
            return Unknown('use_configz is on, but nothing says how to reach the kubelet', 'set kubelet_url')
        return connection

    def choose(self, version: str | None) -> Selection:
        """With `benchmark: auto`, go by the kubelet's version."""
        return select(AUTO, self.config.rules, version)

    def submit(self, collection: Collection) -> None:
        benchmark = collection.selection.benchmark
        today = datetime.now(timezone.utc).date()
        for report, own in iter_reports(collection.node, collection.kubelets, nested=bool(self.config.nested)):
            tags = (*self.instance_tags, *own)
            exempted = apply_exemptions(report, self.exemptions, today)
            for gauge in iter_gauges(exempted, benchmark, self.detail):
                self.gauge(gauge.name, gauge.value, tags=[*tags, *gauge.tags])
            for each in iter_service_checks(exempted, benchmark):
                self.service_check(each.name, each.status, tags=[*tags, *each.tags], message=each.message)

    def tell_changes(self, collection: Collection) -> None:
        """Log a problem once when it begins and once when it ends."""
        node = collection.node
        now = {printable(tell(problem)) for problem in (*node.problems, *node.doubts)}
        now |= {node.inapplicable} - {''}
        for problem in sorted(now - self.told):
            self.log.warning('%s', problem)
        for problem in sorted(self.told - now):
            self.log.info('No longer so: %s', problem)
        self.told = now
        for line in collection.turned_away:
            self.log.debug('%s', printable(line))

    @AgentCheck.metadata_entrypoint
    def tell_metadata(self, collection: Collection) -> None:
        self.set_metadata('benchmark', collection.selection.benchmark.name)
        if collection.version is not None:
            self.set_metadata('version', collection.version)

    def diagnose(self) -> None:
        """`agent diagnose`: what was found, what is missing, and the remedy, as of the last collection."""
        if self.last is None:
            self.diagnosis.warning('kubelet', 'the check has not run yet')
            return
        node = self.last.node
        if node.found:
            self.diagnosis.success('kubelet', f'kubelets found: {node.found}')
        else:
            self.diagnosis.warning('kubelet', 'no kubelet runs on this host, or it cannot be seen')
        for problem in (*node.problems, *node.doubts):
            self.diagnosis.fail('evidence', printable(problem.reason), remediation=printable(problem.remedy) or None)
