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
MUTANTS ?=

# The tests that depend most on the base class. They take a few seconds.
BASE_TESTS := tests/test_agent_release.py tests/api/test_connection.py tests/node/test_procfs.py \
    tests/system/test_bases.py tests/system/test_untrusted.py
# Warnings of old packages are not about this check.
BASE_ARGS := -q -p no:cacheprovider -W default --disable-warnings

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The code that decides, without processes, connections, or an Agent.
QUICK_TESTS := tests/kubelet tests/rules tests/launch tests/reporting

.PHONY: help run test test-quick test-as-user test-bases bench soak validate generate lint docs preview wheel single-file fuzz mutate clean
.DEFAULT_GOAL := help

help:
	@echo 'make run          run the check once on this machine, or on an example node if no kubelet runs here'
	@echo 'make test         run all tests; PYTEST_ARGS sets arguments for pytest'
	@echo 'make test-quick   run the tests of the code that reads values and decides, in less than 30 seconds'
	@echo 'make test-as-user run all tests as the user nobody (requires root); TEST_USER=NAME sets another user'
	@echo 'make test-bases   run some tests with the oldest and the newest supported base package'
	@echo 'make bench        measure the cost of the check; exits with 1 if a limit is exceeded'
	@echo 'make soak         change a real stand-in kubelet at random for an hour; MINUTES=5 sets another duration'
	@echo 'make lint         run ruff and mypy'
	@echo 'make validate     run the linters, then the validators of ddev (requires git and Python 3.13)'
	@echo 'make generate     generate files from assets/configuration/spec.yaml with ddev, then validate'
	@echo 'make wheel        build the wheel in dist/; see deploy/README.md'
	@echo 'make single-file  build the check as one file in build/; see deploy/README.md'
	@echo 'make docs         write docs/rules.md, docs/design.md, and docs/scale.md from the rules, the imports, and runs of the check'
	@echo 'make preview      draw the dashboard for a simulated week in build/preview, and its pictures in images/'
	@echo 'make fuzz         fuzz one target: TARGET=argv|files|trees|proc|configz|... RUNS=... (atheris has wheels for Python 3.11)'
	@echo 'make mutate       change the deciding code in small ways, and report what no test detects; takes an hour'
	@echo 'make clean        remove the files that the other targets created'

run: .venv/.installed
	@$(BIN)/python -m tools.run_check

test: .venv/.installed
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-quick: .venv/.installed
	$(BIN)/python -m pytest -q -m 'not slow' $(QUICK_TESTS) $(PYTEST_ARGS)

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

mutate: .venv-mutate/.filled
	@nice -n 19 .venv-mutate/bin/python -m tools.mutate $(MUTANTS)

clean:
	rm -rf .venv .venv-ddev .venv-mutate .venv-oldest .venv-newest .benchmarks .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# All versions are pinned, so pip does not resolve dependencies. Python compiles a module at its first import.
.venv/.filled: requirements/dev.txt
	@echo 'Setting up .venv ...'
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; \
	    sys.exit(None if sys.version_info >= (3, 11) else f"Python 3.11 or later is required, but $(PYTHON) is {v}")'
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install -qq pip==26.3
	@$(PIP) install -qq --no-deps --no-compile -r requirements/dev.txt
	@touch $@

.venv/.installed: .venv/.filled pyproject.toml
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# The pinned base package comes first on the path. The other packages come from .venv.
.venv-%/.filled: requirements/%.txt .venv/.installed
	@echo 'Setting up .venv-$* ...'
	@$(BIN)/python -m venv --clear --without-pip .venv-$*
	@$(PIP) --python .venv-$*/bin/python install -qq --no-deps --no-compile -r requirements/$*.txt
	@$(BIN)/python tools/overlay.py .venv .venv-$*
	@touch $@

# Only `make fuzz` needs it. Without a wheel for this Python, everything else still works.
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
