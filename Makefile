# Commands for developing Piperoll. All files are created in this folder; `make` without a target lists the commands.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# Another PDF for run and demo: make run PDF="my file.pdf"
PDF    ?=
# The faults of a storm and their duration: make chaos SEED=7 MINUTES=30
SEED    ?= 1
MINUTES ?= 5

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Passed as a variable, as a path may contain spaces and quotes.
export PIPEROLL_DEMO_PDF := $(PDF)
DEMO_PDF = $${PIPEROLL_DEMO_PDF:+--pdf "$$PIPEROLL_DEMO_PDF"}

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(STAMPS)/installed $(STAMPS)/kafka ## Install everything into .venv (a few minutes the first time)

.PHONY: run
run: setup ## Start everything, run one job end to end, keep running (PDF="my file.pdf" for your own)
	@exec $(BIN)/piperoll up $(DEMO_PDF) $(ARGS)

.PHONY: demo
demo: setup ## The same, then stop; fails unless the job completed and its webhook arrived
	@exec $(BIN)/piperoll demo $(DEMO_PDF) $(ARGS)

.PHONY: test
test: setup $(STAMPS)/dev ## Run the tests (ARGS="-k name" to choose)
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: check
check: setup $(STAMPS)/dev ## Check lint, formatting, types, generated schemas and known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m schemas.generate --check
	$(BIN)/python deploy/dependencies.py audit

.PHONY: licences
licences: setup $(STAMPS)/dev ## List the licences of all packages of the lock files
	$(BIN)/python deploy/dependencies.py licences

.PHONY: bench
bench: setup $(STAMPS)/dev ## Measure throughput and latency on this machine
	$(BIN)/python -m bench $(ARGS)

.PHONY: screenshots
screenshots: setup $(STAMPS)/dev ## Take the pictures of the page in the docs (needs chromium)
	CI=true $(BIN)/python -m pytest -n 0 tests/acceptance/page/test_screenshots.py
	cp build/screenshots/docs-*.png docs/pictures/

.PHONY: chaos
chaos: setup $(STAMPS)/dev ## Break everything at random while jobs run, then account for every job (SEED=1 MINUTES=5)
	$(BIN)/python -m tests.chaos.storm --seed $(SEED) --minutes $(MINUTES)
	$(BIN)/python -m tests.chaos.roll --seed $(SEED) --minutes $(MINUTES)
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/unit/fuzz tests/acceptance/fuzz --hypothesis-profile=chaos --hypothesis-seed=$(SEED)

LOCK = $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--strip-extras --allow-unsafe

.PHONY: lock
lock: $(STAMPS)/dev ## Regenerate the lock files from pyproject.toml
	$(LOCK) --extra=dev --extra=speech --output-file=requirements-dev.lock pyproject.toml
	$(LOCK) --constraint=requirements-dev.lock --output-file=requirements.lock pyproject.toml
	$(LOCK) --constraint=requirements-dev.lock --only-build-deps --build-deps-for=editable --build-deps-for=wheel \
		--output-file=requirements-build.lock pyproject.toml

.PHONY: clean
clean: ## Remove .venv and caches; the data of stacks stays
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Lock files are compared by content, as a checkout changes their time only.
# umask 022: under root, Postgres runs as a separate account, which must be able to read its programs.
define install
	@set -e; umask 022; \
	sum="$$(cat $(1) pyproject.toml | $(BIN)/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')"; \
	if [ "$$(cat $@ 2> /dev/null || true)" != "$$sum" ]; then \
		echo "Installing $(1) into $(VENV)"; \
		$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r $(1); \
		$(2) \
		mkdir -p $(STAMPS); printf '%s' "$$sum" > $@; \
	fi
endef

.PHONY: FORCE
FORCE:

$(STAMPS)/installed: $(BIN)/python FORCE
	$(call install,requirements.lock,\
		$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements-build.lock; \
		$(BIN)/python -m pip install --disable-pip-version-check --no-build-isolation --no-deps -e .;)

$(STAMPS)/dev: $(STAMPS)/installed FORCE
	$(call install,requirements-dev.lock,)

$(STAMPS)/kafka: $(STAMPS)/installed piperoll/embedded/kafka-jars.lock
	@umask 022 && $(BIN)/python -m piperoll.embedded.fetch && touch $@

$(BIN)/python:
	@command -v "$(PYTHON)" > /dev/null || { \
		echo "error: $(PYTHON) was not found; Piperoll needs Python 3.11 or newer (make setup PYTHON=python3.12)" >&2; \
		exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: Piperoll needs Python 3.11 or newer, and $(PYTHON) is $$("$(PYTHON)" --version 2>&1): install" \
			"one and name it, for example: make setup PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || { \
		echo "error: this Python cannot make virtual environments: on Debian and Ubuntu, apt-get install python3-venv" >&2; \
		exit 1; }
	@echo "Making $(VENV)"
	@umask 022; "$(PYTHON)" -m venv $(VENV)
