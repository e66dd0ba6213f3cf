# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Keep captured nodes and inputs of the fuzzer as documents that can be reviewed.

    python -m tools.pack node FOLDER...       writes tests/nodes/NAME.json for each folder, named after the folder
    python -m tools.pack unpack NAME FOLDER   writes the files of a packed node to a new folder
    python -m tools.pack seed TARGET FILE...  adds inputs to tests/fuzz/seeds/TARGET.jsonl

The expected results of a node come from expected.json in its folder, or else from its document. For a new node without
them, `node` writes the results that the check gives now: review them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from datadog_checks.kubelet_compliance.cli import main as run_check
from tests.fuzz.kept import SEEDS, kept_inputs, write_line
from tests.fuzz.targets import TARGETS
from tests.support.captured_nodes import NODES, lay_out_node
from tests.support.packed import PackError, as_json, pack_folder, unpack_bytes

EXPECTED = 'expected.json'


def results_now(folder: Path) -> dict[str, Any]:
    """Return the results that the check gives for a captured node, in the form of expected results."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        run_check(['--node', str(folder), '--json'])
    kubelets = json.loads(output.getvalue())['kubelets']
    verdicts = {rule['rule']: rule['verdict'] for kubelet in kubelets for rule in kubelet['rules']}
    return {'options': [], 'kubelets': len(kubelets), 'verdicts': verdicts, 'message': [], 'problems': []}


def pack_node(folder: Path) -> Path:
    """Write the document of a captured node. Return its path."""
    document = NODES / f'{folder.resolve().name}.json'
    files = pack_folder(folder)
    if 'node.json' not in files:
        raise PackError(f'{folder} is not a captured node: it has no node.json')
    own = files.pop(EXPECTED, None)
    if own is not None:
        expected = json.loads(unpack_bytes(own))
    elif document.exists():
        expected = json.loads(document.read_text())['expected']
    else:
        expected = results_now(folder)
        print(f'{document}: these are the results of now. Review them.', file=sys.stderr)
    document.write_text(as_json({'expected': expected, 'files': files}))
    return document


def unpack_node(name: str, folder: Path) -> Path:
    """Write the files of a packed node to a folder that does not exist. Return the folder."""
    if not (NODES / f'{name}.json').exists():
        raise PackError(f'no node with the name {name} in {NODES}')
    folder.mkdir(parents=True)
    return lay_out_node(name, folder)


def add_seeds(target: str, paths: list[Path]) -> Path:
    """Add inputs to those of a target, or replace those with the same name. Return the path of the kept inputs."""
    kept = dict(kept_inputs(target))
    for path in paths:
        kept[path.name] = path.read_bytes()
    document = SEEDS / f'{target}.jsonl'
    document.write_text(''.join(f'{write_line(name, kept[name])}\n' for name in sorted(kept)))
    return document


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    node = commands.add_parser('node', help='pack captured nodes')
    node.add_argument('folders', type=Path, nargs='+', metavar='FOLDER')
    unpack = commands.add_parser('unpack', help='write the files of a packed node')
    unpack.add_argument('name', metavar='NAME')
    unpack.add_argument('folder', type=Path, metavar='FOLDER')
    seed = commands.add_parser('seed', help='add inputs of the fuzzer')
    seed.add_argument('target', choices=sorted(TARGETS), metavar='TARGET')
    seed.add_argument('files', type=Path, nargs='+', metavar='FILE')
    options = parser.parse_args()
    try:
        if options.command == 'node':
            written = [pack_node(folder) for folder in options.folders]
        elif options.command == 'unpack':
            written = [unpack_node(options.name, options.folder)]
        else:
            written = [add_seeds(options.target, options.files)]
    except (PackError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(*written, sep='\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
