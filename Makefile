# What there is to do with a checkout. Everything that is needed is set up first: Python 3.11 or newer is all it asks.
#
#   make run     start the whole house in one process: desk, API and mailbox at http://127.0.0.1:8088
#   make demo    an invented trial that plays itself on a rehearsal house, in two minutes
#   make test    the whole suite; says at its end which Kafka, PostgreSQL and browser it used
#   make lint    formatting, lint, types
#   make bench   the benchmark suite, as one JSON document
#   make chaos   the no-loss proof: 20 seeds of kills and other faults on both shapes; docs/chaos.md
#   make screenshots    a picture of every page of the desk, into docs/pictures
#   make traceability   write docs/traceability.md: requirement, clause, rule, code, tests
#
# make run ARGS="--port 9000"    make test ARGS="tests/domain -x"    make run PYTHON=python3.12

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=
# How many tests run side by side, a file at a time: a third of them wait for a broker, a database or a browser; make test TOGETHER= runs them one by one.
TOGETHER ?= --numprocesses=$(shell n=$$(nproc 2>/dev/null || echo 2); \
	if [ $$n -lt 3 ]; then echo 3; elif [ $$n -gt 4 ]; then echo 4; else echo $$n; fi) --dist=loadfile

# The first Python on this machine that is new enough; PYTHON=… names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$python" && break; done)

.PHONY: run demo test lint traceability screenshots bench chaos .venv
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
	PYTHONPATH=. $(BIN)/python -m bench

chaos: $(VENV)/.installed-dev
	PYTHONPATH=. $(BIN)/python -m chaos $(ARGS)

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
