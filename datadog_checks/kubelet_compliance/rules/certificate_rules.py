# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules on the kubelet's certificates and cipher suites: a row each."""

from __future__ import annotations

from datadog_checks.kubelet_compliance.model import Change, Fact, Precondition, Rule

from .expect import (
    ALL_BETA,
    BOOTSTRAP,
    GATE,
    certificate_or_bootstrap,
    gate_and_certificate_or_bootstrap,
    is_gate_off,
    is_true,
    lacks_certificate,
    only_strong_ciphers,
)

FLAGS_PAGE = 'https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/'
FILE_PAGE = 'https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/'
BOOTSTRAP_PAGE = 'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/'

NEEDS_APPROVAL = (
    'kubectl logs and exec fail until you approve its CSR (kubectl get csr, kubectl certificate approve NAME)'
)
APPROVE = (
    'After the restart, approve the request of the kubelet: kubectl get csr, then kubectl certificate approve NAME '
    '(signer kubernetes.io/kubelet-serving). Until then, kubectl logs and exec fail, and the Agent cannot reach the '
    'kubelet.'
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
    'The other way, and the only one for a kubelet without --kubeconfig, is a pair of files that you issue: set '
    'tlsCertFile and tlsPrivateKeyFile.'
)

CERTIFICATE_RULES: tuple[Rule, ...] = (
    Rule(
        key='tls_cert_file',
        title='Kubelet should serve a certificate that was made for it',
        fields=('tlsCertFile', 'tlsPrivateKeyFile', 'serverTLSBootstrap'),
        flags=('--tls-cert-file', '--tls-private-key-file', '--rotate-server-certificates'),
        expected=certificate_or_bootstrap(),
        default='not set: the kubelet signs a certificate itself',
        when_absent=('', '', False),
        fix=(
            # Without the gate, the kubelet refuses serverTLSBootstrap.
            Change(GATE, 'true', flag='--feature-gates', is_wrong=is_gate_off),
            Change(BOOTSTRAP, 'true', NEEDS_APPROVAL, needs=(NEEDS_API_SERVER,)),
        ),
        beside=(GATE, ALL_BETA),
        needs_certificate=True,
        preparation=f'{APPROVE} {OWN_PAIR}',
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
            'Look at the users of the kubeconfig. Set the field only where they name a client certificate, or where '
            'the kubelet has --bootstrap-kubeconfig, and where the cluster signs kube-apiserver-client-kubelet. A '
            'kubelet with a token or an exec plugin, as on cloud nodes, would speak as system:anonymous: the node '
            'becomes NotReady within a minute. Exempt the rule there.'
        ),
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
        fix=(
            Change(GATE, 'true', is_wrong=is_gate_off),
            Change(BOOTSTRAP, 'true', NEEDS_APPROVAL, is_wrong=lacks_certificate, needs=(NEEDS_API_SERVER,)),
        ),
        preparation=(
            'Keep the other feature gates. A kubelet with its own certificate and key needs the gate only. Any other '
            f'kubelet needs serverTLSBootstrap. {APPROVE}'
        ),
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
            Change(
                'tlsCipherSuites',
                '[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]',
            ),
        ),
        caution='keep both suites, HTTP/2 needs them; TLS 1.2 clients that know neither cannot connect',
        preparation=(
            'Keep at least one of the two suites: HTTP/2 needs it, and the kubelet does not start without. Clients '
            'that speak TLS 1.2 and know AES_256 suites only can no longer connect.'
        ),
        what='A list of cipher suites is given, and each is one that the benchmark calls strong.',
        why='Weak suites can be broken, and with them what the API server and the kubelet say to each other.',
        impact='Clients that know none of the suites can no longer connect. TLS 1.3 has its own suites, always on.',
        note='A list that is not given is not compliant, as in the benchmark, whatever the default of the release.',
        references=(FILE_PAGE, FLAGS_PAGE),
    ),
)
