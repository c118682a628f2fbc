# Two commands for a newcomer: `make walkthrough` and `make test`. Each sets up .venv on its first run
# and starts at once on the next. Needed: python3 (3.11 or newer, with venv), make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Stamps: made once the packages are there, out of date when pyproject.toml or the interpreter is newer.
RUNTIME := $(VENV)/runtime.stamp
DEV := $(VENV)/dev.stamp
BENCH := $(VENV)/bench.stamp

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE  # the tests start many processes, each of which would compile everything again
# The tests need no graphics card; the PyTorch for one takes gigabytes, and uv can be told to leave it.
UV_TORCH_BACKEND ?= cpu
export UV_TORCH_BACKEND

# uv where it is there. It does not read pip's settings (a mirror, a folder of wheels), so pip has a try too.
install = { command -v uv >/dev/null && uv pip install --python $(BIN)/python $(1); } || $(BIN)/python -m pip install $(1)

.DEFAULT_GOAL := help
.PHONY: help walkthrough test quick mutants gallery bench clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

walkthrough: $(RUNTIME) ## the eleven steps of the article's example: outputs/article.xlsx and .html
	@$(BIN)/tracer walkthrough -o outputs

# Every check runs, whatever the one before it said; pytest's closing line comes last.
test: $(DEV) ## ruff, mypy and the whole test suite
	@failed=""; \
	for check in "ruff check" "ruff format --check" "mypy" "pytest -n auto --dist worksteal"; do \
	  echo "== $$check"; \
	  $(BIN)/$$check || failed="$$failed, $$check"; \
	done; \
	if [ -n "$$failed" ]; then echo "== failed: $${failed#, }"; exit 1; fi

# What is quick of the suite and sees most: for the work in between, `make test` before it lands.
QUICK := tests/unit/expression tests/unit/problem tests/unit/presentation tests/unit/page tests/unit/answers \
  tests/unit/test_layers_of_imports.py tests/unit/test_meaning_by_spelling.py tests/golden

quick: $(DEV) ## the part of the suite for the work in between, in less than a minute
	@$(BIN)/ruff check && $(BIN)/pytest -n auto --dist worksteal $(QUICK)

mutants: $(DEV) ## 100 small changes at random, and which of them no test notices (FILES="…" for some files alone)
	@$(BIN)/python -m tests.mutants $(FILES)

gallery: $(DEV) ## everything in outputs/, made anew
	@$(BIN)/python -m tests.gallery

bench: $(BENCH) ## how long things take, side by side with others
	@$(BIN)/python -m benchmarks

clean: ## remove .venv, caches and builds; outputs/ stays
	rm -rf $(VENV) build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --clear: what a broken or half-made .venv holds, stamps too, goes.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Tracer needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; } >&2
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV)

$(RUNTIME): pyproject.toml $(BIN)/python
	@echo "Installing Tracer and what it needs to run …"
	@$(call install,--quiet --editable .)
	@touch $@

# Groups are read here because pip knows --group from 25.1 only. Not quiet: PyTorch is a long download.
group = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["$(1)"], sep="\n")' > $(VENV)/$(1).txt

$(DEV): pyproject.toml $(BIN)/python
	@echo "Installing Tracer and what its tests need (PyTorch among it: this can take minutes) …"
	@$(call group,dev)
	@$(call install,--editable . --requirement $(VENV)/dev.txt)
	@touch $(RUNTIME) $@

$(BENCH): $(DEV)
	@echo "Installing what Tracer is measured against …"
	@$(call group,bench)
	@$(call install,--requirement $(VENV)/bench.txt)
	@touch $@
