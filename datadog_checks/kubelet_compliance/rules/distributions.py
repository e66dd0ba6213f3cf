# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where each distribution keeps the settings of its kubelet, and how to restart it, one row each. Pure.

The facts are from the sources or the documentation of each distribution. No text names a file that a node may lack.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from fnmatch import fnmatchcase

from datadog_checks.kubelet_compliance.kubelet.tables.programs import K0S, K3S, MICROK8S, MICROSHIFT, RKE2
from datadog_checks.kubelet_compliance.model import Home

SYSTEMD = 'run: systemctl daemon-reload && systemctl restart {unit}'
ENGINE = 'restart its container by the engine that runs it'
ITS_SERVICE = 'the arguments of {unit} (find it: systemctl cat {unit})'
UNIT_NAME = '{unit}'
ITS_OWN_DROP_INS = ('*/agent/etc/kubelet.conf.d/00-*-defaults.conf',)
ITS_NAME = frozenset({'--hostname-override'})


@dataclass(frozen=True, slots=True)
class Traits:
    """What shows the distribution of a node, and the names on it; '' for what it lacks or what is unknown."""

    unit: str = ''
    program: str = ''
    config: str = ''
    config_dir: str = ''
    kubeconfig: str = ''
    inside: str = ''
    is_contained: bool = False
    pid: int = 0
    has_config: bool = False
    """Whether the file of `--config` exists."""
    drop_ins: str = ''
    """The folder of drop-ins that the distribution passes, if the node has it."""
    options: str = ''
    """The file with the options of the program that starts the kubelet, if the node has it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A pattern for each trait, all of which must match; '' matches anything."""

    unit: str = ''
    program: str = ''
    config: str = ''
    config_dir: str = ''
    kubeconfig: str = ''
    inside: str = ''
    is_contained: bool | None = None

    def fits(self, traits: Traits) -> bool:
        pairs = (
            (traits.unit, self.unit),
            (traits.program, self.program),
            (traits.config, self.config),
            (traits.config_dir, self.config_dir),
            (traits.kubeconfig, self.kubeconfig),
            (traits.inside, self.inside),
        )
        is_where = self.is_contained is None or self.is_contained is traits.is_contained
        return is_where and all(fnmatchcase(value, pattern) for value, pattern in pairs if pattern)


@dataclass(frozen=True, slots=True)
class Distribution:
    """One row. The texts follow "remove the flag from", "set it in", "then".

    `flags`: where to set flags, if their own place is unknown or rewritten. `file`: where to set fields; '' for the
    files that the kubelet reads. `apply`: how a change there takes effect, if not by a restart.
    """

    name: str
    marks: tuple[Mark, ...]
    flags: str = ITS_SERVICE
    file: str = ''
    restart: str = SYSTEMD
    apply: str = ''
    is_rewritten: bool = False
    """Whether it rewrites the files that the kubelet reads, so that a change in them is lost."""
    options: str = ''
    """The file that `{options}` in `flags` stands for, if the node has it."""
    options_else: str = ''
    lasting: str = ''
    """Where nodes get their settings from: a change there outlives the node."""
    made_anew: tuple[str, ...] = ()
    """Patterns of the config files that it rewrites at each start, besides those that it leaves to its users."""
    fixed_flags: frozenset[str] = frozenset()
    """Flags that it always passes, so that nobody can remove them."""
    passes_own_flags: bool = False
    """Whether its program or its generated unit passes flags, which change with its releases."""


KUBEADM_CONFIG = '/var/lib/kubelet/config.yaml'

