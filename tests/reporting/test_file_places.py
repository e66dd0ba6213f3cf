# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis.strategies import text

from datadog_checks.kubelet_compliance.model import (
    Finding,
    KubeletReport,
    Origin,
    Place,
    Process,
    Setting,
    Source,
    Unknown,
    Value,
    Verdict,
)
from datadog_checks.kubelet_compliance.reporting.file_places import (
    IN_FOLDER,
    ON_MACHINE,
    FileUri,
    decided_at,
    file_uri,
)
from datadog_checks.kubelet_compliance.rules.all_rules import RULES_BY_KEY
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS

BENCHMARK = BENCHMARKS['cis-1.24']
NOT_ASKED = Unknown('not asked')


@pytest.mark.parametrize(
    'path, folder, current, uri, base',
    [
        pytest.param('/etc/k.yaml', 'image', '/src', 'image/etc/k.yaml', IN_FOLDER, id='an image in the folder'),
        pytest.param('/etc/k.yaml', './a/../image/', '/src', 'image/etc/k.yaml', IN_FOLDER, id='named another way'),
        pytest.param('/etc/k.yaml', '/src/image', '/src', 'image/etc/k.yaml', IN_FOLDER, id='named from the root'),
        pytest.param('/etc/k.yaml', '.', '/src', 'etc/k.yaml', IN_FOLDER, id='the folder itself'),
        pytest.param('/etc/k.yaml', 'image', '/', 'image/etc/k.yaml', IN_FOLDER, id='in the root folder'),
        pytest.param('/etc/k.yaml', 'image', '', 'image/etc/k.yaml', IN_FOLDER, id='the folder is gone'),
        pytest.param('/etc/k.yaml', '/mnt', '/src', 'mnt/etc/k.yaml', ON_MACHINE, id='an image elsewhere'),
        pytest.param('/etc/k.yaml', '../image', '/src', 'image/etc/k.yaml', ON_MACHINE, id='beside the folder'),
        pytest.param('/etc/k.yaml', '/src-2', '/src', 'src-2/etc/k.yaml', ON_MACHINE, id='with a longer name'),
        pytest.param('/etc/k.yaml', '', '/etc', 'etc/k.yaml', ON_MACHINE, id='this machine'),
        pytest.param('k.yaml', '', '/src', 'k.yaml', ON_MACHINE, id='a relative path of the kubelet'),
        pytest.param('/a/../../../x', 'image', '/src', 'image/x', IN_FOLDER, id='a path does not leave the image'),
        pytest.param('//a//b/.', 'image', '/src', 'image/a/b', IN_FOLDER, id='a path with empty parts'),
        pytest.param('', 'image', '/src', 'image', IN_FOLDER, id='the image itself'),
        pytest.param('', '', '/src', '.', ON_MACHINE, id='no path'),
    ],
)
def test_a_file_is_named_from_the_folder_of_the_command_or_else_from_the_root(
    path: str, folder: str, current: str, uri: str, base: str
) -> None:
    assert file_uri(path, folder, current) == FileUri(uri, base)


@pytest.mark.parametrize(
    'name, uri',
    [
        ('a b', 'a%20b'),
        ('a\nb\x1b\0', 'a%0Ab%1B%00'),
        ('100%', '100%25'),
        ('%2e%2e', '%252e%252e'),
        ('a?b#c', 'a%3Fb%23c'),
        ('file:x', 'file%3Ax'),
        ('[a](b)\\"<>', '%5Ba%5D%28b%29%5C%22%3C%3E'),
        ('\u00e9\u4e2d', '%C3%A9%E4%B8%AD'),
        ('\udcff', '%FF'),
        ('\ud800', '%EF%BF%BD'),
    ],
)
def test_each_name_of_a_file_is_a_valid_uri(name: str, uri: str) -> None:
    found = file_uri(f'/{name}', '', '/').uri
    assert found == uri and found.isascii()
    if name != '\ud800':
        assert unquote_to_bytes(found) == name.encode('utf-8', 'surrogateescape')


RELATIVE_URI = re.compile("(?![^/]*:)(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+")
"""RFC 3986, `relative-ref` without a query and a fragment."""


@given(text(), text(), text(alphabet='/a. '))
def test_any_path_in_any_folder_is_a_relative_uri_that_leaves_nothing(path: str, folder: str, current: str) -> None:
    found = file_uri(path, folder, f'/{current}').uri
    assert RELATIVE_URI.fullmatch(found) and '..' not in found.split('/')


