# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The pages of the Kubernetes documentation that several rules refer to."""

from __future__ import annotations

AUTHENTICATION_PAGE = 'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/'
BOOTSTRAP_PAGE = 'https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/'
FILE_PAGE = 'https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/'
FLAGS_PAGE = 'https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/'
