# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from dataclasses import replace

import pytest

from datadog_checks.kubelet_compliance.api.ownership import UrlError, address_of, listens_by_configuration
from datadog_checks.kubelet_compliance.model import Declared, Origin, Source, Unknown

BY_FLAGS = {name: Origin(Source.FLAG, f'--{name}') for name in ('address', 'port')}
BY_ONE_FLAG = {**BY_FLAGS, 'address': Origin(Source.CONFIG_FILE, '/c.yaml:3')}


def listening(address: str = '0.0.0.0', port: int = 10250) -> Declared:
    return Declared({'address': address, 'port': port}, BY_ONE_FLAG)


@pytest.mark.parametrize(
    'url, expected',
    [
        ('https://10.0.0.1:10250', ('10.0.0.1', 10250)),
        ('https://node', ('node', 443)),
        ('http://node/', ('node', 80)),
        ('https://[::1]:10250', ('::1', 10250)),
    ],
)
def test_a_url_names_a_host_and_a_port(url: str, expected: tuple[str, int]) -> None:
    assert address_of(url) == expected


@pytest.mark.parametrize(
    'url', ['', 'node:10250', 'ftp://node', 'https://', 'https://node:ten', 'https://node:99999', 'https://[::1']
)
def test_what_is_no_url_is_said_without_repeating_it(url: str) -> None:
    with pytest.raises(UrlError, match='^kubelet_url is not a URL such as https://127.0.0.1:10250$'):
        address_of(url)


@pytest.mark.parametrize(
    'declared, expected',
    [
        pytest.param(listening(), True, id='everywhere'),
        pytest.param(listening('::'), True, id='everywhere-ipv6'),
        pytest.param(listening('10.0.0.1'), True, id='that-address'),
        pytest.param(listening('10.0.0.2'), False, id='another-address'),
        pytest.param(listening(port=10251), False, id='another-port'),
        pytest.param(replace(listening(), unknown=Unknown('why')), False, id='files-not-readable'),
        pytest.param(replace(listening(), changed='/c.yaml'), False, id='files-changed'),
        pytest.param(
            replace(listening(), changed='/c.yaml', origins=BY_FLAGS), True, id='files-changed-but-both-by-flag'
        ),
    ],
)
def test_a_kubelet_listens_where_its_configuration_says(declared: Declared, expected: bool) -> None:
    assert listens_by_configuration(declared, '10.0.0.1', 10250) is expected
