# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The AgentCheck: reads the options, runs one collection, and sends its metrics and service checks."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from datadog_checks.base import AgentCheck, ConfigurationError
from datadog_checks.base.agent import AGENT_RUNNING

from .api.configz import Connection
from .api.connection import connect, wants_configz
from .api.ownership import UrlError, address_of
from .collection.collect import Collection, Collector
from .config_models import ConfigMixin
from .model import Unknown
from .node.live_host import LiveHost
from .node.patient_host import PatientHost
from .node.processes import Admission, AdmissionError, parse_users
from .reporting.report import Detail, Rows, cost_diagnosis, iter_diagnoses, printable, problem_text
from .reporting.sending import Notices, Sending, advice, iter_metadata
from .rules.all_rules import RULES_BY_KEY
from .rules.custom_rules import CustomRuleError, custom_rules
from .rules.exemptions import ExemptionError, parse_exemptions
from .rules.selection import SelectionError, chooser, select
from .rules.upgrades import parse_target
from .trust import reason_to_refuse

try:
    import datadog_agent
except ImportError:
    from datadog_checks.base.stubs import datadog_agent

try:
    from kubeutil import get_connection_info
except ImportError:
    get_connection_info = None


class KubeletComplianceCheck(AgentCheck, ConfigMixin):
    """Judges the kubelet of the node against a CIS benchmark."""

    __NAMESPACE__ = 'kubelet_compliance'

    def __init__(self, name: str, init_config: dict[str, Any], instances: list[dict[str, Any]]) -> None:
        super().__init__(name, init_config, instances)
        self.check_initializations.appendleft(self.refuse_untrusted)
        # The base class reads the options before the first run, not in the constructor.
        self.check_initializations.append(self.prepare)
        self.diagnosis.register(self.diagnose)
        self.agents_own = get_connection_info
        # At a terminal, a person chooses the folder. In tests, it is made up.
        self.needs_procfs = AGENT_RUNNING
        self.notices = Notices()
        self.last: Collection | None = None
        self.day: date | None = None
        self.sent = Rows()
        self.advice: list[str] = []

    def refuse_untrusted(self) -> None:
        """Raises ConfigurationError. Agents before 7.78 do not name the provider."""
        why = reason_to_refuse(
            getattr(self, 'provider', None), datadog_agent.get_config('integration_trusted_providers')
        )
        if why:
            raise ConfigurationError(why)

    def prepare(self) -> None:
        """Turn the options into what a collection needs. Raises ConfigurationError, which stops the check."""
        options = self.config
        try:
            custom = custom_rules(options.custom_rules)
            selection = select(options.benchmark, options.rules, custom=custom)
            rows = [row.model_dump() for row in options.exemptions or ()]
            self.exemptions = parse_exemptions(rows, {*RULES_BY_KEY, *(rule.key for rule in custom)})
            self.use_configz = wants_configz(options.use_configz)
            if options.kubelet_url:
                address_of(options.kubelet_url)
            admission = Admission(parse_users(options.allowed_users), bool(options.nested))
            target = parse_target(options.target_version)
        except (CustomRuleError, SelectionError, ExemptionError, AdmissionError, UrlError, ValueError) as error:
            raise ConfigurationError(str(error)) from None
        procfs = options.procfs_path or datadog_agent.get_config('procfs_path') or '/proc'
        procfs, root = procfs.rstrip('/') or '/', options.host_root
        host = PatientHost(LiveHost(procfs, root, admission=admission, needs_procfs=self.needs_procfs))
        problem = host.procfs_problem() if options.procfs_path else None
        if problem is not None:
            raise ConfigurationError(f'procfs_path: {problem_text(problem)}')
        self.collector = Collector(host, selection, chooser(options.benchmark, options.rules, custom), target=target)
        # Load the HTTP libraries now: later, no file descriptor may be left for that.
        self.connection()
        detail = Detail(options.metrics or Detail.FULL)
        self.sending = Sending(self.exemptions, detail, tuple(options.tags or ()), admission.nested)

    def check(self, _: Any) -> None:
        collection = self.collector.collect(self.connection())
        today = datetime.now(timezone.utc).date()
        if collection is not self.last or today != self.day:
            self.sent = self.sending.rows(collection.node, collection.kubelets, today)
            self.last, self.day = collection, today
            self.log_changes(collection)
            self.send_metadata(collection)
        # `agent status` shows only the last run, and `self.warning` would log each line at every run.
        self.warnings += [line for line in self.advice if line not in self.warnings]
        self.submit()

    def connection(self) -> Connection | Unknown | None:
        if self.use_configz is False:
            return None
        trusts = bool(self.config.trust_unverified_configz)
        connection = connect(lambda: self.http, self.config.kubelet_url, self.agents_own, trusts_unverified=trusts)
        if connection is None and self.use_configz:
            return Unknown('use_configz is true, but no setting says how to reach the kubelet', 'set kubelet_url')
        return connection

    def submit(self) -> None:
        for (name, value, _), tags in self.sent.gauges:
            self.gauge(name, value, tags=tags)
        for (name, status, _, message), tags in self.sent.service_checks:
            self.service_check(name, status, tags=tags, message=message)

    def log_changes(self, collection: Collection) -> None:
        """Log problems that begin or end, and keep the lines for `agent status`."""
        node = collection.node
        began, ended = self.notices.changes(node)
        for problem in began:
            self.log.warning('%s', problem)
        for problem in ended:
            self.log.info('Resolved: %s', problem)
        self.advice = advice(node)
        for each in node.turned_away:
            self.log.debug('%s', printable(problem_text(each)))

    @AgentCheck.metadata_entrypoint
    def send_metadata(self, collection: Collection) -> None:
        for name, value in iter_metadata(collection.selection.benchmark, collection.version, self.collector.cost):
            self.set_metadata(name, value)

    def diagnose(self) -> None:
        """`agent diagnose`: what the last collection found, what is missing, the remedy, and what the check costs."""
        if self.last is None:
            self.diagnosis.warning('kubelet', 'the check has not run yet')
            return
        for each in (*iter_diagnoses(self.last.node), cost_diagnosis(self.collector.cost)):
            result = getattr(self.diagnosis, each.level.value)
            result(each.name, printable(each.text), remediation=printable(each.remedy) or None)
