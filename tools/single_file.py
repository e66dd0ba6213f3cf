# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write the package as one flat file, for those who cannot build an image: `make single-file`.

Helm's `datadog.checksd` and the Operator's `extraChecksd` take single files only. The file holds the source of each
module as text, and runs them in the order of their imports under a package name of its own: so no name of one module
can meet that of another, and nothing is kept twice by hand. Helm reads `{{` as a template, so none is left in the file.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'datadog_checks' / 'kubelet_compliance'
FULL_NAME = 'datadog_checks.kubelet_compliance'
NAME_IN_FILE = '_kubelet_compliance_single_file.kubelet_compliance'
OUTPUT = ROOT / 'build' / 'kubelet_compliance.py'

# What a ConfigMap may hold; the Agent's other checks may lie in the same one.
MAX_BYTES = 900 * 1024

TERMINAL = 'cli'
"""The terminal command: run when the file is run as a program, never by the Agent."""

HEAD = '''\
# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check `kubelet_compliance` in one file, made by tools/single_file.py: change the package, not this file.

It holds the modules of the package as text, one after the other. The Agent finds the check at the end.
The same file is the terminal command: run it with the Python of the Agent and `--help`.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

__version__ = %(version)s

# The base class looks for the config models beside the module, two names deep.
_PACKAGE = %(package)s
_TERMINAL = %(terminal)s


class _Text:
    """Where a module's lines are, for a traceback."""

    def __init__(self, source):
        self.source = source

    def get_source(self, _):
        return self.source


def _module(name, source, is_package):
    """A module that is known, but has not run yet."""
    file = f'{__file__}/{name[len(_PACKAGE) + 1 :] or "__init__"}.py'
    spec = ModuleSpec(name, _Text(source), origin=file, is_package=is_package)
    module = sys.modules[name] = ModuleType(name)
    module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, file
    module.__package__ = name if is_package else name.rpartition('.')[0]
    if is_package:
        module.__path__ = []
    return module


def _run(module):
    exec(compile(module.__loader__.source, module.__file__, 'exec', dont_inherit=True), vars(module))
    parent, _, name = module.__name__.rpartition('.')
    setattr(sys.modules[parent], name, module)


def _name(module):
    return f'{_PACKAGE}.{module}' if module else _PACKAGE


def _load():
    """Run the modules, each after those that it imports."""
    _module(_PACKAGE.partition('.')[0], '', True)
    for name in _PACKAGES:
        _module(_name(name), _SOURCES[name], True)
    for name, source in _SOURCES.items():
        if name != _TERMINAL:
            _run(sys.modules[_name(name)] if name in _PACKAGES else _module(_name(name), source, False))
    return sys.modules[_PACKAGE]


_SOURCES = {}
'''

TAIL = '''
_PACKAGES = %(packages)s

KubeletComplianceCheck = _load().KubeletComplianceCheck

if __name__ == '__main__':
    _run(_module(_name(_TERMINAL), _SOURCES[_TERMINAL], False))
    sys.exit(sys.modules[_name(_TERMINAL)].main())
'''


class CannotFlatten(Exception):
    """The package holds what one file cannot."""


