# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a user applies: every file is read, and what one part names, another has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.kubelet_compliance import KubeletComplianceCheck, __version__
from datadog_checks.kubelet_compliance.config_models.instance import InstanceConfig
from datadog_checks.kubelet_compliance.kubelet.tables.programs import PROGRAMS, Program
from datadog_checks.kubelet_compliance.rules.benchmarks import BENCHMARKS, DEFAULT_BENCHMARK
from datadog_checks.kubelet_compliance.rules.file_rules import FILE_RULES
from tests.support.kubelet_server import make_certificates, serve
from tests.support.nodes import write_process
from tests.support.paths import ROOT

DEPLOY = ROOT / 'deploy'
README = (DEPLOY / 'README.md').read_text()
ACCESS = (ROOT / 'docs' / 'access.md').read_text()
PAGES = {'deploy/README.md': README, 'docs/access.md': ACCESS}
WHEEL = f'datadog_kubelet_compliance-{__version__}-py3-none-any.whl'
HOST_ROOT = '/host/kubelet'
ON_PYTHONPATH = '/etc/datadog-agent/kubelet-compliance'
CONFIG_MAP = 'kubelet-compliance'
CERTIFICATES_HEADING = "## Find the file for your kubelets' certificate"

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
UNVERIFIED = {'level-0': 'level-0', 'level-1': 'level-1-host-root'}  # at level 2 the check sees who answers
CERTIFICATES = {  # where the Agent finds what it trusts, and whether it asks by the node's name
    'node-name': ('/var/lib/kubelet/pki/kubelet.crt', True),
    'aks': ('/etc/kubernetes/certs/kubeletserver.crt', True),
    'microshift': ('/var/lib/microshift/certs/ca-bundle/kubelet-serving-ca.crt', False),
}
AGENT = '7.81.1'
REPOSITORY = f'registry.example.com/datadog-agent-kubelet-compliance-{__version__}'


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
    """Level 2 names user 0: Kubernetes gives an added capability to no other user."""
    if level != 'level-2-ptrace':
        assert context is None
        return
    assert context == {
        'runAsUser': 0,
        'runAsNonRoot': False,
        'readOnlyRootFilesystem': True,
        'capabilities': {'add': ['SYS_PTRACE']},
        'appArmorProfile': {'type': 'Unconfined'},
    }


def yaml_files() -> list[str]:
    return sorted(str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob('*.yaml'))


def text_of(path: str) -> str:
    return (DEPLOY / path).read_text()


def iter_mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from iter_mappings(each)


@pytest.mark.parametrize('name', yaml_files())
def test_each_file_is_known_and_read(name: str) -> None:
    ways = {f'operator/{way}.yaml' for way in OPERATOR_WAYS}
    known = {f'helm/{level}.yaml' for level in ALL_LEVELS} | {f'operator/{level}.yaml' for level in LEVELS} | ways
    known |= {f'helm/{way}.yaml' for way in ('image', 'wheel', 'wheel-host-root', 'fine-grained')}
    known |= {f'{tool}/unverified/{level}.yaml' for tool in ('helm', 'operator') for level in UNVERIFIED}
    known |= {f'{tool}/certificate/{kind}.yaml' for tool in ('helm', 'operator') for kind in CERTIFICATES}
    known |= {'operator/fine-grained.yaml', 'operator/kustomization.yaml', 'rbac/configz.yaml', 'rbac/proxy.yaml'}
    assert name in known
    text = (DEPLOY / name).read_text()
    assert list(yaml.safe_load_all(text))
    assert '{{' not in text and '\t' not in text and max(map(len, text.splitlines())) <= 120


INSTANCES = [*ALL_LEVELS, *(f'unverified/{name}' for name in UNVERIFIED)]


@pytest.mark.parametrize('level', INSTANCES)
def test_the_instance_is_one_that_the_check_takes(level: str, tmp_path: Path) -> None:
    instance = helm_instance(level)
    assert set(instance) <= set(InstanceConfig.model_fields)
    assert instance['min_collection_interval'] == 60
    write_process(tmp_path / 'proc', 1000, ('/usr/bin/kubelet',))
    check = KubeletComplianceCheck('kubelet_compliance', {}, [{**instance, 'procfs_path': str(tmp_path / 'proc')}])
    assert check.run() == ''


@pytest.mark.parametrize('level', ALL_LEVELS)
def test_only_the_level_without_files_leaves_out_the_rules_on_files(level: str) -> None:
    assert helm_instance(level).get('rules') == (['settings'] if level == 'level-0' else None)


def test_the_page_says_how_many_rules_the_level_without_files_leaves_out() -> None:
    benchmark = BENCHMARKS[DEFAULT_BENCHMARK]
    files = {rule.key for rule in FILE_RULES} & set(benchmark.controls)
    assert f'({len(files)} of the {len(benchmark.controls)} rules of `{DEFAULT_BENCHMARK}`)' in ACCESS


