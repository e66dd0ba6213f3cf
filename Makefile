# On a fresh Debian machine: apt-get install python3 python3-venv make gcc
# `make validate` also needs git and Python 3.13, which ddev asks for.
# `make preview` also needs: apt-get install chromium npm

PYTHON ?= python3
PYTEST_ARGS ?=
TEST_USER ?= nobody
BENCH_ARGS ?=
MINUTES ?= 60
SOAK_ARGS ?=
TARGET ?= files
RUNS ?= 1000000

# What asks most of the base class, and takes some seconds.
BASE_TESTS := tests/test_agent_release.py tests/api/test_connection.py tests/node/test_procfs.py \
    tests/system/test_bases.py tests/system/test_untrusted.py
# What old packages warn of is not ours.
BASE_ARGS := -q -p no:cacheprovider -W default --disable-warnings

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help run test test-as-user test-bases bench soak validate generate lint docs preview wheel single-file fuzz clean
.DEFAULT_GOAL := help

help:
	@echo 'make run          one real collection on this machine, or an example node where no kubelet runs'
	@echo 'make test         all tests; PYTEST_ARGS is handed on to pytest'
	@echo 'make test-as-user all tests as the user nobody, for root; TEST_USER=NAME for another user'
	@echo 'make test-bases   some tests with the oldest and the newest base package that the check runs with'
	@echo 'make bench        what the check costs, beside other ways; exits 1 where a limit is passed'
	@echo 'make soak         an hour of a real stand-in kubelet that changes all the time; MINUTES=5 for less'
	@echo 'make lint         ruff and mypy'
	@echo 'make validate     lint, then the validators of ddev (needs git and Python 3.13)'
	@echo 'make generate     write what ddev makes from assets/configuration/spec.yaml, then validate'
	@echo 'make wheel        the wheel, in dist/: see deploy/README.md'
	@echo 'make single-file  the check as one file, in build/: see deploy/README.md'
	@echo 'make docs         write docs/rules.md, docs/design.md, and docs/scale.md from the rules, the imports, and runs of the check'
	@echo 'make preview      the dashboard over a simulated week, in build/preview, and its pictures in images/'
	@echo 'make fuzz         TARGET=argv|files|trees|proc|configz|... RUNS=...: fuzz one target (atheris has wheels for Python 3.11)'
	@echo 'make clean        remove what the other targets made'

run: .venv/.installed
	@$(BIN)/python -m tools.run_check

test: .venv/.installed
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-as-user:
	@TEST_USER=$(TEST_USER) PYTHON=$(PYTHON) tools/test_as_user.sh $(PYTEST_ARGS)

test-bases: .venv-oldest/.filled .venv-newest/.filled
	.venv-oldest/bin/python -m pytest $(BASE_ARGS) $(BASE_TESTS)
	.venv-newest/bin/python -m pytest $(BASE_ARGS) $(BASE_TESTS)

bench: .venv/.installed
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

soak: .venv/.installed
	@$(BIN)/python -m tools.soak --minutes $(MINUTES) $(SOAK_ARGS)

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

validate: lint .venv-ddev/.filled
	$(BIN)/python tools/validate.py

generate: .venv/.installed .venv-ddev/.filled
	$(BIN)/python tools/validate.py --generate

wheel: .venv/.filled
	$(BIN)/python -m hatchling build -t wheel

docs: .venv/.installed
	@$(BIN)/python tools/rules_page.py
	@$(BIN)/python tools/design_page.py
	@$(BIN)/python -m tools.scale

preview: .venv/.installed build/preview/.filled
	@$(BIN)/python -m tools.preview.render build/preview/node_modules/echarts/dist/echarts.min.js \
	    build/preview/index.html --pictures images

single-file:
	@$(PYTHON) tools/single_file.py

fuzz: .venv/.fuzz
	$(BIN)/python -m tools.fuzz $(TARGET) --runs $(RUNS)

clean:
	rm -rf .venv .venv-ddev .venv-oldest .venv-newest .benchmarks .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The versions are pinned one by one, so pip need not resolve anything; Python compiles what it imports at the first run.
.venv/.filled: requirements/dev.txt
	@echo 'Setting up .venv ...'
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; \
	    sys.exit(None if sys.version_info >= (3, 11) else f"Python 3.11 or later is needed, $(PYTHON) is {v}")'
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install -qq pip==26.3
	@$(PIP) install -qq --no-deps --no-compile -r requirements/dev.txt
	@touch $@

.venv/.installed: .venv/.filled pyproject.toml
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# The base package comes first, and what runs the tests is that of .venv.
.venv-%/.filled: requirements/%.txt .venv/.installed
	@echo 'Setting up .venv-$* ...'
	@$(BIN)/python -m venv --clear --without-pip .venv-$*
	@$(PIP) --python .venv-$*/bin/python install -qq --no-deps --no-compile -r requirements/$*.txt
	@$(BIN)/python tools/overlay.py .venv .venv-$*
	@touch $@

# It is found only by those who ask for it: no wheel, no fuzzing, and all else works.
.venv/.fuzz: requirements/fuzz.txt .venv/.installed
	@$(PIP) install -qq --no-deps --only-binary :all: -r requirements/fuzz.txt
	@touch $@

build/preview/.filled: tools/preview/package.json tools/preview/package-lock.json
	@mkdir -p build/preview && cp tools/preview/package.json tools/preview/package-lock.json build/preview
	@npm ci --prefix build/preview --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv-ddev/.filled: requirements/ddev.txt .venv/.filled
	@echo 'Setting up .venv-ddev ...'
	@python=$$(tools/find_python3.13.sh) && "$$python" -m venv --clear --without-pip .venv-ddev
	@$(PIP) --python .venv-ddev/bin/python install -qq --no-deps --no-compile -r requirements/ddev.txt
	@touch $@
