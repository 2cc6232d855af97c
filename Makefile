# Everything runs in .venv, made here; uv is used when it is on PATH, pip otherwise.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help install migrate course serve psql test quick check prove crucible wheel docs bench lock diagram reset clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(STAMP)  ## make the environment in .venv

$(STAMP): requirements-dev.txt
	@echo "Installing into $(VENV), about half a minute ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
ifneq ($(UV),)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
else
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's ensurepip is missing; install it (Debian, Ubuntu: apt install python3-venv), or install uv"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
endif
	@touch $(STAMP)

migrate: $(STAMP)  ## alembic upgrade head, on DATABASE_URL or on the embedded PostgreSQL in .postgres/
	@cd backend && ../$(BIN)/alembic upgrade head

course: migrate  ## migrate, then load the example course; FOLDER=... loads another
	@cd backend && ../$(BIN)/python -m src.course import $(abspath $(or $(FOLDER),examples/course))

serve: migrate  ## migrate, then the API on http://127.0.0.1:8000 (docs at /docs)
	@$(BIN)/uvicorn src.api.app:create_app --factory --app-dir backend

psql: $(STAMP)  ## psql on that database
	@cd backend && ../$(BIN)/python -m src.db.psql

# Where this is set, each of the hundreds of processes that tests start compiles all that it imports, for three seconds.
test quick prove: export PYTHONDONTWRITEBYTECODE :=

# Three at once for two cores: a test of locks waits for a while.
test: $(STAMP)  ## the tests, on PostgreSQL 18 and a few on 16 (five to ten minutes)
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

# Where all tests need a server, none is looked for: to collect them takes as long as the others run.
WITHOUT_PURE := alembic_online/autogenerate alembic_online/recipes alembic_online/postgres/catalogue api/test_schema.py
quick: $(STAMP)  ## what needs no server (some twenty seconds)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "pure and not prove" --postgres=18 $(WITHOUT_PURE:%=--ignore=backend/tests/%) $(ARGS)

prove: $(STAMP)  ## the longer proofs: all cases of each table, kills at every step, all of the toolkit on 16
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m prove $(ARGS)

# ARGS="--again 1.17" runs one example again, ARGS="--models package.module:metadata" throws other models in.
crucible: $(STAMP)  ## random schemas and changes, broken off at random (SECONDS=600 SEED=1 PROCESSES=2 POSTGRES=18)
	@cd backend && ../$(BIN)/python -m alembic_online.testing.crucible --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) \
		--processes $(or $(PROCESSES),2) --postgres $(or $(POSTGRES),18) $(ARGS)

check: $(STAMP)  ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMP)  ## benchmarks, as ratios side by side
	@cd backend && for each in apply autogenerate fingerprint api backfill stall audit; do ../$(BIN)/python -m benchmarks.$$each || exit 1; done

diagram: $(STAMP)  ## draw the tables into backend/migrations/tables.md
	@cd backend && ../$(BIN)/python -m src.db.diagram --write migrations/tables.md

# Not with --quiet: then mkdocs (1.6) counts no warning, and strict lets a broken link pass.
docs: $(STAMP)  ## the documents as a site, in site/; a broken link ends it
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

lock:  ## write the two lock files again (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

wheel: $(STAMP)  ## the toolkit as a wheel, in dist/
ifneq ($(UV),)
	@$(UV) build --quiet --wheel --out-dir dist backend/alembic_online
else
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist backend/alembic_online
endif
	@ls dist/alembic_online-*.whl

reset:  ## remove the embedded database, to begin again
	@rm -rf .postgres

clean:  ## remove the environment and the embedded database
	@rm -rf $(VENV) .postgres
