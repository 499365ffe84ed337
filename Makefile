# Everything sets up what it needs. A fresh machine has Python 3.11 with venv, make, Node 20 and apt; nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first interpreter that really runs: a version manager's stand-in may be there for a version that is not.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SDK_SOURCES := $(shell find sdk/src sdk/scripts -type f) sdk/package.json
# Those that need a full geo database, or long, have a target of their own; load.py is what one of them loads with.
ALONE := bench/delivery.py bench/dashboard.py bench/dashboard_frames.py bench/dashboard_tabs.py bench/viewers.py bench/export.py bench/soak.py bench/chaos.py bench/fuzz.py bench/geo_accuracy.py bench/field.py bench/load.py bench/slowloris.py \
	bench/pipeline_race.py bench/pipeline_flat.py bench/pipeline_serve.py bench/queries.py
BENCHES := $(filter-out $(ALONE),$(wildcard bench/[a-z]*.py))
CHECKED := glimpse glimpse_app.py tests bench docs

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: .venv/.installed ## serve the dashboard and a demo shop, with simulated visitors
	@$(BIN)/glimpse demo $(ARGS)

.PHONY: test
test: check test-sdk test-python ## everything: check, then the SDK's and Python's tests

.PHONY: check
check: .venv/.installed-dev sdk/dist/glimpse.js ## format, lint, types and import contracts, of Python and JavaScript
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	cd sdk && npm run --silent check

.PHONY: format
format: .venv/.installed-dev sdk/node_modules/.installed ## put all files into the project's form
	$(BIN)/ruff format $(CHECKED)
	$(BIN)/ruff check --fix $(CHECKED)
	cd sdk && npm run --silent format

.PHONY: test-sdk
test-sdk: sdk/dist/glimpse.js chromium
	cd sdk && npm run --silent test
	cd sdk && npm run --silent test:browser

.PHONY: test-python
test-python: .venv/.installed-dev sdk/dist/glimpse.js chromium nginx
ifdef ARGS
	$(BIN)/pytest $(ARGS)
else # in the order of the folders: the slow ones come first, so that both cores end together
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --reruns 2 -raR --durations 20
endif

.PHONY: bench
bench: .venv/.installed-dev sdk/dist/glimpse.js chromium ## measure start-up, memory, ingest and the way from click to dot
	for script in $(BENCHES); do echo "== $$script"; $(BIN)/python "$$script"; done

.PHONY: bench-edge
bench-edge: .venv/.installed-dev sdk/dist/glimpse.js ## race the edge against bare Tornado and, with SEEDSTACK=DIR, the stack there
	$(BIN)/python bench/field.py $(if $(SEEDSTACK),--seedstack "$(SEEDSTACK)") $(ARGS)

.PHONY: bench-pipeline
bench-pipeline: .venv/.installed-dev sdk/dist/glimpse.js ## race the pipeline: drain alone, whole, batches, flat cost; SEEDSTACK=DIR names the stack to outrun
	$(BIN)/python bench/pipeline_race.py $(if $(SEEDSTACK),--seedstack "$(SEEDSTACK)") $(ARGS)
	$(BIN)/python bench/pipeline_serve.py $(filter --quick,$(ARGS))
	$(BIN)/python bench/pipeline_flat.py $(filter --quick,$(ARGS))

.PHONY: bench-dashboard
bench-dashboard: .venv/.installed-dev sdk/dist/glimpse.js chromium ## how the dashboard feels, in Chromium, and what viewers cost
	$(BIN)/python bench/viewer_tick.py
	$(BIN)/python bench/dashboard.py --rate 200 --viewers 10
	$(BIN)/python bench/dashboard.py --rate 1000 --viewers 20
	$(BIN)/python bench/dashboard.py --stored 1000000
	$(BIN)/python bench/dashboard_tabs.py

.PHONY: bench-query
bench-query: .venv/.installed-dev ## ask ten million events everything, beside pandas and SQLite (ARGS="--events 1000000")
	$(BIN)/python bench/queries.py $(ARGS)

