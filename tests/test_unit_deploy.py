# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a user applies: every file is read, and what one part names, another has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.kubelet_compliance import KubeletComplianceCheck, __version__
from datadog_checks.kubelet_compliance.config_models.instance import InstanceConfig
from datadog_checks.kubelet_compliance.names import Program

from .nodes import write_process

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / 'deploy'
README = (DEPLOY / 'README.md').read_text()
WHEEL = f'datadog_kubelet_compliance-{__version__}-py3-none-any.whl'
HOST_ROOT = '/host/kubelet'
ON_PYTHONPATH = '/etc/datadog-agent/kubelet-compliance'
CONFIG_MAP = 'kubelet-compliance'

# Where the Agent's own containers already have something, with any feature on.
TAKEN = ('/host/root', '/host/proc', '/host/sys', '/host/etc', '/host/usr', '/host/var', '/etc/datadog-agent', '/tmp')

LEVELS = {'level-0': [], 'level-1-host-root': ['/'], 'level-2-ptrace': []}
MOUNTS = {
    'aks': ['/etc/default', '/etc/kubernetes'],
    'etc-kubernetes': ['/etc/kubernetes'],
    'gke': ['/home/kubernetes'],
    'k0s': ['/run/k0s/kubelet'],
    'kubeadm': ['/etc/kubernetes', '/var/lib/kubelet'],
    'openshift': ['/etc/kubernetes', '/etc/openshift'],
    'rke2': ['/var/lib/rancher/rke2/agent/etc'],
}
ALL_LEVELS = {**LEVELS, **{f'mounts/{name}': paths for name, paths in MOUNTS.items()}}
HELM_WAYS: dict[str, list[str]] = {'image': ['image'], 'single file': [], 'wheel': ['wheel']}
OPERATOR_WAYS = ('image', 'single-file', 'wheel')


def read(path: str) -> dict[str, Any]:
    content = yaml.safe_load((DEPLOY / path).read_text())
    assert isinstance(content, dict)
    return content


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """As Helm merges values, and as a JSON merge patch does: lists are replaced."""
    merged = dict(one)
    for key, value in other.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def helm(level: str, way: str) -> dict[str, Any]:
    files = [level, *HELM_WAYS[way]]
    if (level, way) == ('level-1-host-root', 'wheel'):
        files.append('wheel-host-root')
    values: dict[str, Any] = {}
    for name in files:
        values = merge(values, read(f'helm/{name}.yaml'))
    return values


def node_agent(level: str, way: str) -> dict[str, Any]:
    merged = merge(read(f'operator/{level}.yaml'), read(f'operator/{way}.yaml'))
    found = merged['spec']['override']['nodeAgent']
    assert isinstance(found, dict)
    return found


def instance_of(confd: dict[str, str]) -> dict[str, Any]:
    [(name, text)] = confd.items()
    assert name == 'kubelet_compliance.yaml' and '{{' not in text
    config = yaml.safe_load(text)
    assert config['init_config'] is None
    [instance] = config['instances']
    assert isinstance(instance, dict)
    return instance


def helm_instance(level: str) -> dict[str, Any]:
    return instance_of(read(f'helm/{level}.yaml')['datadog']['confd'])


def check_mounts(volumes: list[dict[str, Any]], mounts: list[dict[str, Any]], paths: list[str], root: Any) -> None:
    """The paths of the node that are mounted, read-only, and that `host_root` leads to them."""
    sources = {volume['name']: volume['hostPath'] for volume in volumes if 'hostPath' in volume}
    assert len({volume['name'] for volume in volumes}) == len(volumes)
    assert [sources[mount['name']]['path'] for mount in mounts] == paths
    assert len(sources) == len(paths)
    assert root == (HOST_ROOT if paths else None)
    for mount in mounts:
        source = sources[mount['name']]
        assert re.fullmatch(r'[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?', mount['name'])
        assert mount['readOnly'] is True and mount['recursiveReadOnly'] == 'IfPossible'
        assert 'mountPropagation' not in mount
        assert mount['mountPath'] == (HOST_ROOT + source['path']).rstrip('/')
        assert not mount['mountPath'].startswith(TAKEN)
        assert source.get('type') == (None if source['path'] == '/' else 'Directory')


