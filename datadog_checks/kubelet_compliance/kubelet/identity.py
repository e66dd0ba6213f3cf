# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Is a document a KubeletConfiguration, as far as the kubelet checks that?"""

from __future__ import annotations

from .decoding import DecodingError, folded
from .formats.goyaml import Document

API_VERSION = 'kubelet.config.k8s.io/v1beta1'
KIND = 'KubeletConfiguration'


def check_identity(document: Document, *, any_case: bool) -> None:
    """Raise DecodingError unless the document declares itself a KubeletConfiguration of v1beta1.

    The kubelet first reads both names in any case, and the types must be right (apimachinery
    `SimpleMetaFactory.Interpret`). In the main file any case counts, in a drop-in only the exact case
    (`Unstructured.GroupVersionKind`).
    """
    api_version, kind = api_version_and_kind(document, any_case=any_case)
    for name, found, wanted in (('apiVersion', api_version, API_VERSION), ('kind', kind, KIND)):
        if not found:
            raise DecodingError(f'{name} is missing; expected {wanted}')
        if found != wanted:
            raise DecodingError(f'{name} is not {wanted}')


def check_some_identity(document: Document) -> None:
    """Raise DecodingError unless kubelets of 1.29 to 1.31 accept the drop-in: any kind will do, without apiVersion."""
    _, kind = api_version_and_kind(document, any_case=False)
    if not kind:
        raise DecodingError(f'kind is missing; expected {KIND}')


def api_version_and_kind(document: Document, *, any_case: bool) -> tuple[str, str]:
    """The apiVersion and kind of a document, '' if absent. Raises DecodingError for invalid ones."""
    if not isinstance(document.root.value, dict):
        raise DecodingError('not a mapping with apiVersion and kind')
    found = {'apiVersion': '', 'kind': ''}
    exact = dict(found)
    for key, last in document.root.value.items():
        name = next((name for name in found if folded(key) == folded(name)), '')
        for node in (*last.earlier, last) if name else ():
            if node.value is None:
                continue
            if not isinstance(node.value, str):
                raise DecodingError(f'{name} is not a string')
            found[name] = node.value
            if key == name:
                exact[name] = node.value
    if found['apiVersion'].count('/') > 1:
        raise DecodingError('apiVersion is invalid')
    return (found if any_case else exact)['apiVersion'], (found if any_case else exact)['kind']
