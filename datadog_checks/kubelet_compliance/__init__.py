# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from . import agent_release as agent_release  # The first of all: it refuses an older Agent.
from .__about__ import __version__
from .check import KubeletComplianceCheck

__all__ = ['KubeletComplianceCheck', '__version__']