def check_security_context(level: str, context: dict[str, Any] | None) -> None:
    if level != 'level-2-ptrace':
        assert context is None
        return
    assert context == {
        'readOnlyRootFilesystem': True,
        'capabilities': {'add': ['SYS_PTRACE']},
        'appArmorProfile': {'type': 'Unconfined'},
    }


def yaml_files() -> list[str]:
    return sorted(str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob('*.yaml'))


@pytest.mark.parametrize('name', yaml_files())
def test_each_file_is_known_and_read(name: str) -> None:
    ways = {f'operator/{way}.yaml' for way in OPERATOR_WAYS}
    known = {f'helm/{level}.yaml' for level in ALL_LEVELS} | {f'operator/{level}.yaml' for level in LEVELS} | ways
    known |= {f'helm/{way}.yaml' for way in ('image', 'wheel', 'wheel-host-root', 'fine-grained')}
    known |= {'operator/fine-grained.yaml', 'operator/kustomization.yaml', 'rbac/configz.yaml', 'rbac/proxy.yaml'}
    assert name in known
    text = (DEPLOY / name).read_text()
    assert list(yaml.safe_load_all(text))
    assert '{{' not in text and '\t' not in text and max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize('level', ALL_LEVELS)
def test_the_instance_is_one_that_the_check_takes(level: str, tmp_path: Path) -> None:
    instance = helm_instance(level)
    assert set(instance) <= set(InstanceConfig.model_fields)
    assert instance['min_collection_interval'] == 60
    write_process(tmp_path / 'proc', 1000, ('/usr/bin/kubelet',))
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{**instance, 'procfs_path': str(tmp_path / 'proc')}])
    assert check.run() == ''


@pytest.mark.parametrize('level', LEVELS)
def test_helm_and_the_operator_configure_the_same(level: str) -> None:
    nodes = read(f'operator/{level}.yaml')['spec']['override']['nodeAgent']
    assert instance_of(nodes['extraConfd']['configDataMap']) == helm_instance(level)
    assert nodes['hostPID'] is read(f'helm/{level}.yaml')['datadog']['useHostPID'] is True


# With the wheel and a narrower mount, the user writes the list of volumes: see README.md.
HELM_PAIRS = [(level, way) for level, way in product(ALL_LEVELS, HELM_WAYS) if level in LEVELS or way != 'wheel']


@pytest.mark.parametrize('level, way', HELM_PAIRS)
def test_helm_mounts_and_rights(level: str, way: str) -> None:
    values = helm(level, way)
    agents = values.get('agents', {})
    check_mounts(
        agents.get('volumes', []),
        agents.get('volumeMounts', []),
        ALL_LEVELS[level],
        instance_of(values['datadog']['confd']).get('host_root'),
    )
    check_security_context(level, agents.get('containers', {}).get('agent', {}).get('securityContext'))
    assert set(values['datadog']) == {'confd', 'useHostPID'}


@pytest.mark.parametrize('level, way', product(LEVELS, OPERATOR_WAYS))
def test_operator_mounts_and_rights(level: str, way: str) -> None:
    nodes = node_agent(level, way)
    agent = nodes.get('containers', {}).get('agent', {})
    check_mounts(
        nodes.get('volumes', []),
        agent.get('volumeMounts', []),
        LEVELS[level],
        instance_of(nodes['extraConfd']['configDataMap']).get('host_root'),
    )
    check_security_context(level, agent.get('securityContext'))
    assert set(nodes.get('containers', {})) <= {'agent', 'init-config'}


@pytest.mark.parametrize('name', ['kustomization', *LEVELS, *OPERATOR_WAYS, 'fine-grained'])
def test_operator_files_are_of_one_resource(name: str) -> None:
    resource = read(f'operator/{name}.yaml')
    if name == 'kustomization':
        files = [*resource['resources'], *(patch['path'] for patch in resource['patches'])]
        assert files == ['level-0.yaml', 'image.yaml']
        named = re.findall(r'[\w-]+\.yaml', (DEPLOY / 'operator' / 'kustomization.yaml').read_text())
        assert sorted(named) == sorted(f'{each}.yaml' for each in (*LEVELS, *OPERATOR_WAYS, 'fine-grained'))
        return
    assert (resource['apiVersion'], resource['kind']) == ('datadoghq.com/v2alpha1', 'DatadogAgent')
    assert (resource['metadata']['name'], resource['metadata']['namespace']) == ('datadog', 'datadog')


