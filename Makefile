# What there is to do with a checkout. Everything that is needed is set up first: Python 3.11 or newer is all it asks.
#
#   make run     start the whole house in one process: desk, API and mailbox at http://127.0.0.1:8088
#   make demo    an invented trial that plays itself on a rehearsal house, in two minutes
#   make test    the whole suite; says at its end which Kafka, PostgreSQL and browser it used
#   make lint    formatting, lint, types
#   make bench   the benchmark suite: bench/results.json and docs/benchmarks.md (ARGS="--quick" to try it)
#   make chaos   the no-loss proof: 20 seeds of kills and other faults on both shapes, an hour or two; docs/chaos.md
#   make fuzz    the hostile tests, thirty times as long and with new examples each time; make fuzz TIMES=200
#   make screenshots    a picture of every page of the desk, into docs/pictures
#   make sbom    what Tocsin is made of, with licences: build/sbom.json, CycloneDX
#   make vulnerabilities    what is known of the packages of both locks; needs the network
#   make traceability   write docs/traceability.md: requirement, clause, rule, code, tests
#
# make run ARGS="--port 9000"    make test ARGS="tests/domain -x"    make run PYTHON=python3.12

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=
# How many tests run side by side, a file at a time: a third of them wait for a broker, a database or a browser; in the order of their names, because a file of few tests may be a long one; make test TOGETHER= runs them one by one.
TOGETHER ?= --numprocesses=$(shell n=$$(nproc 2>/dev/null || echo 2); \
	if [ $$n -lt 3 ]; then echo 3; elif [ $$n -gt 4 ]; then echo 4; else echo $$n; fi) --dist=loadfile --no-loadscope-reorder

# The first Python on this machine that is new enough; PYTHON=… names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$python" && break; done)

.PHONY: run demo test lint traceability screenshots bench chaos fuzz sbom vulnerabilities .venv
.DEFAULT_GOAL := run

run: $(VENV)/.installed
	$(BIN)/tocsin up $(ARGS)

demo: $(VENV)/.installed
	$(BIN)/tocsin demo $(ARGS)

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

traceability: $(VENV)/.installed-dev
	$(BIN)/python -m tests.traceability

screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m tests.desk.screenshots

bench: $(VENV)/.installed-dev
	PYTHONPATH=. $(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/.installed-dev
	PYTHONPATH=. $(BIN)/python -m chaos $(ARGS)

TIMES ?= 30
fuzz: $(VENV)/.installed-dev
	TOCSIN_TEST_FUZZ=$(TIMES) $(BIN)/python -m pytest $(TOGETHER) tests/hostile $(ARGS)

SUPPLY := build/supply

# Of an environment that holds requirements.lock and nothing else: it is what runs, and each package says its licence.
sbom: $(SUPPLY)/.installed
	rm -rf $(SUPPLY)/runs
	$(BIN)/python -m venv --without-pip $(SUPPLY)/runs
	$(BIN)/python -m pip --python $(SUPPLY)/runs/bin/python install --quiet --disable-pip-version-check \
		--no-deps --require-hashes -r requirements.lock
	$(SUPPLY)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-format JSON \
		--output-file build/sbom.json $(SUPPLY)/runs/bin/python

vulnerabilities: $(SUPPLY)/.installed
	PYTHONPATH=. $(BIN)/python -m tests.operations.vulnerabilities $(SUPPLY)/bin/pip-audit

# Tools about packages have packages of their own, which are kept apart from what runs and what is tested.
$(SUPPLY)/.installed: requirements-supply.lock $(VENV)/.installed
	$(BIN)/python -m venv $(SUPPLY)
	$(SUPPLY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-supply.lock
	@touch $@

# What is needed to run; it holds .venv/bin/tocsin.
.venv: $(VENV)/.installed

# Each step leaves a mark when it is done whole, so that it is done again only when what it was made from has changed.
$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Tocsin needs Python 3.11 or newer; $$(python3 --version 2>/dev/null || echo 'no python3') was found." >&2; \
		echo "Install one, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Tocsin needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml $(VENV)/.made
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
