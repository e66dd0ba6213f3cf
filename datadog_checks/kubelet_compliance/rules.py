# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on settings: a row each. A new rule is one row, its numbers in `benchmark_table.py`, and its cases in the
tests. The rules on files stand in `file_rules.py`.
"""

from __future__ import annotations

from .expect import (
    above_zero,
    any_true,
    certificate_or_bootstrap,
    gate_and_certificate_or_bootstrap,
    is_false,
    is_not_set,
    is_set,
    is_true,
    is_zero,
    only_strong_ciphers,
    other_than,
    zero_or_more,
)
from .file_rules import FILE_RULES
from .model import Rule
from .names import KUBE_PROXY, PROXY_REPLACEMENTS

FLAGS_PAGE = 'https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/'
FILE_PAGE = 'https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/'
AUTHENTICATION_PAGE = 'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/'
BOOTSTRAP_PAGE = 'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/'

SETTING_RULES: tuple[Rule, ...] = (
    Rule(
        key='anonymous_auth',
        title='Kubelet should not serve anonymous requests',
        fields=('authentication.anonymous.enabled',),
        flags=('--anonymous-auth',),
        expected=is_false(),
        default='false with a configuration file, true without one',
        when_absent=(None,),
        fix=(('authentication.anonymous.enabled', 'false'),),
        what='Requests to the kubelet without credentials are turned away.',
        why=(
            "With anonymous requests allowed, authorization alone stands between the node's network and the kubelet's "
            'API, which can run commands in every container of the node.'
        ),
        impact='Clients of the kubelet API, probes and metric collectors among them, must bring credentials.',
        note=(
            'The benchmark takes false for the default. That holds with --config only: a kubelet that is given nothing '
            'but flags, or nothing but --config-dir, allows anonymous requests.'
        ),
        references=(AUTHENTICATION_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='authorization_mode',
        title='Kubelet should not authorize every request',
        fields=('authorization.mode',),
        flags=('--authorization-mode',),
        expected=other_than('AlwaysAllow'),
        default='Webhook with a configuration file, AlwaysAllow without one',
        when_absent=('',),
        fix=(('authorization.mode', 'Webhook'),),
        what="The kubelet asks the API server whether a client may do what it asks for, and does not allow everything.",
        why='With AlwaysAllow every client that is authenticated may run commands in every container of the node.',
        impact='Clients need rights on nodes/proxy, or on its finer parts, in the cluster.',
        references=(AUTHENTICATION_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='client_ca_file',
        title='Kubelet should verify client certificates against a CA',
        fields=('authentication.x509.clientCAFile',),
        flags=('--client-ca-file',),
        expected=is_set(),
        default='not set',
        when_absent=('',),
        fix=(('authentication.x509.clientCAFile', '/etc/kubernetes/pki/ca.crt'),),
        what='A certificate authority is named, and the kubelet accepts client certificates that it signed.',
        why='The API server proves who it is to the kubelet by a client certificate; without a CA it cannot.',
        impact='The file must be there and hold the CA that signs the client certificate of the API server.',
        references=(AUTHENTICATION_PAGE, FILE_PAGE),
    ),
    Rule(
        key='read_only_port',
        title='Kubelet should not open the read-only port',
        fields=('readOnlyPort',),
        flags=('--read-only-port',),
        expected=is_zero(),
        default='0 with a configuration file, 10255 without one',
        when_absent=(0,),
        fix=(('readOnlyPort', '0'),),
        what='The port that serves pods and metrics of the node without any authentication is closed.',
        why='Whoever reaches the port learns what runs on the node, environment variables of pods included.',
        impact='Collectors that read the port have to move to the authenticated one, 10250.',
        note='A drop-in folder without a configuration file does not close the port: its default is 10255 there.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='streaming_connection_idle_timeout',
        title='Kubelet should close idle streaming connections',
        fields=('streamingConnectionIdleTimeout',),
        flags=('--streaming-connection-idle-timeout',),
        expected=above_zero('a time above 0'),
        default='4h0m0s',
        when_absent=(None,),
        default_holds=True,
        fix=(('streamingConnectionIdleTimeout', '5m'),),
        what='Connections of exec, attach and port-forward end when they have been idle for some time.',
        why='Connections that never end hold resources, and stay open for whoever gets hold of them.',
        impact='A session that is idle for longer has to be opened again.',
        note=(
            'A 0 in a file or a drop-in is not what it seems: the kubelet puts its default of four hours in its place. '
            'Only the flag can turn the timeout off.'
        ),
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='protect_kernel_defaults',
        title='Kubelet should refuse kernel settings that it does not expect',
        fields=('protectKernelDefaults',),
        flags=('--protect-kernel-defaults',),
        expected=is_true(),
        default='false',
        when_absent=(False,),
        fix=(('protectKernelDefaults', 'true'),),
        what="The kubelet ends with an error where the kernel's settings differ from those that it needs.",
        why='Otherwise it silently changes settings of the kernel that were tuned on purpose, perhaps for hardening.',
        impact='A node whose kernel settings differ does not start its kubelet: set them first (vm.*, kernel.panic*).',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='make_iptables_util_chains',
        title='Kubelet should be able to manage changes to iptables',
        fields=('makeIPTablesUtilChains',),
        flags=('--make-iptables-util-chains',),
        expected=is_true(),
        default='true',
        when_absent=(None,),
        default_holds=True,
        broken_for=PROXY_REPLACEMENTS,
        unless=KUBE_PROXY,
        fix=(('makeIPTablesUtilChains', 'true'),),
        what=(
            'The kubelet may create the iptables chains that it and kube-proxy share. If the command line has '
            '--make-iptables-util-chains it must be true; if it has not, the configuration file and the drop-ins '
            'must not set makeIPTablesUtilChains to false.'
        ),
        why=(
            'The kubelet keeps the iptables of its node in step with what the networking of the pods needs. Rules that '
            'are kept by hand drift away from it, and end up too restrictive or too open.'
        ),
        impact=(
            'The kubelet changes iptables by itself. Where another manager of iptables is used on purpose, the two can '
            'conflict: exempt the rule there.'
        ),
        references=(FLAGS_PAGE, FILE_PAGE),
        tags=('cis_controls:6.9',),
    ),
    Rule(
        key='hostname_override',
        title='Kubelet should not override the host name',
        fields=('--hostname-override',),
        flags=('--hostname-override',),
        expected=is_not_set(),
        default='not set',
        when_absent=(None,),
        default_holds=True,
        what='The node goes by its own host name.',
        why='Certificates, log records and rights that go by the name of the node fall apart if it is made up.',
        impact='Some providers set the flag themselves, and need it: exempt the rule there.',
        note='There is no such field in the configuration file, and /configz does not show the flag.',
        references=(FLAGS_PAGE,),
    ),
    Rule(
        key='event_qps',
        title='Kubelet should limit events without losing them',
        fields=('eventRecordQPS',),
        flags=('--event-qps',),
        expected=zero_or_more(),
        default='50 (5 up to Kubernetes 1.26)',
        when_absent=(None,),
        default_holds=True,
        fix=(('eventRecordQPS', '5'),),
        what='The number of events a second that the kubelet sends is at a level that fits the cluster; 0 is no limit.',
        why='Too low, and events that tell of an attack are dropped; without a limit, they can flood the API server.',
        impact='What fits depends on the cluster: the value is shown, so that it can be reviewed.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='tls_cert_file',
        title='Kubelet should serve a certificate that was made for it',
        fields=('tlsCertFile', 'tlsPrivateKeyFile', 'serverTLSBootstrap'),
        flags=('--tls-cert-file', '--tls-private-key-file', '--rotate-server-certificates'),
        expected=certificate_or_bootstrap(),
        default='not set: the kubelet signs a certificate itself',
        when_absent=('', '', False),
        fix=(('serverTLSBootstrap', 'true'),),
        what='A certificate and its key are configured, or the kubelet asks the cluster for a serving certificate.',
        why='A certificate that the kubelet signed itself proves nothing: anyone between can answer in its place.',
        impact='With serverTLSBootstrap somebody, or a controller, has to approve the certificate requests.',
        note="The self-signed pair in the kubelet's own folder does not count, though /configz shows it as configured.",
        references=(BOOTSTRAP_PAGE, FILE_PAGE),
    ),
    Rule(
        key='rotate_certificates',
        title='Kubelet should rotate its client certificate',
        fields=('rotateCertificates',),
        flags=('--rotate-certificates',),
        expected=is_true(),
        default='false',
        when_absent=(False,),
        fix=(('rotateCertificates', 'true'),),
        what='The kubelet asks for a new client certificate before the old one ends.',
        why='Otherwise the node drops out of the cluster on the day when its certificate ends.',
        impact='The controller manager must sign the requests, as it does by default.',
        note='The benchmark takes true for the default. Without the field and the flag, kubelets run with false.',
        references=(BOOTSTRAP_PAGE, FILE_PAGE),
    ),
    Rule(
        key='rotate_kubelet_server_certificate',
        title='Kubelet should rotate its serving certificate',
        fields=(
            'featureGates.RotateKubeletServerCertificate',
            'featureGates.AllBeta',
            'tlsCertFile',
            'tlsPrivateKeyFile',
            'serverTLSBootstrap',
        ),
        flags=(
            '--feature-gates',
            '--feature-gates',
            '--tls-cert-file',
            '--tls-private-key-file',
            '--rotate-server-certificates',
        ),
        expected=gate_and_certificate_or_bootstrap(),
        default='the gate is on; serverTLSBootstrap is false',
        when_absent=(None, None, '', '', False),
        fix=(('featureGates.RotateKubeletServerCertificate', 'true'), ('serverTLSBootstrap', 'true')),
        what=(
            'The feature gate RotateKubeletServerCertificate is not turned off, and the kubelet asks for its serving '
            'certificate, or one is configured.'
        ),
        why='Otherwise the serving certificate ends one day, and with it the connection of the API server to the node.',
        impact='With serverTLSBootstrap somebody, or a controller, has to approve the certificate requests.',
        note='The audit asks for the gate alone. The gate has no effect unless serverTLSBootstrap is on as well.',
        references=(BOOTSTRAP_PAGE, FILE_PAGE),
    ),
    Rule(
        key='tls_cipher_suites',
        title='Kubelet should use strong cipher suites only',
        fields=('tlsCipherSuites',),
        flags=('--tls-cipher-suites',),
        expected=only_strong_ciphers(),
        default="not set: the suites of the kubelet's own release",
        when_absent=((),),
        fix=(
            (
                'tlsCipherSuites',
                '[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]',
            ),
        ),
        what='A list of cipher suites is given, and each is one that the benchmark calls strong.',
        why='Weak suites can be broken, and with them what the API server and the kubelet say to each other.',
        impact='Clients that know none of the suites can no longer connect. TLS 1.3 has its own suites, always on.',
        note='A list that is not given is not compliant, as in the benchmark, whatever the default of the release.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='pod_max_pids',
        title='Kubelet should limit the processes of a pod',
        fields=('podPidsLimit',),
        flags=('--pod-max-pids',),
        expected=above_zero(),
        default='-1: no limit',
        when_absent=(None,),
        fix=(('podPidsLimit', '4096'),),
        what='A pod can have no more than so many processes.',
        why='A pod without a limit can use up the process ids of its node, and so stop all others.',
        impact='A pod that needs more processes than the limit cannot start them.',
        references=('https://kubernetes.io/docs/concepts/policy/pid-limiting/', FILE_PAGE),
    ),
    Rule(
        key='seccomp_default',
        title='Kubelet should confine containers by seccomp',
        fields=('seccompDefault', '--seccomp-default'),
        flags=('--seccomp-default', '--seccomp-default'),
        expected=any_true(),
        default='false',
        when_absent=(None, None),
        fix=(('seccompDefault', 'true'),),
        what="Containers that ask for no seccomp profile get the container runtime's own one, not none.",
        why='A profile takes away system calls that programs rarely need and attackers often use.',
        impact='A program that needs one of those system calls fails until its pod asks for another profile.',
        note='The kubelet takes the flag --seccomp-default or the field, and /configz shows the field only.',
        references=('https://kubernetes.io/docs/tutorials/security/seccomp/', FILE_PAGE),
    ),
    Rule(
        key='static_pod_path',
        title='Kubelet should run no static pods',
        fields=('staticPodPath',),
        flags=('--pod-manifest-path',),
        expected=is_not_set(),
        default='not set',
        when_absent=('',),
        default_holds=True,
        fix=(('staticPodPath', '""'),),
        what='The kubelet watches no folder for pods of its own.',
        why='Whoever can write to the folder runs pods on the node that no admission control has seen.',
        impact='On nodes of the control plane, kubeadm runs the API server itself this way.',
        references=('https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/', FILE_PAGE),
    ),
)

RULES: tuple[Rule, ...] = SETTING_RULES + FILE_RULES
RULES_BY_KEY = {rule.key: rule for rule in RULES}
