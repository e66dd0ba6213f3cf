# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is taken out of what is captured."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.reporting.redact import redact_arguments, redact_configuration
from tests.support.nodes import HEAD


@pytest.mark.parametrize(
    'arguments, kept',
    [
        (('--config', '/c', '--v=2'), ('--config', '/c', '--v=2')),
        (('--nonsense', 'x', '--y=z', '--config=/c'), ('--nonsense', 'left-out', '--y=left-out', '--config=left-out')),
        (('--v', '2', 'word', '', '--'), ('--v', '2', 'left-out', '', '--')),
        (('-v', '3', '-v4', '--cloud_config', 'x'), ('-v', '3', '-v4', '--cloud_config', 'left-out')),
        (('--make-iptables-util-chains', 'false'), ('--make-iptables-util-chains', 'left-out')),
    ],
)
def test_of_the_arguments_only_those_that_matter_are_kept(arguments: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert redact_arguments(arguments) == kept


def test_a_file_without_secrets_is_kept_byte_for_byte() -> None:
    data = f'{HEAD}makeIPTablesUtilChains: false\nclusterDNS:\n- 10.96.0.10\n'.encode()
    assert redact_configuration(data, lambda _: True) == data
