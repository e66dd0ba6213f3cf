# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The package around the code: what ddev does not check."""

from __future__ import annotations

import ast
import csv
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.same_for_every_user

MANIFEST: dict[str, Any] = json.loads((ROOT / 'manifest.json').read_text())
PACKAGED_EXAMPLE = 'datadog_checks/kubelet_compliance/data/conf.yaml.example'

# Dotted key -> type, as the reviewers of integrations ask for them.
MANIFEST_KEYS = {
    'manifest_version': str,
    'app_uuid': str,
    'app_id': str,
    'owner': str,
    'display_on_public_website': bool,
    'tile.overview': str,
    'tile.configuration': str,
    'tile.support': str,
    'tile.changelog': str,
    'tile.description': str,
    'tile.title': str,
    'tile.media': list,
    'tile.classifier_tags': list,
    'assets.integration.auto_install': bool,
    'assets.integration.source_type_id': int,
    'assets.integration.source_type_name': str,
    'assets.integration.configuration.spec': str,
    'assets.integration.events.creates_events': bool,
    'assets.integration.metrics.prefix': str,
    'assets.integration.metrics.check': str,
    'assets.integration.metrics.metadata_path': str,
    'assets.integration.service_checks.metadata_path': str,
    'assets.dashboards': dict,
    'assets.monitors': dict,
    'author.support_email': str,
    'author.name': str,
    'author.homepage': str,
    'author.sales_email': str,
}


def manifest_value(key: str) -> Any:
    value: Any = MANIFEST
    for part in key.split('.'):
        value = value[part]
    return value


def manifest_files() -> list[str]:
    """Every file that the manifest names; those of the tile with the heading they point at."""
    named = ['tile.overview', 'tile.configuration', 'tile.support', 'tile.changelog']
    named += [key for key in MANIFEST_KEYS if key.endswith(('.spec', '.metadata_path'))]
    files = [manifest_value(key) for key in named]
    files += [medium['image_url'] for medium in MANIFEST['tile']['media']]
    return [*files, *MANIFEST['assets']['dashboards'].values(), *MANIFEST['assets']['monitors'].values()]


@pytest.fixture(scope='module')
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the unpacked sdist, both built here, without the network."""
    folder = tmp_path_factory.mktemp('built')
    subprocess.run([sys.executable, '-m', 'hatchling', 'build', '-d', folder], cwd=ROOT, check=True)
    [sdist] = folder.glob('*.tar.gz')
    with tarfile.open(sdist) as archive:
        # Python before 3.11.4 knows no filter as an argument.
        archive.extraction_filter = getattr(tarfile, 'data_filter', None)
        archive.extractall(folder / 'sdist')
    return folder


@pytest.fixture(scope='module')
def sdist(built: Path) -> Path:
    [top] = (built / 'sdist').iterdir()
    return top


@pytest.fixture(scope='module')
def wheel(built: Path) -> dict[str, bytes]:
    """Name -> content of every file in the wheel."""
    [path] = built.glob('*.whl')
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize('key, expected', MANIFEST_KEYS.items())
def test_manifest_has_key(key: str, expected: type) -> None:
    assert type(manifest_value(key)) is expected


def test_manifest_values() -> None:
    assert MANIFEST['manifest_version'] == '2.0.0'
    assert MANIFEST['app_id'] == 'kubelet-compliance'
    assert MANIFEST['assets']['integration']['metrics']['prefix'] == 'kubelet_compliance.'
    assert len(MANIFEST['tile']['description']) <= 80


@pytest.mark.parametrize('named', manifest_files())
def test_file_named_in_the_manifest_exists(named: str) -> None:
    path, _, heading = named.partition('#')
    assert (ROOT / path).is_file()
    assert not heading or re.search(rf'^## {heading}$', (ROOT / path).read_text(), re.MULTILINE)


def test_metrics_are_those_of_the_contract() -> None:
    with (ROOT / 'metadata.csv').open() as file:
        metrics = [row['metric_name'] for row in csv.DictReader(file)]
    assert metrics == [
        'kubelet_compliance.kubelet.found',
        'kubelet_compliance.kubelet.restart_pending',
        'kubelet_compliance.node.compliant',
        'kubelet_compliance.rule.compliant',
        'kubelet_compliance.rules',
        'kubelet_compliance.upgrade.blocked',
    ]
    assert MANIFEST['assets']['integration']['metrics']['check'] in metrics


def test_service_checks_are_those_of_the_contract() -> None:
    service_checks = json.loads((ROOT / 'assets' / 'service_checks.json').read_text())
    assert {each['check']: each['groups'] for each in service_checks} == {
        'kubelet_compliance.rule': ['host', 'rule'],
        'kubelet_compliance.kubelet': ['host'],
        'kubelet_compliance.upgrade': ['host', 'target_version'],
    }
    for each in service_checks:
        assert each['statuses'] == ['ok', 'warning', 'critical', 'unknown']
        assert all(f'`{status.upper()}`' in each['description'] for status in each['statuses'])


def test_http_templates_are_there_where_the_check_uses_http() -> None:
    spec = (ROOT / 'assets' / 'configuration' / 'spec.yaml').read_text()
    modules = (ROOT / 'datadog_checks' / 'kubelet_compliance').rglob('*.py')
    uses_http = any('self.http' in path.read_text() for path in modules)
    assert uses_http == ('init_config/http' in spec) == ('instances/http' in spec)


def test_every_asset_is_named_in_the_manifest() -> None:
    unnamed = {'assets/dataflows.yaml'}
    assets = {str(path.relative_to(ROOT)) for path in (ROOT / 'assets').rglob('*') if path.is_file()}
    assert assets - unnamed <= set(manifest_files())


def is_generated(module: Path) -> bool:
    """The config models, which have no header in integrations-extras. Only `validators` is written by hand."""
    return module.parent.name == 'config_models' and module.name != 'validators.py'


@pytest.mark.parametrize('folder', ['datadog_checks', 'tests', 'tools'])
def test_every_module_has_the_license_header(folder: str) -> None:
    header = re.compile(r'# \(C\) Datadog, Inc\. \d{4}-present\n# All rights reserved\n# Licensed under a 3-clause BSD')
    modules = [path for path in (ROOT / folder).rglob('*.py') if not is_generated(path)]
    assert modules and [path.name for path in modules if not header.match(path.read_text())] == []


def test_example_configuration_is_the_packaged_one() -> None:
    assert (ROOT / 'conf.yaml.example').readlink() == Path(PACKAGED_EXAMPLE)


def test_example_configuration_is_the_packaged_one_in_the_sdist(sdist: Path) -> None:
    packaged = (ROOT / PACKAGED_EXAMPLE).read_bytes()
    assert (sdist / 'conf.yaml.example').read_bytes() == packaged
    assert (sdist / PACKAGED_EXAMPLE).read_bytes() == packaged


def test_sdist_holds_what_the_tests_need(sdist: Path) -> None:
    for name in ('LICENSE', 'README.md', 'Makefile', 'pyproject.toml', 'manifest.json', 'requirements/dev.txt'):
        assert (sdist / name).is_file()
    assert (sdist / Path(__file__).relative_to(ROOT)).is_file()


def test_sdist_holds_what_the_readme_links_to(sdist: Path) -> None:
    targets = re.findall(r'/blob/master/kubelet_compliance/([^\s#]+)', (sdist / 'README.md').read_text())
    assert targets and [target for target in targets if not (sdist / target).exists()] == []


def test_wheel_holds_the_package_and_nothing_else(wheel: dict[str, bytes]) -> None:
    package = ROOT / 'datadog_checks' / 'kubelet_compliance'
    ours = {str(path.relative_to(ROOT)) for path in package.rglob('*') if path.is_file() and path.suffix != '.pyc'}
    assert PACKAGED_EXAMPLE in ours
    assert {name for name in wheel if '.dist-info/' not in name} == ours


def test_wheel_needs_only_the_base_package_and_what_the_agent_includes(wheel: dict[str, bytes]) -> None:
    [metadata] = [content for name, content in wheel.items() if name.endswith('.dist-info/METADATA')]
    needed = message_from_bytes(metadata).get_all('Requires-Dist')
    assert needed == ['datadog-checks-base>=37.0.0', "psutil==7.2.2; extra == 'deps'"]


def test_wheel_has_the_terminal_command(wheel: dict[str, bytes]) -> None:
    [entries] = [content.decode() for name, content in wheel.items() if name.endswith('entry_points.txt')]
    assert 'kubelet-compliance = datadog_checks.kubelet_compliance.cli:main' in entries


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python 3.11.2 leaves such a match where its last repetition failed. `patterns.repeated` is fine."""
    modules = {path: path.read_text() for path in (ROOT / 'datadog_checks' / 'kubelet_compliance').rglob('*.py')}
    assert len(modules) > 50
    # An atomic group alone remembers each repetition.
    assert [path.name for path, text in modules.items() if '(?>' in text] == ['patterns.py']
    assert [path.name for path, text in modules.items() if re.search(r'\)(?:[*+?]|\{[0-9,]+\})\+', text)] == []


