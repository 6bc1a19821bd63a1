# `make demo` and `make test` do all their set-up themselves. They need Python 3.11 to 3.13, git, and the network for PyPI.
# PYTHON=/path/to/python picks another Python, VENV=/some/dir another place for the virtual environment.

AIRFLOW := 3.3.2
VENV    ?= .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.set-up-is-done
BROWSER := $(VENV)/.browser-is-set-up
MUTMUT  := $(VENV)/.mutmut-is-set-up
REPORTS := build/reports
# The tests that need neither a server nor an Airflow process
QUICK   := $(wildcard tests/unit tests/walk)
# Many tests wait for an Airflow, so more of them than there are cores can run at once
WORKERS ?= $(shell expr 3 '*' $$(nproc))
# those of the Python in $(VENV), which is there by the time that they are needed
PINS     = constraints/airflow-$(AIRFLOW)-py$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])').txt
INSTALL  = $(BIN)/uv pip install --quiet --constraint $(PINS)

# Many processes import the same modules: each would compile them anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-stop check test readings mutants matrix smoke dist sbom release chaos distributed bench screenshots docs lint format constraints clean

help: ## Print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## Make the virtual environment (the others do it when it is needed)

demo: $(STAMP) ## A clean-up with a real Airflow and a Zoho CRM emulator; KEEP=1 leaves both running
	@exec $(BIN)/python -m demo $(if $(filter-out 0,$(KEEP)),--keep)

demo-stop: ## Stop what `make demo KEEP=1` left running
	@if [ -x $(BIN)/python ]; then exec $(BIN)/python -m demo --stop; fi

check: lint ## `make lint` and the tests that need neither a server nor an Airflow process
	$(BIN)/python -m pytest $(QUICK) -n auto --dist worksteal $(ARGS)

test: $(BROWSER) ## The whole suite, with coverage; WORKERS=1 runs one test at a time, ARGS="..." goes to pytest
	@mkdir -p $(REPORTS)
	$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadgroup --cov --cov-report=term --junitxml=$(REPORTS)/junit.xml $(ARGS)

readings: $(STAMP) ## The promise in every reading of Zoho's documents, alone and in pairs, and the probe, killed at every call; a quarter of an hour
	READINGS=all $(BIN)/python -m pytest tests/integration/test_promise.py tests/emulator/probe -n $(WORKERS) --dist worksteal $(ARGS)

mutants: $(MUTMUT) ## Break the code in small ways, one at a time, and list what no fast test notices; ONLY=rules picks some
	$(BIN)/python .ci/mutants.py $(ONLY)

matrix: dist ## Every Airflow of constraints/ with every Python; ONLY=2.11 picks some, JOBS=1 takes one at a time, ARGS="..." goes to pytest
	ONLY='$(ONLY)' $(BIN)/uv run --quiet --script noxfile.py --parallel $(or $(JOBS),2) --allow-parallel -- $(ARGS)

smoke: ## Of the matrix the unit tests and a few others, in every pair but the one of `make test`
	$(MAKE) matrix ONLY='^(?!airflow-$(AIRFLOW)-py3.11)' ARGS='-m "smoke and not hypothesis"'

dist: $(STAMP) ## The wheel and the sdist in dist/; the same commit gives the same bytes
	@rm -rf dist
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build

sbom: $(STAMP) ## What the wheel in dist/ needs at run time, in build/sbom (CycloneDX)
	@$(BIN)/python .ci/sbom.py dist/*.whl $(PINS) build/sbom/airflow-provider-zcrm.cdx.json

release: $(STAMP) ## Build and check what is to be published, and say how; publishes nothing
	@VENV=$(VENV) .ci/release

chaos: $(STAMP) ## RUNS=200 runs of a real Airflow in which things break and workers are killed, each from a fresh seed
	$(BIN)/python -m tests.chaos --runs $(or $(RUNS),20)

distributed: $(STAMP) ## Celery, PostgreSQL, Redis: 60 modules of 6 orgs while parts are killed; SHORT=1 for a small one
	@[ -x .venv-distributed/bin/airflow ] || { \
	  $(BIN)/uv venv --quiet --python $(BIN)/python .venv-distributed; \
	  VIRTUAL_ENV=$(CURDIR)/.venv-distributed $(INSTALL) --compile-bytecode --editable '.[dev,distributed]'; }
	@exec .venv-distributed/bin/python -m distributed $(if $(filter-out 0,$(SHORT)),--short)

bench: $(STAMP) ## Measure everything anew and write the tables of benchmarks/README.md; goes on where a target is missed
	@missed=; \
	for script in $$(grep -l '^if __name__' benchmarks/*.py); do \
	  name=$$(basename $$script .py); started=$$(date +%s); echo "--- $$name"; \
	  $(BIN)/python -m benchmarks.$$name || missed="$$missed $$name"; \
	  echo "--- $$name took $$(($$(date +%s) - started)) s"; \
	done; \
	if [ -n "$$missed" ]; then echo "Missed, or failed:$$missed"; exit 1; fi; \
	echo "All targets were met."

screenshots: $(BROWSER) ## Take the pictures of the documentation anew, with Chromium
	SCREENSHOTS=$(CURDIR)/docs/images $(BIN)/python -m pytest -q tests/browser

lint: $(STAMP) ## ruff, mypy, the layers, and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=.ci $(BIN)/lint-imports
	$(BIN)/zizmor --offline --no-progress --quiet .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.readthedocs .readthedocs.yaml

docs: $(STAMP) ## The documentation, as a site in build/site; every warning is an error
	@VIRTUAL_ENV=$(abspath $(VENV)) $(INSTALL) --no-build-isolation --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

format: $(STAMP) ## Let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: $(STAMP) ## Write constraints/ anew
	UV=$(abspath $(BIN)/uv) constraints/renew

clean: demo-stop ## Remove everything that git does not know and make makes
	rm -rf $(VENV) .venv-benchmarks .venv-distributed .venv-sdk .demo .distributed build dist .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .nox mutants .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that is there keeps its Python, unless PYTHON says otherwise
$(STAMP): pyproject.toml $(wildcard constraints/*.txt) .ci/find-python
	@set -e; \
	python=$$(PYTHON="$(PYTHON)" VENV="$(VENV)" .ci/find-python); \
	if [ "$$python" != "$(BIN)/python" ]; then echo "Making $(VENV) with $$python"; "$$python" -m venv --clear $(VENV); fi; \
	echo "Installing Airflow $(AIRFLOW) and the provider, by $(PINS)"; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) uv; \
	export VIRTUAL_ENV=$(abspath $(VENV)); \
	$(INSTALL) hatchling hatch-fancy-pypi-readme editables; \
	$(INSTALL) --compile-bytecode --no-build-isolation --editable '.[dev]'; \
	touch $@

# Playwright without a browser of its own: the tests take the system's
$(BROWSER): $(STAMP)
	@VIRTUAL_ENV=$(abspath $(VENV)) $(INSTALL) --no-build-isolation --editable '.[browser]'
	@touch $@

$(MUTMUT): $(STAMP)
	@VIRTUAL_ENV=$(abspath $(VENV)) $(INSTALL) --no-build-isolation --editable '.[mutants]'
	@touch $@