def test_helm_wheel() -> None:
    """The init container's mounts are those of the ConfigMap, and the Agent looks where the script unpacks."""
    agents = helm('level-1-host-root', 'wheel')['agents']
    config_maps = {each['name']: each['configMap']['name'] for each in agents['volumes'] if 'configMap' in each}
    assert config_maps == {'kubelet-compliance': CONFIG_MAP}
    folder, script = agents['containers']['initContainers']['volumeMounts']
    assert all(mount['name'] in config_maps and mount['readOnly'] is True for mount in (folder, script))
    assert f'"${{1:-{folder["mountPath"]}}}"' in (DEPLOY / 'unpack.sh').read_text()
    assert (DEPLOY / script['subPath']).is_file()
    assert re.fullmatch(r'/etc/cont-init\.d/\d\d-[\w-]+\.sh', script['mountPath'])
    assert agents['containers']['agent']['envDict'] == {'PYTHONPATH': ON_PYTHONPATH}
    assert [volume['name'] for volume in read('helm/wheel-host-root.yaml')['agents']['volumes']] == [
        read(f'helm/{name}.yaml')['agents']['volumes'][0]['name'] for name in ('level-1-host-root', 'wheel')
    ]


def test_operator_wheel() -> None:
    nodes = node_agent('level-1-host-root', 'wheel')
    assert nodes['extraChecksd'] == {'configMap': {'name': CONFIG_MAP}}
    [command] = nodes['containers']['init-config']['args']
    assert command.endswith('; bash /checks.d/unpack.sh /checks.d') and '\n' not in command
    assert nodes['containers']['agent']['env'] == [{'name': 'PYTHONPATH', 'value': ON_PYTHONPATH}]


def test_operator_single_file_is_in_a_config_map() -> None:
    assert node_agent('level-0', 'single-file')['extraChecksd'] == {'configMap': {'name': CONFIG_MAP}}
    assert f'kubectl create configmap {CONFIG_MAP} -n datadog --from-file=build/kubelet_compliance.py' in README


@pytest.mark.parametrize('name, resource', [('configz', 'nodes/configz'), ('proxy', 'nodes/proxy')])
def test_rights(name: str, resource: str) -> None:
    role, binding = yaml.safe_load_all((DEPLOY / 'rbac' / f'{name}.yaml').read_text())
    assert role['rules'] == [{'apiGroups': [''], 'resources': [resource, 'nodes/metrics'], 'verbs': ['get']}]
    assert (role['kind'], binding['kind']) == ('ClusterRole', 'ClusterRoleBinding')
    assert role['apiVersion'] == binding['apiVersion'] == 'rbac.authorization.k8s.io/v1'
    assert binding['roleRef'] == {
        'apiGroup': 'rbac.authorization.k8s.io',
        'kind': 'ClusterRole',
        'name': role['metadata']['name'],
    }
    assert binding['subjects'] == [{'kind': 'ServiceAccount', 'name': 'datadog', 'namespace': 'datadog'}]


def test_the_check_asks_for_these_rights() -> None:
    """The remedy that the check gives names the same resources."""
    text = (ROOT / 'datadog_checks' / 'kubelet_compliance' / 'failures.py').read_text()
    assert set(re.findall(r"'(nodes/[a-z]+)'", text)) == {'nodes/configz', 'nodes/proxy', 'nodes/metrics'}


def test_fine_grained_authorization() -> None:
    assert read('helm/fine-grained.yaml') == {'datadog': {'kubelet': {'fineGrainedAuthorization': True}}}
    annotations = read('operator/fine-grained.yaml')['metadata']['annotations']
    assert annotations == {'agent.datadoghq.com/fine-grained-kubelet-authorization-enabled': 'true'}


def test_the_image_installs_the_wheel() -> None:
    lines = (DEPLOY / 'Dockerfile').read_text().replace('\\\n', ' ').splitlines()
    steps = [' '.join(line.split()) for line in lines if line and not line.startswith('#')]
    [agent] = [step.partition('=')[2] for step in steps if step.startswith('ARG AGENT=')]
    assert steps[1:] == [
        'FROM ${AGENT}',
        f'COPY dist/{WHEEL} /tmp/',
        f'RUN agent integration install -r -w /tmp/{WHEEL} && rm /tmp/{WHEEL}',
    ]
    tag = f'{agent.rpartition(":")[2]}-kubelet-compliance-{__version__}'
    image = read('helm/image.yaml')['agents']['image']
    named = read('operator/image.yaml')['spec']['override']['nodeAgent']['image']['name']
    assert f'{image["repository"]}:{image["tag"]}' == named == f'registry.example.com/datadog-agent:{tag}'
    assert image['doNotCheckTag'] is True


