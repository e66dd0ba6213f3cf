# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which documents count as a KubeletConfiguration."""

from __future__ import annotations

import pytest

from datadog_checks.kubelet_compliance.kubelet.decoding import DecodingError
from datadog_checks.kubelet_compliance.kubelet.formats.documents import parse_document
from datadog_checks.kubelet_compliance.kubelet.identity import check_identity
from tests.support.nodes import HEAD


@pytest.mark.parametrize(
    'text',
    [
        HEAD,
        'kind: KubeletConfiguration\napiVersion: "kubelet.config.k8s.io/v1beta1"\n',
        '{"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}',
    ],
    ids=['YAML', 'other order', 'JSON'],
)
@pytest.mark.parametrize('any_case', [False, True], ids=['drop-in', 'main file'])
def test_a_kubelet_configuration_is_accepted(text: str, any_case: bool) -> None:
    check_identity(parse_document(text.encode()), any_case=any_case)


@pytest.mark.parametrize(
    'text, reason',
    [
        ('', 'not a mapping'),
        ('- a', 'not a mapping'),
        ('text', 'not a mapping'),
        ('{}', 'apiVersion is missing'),
        ('kind: KubeletConfiguration', 'apiVersion is missing'),
        ('apiVersion: kubelet.config.k8s.io/v1beta1', 'kind is missing'),
        ('apiVersion: kubelet.config.k8s.io/v1beta1\nkind: ~', 'kind is missing'),
        ('apiVersion: kubelet.config.k8s.io/v1beta1\nkind: ""', 'kind is missing'),
        ('apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration', 'apiVersion is not'),
        ('apiVersion: kubelet.config.k8s.io/v1beta1\nkind: Kubelet', 'kind is not'),
        ('apiVersion: kubelet.config.k8s.io/v1beta1\nkind: kubeletconfiguration', 'kind is not'),
        ('apiVersion: 1\nkind: KubeletConfiguration', 'apiVersion is not a string'),
        ('apiVersion: kubelet.config.k8s.io/v1beta1\nkind: [a]', 'kind is not a string'),
    ],
)
@pytest.mark.parametrize('any_case', [False, True], ids=['drop-in', 'main file'])
def test_any_other_document_is_refused(text: str, reason: str, any_case: bool) -> None:
    with pytest.raises(DecodingError, match=reason):
        check_identity(parse_document(text.encode()), any_case=any_case)


def test_names_count_in_any_case_in_the_main_file_only() -> None:
    text = 'APIVERSION: kubelet.config.k8s.io/v1beta1\nKind: KubeletConfiguration\n'
    check_identity(parse_document(text.encode()), any_case=True)
    with pytest.raises(DecodingError, match='apiVersion is missing'):
        check_identity(parse_document(text.encode()), any_case=False)


@pytest.mark.parametrize(
    'text',
    [
        'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: Kubelet\nKind: KubeletConfiguration\n',
        '{"apiVersion": "kubelet.config.k8s.io/v1beta1", "Kind": "KubeletConfiguration", "kind": "Kubelet"}',
    ],
    ids=['YAML in sorted order', 'JSON as it stands'],
)
def test_of_two_spellings_of_kind_the_last_one_counts(text: str) -> None:
    with pytest.raises(DecodingError, match='kind is not'):
        check_identity(parse_document(text.encode()), any_case=True)
