# Every target does its own set-up: a virtual environment in .venv and a locked install into it.
# Needs Python 3.11+, make and git, nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null; then echo $$p; break; fi; done)
PY := .venv/bin/python
RUN := .venv/.ready-run
DEV := .venv/.ready-dev

.PHONY: help demo test browser coverage lint format bench bench-history chaos scale lock clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.venv/.created:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found on PATH."; exit 1; }
	@echo "Setting up .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv .venv || { echo "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@command -v uv >/dev/null 2>&1 || $(PY) -m pip install --quiet --disable-pip-version-check 'uv>=0.5,<1'
	@touch $@

# uv from PATH where there is one, otherwise the one brought into .venv. The lock file pins by version and hash.
INSTALL = UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy $$(command -v uv || echo .venv/bin/uv) pip install --quiet --python $(PY) --constraint requirements.lock --editable

$(RUN): .venv/.created pyproject.toml requirements.lock
	@$(INSTALL) .
	@touch $@

$(DEV): $(RUN)
	@$(INSTALL) '.[dev]'
	@touch $@

demo: $(RUN) ## Plan, apply, drift and history on embedded defaults, in under a minute
	@$(PY) -m reconciler demo

# Tests wait for PostgreSQL, HTTP and Git a good deal of their time: three processes keep two processors busy.
AT_ONCE = --numprocesses $$($(PY) -c 'import os; print(max(2, (os.cpu_count() or 1) * 3 // 2))') --dist worksteal
# Without bytecode, every process of a test would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

test: $(DEV) browser ## Run the tests (real PostgreSQL, real HTTP, real SDK, real Azurite, a real browser)
	@$(PY) -m pytest $(AT_ONCE) $(PYTEST_ARGS)

# As root on Debian with apt-get, otherwise from npm; where neither works, the tests in a browser are skipped.
browser: $(DEV)
	@$(PY) -m tests.browser

coverage: $(DEV) browser ## Run the tests and show which lines and branches they miss
	@mkdir -p .cache/coverage && rm -f .cache/coverage/*
	@$(PY) -m coverage run -m pytest $(AT_ONCE) $(PYTEST_ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

lint: $(DEV) ## Formatting, ruff, mypy --strict, import contracts, workflows, generated files up to date
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	@$(PY) -m reconciler schema --check
	@$(PY) -m tests.workflows.linting

format: $(DEV) ## Format the code and mend what ruff can mend
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: $(DEV) ## Measure: seconds, API calls, SQL statements, memory
	@$(PY) -m tests.bench

bench-history: $(DEV) ## Measure reads and writes over 100,000 and 10,000,000 historic versions (20 GB, a while)
	@$(PY) -m tests.bench.history

chaos: $(DEV) ## Kill, cut off and confuse daemons and workers for MINUTES=5; SEED=7 draws the same again
	@$(PY) -m tests.chaos --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED))

scale: $(DEV) ## Live days of a very large fleet in virtual time: calls, rows, bytes, limits (docs/scale.md)
	@$(PY) -m tests.scale

lock: $(DEV) ## Resolve the dependencies again into requirements.lock
	@$$(command -v uv || echo .venv/bin/uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --all-extras pyproject.toml --output-file requirements.lock

clean: ## Remove what the targets made
	rm -rf .venv .sharepack .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
