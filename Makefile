# `make run` serves the wiki, `make test` passes all tests; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
DATA ?= data

.PHONY: run test soak check lint types layers bench vendor clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

run: $(VENV)/installed
	$(BIN)/wikimill serve --data $(DATA) --port $(PORT)

test: $(VENV)/installed
	$(BIN)/pytest -n 2

# Kills everything at random for longer than the tests do: `make soak ROUNDS=500`.
ROUNDS ?= 100
soak: $(VENV)/installed
	SOAK_ROUNDS=$(ROUNDS) $(BIN)/pytest -s tests/faults/test_execute_once.py

check: lint types layers

lint: $(VENV)/installed
	$(BIN)/ruff check .

types: $(VENV)/installed
	$(BIN)/mypy

layers: $(VENV)/installed
	$(BIN)/lint-imports

bench: $(VENV)/installed
	$(BIN)/python -m bench

# The library that draws ```mermaid fences; without it they show as code. Needs npm.
MERMAID := 11.17.2
VENDOR := static/vendor/mermaid
vendor:
	rm -rf $(VENDOR) && mkdir -p $(VENDOR)
	cd $(VENDOR) && npm pack --silent mermaid@$(MERMAID)
	tar -xzf $(VENDOR)/mermaid-$(MERMAID).tgz -C $(VENDOR) --strip-components=2 --exclude='*.map' \
	  package/dist/mermaid.esm.min.mjs package/dist/chunks/mermaid.esm.min
	rm $(VENDOR)/mermaid-$(MERMAID).tgz

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
