# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the service check `kubelet` reports: what could not be read, and what would stop the next start. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from datadog_checks.kubelet_compliance.kubelet.declare import is_refused
from datadog_checks.kubelet_compliance.kubelet.kernel_settings import differing_settings, sysctl_assignments
from datadog_checks.kubelet_compliance.kubelet.kubelets import Kubelet
from datadog_checks.kubelet_compliance.model import (
    NOT_ASKED,
    Fault,
    Finding,
    KubeletReport,
    Process,
    Selection,
    Setting,
    Unknown,
    Verdict,
)

from .judge import judge
from .node_facts import present_settings
from .resolve import VERSION_DECIDES

MAX_OBJECTIONS = 3
NOT_EXPECTED = 'the kubelet accepted its configuration, but this check expected it to be refused'
NOT_SEEN_REMEDY = (
    'check that the Agent can read the files of the process in /proc, and has not reached its limit of open files'
)


def iter_problems(
    kubelet: Kubelet, selection: Selection, settings: Mapping[str, Setting], findings: Sequence[Finding]
) -> Iterator[Unknown]:
    """Everything that is missing or wrong besides the findings. The same problem may come twice."""
    kernel = kernel_problem(kubelet.evidence.kernel)
    if kernel is not None:
        yield kernel
    yield from kubelet.problems
    yield from at_this_level((*iter_unread(kubelet), *unread_files(selection, settings)), kubelet.problems)
    yield from version_problem(kubelet, findings)


def kernel_problem(kernel: Mapping[str, str | None] | None) -> Unknown | None:
    """Why a kubelet with protectKernelDefaults would not start now; None if nothing shows that."""
    values = present_settings(kernel or {})
    wrong = differing_settings(values)
    if not wrong:
        return None
    shown = ', '.join(f'{name} is {values[name]}' for name in wrong)
    return Unknown(
        f'protectKernelDefaults is true, and the kernel settings differ from what the kubelet expects: {shown}',
        f'set {sysctl_assignments(wrong)}',
        refused=True,
    )


def iter_unread(kubelet: Kubelet) -> Iterator[Unknown]:
    """Why the configuration is unknown, and what the kubelet accepted although the check expected a refusal."""
    readings, launch = kubelet.following, kubelet.evidence.launch
    unknown = [declared.unknown for declared in readings]
    if all(unknown):
        yield from filter(None, unknown[:1])
    elif any(unknown):
        yield next(
            Unknown(f'kubelets of some releases: {each.reason}', each.remedy, fault=each.fault)
            for each in unknown
            if each is not None
        )
    elif launch is not None and launch.doubt is not None:
        yield launch.doubt
    objections = () if any(map(is_refused, readings)) else min((each.objections for each in readings), key=len)
    for objection in objections[:MAX_OBJECTIONS]:
        yield Unknown(f'{NOT_EXPECTED}: {objection}')


def unread_files(selection: Selection, settings: Mapping[str, Setting]) -> dict[Unknown, None]:
    """Why the rules on files could not be judged, each reason once."""
    declared = [settings[rule.key].declared for rule in selection.rules if rule.files is not None]
    return dict.fromkeys(each for each in declared if isinstance(each, Unknown))


def at_this_level(unread: Sequence[Unknown], unanswered: Sequence[Unknown]) -> Iterator[Unknown]:
    """Which problems with files to report: if no file can be read at all, only that /configz gives no answer."""
    is_asked = any(problem.fault is not None for problem in unanswered)
    return (problem for problem in unread if not (is_asked and problem.fault is Fault.FILES_NOT_SHOWN))


def version_problem(kubelet: Kubelet, findings: Sequence[Finding]) -> Iterator[Unknown]:
    """Why the version is unknown, if a rule is unknown without it."""
    if isinstance(kubelet.release, Unknown) and any(
        finding.verdict is Verdict.UNKNOWN and finding.setting.declared is VERSION_DECIDES for finding in findings
    ):
        yield kubelet.release


def not_seen(process: Process, selection: Selection) -> KubeletReport:
    """The report on a kubelet that may still run but can't be examined: every rule is unknown."""
    why = Unknown(f'process {process.pid}, a kubelet, can no longer be examined', NOT_SEEN_REMEDY)
    setting = Setting(why, None, NOT_ASKED)
    findings = tuple(judge(rule, setting, selection.benchmark_of(rule)) for rule in selection.rules)
    return KubeletReport(process, findings, (why,))