# What ddev installs for the tests of an integration, with one of its extras.
DDEV_INSTALLS = {'datadog-checks-base': 'deps', 'datadog-checks-dev': None}
# `make fuzz` alone needs it, and installs it.
NOT_FOR_TESTS = {'atheris'}


def distributions_of_ddev_test() -> set[str]:
    """The distributions that `ddev test` installs: those of hatch.toml, and ddev's own with what they require."""
    environment = tomllib.loads((ROOT / 'hatch.toml').read_text())['envs']['default']
    known = {requirement.partition('==')[0] for requirement in environment['dependencies']} | set(DDEV_INSTALLS)
    for name, extra in DDEV_INSTALLS.items():
        for requirement in requires(name) or []:
            if 'extra ==' not in requirement or f"extra == '{extra}'" in requirement:
                known.add(re.split(r'[^A-Za-z0-9._-]', requirement)[0].lower())
    return known


def imported_modules(folders: tuple[str, ...]) -> set[str]:
    """The first name of each module that the files in these folders import."""
    modules = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob('*.py')):
        for statement in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(statement, ast.Import):
                modules |= {alias.name.partition('.')[0] for alias in statement.names}
            elif isinstance(statement, ast.ImportFrom) and not statement.level:
                modules.add(str(statement.module).partition('.')[0])
    return modules


def test_ddev_test_installs_what_the_tests_import() -> None:
    owners = packages_distributions()
    known = distributions_of_ddev_test()
    imported = imported_modules(('tests', 'tools', 'benchmarks')) - NOT_FOR_TESTS
    foreign = {module: {name.lower() for name in owners[module]} for module in imported if module in owners}
    assert {'pytest', 'hypothesis', 'datadog_api_client'} <= set(foreign)
    assert {module for module, names in foreign.items() if not names & known} == set()


def test_ddev_test_and_make_test_have_the_same_versions() -> None:
    pinned = set((ROOT / 'requirements' / 'dev.in').read_text().splitlines())
    environment = tomllib.loads((ROOT / 'hatch.toml').read_text())['envs']['default']
    assert set(environment['dependencies']) <= pinned
