# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on settings: a row each. A new rule is one row, its numbers in `benchmark_table.py`, and its cases in the
tests. The rules on files stand in `file_rules.py`.
"""

from __future__ import annotations

from datadog_checks.kubelet_compliance.kubelet.kernel_settings import ALL_TO_BE_ADDED, KERNEL_SETTINGS_TEXT, OWN_FILE
from datadog_checks.kubelet_compliance.kubelet.programs import KUBE_PROXY, PROXY_REPLACEMENTS
from datadog_checks.kubelet_compliance.model import Change, Fact, Precondition, Rule

from .certificate_rules import CERTIFICATE_RULES, FILE_PAGE, FLAGS_PAGE
from .expect import (
    above_zero,
    any_true,
    is_false,
    is_not_set,
    is_set,
    is_true,
    is_zero,
    other_than,
    zero_or_more,
)
from .file_rules import FILE_RULES

AUTHENTICATION_PAGE = 'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/'

CLIENT_CA = '/etc/kubernetes/pki/ca.crt'

NEEDS_CLIENT_CA = Precondition(
    Fact.CERTIFICATES_VERIFIED, caution='fix client_ca_file first, or the kubelet refuses the API server'
)

SETTING_RULES: tuple[Rule, ...] = (
    Rule(
        key='anonymous_auth',
        title='Kubelet should not serve anonymous requests',
        fields=('authentication.anonymous.enabled',),
        flags=('--anonymous-auth',),
        expected=is_false(),
        default='false with a configuration file, true without one',
        when_absent=(None,),
        fix=(Change('authentication.anonymous.enabled', 'false'),),
        needs=(
            NEEDS_CLIENT_CA,
            Precondition(
                Fact.TOKENS_ACCEPTED,
                caution='clients with tokens get 401 unless authentication.webhook.enabled is true',
            ),
        ),
        preparation=(
            'Find the clients that send no credentials, such as probes and metric collectors, and give them some. '
            'Clients with tokens also need authentication.webhook.enabled: true. Without '
            'authentication.x509.clientCAFile, the kubelet refuses the API server: set that first.'
        ),
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
        fix=(Change('authorization.mode', 'Webhook'),),
        caution="check the rights of the API server's client certificate: kubectl auth can-i get nodes/proxy --as=CN",
        needs=(
            NEEDS_CLIENT_CA,
            Precondition(
                Fact.API_SERVER,
                caution='a kubelet without --kubeconfig does not start with it',
                refusal='do not change this on a kubelet without --kubeconfig: it would not start. Exempt the rule',
            ),
        ),
        preparation=(
            "Read the CN and O of the API server's kubelet client certificate (apiserver-kubelet-client.crt), and run "
            'kubectl auth can-i get nodes/proxy --as=CN --as-group=O. If the answer is no, kubectl logs and exec fail '
            'after the change. Without authentication.x509.clientCAFile they fail too: set that first. A kubelet '
            'without --kubeconfig has no API server to ask, and does not start.'
        ),
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
        fix=(Change('authentication.x509.clientCAFile', CLIENT_CA),),
        caution="another CA than the one that signed the API server's kubelet client certificate gives 401",
        needs=(
            Precondition(
                Fact.CLIENT_CA,
                is_of_value=True,
                refusal=(
                    "set authentication.x509.clientCAFile only to the CA that signed the API server's kubelet client "
                    'certificate: with another CA it gets 401, and without the file the kubelet does not start. '
                    'If you do not know that CA, exempt the rule'
                ),
            ),
        ),
        preparation=(
            "Verify that the CA signed the API server's kubelet client certificate: openssl verify -CAfile CA "
            'apiserver-kubelet-client.crt. The kubelet does not start if the file is missing. To go back, restore the '
            'old value and restart.'
        ),
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
        fix=(Change('readOnlyPort', '0'),),
        caution='list the clients of that port first (ss -tn)',
        preparation='Run ss -tn sport = :10255 on the node, and move the clients that it shows to port 10250.',
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
        fix=(Change('streamingConnectionIdleTimeout', '5m'),),
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
        fix=(Change('protectKernelDefaults', 'true'),),
        needs=(
            Precondition(
                Fact.KERNEL_SETTINGS,
                caution='add {detail} and run sysctl --system, or the kubelet fails',
                unknown_detail=ALL_TO_BE_ADDED,
            ),
        ),
        preparation=(
            f'Add {KERNEL_SETTINGS_TEXT}, one per line, to {OWN_FILE}, and run sysctl --system. The kubelet sets '
            'these values itself as long as the rule is not met. Once it is met, the kubelet refuses to start where '
            'the kernel has other values, such as after a reboot.'
        ),
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
        fix=(Change('makeIPTablesUtilChains', 'true'),),
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
        fix=(Change('--hostname-override', ''),),
        needs=(
            Precondition(
                Fact.HOST_NAME,
                refusal=(
                    'do not remove the flag unless the command hostname prints the same name on the node: the node '
                    'would change its name, which the API server refuses. Otherwise, exempt the rule'
                ),
            ),
        ),
        caution='first verify that the command hostname prints the same name',
        preparation=(
            'Take the flag out only where its value equals the output of hostname. A node cannot change its name: '
            'drain it, delete the Node, take the flag out, and join it again. Where the cloud or the distribution '
            'sets the flag, exempt the rule.'
        ),
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
        fix=(Change('eventRecordQPS', '50'),),
        what='The number of events a second that the kubelet sends is at a level that fits the cluster; 0 is no limit.',
        why='Too low, and events that tell of an attack are dropped; without a limit, they can flood the API server.',
        impact='What fits depends on the cluster: the value is shown, so that it can be reviewed.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    *CERTIFICATE_RULES,
    Rule(
        key='pod_max_pids',
        title='Kubelet should limit the processes of a pod',
        fields=('podPidsLimit',),
        flags=('--pod-max-pids',),
        expected=above_zero(),
        default='-1: no limit',
        when_absent=(None,),
        fix=(Change('podPidsLimit', '4096'),),
        caution='pods that need more than 4096 processes fail; running pods keep no limit until they are made anew',
        preparation='The limit holds for pods made after the restart. Delete the others to put them under it.',
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
        fix=(Change('seccompDefault', 'true'),),
        caution='new containers may get EPERM: set seccompProfile Unconfined for pods that need it',
        preparation=(
            'Set seccompProfile: {type: Unconfined} for pods that need more system calls. The profile holds for '
            'containers made after the restart.'
        ),
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
        fix=(Change('staticPodPath', '""'),),
        needs=(
            Precondition(
                Fact.NO_STATIC_PODS,
                refusal=(
                    'do not change this unless the folder is empty{detail}: the kubelet kills static pods within '
                    'seconds, on a control plane the API server and etcd. Otherwise, exempt the rule'
                ),
            ),
        ),
        preparation=(
            'List the folder (ls PATH). Never change this on a node of the control plane. On other nodes, move what '
            'the pods do to a DaemonSet first.'
        ),
        what='The kubelet watches no folder for pods of its own.',
        why='Whoever can write to the folder runs pods on the node that no admission control has seen.',
        impact='On nodes of the control plane, kubeadm runs the API server itself this way.',
        references=('https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/', FILE_PAGE),
    ),
)

RULES: tuple[Rule, ...] = SETTING_RULES + FILE_RULES
RULES_BY_KEY = {rule.key: rule for rule in RULES}
