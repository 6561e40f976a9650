# Two commands do everything on a machine with python3, venv, pip, make, node and npm:
#   make demo    runs the chat example and prints its URL; EXAMPLE=flask_chat runs another one
#   make test    runs every check there is
SHELL := /bin/sh
PYTHON ?= python3
PORT ?= 8080
HOST ?= 127.0.0.1
EXAMPLE ?= simple_chat
PROCESSES ?= -n 3 --dist loadfile
VENV := .venv
BIN := $(VENV)/bin
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --silent
PAGE_PACKAGES := examples/node_modules/.package-lock.json
JS_CLIENTS := tests/js/node_modules/.package-lock.json

.PHONY: demo test test-all lint types docs bench unit format clean browser servers trust trust-short \
  soak fuzz autobahn

demo: $(VENV)/.runtime $(VENV)/.demo-$(EXAMPLE) $(PAGE_PACKAGES)
	@HOST=$(HOST) PORT=$(PORT) exec $(BIN)/python examples/$(EXAMPLE)

test: lint types docs trust-short unit

# All tests on each Python from 3.10 to 3.13 that the machine has; ARGS goes to pytest.
test-all: $(VENV)/.tox $(JS_CLIENTS) $(PAGE_PACKAGES) browser servers
	@$(BIN)/tox run $(if $(ARGS),-- $(ARGS))

# Every promise measured, row by row: all of it in at most five minutes, the short form in one.
trust: $(VENV)/.test $(JS_CLIENTS) $(PAGE_PACKAGES)
	@$(BIN)/python -m tests.trust --json trust.json $(ROWS)

trust-short: $(VENV)/.test $(JS_CLIENTS) $(PAGE_PACKAGES)
	@$(BIN)/python -m tests.trust --short --json trust.json

# Ten minutes, 200 clients, faults at random.
soak: $(VENV)/.test
	@$(BIN)/python -m tests.trust.endurance $(ARGS)

# A minute for each target, more with ARGS="--seconds 600"; what is found lands in .fuzz.
fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m tests.fuzz $(ARGS)

# Everything pytest knows, with branch coverage: of the whole package, then of the pure modules. Tests
# wait for programs more than they compute, so that even two cores keep three processes busy; the
# tests of one file stay in one. The leak tests count what is in their process, so they have one of
# their own, without tracing; those of the harness that measures promises want the machine to
# themselves.
unit: $(VENV)/.test $(VENV)/.docs $(JS_CLIENTS) $(PAGE_PACKAGES) browser servers
	@$(BIN)/coverage erase
	$(BIN)/python -m pytest tests/leaks
	$(BIN)/python -m pytest tests/trust
	$(BIN)/coverage run -m pytest --ignore=tests/leaks --ignore=tests/trust $(PROCESSES) $(ARGS)
	@$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='socketio/packet.py,socketio/defaultjson.py,socketio/errors.py,socketio/config.py,socketio/wire/*,socketio/session/lifecycle.py,socketio/session/deadlines.py,socketio/session/acks.py'

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.test
	$(BIN)/mypy

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

# Ours against the original, Node and python-socketio, which are fetched into .bench; the curves over
# the number of connections; how many instructions the hot paths take. QUICK=1 is the short form.
# A variable of its own: the comma would end the argument of $(if).
FEWER_CURVES := --quick --servers ours --connections 10,1000
bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) --json bench.json $(ARGS)
	$(BIN)/python -m benchmarks.growth $(if $(QUICK),$(FEWER_CURVES)) --json growth.json --plot growth.png
	$(BIN)/python -m benchmarks.guard

clean:
	rm -rf $(VENV) .bench build docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf examples/node_modules tests/js/node_modules

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.created pyproject.toml
	@echo "installing the library and its dependencies into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

# What the example needs beyond the library, as its requirements.txt has it.
$(VENV)/.demo-%: $(VENV)/.runtime examples/%/__main__.py $(wildcard examples/*/requirements.txt)
	@if [ -f examples/$*/requirements.txt ]; then \
	  echo "installing what $* needs into $(VENV)"; \
	  $(BIN)/pip install --quiet --disable-pip-version-check -r examples/$*/requirements.txt; \
	fi
	@touch $@

# Without this make would call the wrong name of an example a missing file.
examples/%/__main__.py:
	@echo "there is no example $*; EXAMPLE is one of: $(notdir $(patsubst %/__main__.py,%,$(wildcard examples/*/__main__.py)))" >&2; exit 1

$(VENV)/.test: $(VENV)/.created pyproject.toml
	@echo "installing the test tools into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

# The Autobahn Testsuite's cases against our WebSocket; WSTEST=path/to/wstest has the original run.
autobahn: $(VENV)/.test
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[autobahn]'
	@$(BIN)/python -m tests.autobahn $(ARGS)

$(VENV)/.tox: $(VENV)/.test
	@echo "installing tox into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check 'tox>=4.21'
	@touch $@

$(VENV)/.fuzz: $(VENV)/.test
	@echo "installing the fuzzer into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	@echo "installing what draws the curves into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

$(VENV)/.docs: $(VENV)/.created pyproject.toml
	@echo "installing the documentation tools into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || \
	  { echo "npm is missing, it fetches the 0.9 client: apt-get install nodejs npm" >&2; exit 1; }
	@echo "fetching the JavaScript packages of $*"
	@cd $* && $(NPM_CI)
	@touch $@

# The browser tests need Chromium; root may install it, others are told how.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || test -n "$$CHROMIUM" || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the browser tests"; \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else \
	    echo "Chromium is missing: apt-get install chromium (or set CHROMIUM=/path/to/it)" >&2; exit 1; \
	  fi

# The servers that stand in front of ours; likewise.
servers: $(VENV)/.test
	@missing=; PATH="$$PATH:/usr/sbin:/sbin"; \
	command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	command -v haproxy >/dev/null || missing="$$missing haproxy"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	$(BIN)/python -W ignore -c 'import sys; sys.version_info >= (3, 13) or __import__("lib2to3")' 2>/dev/null || \
	  missing="$$missing python3-lib2to3"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing for the tests:$$missing"; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
	  echo "Missing for the tests: apt-get install$$missing" >&2; exit 1; \
	fi
