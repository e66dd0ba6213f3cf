# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on access to the kubelet's API, one row each: who may use it, and for how long."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import Change, Fact, Precondition, Rule

from .expectations import above_zero, is_false, is_zero, names_a_file, other_than
from .references import AUTHENTICATION_PAGE, FILE_PAGE, FLAGS_PAGE

KUBEADM_CLIENT_CA = '/etc/kubernetes/pki/ca.crt'
"""Where kubeadm writes the CA of the cluster."""

NEEDS_CLIENT_CA = Precondition(
    Fact.CERTIFICATES_VERIFIED, caution='fix client_ca_file first, or the kubelet rejects the API server'
)

ACCESS_RULES: tuple[Rule, ...] = (
    Rule(
        key='anonymous_auth',
        title='Kubelet should not serve anonymous requests',
        fields=('authentication.anonymous.enabled',),
        expected=is_false(),
        default='false with a config file, true without one',
        fix=(Change('authentication.anonymous.enabled', 'false'),),
        needs=(
            NEEDS_CLIENT_CA,
            Precondition(
                Fact.TOKENS_ACCEPTED,
                caution='clients with tokens get 401 unless authentication.webhook.enabled is true',
            ),
        ),
        preparation=(
            'Find the clients that send no credentials, such as probes and metric collectors, and give them '
            'credentials. Clients with tokens also need authentication.webhook.enabled: true. Without '
            'authentication.x509.clientCAFile, the kubelet rejects the API server: set that first.'
        ),
        what='The kubelet rejects requests without credentials.',
        why=(
            'If anonymous requests are allowed, only authorization protects the API of the kubelet from the network of '
            'the node. That API can run commands in every container on the node.'
        ),
        impact='Clients of the kubelet API, including probes and metric collectors, must send credentials.',
        note=(
            'The benchmark states that the default is false. That is true only with --config: a kubelet that has only '
            'flags, or only --config-dir, allows anonymous requests.'
        ),
        references=(AUTHENTICATION_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='authorization_mode',
        title='Kubelet should not authorize every request',
        fields=('authorization.mode',),
        expected=other_than('AlwaysAllow'),
        default='Webhook with a config file, AlwaysAllow without one',
        fix=(Change('authorization.mode', 'Webhook'),),
        caution="check the rights of the API server's client certificate: kubectl auth can-i get nodes/proxy --as=CN",
        needs=(
            NEEDS_CLIENT_CA,
            Precondition(
                Fact.API_SERVER,
                caution='without --kubeconfig, the kubelet does not start',
                refusal='do not change this on a kubelet without --kubeconfig: it would not start. Exempt the rule',
            ),
        ),
        preparation=(
            "Read the CN and O of the API server's kubelet client certificate (apiserver-kubelet-client.crt), and run "
            'kubectl auth can-i get nodes/proxy --as=CN --as-group=O. If the answer is no, kubectl logs and exec fail '
            'after the change. They also fail without authentication.x509.clientCAFile: set that first. A kubelet '
            'without --kubeconfig has no API server to ask, and does not start.'
        ),
        what='The kubelet asks the API server whether a client may make a request. It does not allow every request.',
        why='With AlwaysAllow, every authenticated client may run commands in every container on the node.',
        impact='Clients need rights on nodes/proxy, or on its subresources, in the cluster.',
        references=(AUTHENTICATION_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='client_ca_file',
        title='Kubelet should verify client certificates against a CA',
        fields=('authentication.x509.clientCAFile',),
        expected=names_a_file(),
        default='not set',
        fix=(Change('authentication.x509.clientCAFile', KUBEADM_CLIENT_CA),),
        caution="the API server gets 401 if another CA signed its kubelet client certificate",
        needs=(
            Precondition(
                Fact.CLIENT_CA,
                is_of_value=True,
                refusal=(
                    "set authentication.x509.clientCAFile only to the CA that signed the API server's kubelet client "
                    'certificate: with another CA the API server gets 401, and without the file the kubelet does not '
                    'start. If you do not know that CA, exempt the rule'
                ),
            ),
        ),
        preparation=(
            "Verify that the CA signed the API server's kubelet client certificate: openssl verify -CAfile CA "
            'apiserver-kubelet-client.crt. The kubelet does not start if the file is missing. To go back, restore the '
            'old value and restart.'
        ),
        what='The kubelet has a certificate authority, and accepts client certificates that it signed.',
        why='The API server authenticates to the kubelet with a client certificate. Without a CA, it cannot.',
        impact="The file must exist, and hold the CA that signs the API server's client certificate.",
        references=(AUTHENTICATION_PAGE, FILE_PAGE),
    ),
    Rule(
        key='read_only_port',
        title='Kubelet should not open the read-only port',
        fields=('readOnlyPort',),
        expected=is_zero(),
        default='0 with a config file, 10255 without one',
        fix=(Change('readOnlyPort', '0'),),
        caution='list the clients of that port first (ss -tn)',
        preparation='Run ss -tn sport = :10255 on the node, and move the clients that it lists to port 10250.',
        what="The port that serves the node's pods and metrics without authentication is closed.",
        why='Anyone who can reach the port can read what runs on the node, including the environment of pods.',
        impact='Collectors that read the port have to use the authenticated port 10250.',
        note='A drop-in folder without a config file does not close the port: its default is 10255 there.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
    Rule(
        key='streaming_connection_idle_timeout',
        title='Kubelet should close idle streaming connections',
        fields=('streamingConnectionIdleTimeout',),
        expected=above_zero('a time above 0'),
        default='4h0m0s',
        fix=(Change('streamingConnectionIdleTimeout', '5m'),),
        what='Connections for exec, attach, and port-forward end after a period without traffic.',
        why='Connections that never end consume resources, and stay open to anyone who takes them over.',
        impact='A session that is idle for longer has to be opened again.',
        note=(
            'In a config file or a drop-in, 0 does not turn the timeout off: the kubelet uses its default of four '
            'hours. Only the flag can turn it off.'
        ),
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
)
