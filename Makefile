# Sanitrail. What `make help` lists is what is supported; everything else is an implementation detail.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
OUT ?= out
ONCE ?=
# Tests to run; for example  make test TESTS=tests/unit/reports
TESTS ?= tests
WORKERS ?= auto

# Tests start programs by the hundred: they are compiled once, whatever the caller's environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## the whole mission on a scratch disk, live; ONCE=1 OUT=dir does it unattended and leaves the evidence in dir
	@tools/bootstrap run
	@$(PY) -m demo $(if $(ONCE),--once) --out "$(OUT)"

.PHONY: check
check: ## the gate: format, lint, types, import directions
	@tools/bootstrap test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: test
test: ## installs what is needed and passes all tests but those of the lab
	@tools/bootstrap test
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder --durations 40 -m "not lab" $(TESTS)

# The lab's tests boot machines that use a whole processor each: as many at a time as there are processors, at most two.
# Their disks lie on a disk: together they are larger than what memory can spare.
.PHONY: lab
lab: ## emulated drives of every kind under a real kernel: prints technique x drive, expected and observed
	@tools/bootstrap lab
	TMPDIR=$${TMPDIR:-/var/tmp} $(PY) -m pytest -n $(WORKERS) --maxprocesses 2 --dist loadfile -m lab tests/lab
	@$(PY) -m tests.lab

.PHONY: bench
bench: ## this engine against dd, shred, nwipe and fio on the same devices in one run, as ratios; then the log, the papers, and lists of a large inventory
	@tools/bootstrap bench
	@$(PY) -m benchmarks
	@$(PY) -m benchmarks.evidence
	@$(PY) -m benchmarks.footprint
	@$(PY) -m benchmarks.scale

.PHONY: deb
deb: ## the agent as a Debian package and everything as a wheel, into OUT=dir
	@tools/bootstrap test
	@$(PY) -m tools.package_deb "$(OUT)"
	@$(VENV)/bin/uv build --quiet --wheel --out-dir "$(OUT)" .

.PHONY: image
image: ## the agent and its station as a bootable image for a stick, for hosts without a network, into OUT=dir
	@tools/bootstrap image
	@$(PY) -m tools.build_image "$(OUT)"

.PHONY: lock
lock: ## re-resolve the two lock files from pyproject.toml
	@tools/bootstrap test
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --group dev --no-emit-index-url --custom-compile-command "make lock" --constraint requirements.lock pyproject.toml -o requirements-dev.lock

.PHONY: screenshots
screenshots: ## every console page in every language, light and dark, wide and narrow, into OUT=dir
	@tools/bootstrap test
	@$(PY) -m tests.browser.screenshots "$(OUT)"

.PHONY: docs
docs: ## the picture of the architecture, drawn from the code, and the checks that docs and code agree
	@tools/bootstrap test
	@$(PY) -m tools.draw_architecture docs/architecture.svg
	$(PY) -m pytest -q tests/architecture

.PHONY: clean
clean: ## removes the environment and caches, nothing else
	rm -rf $(VENV) .lab .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