CONFIG, START = '/etc/k.yaml', '/lib/kubelet.service'
IN_FILE = Origin(Source.CONFIG_FILE, f'{CONFIG}:4', CONFIG, line=4)
IN_DROP_IN = Origin(Source.DROP_IN, '/d/1.conf:2', '/d/1.conf', line=2)
BY_FLAG = Origin(Source.FLAG, '--x=y in /e:3 (A)', '/e', '/e:3 (A)', 3)
SOME_FLAG = Origin(Source.FLAG, '--x=y')
DEFAULT = Origin(Source.DEFAULT, 'default')


def finding(key: str, verdict: Verdict, setting: Setting) -> Finding:
    return Finding(RULES_BY_KEY[key], verdict, '', setting, BENCHMARK)


def place_of(found: Finding, config_path: str = CONFIG) -> Place:
    report = KubeletReport(Process(1, 1, ()), (), config_path=config_path, start_path=START)
    return decided_at(found, report)


@pytest.mark.parametrize(
    'origin, config_path, place',
    [
        pytest.param(IN_FILE, CONFIG, Place(CONFIG, 4), id='the config file'),
        pytest.param(IN_DROP_IN, CONFIG, Place('/d/1.conf', 2), id='a drop-in'),
        pytest.param(BY_FLAG, CONFIG, Place('/e', 3), id='the environment file with the flag'),
        pytest.param(SOME_FLAG, CONFIG, Place(START, 0), id='a flag that is in no known file: what starts the kubelet'),
        pytest.param(DEFAULT, CONFIG, Place(CONFIG, 0), id='a default: where it would be set'),
        pytest.param(DEFAULT, '', Place(START, 0), id='a default without a config file'),
        pytest.param(None, CONFIG, Place(CONFIG, 0), id='only the running value is known'),
    ],
)
@pytest.mark.parametrize('verdict', Verdict)
def test_a_result_on_a_setting_is_at_the_file_that_sets_it(
    origin: Origin | None, config_path: str, place: Place, verdict: Verdict
) -> None:
    name, origins = 'makeIPTablesUtilChains', {'makeIPTablesUtilChains': origin} if origin is not None else {}
    setting = Setting(((name, False),), origin, NOT_ASKED, origins=origins)
    assert place_of(finding('make_iptables_util_chains', verdict, setting), config_path) == place


def test_of_several_fields_the_one_that_breaks_the_rule_decides() -> None:
    key, gate = 'rotate_kubelet_server_certificate', 'featureGates.RotateKubeletServerCertificate'
    given: dict[str, Value] = {gate: True, 'serverTLSBootstrap': False}
    values = tuple((name, given.get(name)) for name in RULES_BY_KEY[key].fields)
    setting = Setting(values, IN_FILE, NOT_ASKED, origins={gate: IN_FILE, 'serverTLSBootstrap': IN_DROP_IN})
    assert place_of(finding(key, Verdict.NON_COMPLIANT, setting)) == Place('/d/1.conf', 2)
    assert place_of(finding(key, Verdict.COMPLIANT, setting)) == Place(CONFIG, 4)


def test_a_result_that_is_unknown_is_at_the_file_of_the_settings() -> None:
    setting = Setting(Unknown('x'), None, NOT_ASKED)
    assert place_of(finding('make_iptables_util_chains', Verdict.UNKNOWN, setting)) == Place(CONFIG, 0)
    assert place_of(finding('service_file_permissions', Verdict.UNKNOWN, setting)) == Place(START, 0)


@pytest.mark.parametrize(
    'verdict, path', [(Verdict.NON_COMPLIANT, '/b'), (Verdict.EXEMPTED, '/b'), (Verdict.COMPLIANT, '/a')]
)
def test_a_result_on_files_is_at_the_first_file_that_decides(verdict: Verdict, path: str) -> None:
    modes: tuple[tuple[str, Value], ...] = (('/a', '600'), ('/b', '777' if path == '/b' else '600'))
    setting = Setting(modes, Origin(Source.DEFAULT, ''), NOT_ASKED)
    assert place_of(finding('service_file_permissions', verdict, setting)) == Place(path, 0)


def test_a_rule_on_files_that_are_not_in_use_is_at_the_file_of_the_settings() -> None:
    setting = Setting((), Origin(Source.DEFAULT, ''), NOT_ASKED)
    assert place_of(finding('azure_json_permissions', Verdict.COMPLIANT, setting)) == Place(CONFIG, 0)
