# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Inputs from an enemy: what each of our readers is fed with, what it must never do, and the worst that is known."""