DISTRIBUTIONS: tuple[Distribution, ...] = (
    Distribution(
        'k3s',  # k3s-io/docs docs/installation/configuration.md
        (Mark(inside=K3S.name),),
        flags='kubelet-arg in {options}',
        options='/etc/rancher/k3s/config.yaml',
        options_else='the options of k3s (find them: systemctl cat {unit})',
        made_anew=ITS_OWN_DROP_INS,
        fixed_flags=ITS_NAME,
        passes_own_flags=True,
    ),
    Distribution(
        'RKE2',  # rancher/rke2-docs docs/install/configuration.md
        (
            *(Mark(unit=unit) for unit in RKE2.units),
            Mark(kubeconfig='/var/lib/rancher/rke2/*'),
        ),
        flags='kubelet-arg in {options}',
        options='/etc/rancher/rke2/config.yaml',
        options_else='the options of RKE2 (find them: systemctl cat {unit})',
        made_anew=ITS_OWN_DROP_INS,
        fixed_flags=ITS_NAME,
        passes_own_flags=True,
    ),
    Distribution(
        'RKE1',  # rke.docs.rancher.com, config-options/services/services-extras
        (Mark(kubeconfig='/etc/kubernetes/ssl/kubecfg-kube-node.yaml'),),
        flags='services.kubelet.extra_args of cluster.yml',
        restart='run: docker restart kubelet',
        apply='run: rke up',
        is_rewritten=True,
    ),
    Distribution(
        'MicroK8s',  # canonical/microk8s docs, "Configuring MicroK8s services"
        (Mark(inside=MICROK8S.name),),
        flags='{options}',
        options_else='the file of --kubelet-args-file',
        restart='run: snap restart microk8s.daemon-kubelite',
    ),
    Distribution(
        'MicroShift',  # openshift/microshift docs/user/howto_config.md: MicroShift writes the kubelet's file itself
        (Mark(inside=MICROSHIFT.name),),
        flags='the arguments that MicroShift passes',
        file="the kubelet section of MicroShift's config.yaml",
        is_rewritten=True,
        passes_own_flags=True,
    ),
    Distribution(
        'k0s',  # k0sproject/k0s docs/worker-node-config.md
        (*(Mark(unit=unit) for unit in K0S.units), Mark(config='/run/k0s/kubelet/*')),
        flags='--kubelet-extra-args of k0s (find it: systemctl cat {unit})',
        file="a worker profile (spec.workerProfiles in k0s's configuration)",
        is_rewritten=True,
        fixed_flags=ITS_NAME,
        passes_own_flags=True,
    ),
    Distribution(
        'Talos',  # docs.siderolabs.com, "Editing machine configuration"; siderolabs/talos release notes 1.0
        (Mark(config='/etc/kubernetes/kubelet.yaml', kubeconfig='/etc/kubernetes/kubeconfig-kubelet'),),
        flags='machine.kubelet.extraArgs of the machine configuration',
        file='machine.kubelet.extraConfig of the machine configuration',
        restart='run: talosctl service kubelet restart',
        apply='run: talosctl apply-config',
        is_rewritten=True,
        fixed_flags=ITS_NAME,
        passes_own_flags=True,
    ),
    Distribution(
        'Canonical Kubernetes (snap k8s)',  # canonical/k8s-snap docs, "Post-deployment hardening"
        (Mark(unit='snap.k8s.kubelet.service'), Mark(program='/snap/k8s/*')),
        flags='{options}',
        options='/var/snap/k8s/common/args/kubelet',
        options_else='args/kubelet in the folder common of the snap k8s',
        lasting='extra-node-kubelet-args in the configuration for joining',
    ),
    Distribution(
        'Charmed Kubernetes (snap kubelet)',  # charmed-kubernetes/layer-kubernetes-common: the charm sets both
        (Mark(unit='snap.kubelet.daemon.service'), Mark(program='/snap/kubelet/*')),
        flags='kubelet-extra-args of its charm (find it: juju config)',
        file='kubelet-extra-config of its charm (find it: juju config)',
        is_rewritten=True,
    ),
    Distribution(
        'OpenShift',  # openshift/machine-config-operator docs/KubeletConfigDesign.md
        (
            Mark(config_dir='/etc/openshift/kubelet.conf.d'),
            Mark(config='/etc/kubernetes/kubelet.conf', kubeconfig='/var/lib/kubelet/kubeconfig'),
        ),
        flags='the MachineConfig of its pool',
        file='spec.kubeletConfig of a KubeletConfig for its pool',
        apply='wait for the Machine Config Operator to restart the node',
        is_rewritten=True,
        passes_own_flags=True,
    ),
    Distribution(
        'Bottlerocket',  # bottlerocket.dev, "settings.kubernetes": the files are templates
        (Mark(config='/etc/kubernetes/kubelet/config'),),
        flags='settings.kubernetes of Bottlerocket',
        file='settings.kubernetes of Bottlerocket (apiclient set), if it has that setting',
        apply='let Bottlerocket restart the kubelet',
        is_rewritten=True,
        fixed_flags=ITS_NAME,
        passes_own_flags=True,
    ),
    Distribution(
        'EKS AL2',  # awslabs/amazon-eks-ami, bootstrap.sh
        (Mark(config='/etc/kubernetes/kubelet/kubelet-config.json'),),
        lasting='the user data of its launch template (--kubelet-extra-args of bootstrap.sh)',
    ),
    Distribution(
        'EKS AL2023 (nodeadm)',  # awslabs/amazon-eks-ami nodeadm/internal/kubelet: rewritten at each boot
        (Mark(config='/etc/kubernetes/kubelet/config.json'),),
        lasting='spec.kubelet of its NodeConfig (nodeadm rewrites the files at each boot)',
        fixed_flags=ITS_NAME,
    ),
    Distribution(
        'kubespray',
        (Mark(config='/etc/kubernetes/kubelet-config.yaml'),),
        lasting='kubelet_config_extra_args of the inventory',
    ),
    Distribution(
        'kops',
        (Mark(config='/var/lib/kubelet/kubelet.conf'),),
        lasting='spec.kubelet of the cluster or instance group',
    ),
    Distribution(
        'GKE',  # cloud.google.com, "Customizing node system configuration"
        (Mark(config='/home/kubernetes/kubelet-config.yaml'),),
        lasting='the node system configuration of its pool, if GKE has that setting',
    ),
    Distribution(
        'AKS',  # learn.microsoft.com, "Customize node configuration"
        (
            Mark(config='/etc/default/kubeletconfig.json'),
            Mark(program='/opt/bin/kubelet', kubeconfig='/var/lib/kubelet/kubeconfig'),
        ),
        lasting='the custom node configuration of its pool, if AKS has that setting',
    ),
    Distribution(
        'minikube',  # kubernetes/minikube, "minikube start --extra-config"
        (Mark(program='/var/lib/minikube/binaries/*'),),
        lasting='the options of minikube start (--extra-config=kubelet.KEY=VALUE)',
        fixed_flags=ITS_NAME,
    ),
    Distribution(
        'kind',
        (Mark(config=KUBEADM_CONFIG, is_contained=True, unit='kubelet.service'),),
        lasting='kubeadmConfigPatches in the configuration of kind',
        restart='run in the container of the node: systemctl daemon-reload && systemctl restart {unit}',
    ),
    Distribution(
        'kubeadm',
        (Mark(config=KUBEADM_CONFIG, unit='?*'), Mark(kubeconfig='/etc/kubernetes/kubelet.conf', unit='?*')),
        lasting="the kubeadm settings (the ConfigMap kubelet-config, or kubeletExtraArgs)",
    ),
    Distribution('a systemd service', (Mark(unit='?*'),)),
    Distribution('a container', (Mark(is_contained=True),), flags='the arguments of its container', restart=ENGINE),
)
NO_DISTRIBUTION = Distribution(
    'anything else',
    (),
    flags='what starts the kubelet (find it: systemctl status {pid})',
    restart='restart the kubelet',
)


