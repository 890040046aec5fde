# Targets for people; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test test-full coverage lint lock clean
.DELETE_ON_ERROR:

PYTHON ?= python3
VAR_DIR ?= $(CURDIR)/var
PORT ?= 8000
export VAR_DIR PORT
# What is compiled once serves every worker of the tests, and every process that they start.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
# The lock files are complete. With dependency resolution, old versions of pip may choose a newer
# release for a package with an extra, such as coverage[toml], and then fail on its hash.
PIP_INSTALL := $(BIN)/python -m pip install --no-deps --require-hashes --disable-pip-version-check
# Node.js of the machine, or else the one that stands in .venv.
WITH_NODE := PATH="$$PATH:$(CURDIR)/$(BIN)"
BASEMAP_SOURCES := oegen/core/basemap.py oegen/pages/basemap.py
STATIC_SOURCES := $(shell find oegen counterparties pipelines infopoints dashboard -path '*/static/*' -type f)
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/base.stamp node_modules/.stamp $(VAR_DIR)/secret-key $(VAR_DIR)/static/staticfiles.json ## Install the dependencies and collect static files

run: setup ## Serve the site locally; an empty database gets sample data, unless SAMPLE=0
	@exec $(BIN)/python manage.py run_local

test: setup .venv/test.stamp lint ## Lint, run the tests on SQLite, and those that depend on the database on PostgreSQL
	@echo "== Tests on SQLite"
	env -u DATABASE_URL $(PYTEST)
	@echo "== Tests on PostgreSQL"
	$(BIN)/python -m tests.support.postgres $(PYTEST)

test-full: setup .venv/engines.stamp .venv/node.stamp .venv-clouds/.stamp lint ## Run all tests on both databases, including heavy ones
	@echo "== Every test on SQLite"
	env -u DATABASE_URL $(PYTEST) --full
	@echo "== Every test on PostgreSQL"
	$(BIN)/python -m tests.support.postgres $(PYTEST) --full

coverage: setup .venv/test.stamp node_modules/.test.stamp ## Run the tests on SQLite and report uncovered lines
	env -u DATABASE_URL $(PYTEST) --cov --cov-report=term

lint: setup .venv/test.stamp node_modules/.test.stamp ## Check style, formatting, types and missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(WITH_NODE) node_modules/.bin/biome ci --error-on-warnings
	env -u DATABASE_URL $(BIN)/mypy
	env -u DATABASE_URL $(BIN)/python manage.py makemigrations --check --dry-run --settings tests.settings

lock: ## Update the lock files of requirements and front-end packages (needs uv and npm)
	for name in base mcp warehouse test warehouse-test clouds node; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade requirements/$$name.in --output-file requirements/$$name.txt; done
	npm install --package-lock-only
	npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --prefix requirements/clouds

clean: ## Remove installed and built files; the data in var stay
	rm -rf .venv .venv-clouds node_modules "$(VAR_DIR)/static" "$(VAR_DIR)/basemap" "$(VAR_DIR)/test"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Name another one: make setup PYTHON=python3.12")'
	@echo "== Making .venv"
	$(PYTHON) -m venv .venv

.venv/base.stamp: requirements/base.txt | .venv/bin/python
	@echo "== Installing the Python packages"
	$(PIP_INSTALL) --progress-bar on -r requirements/base.txt
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

.venv/test.stamp: requirements/test.txt | .venv/base.stamp
	@echo "== Installing the test packages"
	$(PIP_INSTALL) --progress-bar on -r requirements/test.txt
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

# Engines that heavy tests read the warehouse with; the file holds the test packages too.
.venv/engines.stamp: requirements/warehouse-test.txt | .venv/test.stamp
	@echo "== Installing the engines"
	$(PIP_INSTALL) -r requirements/warehouse-test.txt
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

# A test program needs a newer Node.js than the front end does, and than many machines have.
.venv/node.stamp: requirements/node.txt | .venv/base.stamp
	@echo "== Installing Node.js"
	$(PIP_INSTALL) -r requirements/node.txt
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

# Storage of clouds, which heavy tests write to: its packages don't go with the others.
.venv-clouds/.stamp: requirements/clouds.txt requirements/clouds/package-lock.json | .venv/node.stamp
	@echo "== Installing the storage of clouds"
	$(BIN)/python -m venv .venv-clouds
	.venv-clouds/bin/python -m pip install --no-deps --require-hashes --disable-pip-version-check -r requirements/clouds.txt
	.venv-clouds/bin/python -m pip check --disable-pip-version-check
	cp requirements/clouds/package.json requirements/clouds/package-lock.json .npmrc .venv-clouds
	cd .venv-clouds && $(WITH_NODE) npm ci
	@touch $@

node_modules/.stamp: package.json package-lock.json | .venv/base.stamp
	@echo "== Installing the front-end packages"
	@command -v npm >/dev/null || { $(PIP_INSTALL) -r requirements/node.txt \
		&& $(BIN)/python -m pip check --disable-pip-version-check; }
	$(WITH_NODE) npm ci --omit=dev
	@touch $@

node_modules/.test.stamp: node_modules/.stamp
	@echo "== Installing the front-end test packages"
	$(WITH_NODE) npm install --no-save
	@touch $@

$(VAR_DIR)/secret-key: | .venv/base.stamp
	@umask 077; mkdir -p "$(VAR_DIR)"
	@umask 077; $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))' > "$@"

$(VAR_DIR)/static/staticfiles.json: node_modules/.stamp oegen/apps.py oegen/settings.py $(BASEMAP_SOURCES) $(STATIC_SOURCES) | $(VAR_DIR)/secret-key
	@echo "== Collecting the static files"
	env -u DATABASE_URL -u SECRET_KEY -u BASE_URL $(BIN)/python manage.py collectstatic --noinput
	@touch "$@"
