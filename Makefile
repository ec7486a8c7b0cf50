# Each target does whatever set-up is missing first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: install demo test lint bench bench-memory

install: $(READY)

$(READY): pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/nasir search spaces/digits.nas --out runs/demo --overwrite

test: $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/nasir fmt --check spaces tests/cases/spaces benchmarks/quality/spaces

bench: $(READY)
	$(BIN)/python -m benchmarks.steps --out runs/bench

bench-memory: $(READY)
	$(BIN)/python -m benchmarks.figure7 --out runs/bench
