# Targets with a `##` comment are listed by `make`.

PYTHON ?= python3
ADDRESS ?=
ARGS ?=
SEEDS ?= 10000
EXAMPLE ?= first-chat
MUTANTS ?= 200
WORKERS ?= 3
SEED ?=

VENV ?= .venv
TOOLS := $(VENV)/.tools-installed
AXE := $(VENV)/.axe-installed
SCRIPTS := bin/turnchat-server bin/turnchat-client bin/turnchat-replay bin/turnchat-check

# Tests start thousands of programs: each would be compiled anew, where this is set.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run-server run-client replay test zoo simulate fuzz mutate road bench bench-instructions soak cluster lint picture recordings format clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-20s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run-server:  ## start a server on 127.0.0.1:2322, or ADDRESS=...
	@trap : INT; $(PYTHON) bin/turnchat-server $(ARGS) $(ADDRESS)  # it answers Ctrl-C, and make does not fail

run-client:  ## talk with the server on 127.0.0.1:2322, or ADDRESS=...
	@trap : INT; $(PYTHON) bin/turnchat-client $(ARGS) $(ADDRESS) || { s=$$?; [ $$s = 130 ] || exit $$s; }  # Ctrl-C is no failure

replay:  ## make a page of a recording, or of both ends (EXAMPLE=split-header: of another)
	@mkdir -p build
	@$(PYTHON) bin/turnchat-replay turnchat/replay/examples/$(EXAMPLE).jsonl $(wildcard turnchat/replay/examples/$(EXAMPLE)-client.jsonl) -o build/$(EXAMPLE).html

test: $(TOOLS) $(AXE)  ## run the tests, or ARGS=tests/core
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

zoo: $(TOOLS)  ## see that each broken program fails its own cases and no others (a quarter of an hour)
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal -m '' tests/check/test_zoo.py $(ARGS)

simulate: $(TOOLS)  ## run more seeds of the simulation: SEEDS=100000, or ARGS=--faults
	$(VENV)/bin/python -m tests.simulation --seeds $(SEEDS) --jobs $$(getconf _NPROCESSORS_ONLN) $(ARGS)

fuzz: $(TOOLS)  ## look for bad input for 80 seconds, and damage SEEDS recordings
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/tools/requirements-fuzz.txt
	$(VENV)/bin/python -m tests.tools.fuzz $(ARGS)
	$(VENV)/bin/python -m tests.tools.fuzz_headers $(ARGS)
	$(VENV)/bin/python -m tests.tools.fuzz_recordings --seeds $(SEEDS)

mutate: $(TOOLS)  ## see which of 200 defects the tests notice (MUTANTS=all)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/tools/requirements-mutate.txt
	$(VENV)/bin/python -m tests.tools.mutate --mutants $(MUTANTS) $(if $(SEED),--seed $(SEED)) $(ARGS)

road: $(TOOLS)  ## measure the lessons and turnchat side by side
	$(VENV)/bin/python -m tests.tools.road

bench: $(TOOLS)  ## measure it beside asyncio, uvloop, gevent and C (a quarter of an hour)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/tools/requirements-bench.txt
	$(VENV)/bin/python -m tests.bench $(ARGS)

bench-instructions: $(TOOLS)  ## count the instructions of a turn and a visitor (with valgrind)
	$(VENV)/bin/python -m tests.bench.instructions $(ARGS)

soak: $(TOOLS)  ## run 1,000 conversations for ten minutes, and watch memory and speed
	$(VENV)/bin/python -m tests.bench.soak $(ARGS)

cluster: $(TOOLS)  ## kill and drain servers behind HAProxy, under load (15 seconds)
	$(VENV)/bin/python -m tests.cluster $(ARGS)

lint: $(TOOLS)  ## check style, format and types
	$(VENV)/bin/ruff check . $(SCRIPTS)
	$(VENV)/bin/ruff format --check . $(SCRIPTS)
	$(VENV)/bin/mypy
	@if command -v npx >/dev/null; then npx --yes eslint@9 -c tests/tools/eslint.config.js turnchat/replay/page turnchat/check/formats/page; \
	else echo 'the scripts of the pages are not checked: that needs npx: apt install npm' >&2; fi
	@if command -v luacheck >/dev/null; then luacheck -q --config tests/tools/luacheckrc turnchat/wireshark; \
	else echo 'the dissector is not checked: that needs luacheck: apt install lua-check' >&2; fi

picture: $(TOOLS)  ## draw the pictures of README and the guide again (with chromium)
	$(VENV)/bin/python -m tests.tools.diagrams
	$(VENV)/bin/python -m tests.tools.picture tests/pictures/conversation.svg
	$(VENV)/bin/python -m tests.tools.picture tests/pictures/check.svg
	$(VENV)/bin/python -m tests.tools.example_pages tests/pictures/replay.png

recordings: $(TOOLS)  ## make the recordings that ship with turnchat again
	$(VENV)/bin/python -m tests.tools.make_recordings
	$(VENV)/bin/python -m tests.tools.guide.record

format: $(TOOLS)  ## format the code as lint wants it
	$(VENV)/bin/ruff check --fix --exit-zero . $(SCRIPTS)
	$(VENV)/bin/ruff format . $(SCRIPTS)

clean:  ## remove everything that the targets above have made
	rm -rf $(VENV) .venv .venv-* .hypothesis .mypy_cache .pytest_cache .ruff_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(AXE): $(TOOLS)  # the pages are checked by axe-core, which is in no package of Python
	@if ! command -v npm >/dev/null; then echo 'the pages are not checked with axe: that needs npm: apt install npm' >&2; \
	elif npm install --silent --no-save --no-package-lock --prefix $(VENV) axe-core@4.14.1; then touch $@; \
	else echo 'the pages are not checked with axe: npm cannot fetch axe-core' >&2; fi

$(TOOLS): tests/tools/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'turnchat needs Python 3.11 or newer: name one with PYTHON=...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'Python cannot make a virtual environment here: install the package python3-venv' >&2; \
	    echo '(Debian, Ubuntu: apt install python3-venv), then run make again' >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/tools/requirements.txt
	@touch $@