@pytest.mark.parametrize('name, level', UNVERIFIED.items())
def test_trust_in_an_unverified_answer_is_all_that_is_added_to_a_level(name: str, level: str) -> None:
    """The risk stands in the file, in one sentence."""
    values = read(f'helm/unverified/{name}.yaml')
    resource = read(f'operator/unverified/{name}.yaml')['spec']
    for path in (f'helm/unverified/{name}.yaml', f'operator/unverified/{name}.yaml'):
        assert re.search(
            r'^# The risk: a pod that listens on the kubelet.s port in its place', text_of(path), re.MULTILINE
        )
    assert set(values) == {'datadog'} and set(values['datadog']) == {'kubelet', 'confd'}
    assert set(resource['override']['nodeAgent']) == {'extraConfd'}
    assert values['datadog']['kubelet'] == resource['global']['kubelet'] == {'tlsVerify': False}
    instance = instance_of(values['datadog']['confd'])
    assert instance == {**helm_instance(level), 'trust_unverified_configz': True}
    assert instance_of(resource['override']['nodeAgent']['extraConfd']['configDataMap']) == instance


def test_no_other_file_trusts_an_unverified_answer() -> None:
    trusting = {name for name in yaml_files() if 'trust_unverified_configz' in text_of(name)}
    assert trusting == {f'{tool}/unverified/{level}.yaml' for tool in ('helm', 'operator') for level in UNVERIFIED}


@pytest.mark.parametrize('kind, ca, by_name', [(kind, *what) for kind, what in CERTIFICATES.items()])
def test_helm_and_the_operator_verify_the_same_certificate(kind: str, ca: str, by_name: bool) -> None:
    node = {'fieldRef': {'fieldPath': 'spec.nodeName'}}
    assert read(f'helm/certificate/{kind}.yaml') == {
        'datadog': {'kubelet': {'hostCAPath': ca, **({'host': {'valueFrom': node}} if by_name else {})}}
    }
    resource = read(f'operator/certificate/{kind}.yaml')
    assert resource['spec'] == {'global': {'kubelet': {'hostCAPath': ca, **({'host': node} if by_name else {})}}}
    assert f'`certificate/{kind}.yaml`' in README.partition(CERTIFICATES_HEADING)[2].partition('\n## ')[0]


@pytest.mark.parametrize('level', LEVELS)
def test_helm_and_the_operator_configure_the_same(level: str) -> None:
    nodes = read(f'operator/{level}.yaml')['spec']['override']['nodeAgent']
    assert instance_of(nodes['extraConfd']['configDataMap']) == helm_instance(level)
    assert nodes['hostPID'] is read(f'helm/{level}.yaml')['datadog']['useHostPID'] is True


# With the wheel and a narrower mount, the user writes the list of volumes: see deploy/README.md.
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


OPERATOR_FILES = sorted(str(path.relative_to(DEPLOY / 'operator')) for path in (DEPLOY / 'operator').rglob('*.yaml'))
OPERATOR_FILES.remove('kustomization.yaml')


def test_kustomization_names_every_file_and_needs_no_edit() -> None:
    kustomization = read('operator/kustomization.yaml')
    files = [*kustomization['resources'], *(patch['path'] for patch in kustomization['patches'])]
    assert files == ['level-0.yaml', 'single-file.yaml']
    assert sorted(re.findall(r'[\w/-]+\.yaml', text_of('operator/kustomization.yaml'))) == OPERATOR_FILES


@pytest.mark.parametrize('name', OPERATOR_FILES)
def test_operator_files_are_of_one_resource(name: str) -> None:
    resource = read(f'operator/{name}')
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
    text = (ROOT / 'datadog_checks' / 'kubelet_compliance' / 'api' / 'failures.py').read_text()
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
    assert agent.rpartition(':')[2] == AGENT


def test_the_images_tag_is_the_agents_and_only_its_repository_is_ours() -> None:
    """Helm and the Operator read the Agent's version from the tag, and set up its other containers by it."""
    assert read('helm/image.yaml') == {'agents': {'image': {'repository': REPOSITORY, 'tag': AGENT}}}
    image = read('operator/image.yaml')['spec']['override']['nodeAgent']['image']
    assert image == {'name': f'{REPOSITORY}:{AGENT}'}
    for text in (*PAGES.values(), text_of('Dockerfile')):
        assert set(re.findall(r'registry\.example\.com/\S+', text)) <= {f'{REPOSITORY}:{AGENT}'}
    assert not [name for name in yaml_files() if 'doNotCheckTag' in text_of(name)]


@pytest.mark.parametrize('name', yaml_files())
def test_no_mount_has_what_kubernetes_refuses_together(name: str) -> None:
    for document in yaml.safe_load_all(text_of(name)):
        for mapping in iter_mappings(document):
            assert not {'recursiveReadOnly', 'mountPropagation'} <= set(mapping)


@pytest.mark.parametrize('page', [*PAGES, 'README.md'])
def test_where_a_page_names_one_of_both_for_another_it_says_so(page: str) -> None:
    for line in (ROOT / page).read_text().splitlines():
        if 'HostToContainer' in line:
            assert re.search('in place of `?recursiveReadOnly', line), line