def read_modules(package: Path) -> dict[str, str]:
    """Name below the package -> source; the package itself is the empty name."""
    sources = {}
    for path in sorted(package.rglob('*.py')):
        parts = path.relative_to(package).with_suffix('').parts
        sources['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path.read_text()
    return sources


def packages(package: Path) -> tuple[str, ...]:
    """The names of the packages, each after the one that it is in."""
    folders = sorted(path.parent.relative_to(package).parts for path in package.rglob('__init__.py'))
    return tuple('.'.join(parts) for parts in folders)


def order(sources: Mapping[str, str], package_names: Iterable[str]) -> Iterator[str]:
    """The modules, each after those that it imports. Raises CannotFlatten."""
    known = set(package_names)
    graph = {name: sorted(imports(name, source, name in known, sources)) for name, source in sources.items()}
    try:
        yield from TopologicalSorter(graph).static_order()
    except CycleError as error:
        raise CannotFlatten(f'modules import each other: {" -> ".join(error.args[1])}') from None


def imports(name: str, source: str, is_package: bool, sources: Mapping[str, str]) -> set[str]:
    """The modules of the package that a module imports. Raises CannotFlatten."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            if any(alias.name.startswith(FULL_NAME) for alias in node.names):
                raise CannotFlatten(f'{name or "__init__"}, line {node.lineno}: use `from` to import from the package')
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.update(relative_imports(name, node, is_package, sources))
        elif isinstance(node, ast.ImportFrom) and is_ours(node):
            target = (node.module or '').removeprefix(FULL_NAME).removeprefix('.')
            found.add(existing(target, name, node, sources))
    return found - {name}


def is_ours(node: ast.ImportFrom) -> bool:
    return f'{node.module}.'.startswith(f'{FULL_NAME}.')


def relative_imports(name: str, node: ast.ImportFrom, is_package: bool, sources: Mapping[str, str]) -> Iterator[str]:
    parts = name.split('.') if name else []
    above = node.level - (1 if is_package else 0)
    if above > len(parts):
        raise CannotFlatten(f'{name}, line {node.lineno}: the import leads out of the package')
    base = parts[: len(parts) - above]
    if node.module:
        yield existing('.'.join([*base, *node.module.split('.')]), name, node, sources)
        return
    for alias in node.names:
        yield existing('.'.join([*base, alias.name]), name, node, sources)


def existing(target: str, name: str, node: ast.ImportFrom, sources: Mapping[str, str]) -> str:
    if target not in sources:
        raise CannotFlatten(f'{name}, line {node.lineno}: there is no module {target}')
    return target


def with_name_in_file(source: str) -> str:
    """The source, with imports from the package by the name that the package has in the file."""
    return re.sub(rf'^(\s*from ){re.escape(FULL_NAME)}(?=[. ])', rf'\g<1>{NAME_IN_FILE}', source, flags=re.MULTILINE)


def as_literal(text: str) -> str:
    """Text as a Python literal that reads like the text, without a `{{`."""
    escaped = text.replace('\\', '\\\\').replace("'''", "\\'\\'\\'").replace('{{', '{\\x7b')
    if escaped.endswith("'"):
        escaped = escaped[:-1] + "\\'"
    literal = f"'''\\\n{escaped}'''"
    if ast.literal_eval(literal) != text:
        raise CannotFlatten('a module cannot be written as a literal')
    return literal


def version_of(sources: Mapping[str, str]) -> str:
    for node in ast.walk(ast.parse(sources['__about__'])):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    raise CannotFlatten('__about__ says no version')


def flatten(package: Path = PACKAGE) -> str:
    """The package as one file. Raises CannotFlatten."""
    sources = {name: source for name, source in read_modules(package).items() if name != '__main__'}
    package_names = packages(package)
    names = [*order(sources, package_names)]
    for name in names:
        if TERMINAL in imports(name, sources[name], name in package_names, sources):
            raise CannotFlatten(f'{name or "__init__"} needs the terminal command')
    head = HEAD % {'package': repr(NAME_IN_FILE), 'version': repr(version_of(sources)), 'terminal': repr(TERMINAL)}
    bodies = [f'\n_SOURCES[{name!r}] = {as_literal(with_name_in_file(sources[name]))}\n' for name in names]
    text = ''.join([head, *bodies, TAIL % {'packages': repr(package_names)}])
    if '{{' in text:
        raise CannotFlatten('Helm would read a `{{` as a template')
    if len(text.encode()) > MAX_BYTES:
        raise CannotFlatten(f'it is larger than {MAX_BYTES // 1024} KiB: a ConfigMap would not hold it')
    return text


def main() -> None:
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    try:
        text = flatten()
    except CannotFlatten as error:
        sys.exit(f'single_file: {error}')
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    print(f'{output}: {len(text.encode()) // 1024} KiB')


if __name__ == '__main__':
    main()
