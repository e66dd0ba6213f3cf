# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check as the Agent runs it: options in, one pass over the node, metrics and service checks out."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from datadog_checks.base import AgentCheck, ConfigurationError

from .collect import collect
from .config_models import ConfigMixin
from .exemptions import ExemptionError, apply_exemptions, parse_exemptions
from .host import Host
from .memory import Memory
from .model import NodeReport
from .report import Detail, iter_gauges, iter_service_checks
from .rules import RULES_BY_KEY
from .selection import SelectionError, select

try:
    import datadog_agent
except ImportError:
    from datadog_checks.base.stubs import datadog_agent


class KubeletComplianceCheck(AgentCheck, ConfigMixin):
    """Judges the node's kubelet against a CIS benchmark, at each collection."""

    __NAMESPACE__ = 'kubelet_compliance'

    def __init__(self, name: str, init_config: dict[str, Any], instances: list[dict[str, Any]]) -> None:
        super().__init__(name, init_config, instances)
        # The options are there only once the base class has read them.
        self.check_initializations.append(self.prepare)

    def prepare(self) -> None:
        """Turn the options into what a collection needs. Raises ConfigurationError, and so stops the check."""
        options = self.config
        try:
            self.selection = select(options.benchmark, options.rules)
            self.exemptions = parse_exemptions([row.model_dump() for row in options.exemptions or ()], RULES_BY_KEY)
        except (SelectionError, ExemptionError) as error:
            raise ConfigurationError(str(error)) from None
        procfs = options.procfs_path or datadog_agent.get_config('procfs_path') or '/proc'
        self.host = Host(procfs.rstrip('/') or '/', options.host_root)
        self.memory = Memory()
        self.detail = Detail(options.metrics or Detail.FULL)
        self.instance_tags = tuple(options.tags or ())

    def check(self, _: Any) -> None:
        report, _kubelets = collect(self.host, self.selection, self.memory)
        self.submit(apply_exemptions(report, self.exemptions, datetime.now(timezone.utc).date()))

    def submit(self, report: NodeReport) -> None:
        benchmark = self.selection.benchmark
        for gauge in iter_gauges(report, benchmark, self.detail):
            self.gauge(gauge.name, gauge.value, tags=[*self.instance_tags, *gauge.tags])
        for each in iter_service_checks(report, benchmark):
            self.service_check(each.name, each.status, tags=[*self.instance_tags, *each.tags], message=each.message)