def test_no_narrower_mount_holds_the_socket_of_the_container_runtime() -> None:
    for path in (path for paths in MOUNTS.values() for path in paths):
        assert not any(f'{socket}/'.startswith(f'{path}/') for socket in ('/run/containerd', '/var/run', '/run/crio'))


def test_the_readme_names_what_is_there() -> None:
    for name in re.findall(r'`((?:helm|operator|rbac)/[\w/-]+\.yaml)`', README):
        assert (DEPLOY / name).is_file(), name
    for name in re.findall(r'deploy/[\w/-]+\.(?:yaml|sh)', README + ACCESS):
        assert (ROOT / name).is_file(), name
    assert set(re.findall(r'datadog_kubelet_compliance-\S+?\.whl', README)) == {WHEEL}
    targets = set(re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    assert set(re.findall(r'^make ([\w-]+)|`make ([\w-]+)`', README, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ''), ('', target))
    }


@pytest.mark.parametrize('name', [*yaml_files(), 'Dockerfile', 'unpack.sh'])
def test_every_file_is_named_on_a_page(name: str) -> None:
    """Those of the Operator may stand in its list of files alone."""
    short = name.removeprefix('helm/').removeprefix('operator/').removeprefix('mounts/')
    pages = README + ACCESS + (text_of('operator/kustomization.yaml') if name.startswith('operator/') else '')
    assert short in pages or f'`{short.partition("/")[0]}/`' in pages


@pytest.mark.parametrize('page', PAGES)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    for target in re.findall(r'\]\(([^)]+)\)', PAGES[page]):
        path, _, anchor = target.partition('#')
        text = (ROOT / page).parent.joinpath(path).read_text() if path else PAGES[page]
        headings = re.findall(r'^#+ (.*)$', text, re.MULTILINE)
        slugs = {re.sub(r'[^\w -]', '', heading).lower().replace(' ', '-') for heading in headings}
        assert not anchor or anchor in slugs, target


BLOCKS = [
    pytest.param(block, id=f'{page}-{number}')
    for page, text in PAGES.items()
    for number, block in enumerate(re.findall(r'^```\n(.*?)^```$', text, re.MULTILINE | re.DOTALL))
]


@pytest.mark.parametrize('block', BLOCKS)
def test_commands_can_be_pasted(block: str) -> None:
    done = subprocess.run(['bash', '-n'], input=block, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search(r'<[A-Z_]+>|^\$ ', block, re.MULTILINE)


def test_the_first_screen_leads_to_a_result_and_the_second_to_the_certificate() -> None:
    introduction, helm_section, operator_section = re.split(r'^## Deploy with .*$', README, flags=re.MULTILINE)
    commands, _, certificates = helm_section.partition(CERTIFICATES_HEADING)
    for each in (commands, operator_section):
        assert 'agent check kubelet_compliance\n```' in each
    assert '(#find-the-file-for-your-kubelets-certificate)' in commands
    assert '## ' not in introduction + commands + certificates
    assert len((introduction + commands).splitlines()) < 30


def test_the_command_that_shows_a_certificate_shows_that_of_a_real_server(tmp_path: Path) -> None:
    (program,) = re.findall(r"python3 -c \\\n +'(.*)'", README)
    assert program.count('10250') == 1
    with serve(make_certificates(tmp_path)) as kubelet:
        done = subprocess.run(
            [sys.executable, '-c', program.replace('10250', kubelet.url.rpartition(':')[2])],
            env={**os.environ, 'DD_KUBERNETES_KUBELET_HOST': '127.0.0.1'},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.strip() == (tmp_path / 'server.pem').read_text().strip()


def texts_with_paths() -> Iterator[Any]:
    folders = [ROOT.glob('*'), *((ROOT / name).rglob('*') for name in ('assets', 'datadog_checks', 'deploy', 'docs'))]
    for path in sorted(path for paths in folders for path in paths):
        if path.suffix in ('.md', '.yaml', '.json', '.example'):
            yield str(path.relative_to(ROOT))


@pytest.mark.parametrize('name', texts_with_paths())
def test_host_root_has_one_example_path(name: str) -> None:
    """On a host it is `/`; in a pod, /host/root is taken where other parts of the Agent mount the node's root."""
    text = (ROOT / name).read_text()
    in_options = re.search(r'- name: host_root\n(?:(?!- name:).*\n)*? +example: (\S+)', text)
    paths = set(re.findall(r'host_root: (/[\w/]*)', text)) | ({in_options[1]} if in_options else set())
    assert paths <= {'/', HOST_ROOT}


def test_the_page_lists_the_narrower_mounts() -> None:
    rows = re.findall(r'^\| `([\w-]+)\.yaml` \| [^|`]*\| (`/[^|]*) \|$', ACCESS, re.MULTILINE)
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


@pytest.mark.parametrize('program', [row for row in PROGRAMS if row.contains_kubelet], ids=lambda row: row.name)
def test_of_each_program_that_holds_a_kubelet_it_is_said_what_shows_a_rule_to_be_met(program: Program) -> None:
    (line,) = [line for line in ACCESS.splitlines() if line.startswith('* **') and program.name in line.split('**')[1]]
    assert 'is read from' in line and 'not found' not in line