def test_the_readme_names_what_is_there() -> None:
    for name in re.findall(r'`((?:helm|operator|rbac)/[\w/-]+\.yaml)`', README):
        assert (DEPLOY / name).is_file(), name
    for name in re.findall(r'deploy/[\w/-]+\.(?:yaml|sh)', README):
        assert (ROOT / name).is_file(), name
    assert set(re.findall(r'datadog_kubelet_compliance-\S+?\.whl', README)) == {WHEEL}
    tags = re.findall(r'registry\.example\.com/(\S+)', README)
    assert {f'registry.example.com/{tag}' for tag in tags} == {
        read('operator/image.yaml')['spec']['override']['nodeAgent']['image']['name']
    }
    targets = set(re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    assert set(re.findall(r'^make ([\w-]+)|`make ([\w-]+)`', README, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ''), ('', target))
    }


def test_the_readme_lists_the_narrower_mounts() -> None:
    rows = re.findall(r'^\| `([\w-]+)\.yaml` \|[^|]*\| ([^|]*) \|$', README, re.MULTILINE)
    assert {name: re.findall('`([^`]+)`', paths) for name, paths in rows} == MOUNTS
    assert {path.stem for path in (DEPLOY / 'helm' / 'mounts').iterdir()} == set(MOUNTS)


@pytest.fixture(scope='module')
def config_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the ConfigMap of the wheel becomes."""
    folder = tmp_path_factory.mktemp('config_map')
    command = [sys.executable, '-m', 'hatchling', 'build', '-t', 'wheel', '-d', folder]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert [path.name for path in folder.iterdir()] == [WHEEL]
    (folder / 'unpack.sh').write_bytes((DEPLOY / 'unpack.sh').read_bytes())
    return folder


def test_the_unpacked_wheel_is_found_beside_the_base(config_map: Path, tmp_path: Path) -> None:
    """`datadog_checks` is installed as a package that looks for more of itself on `sys.path`."""
    unpacked = tmp_path / 'unpacked'
    script = (config_map / 'unpack.sh').read_text()
    for theirs, ours in ((ON_PYTHONPATH, str(unpacked)), ('/opt/datadog-agent/embedded/bin/python3', sys.executable)):
        assert script.count(theirs) == 1
        script = script.replace(theirs, ours)
    for _ in range(2):  # the container may start again
        subprocess.run(['bash', '-c', script, 'unpack.sh', config_map], check=True)
    # The Agent has no copy of ours; here the checkout is installed.
    program = f"""
import sys
sys.path[:] = [each for each in sys.path if each != {str(ROOT)!r}]
import datadog_checks.base
import datadog_checks.kubelet_compliance as kubelet_compliance
print(kubelet_compliance.__file__)
print(kubelet_compliance.__version__)
print(datadog_checks.base.__file__)
print(repr(kubelet_compliance.KubeletComplianceCheck('kubelet_compliance', {{}}, [{{'benchmark': 'cis-1.12'}}]).run()))
"""
    run = subprocess.run(
        [sys.executable, '-c', program],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(unpacked)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    ours, version, base, error = run.stdout.splitlines()
    assert ours == str(unpacked / 'datadog_checks' / 'kubelet_compliance' / '__init__.py')
    assert version == __version__
    assert not base.startswith(str(unpacked)) and Path(base).is_file()
    assert error == "''"


def test_a_config_map_holds_the_wheel(config_map: Path) -> None:
    # In a ConfigMap it is written in base64.
    assert sum(path.stat().st_size for path in config_map.iterdir()) * 4 / 3 < 1024 * 1024


@pytest.mark.parametrize('program', Program)
def test_of_each_program_that_holds_a_kubelet_it_is_said_what_shows_a_rule_to_be_met(program: Program) -> None:
    (line,) = [line for line in README.splitlines() if line.startswith('* **') and program in line.split('**')[1]]
    assert 'is read from' in line and 'not found' not in line
