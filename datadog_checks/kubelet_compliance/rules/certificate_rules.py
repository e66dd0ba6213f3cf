# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on the kubelet's certificates and cipher suites, one row each."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import Change, Fact, Precondition, Rule

from .expectations import (
    ALL_BETA,
    BOOTSTRAP,
    CERTIFICATE,
    GATE,
    KEY,
    certificate_or_bootstrap,
    gate_and_certificate_or_bootstrap,
    is_gate_off,
    is_true,
    lacks_certificate,
    only_strong_ciphers,
)
from .references import BOOTSTRAP_PAGE, FILE_PAGE, FLAGS_PAGE

NEEDS_APPROVAL = (
    'kubectl logs and exec fail until you approve its CSR (kubectl get csr, kubectl certificate approve NAME)'
)
APPROVE = (
    "After the restart, approve the kubelet's certificate request: kubectl get csr, then kubectl certificate approve "
    'NAME (signer kubernetes.io/kubelet-serving). Until then, kubectl logs and exec fail, and the Agent cannot reach '
    'the kubelet.'
)
NEEDS_API_SERVER = Precondition(
    Fact.API_SERVER,
    caution='a kubelet without --kubeconfig gets no certificate',
    refusal=(
        'do not set serverTLSBootstrap on a kubelet without --kubeconfig: it would get no certificate, and no client '
        'could connect. Set tlsCertFile and tlsPrivateKeyFile to files that you issue, or exempt the rule'
    ),
)
OWN_PAIR = (
    'The alternative, and the only way for a kubelet without --kubeconfig, is a pair of files that you issue: set '
    'tlsCertFile and tlsPrivateKeyFile.'
)

CERTIFICATE_RULES: tuple[Rule, ...] = (
    Rule(
        key='tls_cert_file',
        title='Kubelet should serve a certificate that was made for it',
        fields=(CERTIFICATE, KEY, BOOTSTRAP),
        expected=certificate_or_bootstrap(),
        default='not set: the kubelet signs a certificate itself',
        fix=(
            # Without the gate, the kubelet refuses serverTLSBootstrap.
            Change(GATE, 'true', is_wrong=is_gate_off),
            Change(BOOTSTRAP, 'true', NEEDS_APPROVAL, needs=(NEEDS_API_SERVER,)),
        ),
        beside=(GATE, ALL_BETA),
        needs_certificate=True,
        preparation=f'{APPROVE} {OWN_PAIR}',
        what='A certificate and its key are configured, or the kubelet requests a certificate from the cluster.',
        why='Clients cannot verify a certificate that the kubelet signed itself, so others can impersonate it.',
        impact='With serverTLSBootstrap, a person or a controller has to approve the certificate requests.',
        note="The self-signed pair in the kubelet's own folder does not count, though /configz shows it as configured.",
        references=(BOOTSTRAP_PAGE, FILE_PAGE),
    ),
    Rule(
        key='rotate_certificates',
        title='Kubelet should rotate its client certificate',
        fields=('rotateCertificates',),
        expected=is_true(),
        default='false',
        fix=(Change('rotateCertificates', 'true'),),
        needs=(
            Precondition(
                Fact.CLIENT_CERTIFICATE,
                refusal=(
                    'do not change this unless the kubeconfig names a client certificate or --bootstrap-kubeconfig is '
                    'set: the kubelet would drop its credentials, and the node would leave the cluster. Otherwise, '
                    'exempt the rule'
                ),
            ),
        ),
        preparation=(
            'Check the users of the kubeconfig. Set the field only if they name a client certificate, or if the '
            'kubelet has --bootstrap-kubeconfig, and if the cluster signs kube-apiserver-client-kubelet. On '
            'cloud nodes, the kubeconfig often has a token or an exec plugin. The kubelet would then connect as '
            'system:anonymous, and the node would become NotReady within a minute. Exempt the rule there.'
        ),
        what='The kubelet requests a new client certificate before the old one expires.',
        why='Otherwise the node leaves the cluster when its certificate expires.',
        impact='The controller manager must sign the requests, which it does by default.',
        note='The benchmark states that the default is true. Without the field and the flag, kubelets use false.',
        references=(BOOTSTRAP_PAGE, FILE_PAGE),
    ),
    Rule(
        key='rotate_kubelet_server_certificate',
        title='Kubelet should rotate its serving certificate',
        fields=(GATE, ALL_BETA, CERTIFICATE, KEY, BOOTSTRAP),
        expected=gate_and_certificate_or_bootstrap(),
        default='the gate is on; serverTLSBootstrap is false',
        fix=(
            Change(GATE, 'true', is_wrong=is_gate_off),
            Change(BOOTSTRAP, 'true', NEEDS_APPROVAL, is_wrong=lacks_certificate, needs=(NEEDS_API_SERVER,)),
        ),
        preparation=(
            'Keep the other feature gates. A kubelet with its own certificate and key needs only the gate. Any other '
            f'kubelet needs serverTLSBootstrap. {APPROVE}'
        ),
        what=(
            'The feature gate RotateKubeletServerCertificate is not turned off, and the kubelet requests its serving '
            'certificate, or one is configured.'
        ),
        why='Otherwise the serving certificate expires, and the API server can no longer connect to the node.',
        impact='With serverTLSBootstrap, a person or a controller has to approve the certificate requests.',
        note="The benchmark's audit checks only the gate, which has no effect unless serverTLSBootstrap is on too.",
        references=(BOOTSTRAP_PAGE, FILE_PAGE),
    ),
    Rule(
        key='tls_cipher_suites',
        title='Kubelet should use strong cipher suites only',
        fields=('tlsCipherSuites',),
        expected=only_strong_ciphers(),
        default="not set: the suites of the kubelet's own release",
        fix=(
            Change(
                'tlsCipherSuites',
                '[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]',
            ),
        ),
        caution='keep both suites, HTTP/2 needs them; TLS 1.2 clients that know neither cannot connect',
        preparation=(
            'Keep at least one of the two suites: HTTP/2 needs it, and the kubelet does not start without it. TLS 1.2 '
            'clients that know only AES_256 suites can no longer connect.'
        ),
        what='A list of cipher suites is set, and the benchmark allows each of them.',
        why='Weak suites can be broken, which exposes the traffic between the API server and the kubelet.',
        impact='Clients that know none of the suites can no longer connect. The suites of TLS 1.3 are always on.',
        note='A list that is not set is not compliant, as in the benchmark, whatever the default of the release.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
)
