# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The values that the rooms exchange. `docs/design.md` describes the rooms."""

from .evidence import (
    LEFT_OUT as LEFT_OUT,
    Argument as Argument,
    DropIns as DropIns,
    Evidence as Evidence,
    Fault as Fault,
    File as File,
    FileAspect as FileAspect,
    FileSet as FileSet,
    FileStatus as FileStatus,
    FileSubject as FileSubject,
    Folder as Folder,
    Launch as Launch,
    Missing as Missing,
    Origin as Origin,
    Place as Place,
    Process as Process,
    Scan as Scan,
    Source as Source,
    Unit as Unit,
    Unknown as Unknown,
    Unreadable as Unreadable,
    Value as Value,
    is_absent as is_absent,
    lookup as lookup,
    was_flag as was_flag,
)
from .results import (
    LONGEST_MESSAGE as LONGEST_MESSAGE,
    NOT_ASKED as NOT_ASKED,
    NOT_RUNNING as NOT_RUNNING,
    Cost as Cost,
    Declared as Declared,
    Finding as Finding,
    Home as Home,
    KubeletReport as KubeletReport,
    NextStart as NextStart,
    NodeReport as NodeReport,
    Objection as Objection,
    Remedy as Remedy,
    Setting as Setting,
    Values as Values,
    Verdict as Verdict,
)
from .rows import (
    Answer as Answer,
    Benchmark as Benchmark,
    BenchmarkRow as BenchmarkRow,
    Change as Change,
    Exemption as Exemption,
    Expectation as Expectation,
    Fact as Fact,
    FileModes as FileModes,
    Precondition as Precondition,
    Rule as Rule,
    Selection as Selection,
)
from .upgrades import (
    Outcome as Outcome,
    Target as Target,
    Upgrade as Upgrade,
    UpgradeItem as UpgradeItem,
    UpgradeSubject as UpgradeSubject,
)