.PHONY: bench-sdk
bench-sdk: sdk/dist/glimpse.js chromium ## size and behaviour of the tracker beside others', and what it costs a page
	cd sdk/bench && npm install --no-audit --no-fund --no-package-lock --loglevel=error
	cd sdk && node bench/peers.js && node bench/cost.js

.PHONY: versions
versions: .venv/.installed-dev sdk/dist/glimpse.js chromium nginx ## run the suites on each Python and Panel that is allowed
	$(BIN)/python tests/contract/matrix.py

.PHONY: mutations
mutations: .venv/.installed-dev sdk/dist/glimpse.js ## break what is promised in one way at a time, and see that a test notices
	$(BIN)/python tests/mutations.py $(ARGS)

.PHONY: soak
soak: versions ## all versions, three mutations, 110,000 wrong requests, a hundred kills, 2,000 page lives under trouble, then hold a rate for long and compare the books (ARGS="--minutes 60")
	$(BIN)/python tests/mutations.py --only
	$(BIN)/python bench/fuzz.py
	$(BIN)/python bench/chaos.py
	$(BIN)/python bench/delivery.py
	$(BIN)/python bench/soak.py $(ARGS)

.PHONY: screenshots
screenshots: .venv/.installed-dev sdk/dist/glimpse.js chromium ## take the pictures in docs/ anew
	$(BIN)/python docs/screenshots.py $(ARGS)

.PHONY: docs
docs: .venv/.installed-dev ## write the generated parts of README and docs anew
	$(BIN)/python docs/generate.py

.PHONY: clean
clean: ## remove what was built and installed; collected data in .glimpse stays
	rm -rf .venv .build build dist sdk/node_modules sdk/dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find glimpse tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

# -- what the above need; each runs again only when something it stands on has changed ---------------------------------

.venv/bin/python:
	@$(if $(PYTHON),,echo "Glimpse needs Python 3.11 to 3.13 on the PATH" >&2; exit 1)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Glimpse needs Python 3.11 to 3.13; $(PYTHON) is another. Name one: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# The SDK comes first: an installation takes its built files along.
.venv/.installed: pyproject.toml | .venv/bin/python sdk/dist/glimpse.js
	@echo "Installing Glimpse into .venv (about a minute)"
	@$(PIP_INSTALL) --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml | .venv/bin/python sdk/dist/glimpse.js
	@echo "Installing Glimpse and its tools into .venv (a minute or two)"
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch .venv/.installed $@

sdk/node_modules/.installed: sdk/package.json sdk/package-lock.json
	cd sdk && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

sdk/dist/glimpse.js: sdk/node_modules/.installed $(SDK_SOURCES)
	cd sdk && npm run --silent build
	@touch $@

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || $(MAKE) --no-print-directory install-chromium

.PHONY: install-chromium
install-chromium:
	@command -v apt-get >/dev/null || { echo "The browser tests need Chromium: install it as 'chromium' on the PATH" >&2; exit 1; }
	@[ "$$(id -u)" = 0 ] || command -v sudo >/dev/null \
		|| { echo "The browser tests need Chromium. As root: apt-get install chromium" >&2; exit 1; }
	$(if $(filter 0,$(shell id -u)),,sudo) apt-get update -qq
	$(if $(filter 0,$(shell id -u)),,sudo) env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends chromium fonts-liberation

# Where it can't be had, the tests that stand behind it are skipped, and say why.
.PHONY: nginx
nginx:
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || $(MAKE) --no-print-directory install-nginx

.PHONY: install-nginx
install-nginx:
	-@$(if $(filter 0,$(shell id -u)),,sudo) apt-get update -qq
	-@$(if $(filter 0,$(shell id -u)),,sudo) env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends nginx
	-@$(if $(filter 0,$(shell id -u)),,sudo) env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends caddy