def distribution_of(traits: Traits) -> Distribution:
    """The first row that matches."""
    return next((row for row in DISTRIBUTIONS if any(mark.fits(traits) for mark in row.marks)), NO_DISTRIBUTION)


def home_of(traits: Traits) -> Home:
    """Where a person changes the settings of a kubelet, with the names that the node uses."""
    row = distribution_of(traits)
    named = {'unit': shlex.quote(traits.unit), 'pid': str(traits.pid)}
    options_else = row.options_else if traits.unit else row.options_else.partition(' (')[0]
    named['options'] = traits.options or options_else.format_map(named)
    restart = row.restart if traits.unit or UNIT_NAME not in row.restart else NO_DISTRIBUTION.restart
    flags = row.flags if traits.unit or UNIT_NAME not in row.flags else NO_DISTRIBUTION.flags
    file = row.file or (
        f'a drop-in of {traits.drop_ins} (with apiVersion and kind)'
        if traits.drop_ins
        else traits.config
        if traits.has_config
        else ''
    )
    return Home(
        restart=restart.format_map(named),
        apply=row.apply or restart.format_map(named),
        flags=flags.format_map(named),
        file=file,
        is_rewritten=row.is_rewritten,
        lasting=row.lasting,
        made_anew=row.made_anew,
        fixed_flags=row.fixed_flags,
        passes_own_flags=row.passes_own_flags,
    )
