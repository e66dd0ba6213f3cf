# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Answers of /configz that people kept: every form in which they have them, and what is none."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest

from datadog_checks.kubelet_compliance.api.configz import parse_configz
from datadog_checks.kubelet_compliance.api.kept_configz import CannotUse, read_kept_answer
from datadog_checks.kubelet_compliance.cli import main
from tests.support.captured_nodes import lay_out_node
from tests.support.cases import TRUTH
from tests.system.test_reported_nodes import IPTABLES

WHOLE = (TRUTH / 'configz' / 'kubelet-1.36-iptables-flag-false.json').read_text()
INNER = json.dumps(json.loads(WHOLE)['kubeletconfig'])
YAML = ''.join(f'{name}: {json.dumps(value)}\n' for name, value in json.loads(INNER).items())
FORMS = {
    'whole': WHOLE.encode(),
    'inner': INNER.encode(),
    'byte order mark': codecs.BOM_UTF8 + WHOLE.encode(),
    'PowerShell': WHOLE.replace('\n', '\r\n').encode('utf-16'),
    'PowerShell, big endian': codecs.BOM_UTF16_BE + INNER.encode('utf-16-be'),
    'YAML': YAML.encode(),
    'whole as YAML': f'kubeletconfig: {INNER}\n'.encode(),
    'blank lines around': f'\n\n{WHOLE}\n\n'.encode(),
}


@pytest.mark.parametrize('form', FORMS)
def test_every_form_is_read_like_the_whole_answer(form: str) -> None:
    assert parse_configz(read_kept_answer(FORMS[form])).values == parse_configz(WHOLE.encode()).values


@pytest.mark.parametrize(
    'data, says',
    [
        (b'', 'it is empty'),
        (b' \n', 'it is empty'),
        (b'<html><body>401</body></html>', 'it holds HTML or XML'),
        (WHOLE[:-40].encode(), 'it is truncated, or neither JSON nor YAML'),
        (INNER[:500].encode(), 'it is truncated, or neither JSON nor YAML'),
        (b'\xff\x00\xfe', 'it is not text in UTF-8 or UTF-16'),
        (b'[]', 'it does not hold an object'),
        (b'null', 'it does not hold an object'),
        (b'{}', 'it does not hold the configuration of a kubelet'),
        (b'{"kubeletconfig": {}}', 'the response is not a kubelet configuration'),
        (b'{"kind": "Status", "code": 403}', 'it holds an error of the API server (kind: Status)'),
        (b'{"kind": "ConfigMap", "data": {}}', 'it holds an object of another kind (ConfigMap)'),
        (b'kind: KubeletConfiguration\nmakeIPTablesUtilChains: true\n', 'it holds a config file, without the defaults'),
    ],
)
def test_what_is_none_is_refused_by_saying_what_it_is(
    data: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CannotUse) as caught:
        read_kept_answer(data)
    assert str(caught.value).startswith(says)
    (tmp_path / 'kept.json').write_bytes(data)
    node = lay_out_node('configz-forms', tmp_path / 'node')
    assert main(['--node', str(node), '--configz', str(tmp_path / 'kept.json'), *IPTABLES]) == 2
    printed = capsys.readouterr()
    assert printed.out == '' and printed.err.startswith(f'kubelet-compliance: {tmp_path}/kept.json: {says}')
    (node / 'configz.json').write_bytes(data)
    assert main(['--node', str(node), *IPTABLES]) == 2


@pytest.mark.parametrize('name', ['whole.json', 'jq-inner-kind.json', 'utf8-bom.json', 'powershell-utf16.json'])
def test_each_form_that_was_reported_says_false(name: str, tmp_path: Path) -> None:
    node = lay_out_node('configz-forms', tmp_path)
    assert main(['--node', str(node), '--configz', str(node / name), *IPTABLES]) == 1
