# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is said of the kubelet of an image: it has no next restart, and no Agent runs there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.kubelet.tables.programs import ASK_CONFIGZ
from datadog_checks.kubelet_compliance.launch.at_rest import of_image, setting_of_image
from datadog_checks.kubelet_compliance.model import NOT_RUNNING, Fault, Origin, Setting, Source, Unknown, Verdict
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS
from datadog_checks.kubelet_compliance.rules.judge import judge
from datadog_checks.kubelet_compliance.rules.resolve import VERSION_DECIDES

FILE = Origin(Source.CONFIG_FILE, '/c.yaml:4', '/c.yaml')
ON = (('makeIPTablesUtilChains', True),)
DOUBT = Unknown('k3s passes more', ASK_CONFIGZ)


@pytest.mark.parametrize('remedy', [ASK_CONFIGZ, VERSION_DECIDES.remedy])
def test_what_only_a_running_machine_can_show_is_not_advised(remedy: str) -> None:
    advice = of_image(Unknown('why', remedy)).remedy
    assert advice and advice != remedy and 'Agent' not in advice


def test_all_else_of_a_reason_stays_but_that_the_next_restart_fails() -> None:
    why = Unknown('why', 'mount it', refused=True, fault=Fault.NOT_ALLOWED_TO_READ)
    assert of_image(why) == replace(why, refused=False)
    assert of_image(why).refused is False


def test_nothing_runs_of_an_image() -> None:
    setting = Setting(ON, FILE, ON, changed='/c.yaml')
    assert setting_of_image(setting) == replace(setting, running=NOT_RUNNING)


def test_a_doubt_stays_a_doubt_with_advice_that_an_image_can_follow() -> None:
    setting = setting_of_image(Setting(ON, FILE, NOT_RUNNING, doubt=DOUBT))
    assert setting.doubt == of_image(DOUBT) != DOUBT
    finding = judge(RULES_BY_KEY['make_iptables_util_chains'], setting, BENCHMARKS['cis-1.24'])
    assert finding.verdict is Verdict.UNKNOWN


def test_what_is_not_known_of_an_image_is_not_what_its_next_start_refuses() -> None:
    setting = setting_of_image(Setting(Unknown('why', ASK_CONFIGZ, refused=True), None, NOT_RUNNING))
    assert setting.declared == of_image(Unknown('why', ASK_CONFIGZ, refused=True))
