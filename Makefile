# make demo   see it work: everything on this machine, nothing to install first
# make test   every check, on SQLite and on a real PostgreSQL
# make help   the rest

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BREVO_SANDBOX_PORT ?= 8900
BIN = $(VENV)/bin
TESTS ?= lint test-sqlite test-postgres
SQLITE_ARGS ?=
POSTGRES_ARGS ?=
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
PYTEST = $(BIN)/python -m pytest -q -n 3 --dist worksteal  # two cores: much of a test is waiting
RUNTIME = $(VENV)/.runtime
INSTALLED = $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types schema test-sqlite test-postgres worker bench pins clean

help:  ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(INSTALLED)  ## make the virtual environment, everything pinned

$(INSTALLED): requirements/dev.txt $(RUNTIME)
	$(PIP) -r requirements/dev.txt
	@touch $(INSTALLED)

$(RUNTIME): requirements/runtime.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13: say PYTHON=python3.13 make …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements/runtime.txt
	@touch $(RUNTIME)

demo: $(RUNTIME)  ## the whole product with invented people; ctrl-C ends it
	@PORT=$(PORT) BREVO_SANDBOX_PORT=$(BREVO_SANDBOX_PORT) DJANGO_DEBUG=True $(BIN)/python manage.py demo

test: $(TESTS)  ## every check, both databases

lint: install types  ## ruff, import-linter, migrations, the API's schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	DJANGO_DEBUG=True $(BIN)/python manage.py makemigrations --check --dry-run
	DJANGO_DEBUG=True $(BIN)/python manage.py spectacular --validate --fail-on-warn > /dev/null

types: install  ## mypy --strict
	$(BIN)/mypy

test-sqlite: install  ## the tests on SQLite
	$(PYTEST) $(SQLITE_ARGS)

test-postgres: install  ## the tests on PostgreSQL: TEST_DATABASE_URL, or the one a package brings
	TEST_DATABASE_URL="$${TEST_DATABASE_URL:-embedded}" $(PYTEST) $(POSTGRES_ARGS)

schema: install  ## write docs/openapi.yaml anew
	DJANGO_DEBUG=True $(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

worker: install  ## carry on what was queued (TASKS_BACKEND=database)
	$(BIN)/python manage.py worker

bench: install  ## measure, in ratios within one run
	$(BIN)/python -m benchmarks

pins:  ## resolve the requirements anew (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 -q pyproject.toml -o requirements/runtime.txt
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 -q pyproject.toml --group dev --extra celery \
		-c requirements/runtime.txt -o requirements/dev.txt

clean:  ## remove the virtual environment and the demo's data
	rm -rf $(VENV) .demo
