# `make run` serves the wiki, `make test` passes all tests; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
DATA ?= data

.PHONY: run test soak check lint types layers bench translations vendor rich-editor clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

run: $(VENV)/installed rich-editor
	$(BIN)/wikimill serve --data $(DATA) --port $(PORT)

test: $(VENV)/installed
	$(BIN)/pytest -n 2 --dist worksteal

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

# What the browser gets from npm: Mermaid draws ```mermaid fences, which show as code without it,
# and CodeMirror is the rich editor, in whose place a plain text field works too.
MERMAID := 11.17.2
VENDOR := static/vendor/mermaid
EDITOR := static/vendor/codemirror/codemirror.js
vendor: $(EDITOR)
	rm -rf $(VENDOR) && mkdir -p $(VENDOR)
	cd $(VENDOR) && npm pack --silent mermaid@$(MERMAID)
	tar -xzf $(VENDOR)/mermaid-$(MERMAID).tgz -C $(VENDOR) --strip-components=2 --exclude='*.map' \
	  package/dist/mermaid.esm.min.mjs package/dist/chunks/mermaid.esm.min
	rm $(VENDOR)/mermaid-$(MERMAID).tgz

$(EDITOR): static/src/codemirror.js static/src/package.json
	rm -rf build/editor && mkdir -p build/editor $(@D) && cp $^ build/editor/
	cd build/editor && npm install --silent --no-audit --no-fund --ignore-scripts
	cd build/editor && node_modules/.bin/esbuild codemirror.js --bundle --minify --format=esm \
	  --target=es2022 --legal-comments=eof --log-level=warning --outfile=bundle.js
	mv build/editor/bundle.js $@

# Where Node.js is missing, or the registry does not answer, the wiki runs without.
rich-editor:
	@! command -v npm >/dev/null || $(MAKE) --no-print-directory $(EDITOR) \
	  || echo "No rich editor: it could not be built. The plain one works."

# What is marked for translation: docs/translating.md.
CATALOGUE := build/messages.pot
translations: $(VENV)/installed
	mkdir -p build
	$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --keywords marked --keywords gettext_html \
	  --sort-by-file --project Wikimill --output-file $(CATALOGUE) .
	$(BIN)/pybabel --quiet update --input-file $(CATALOGUE) --output-dir wiki/locale \
	  --domain messages --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
