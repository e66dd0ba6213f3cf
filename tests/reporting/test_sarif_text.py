# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from datadog_checks.kubelet_compliance.reporting.sarif_text import message_of

pytestmark = pytest.mark.same_for_every_user


def test_a_message_makes_no_link_of_a_file_name() -> None:
    assert message_of('set in /etc/[a](http://b):3')['text'] == 'set in /etc/[a] (http://b):3'


@pytest.mark.parametrize('text, written', [('set in /etc/{0}', 'set in /etc/{{0}}'), ('{', '{{'), ('a}}', 'a}}}}')])
def test_a_brace_is_no_placeholder(text: str, written: str) -> None:
    assert message_of(text)['text'] == written
