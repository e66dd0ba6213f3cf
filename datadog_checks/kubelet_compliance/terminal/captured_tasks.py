# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""From the options of the command to what it does with captured nodes, without the Agent of this machine."""

from __future__ import annotations

import argparse
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datadog_checks.kubelet_compliance.api.kept_configz import CannotUse, read_kept_answer
from datadog_checks.kubelet_compliance.api.replay import answers
from datadog_checks.kubelet_compliance.collection.collect import Collector
from datadog_checks.kubelet_compliance.model import Exemption
from datadog_checks.kubelet_compliance.node.captured import CONFIGZ, CaptureError
from datadog_checks.kubelet_compliance.node.host import Host
from datadog_checks.kubelet_compliance.node.processes import Admission, parse_users

from . import agent_files
from .as_the_agent import Settings
from .captures import kept_configz, open_capture
from .tasks import Task, check_with, collectors_of, configz_of, refuse_unit, where_configured


@dataclass(frozen=True, slots=True)
class CapturedTerms:
    """What is the same for each captured node: the rules, which processes count as kubelets, and the exemptions."""

    collector_of: Callable[[Host], Collector]
    admission: Admission
    exemptions: Sequence[Exemption] = ()
    options_from: str | None = None
    configz: bytes | None = None
    """A saved response of /configz in place of the one in the capture."""
    configz_from: str | None = None

    def task(self, name: str, folder: str) -> Task:
        """The task for one node. Raises CaptureError."""
        host = open_capture(folder, self.admission)
        kept, source = self.configz, self.configz_from
        if kept is None:
            kept = usable_configz(folder)
            source = None if kept is None else posixpath.join(folder, CONFIGZ)
        return Task(
            self.collector_of(host),
            answers({'/configz': kept}) if kept is not None else None,
            self.exemptions,
            self.options_from,
            source,
            kept,
            name=name,
            folder=folder,
        )


def terms_of(options: argparse.Namespace) -> CapturedTerms:
    """Raises SelectionError, CustomRuleError, AdmissionError, ConfigError, OSError, CannotAnswer."""
    refuse_unit(options)
    kept = configz_of(options)
    if options.conf is None or options.no_conf:
        admission = Admission(parse_users(options.allowed_users), options.nested)
        return CapturedTerms(collectors_of(options), admission, configz=kept, configz_from=options.configz)
    configured, path = agent_files.configured_in(options.conf)
    check = check_with(options, Settings({}, {}), configured)
    return CapturedTerms(
        check.collector.for_host,
        Admission(parse_users(check.config.allowed_users), bool(check.config.nested)),
        check.exemptions,
        where_configured(configured, path),
        kept,
        options.configz,
    )


def usable_configz(folder: str) -> bytes | None:
    """The response of /configz that a captured node keeps, if any. Raises CaptureError."""
    data = kept_configz(folder)
    try:
        return None if data is None else read_kept_answer(data)
    except CannotUse as error:
        raise CaptureError(f'{CONFIGZ}: {error}') from None
