# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where a person changes the settings of one kubelet, by what its node shows of the distribution. Pure."""

from __future__ import annotations

from dataclasses import replace

from datadog_checks.kubelet_compliance.kubelet.command_lines import NAMING_FLAGS
from datadog_checks.kubelet_compliance.kubelet.flags import Flags
from datadog_checks.kubelet_compliance.model import DropIns, Evidence, File, FileStatus, Home, Unknown, Unreadable

from .distributions import Traits, distribution_of, home_of
from .wording import shorten


def home_on(evidence: Evidence, flags: Flags | Unknown) -> Home:
    """Where the settings of a kubelet are changed on its node. `evidence.statuses` has the file of `options_file`."""
    traits = traits_of(evidence, flags)
    path = options_file(traits)
    if path and isinstance(evidence.statuses.get(path), FileStatus):
        traits = replace(traits, options=path)
    folder = evidence.drop_ins
    files = [evidence.config, *(folder.files if isinstance(folder, DropIns) else ())]
    unread = [file.path for file in (evidence.config, folder) if isinstance(file, Unreadable)]
    return replace(
        home_of(traits),
        unread=' or '.join(map(shorten, unread)),
        json_files=frozenset(file.path for file in files if isinstance(file, File) and is_json(file)),
    )


def options_file(traits: Traits) -> str:
    """The default options file of the distribution, if nothing on the node names another one; '' for none."""
    return '' if traits.options else distribution_of(traits).options


def is_json(file: File) -> bool:
    return file.data.lstrip().startswith(b'{')


def traits_of(evidence: Evidence, flags: Flags | Unknown) -> Traits:
    process, launch = evidence.process, evidence.launch
    config, config_dir, kubeconfig = ('', '', '') if isinstance(flags, Unknown) else map(flags.text, NAMING_FLAGS)
    has_drop_ins = isinstance(evidence.drop_ins, DropIns) and not config
    return Traits(
        unit=evidence.service,
        program=process.program,
        config=config,
        config_dir=config_dir,
        kubeconfig=kubeconfig,
        inside=process.inside,
        is_contained=process.container is not None,
        pid=process.pid,
        has_config=isinstance(evidence.config, File),
        drop_ins=launch.drop_ins if launch is not None else config_dir if has_drop_ins else '',
        options=launch.path if launch is not None else evidence.options,
    )
