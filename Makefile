# `make` alone lists what there is. Every target installs what it needs first, and only what is missing.

BIN := .venv/bin

# pyenv keeps its interpreters where tox does not look: let it find them, after all others.
PYENV_ROOT ?= $(HOME)/.pyenv
empty :=
space := $(empty) $(empty)
pyenv_bins := $(subst $(space),:,$(wildcard $(PYENV_ROOT)/versions/3.1[1-9].*/bin))
export PATH := $(PATH)$(if $(pyenv_bins),:$(pyenv_bins))

# Tests with real parts (journald, nftables, …) need root. Root and CI have no excuse to skip one.
is_root := $(filter 0,$(shell id -u))
export PYRUSE_REAL_PARTS ?= $(if $(CI)$(is_root),required,optional)

.DEFAULT_GOAL := help
.PHONY: help demo test check docs bench operations setup clean deb debs install uninstall

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/.ready-run ## see Pyruse at work on a journal of its own
	$(BIN)/pyruse demo

test: .venv/.ready-test ## the whole suite, by tox; on further Pythons, the core of it
	$(BIN)/tox run

check: test ## what CI runs: lint, format, types, import contracts, spelling, tests

# A small environment of its own: nobody needs all that the tests need to read the documentation.
docs: build/docs-venv/.ready ## the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 build/docs-venv/bin/mkdocs --quiet build
	@echo 'open build/site/index.html'

build/docs-venv/.ready: pyproject.toml
	python3 -m venv build/docs-venv
	build/docs-venv/bin/pip install --quiet --upgrade 'pip>=25.1'
	build/docs-venv/bin/pip install --quiet --group docs
	touch $@

bench: .venv/.ready-dev ## speed against libsystemd, journalctl and fail2ban; a year, a million entries, hundreds of kills
	$(BIN)/python -m bench.speed
	$(BIN)/python -m bench.bans
	$(BIN)/python bench/year.py
	$(BIN)/python -m bench.kinds
	$(BIN)/python -m bench.fuzz
	$(BIN)/python bench/kill.py
	$(BIN)/python -m bench.machines
	$(BIN)/python -m bench.fail2ban_corpus --files --rules

record := python -m bench.operations --record
operations: .venv/.ready-dev ## record what an entry costs, for each Python that is installed
	$(BIN)/tox run -e py311,py312,py313 -x 'testenv.commands=$(record)' -x 'testenv:py312.commands=$(record)'

deb: ## the Debian package for this release, in dist/
	deploy/debian/build

debs: .venv/.ready-dev ## the same for Debian 12 and 13, in trees of their own (as root)
	$(BIN)/python -m bench.package --suite bookworm --build-only
	$(BIN)/python -m bench.package --suite trixie --build-only

PREFIX ?= /usr/local
# PYTHON=/path/to/python is the interpreter that will run it (default: /usr/bin/python3).
install: ## Pyruse in PREFIX (/usr/local), DESTDIR before it; then: pyruse init --service
	deploy/bundle.sh "$(DESTDIR)" "$(PREFIX)/lib/pyruse" /usr/local/lib/pyruse-plugins
	deploy/files.sh "$(DESTDIR)" "$(PREFIX)"
	@[ -n "$(DESTDIR)" ] || echo "next: sudo pyruse init --service (or, after an upgrade: sudo systemctl restart pyruse)"

uninstall: ## take away what `make install` has put there; configuration and state stay
	@[ -n "$(DESTDIR)" ] || ! systemctl --quiet is-active pyruse || { \
	  echo "pyruse.service runs (expected: sudo systemctl disable --now pyruse, and sudo pyruse bans --teardown)"; \
	  exit 1; }
	deploy/files.sh "$(DESTDIR)" "$(PREFIX)" --remove
	rm -rf "$(DESTDIR)$(PREFIX)/lib/pyruse"

setup: .venv/.ready-dev ## .venv with all that developers need (pytest, ruff, mypy, tox)

clean: ## remove all that was made here, but no system package
	rm -rf .venv .tox build dist pyruse-demo.html
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# setup.sh touches these files itself, for a level includes those below it.
.venv/.ready-%: pyproject.toml tools/setup.sh
	tools/setup.sh $*
