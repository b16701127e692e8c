# Every target sets itself up. It takes git, make, and Python 3.10 or newer with pip.

# The slow suites by name: the tests in tests/test_NAME.py that are marked slow are `make test-NAME`.
SLOW = accounts benchmarks dbt meltano package page targets

# What decides about data, by name: every branch of it is taken by its own tests, and by those of the
# way in and of hostile responses.
DECIDING = plan responses columns body rows instants ids duplicates auth hostile_lines hostile_size

# What docs/generated.py makes parts of, and how they get there.
GENERATED = README.md docs/columns.md docs/how-it-works.md docs/sandbox.md \
	meltano.yml hub/tap-ozonetel-cdr.yml examples/many-accounts/meltano.yml
COG = cog -n utf-8 -I docs -p 'import cog, generated' --verbosity=1

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN = "$(UV)" run --frozen --no-sync

# Many companies re-sign TLS with an authority that only the system trusts. pip asks the system. uv,
# and so Meltano's uv, asks it only when told to. Before 0.11 the setting has another name, which
# some later versions warn of: uv hears the name that it knows.
export UV_SYSTEM_CERTS ?= true
ifneq (,$(findstring --native-tls,$(shell "$(UV)" --help 2>/dev/null)))
export UV_NATIVE_TLS ?= $(UV_SYSTEM_CERTS)
endif

# What `make dbt` reads and writes, and what `make page` reads and writes; all can be given.
JSONL ?= output/cdr.jsonl
DUCKDB ?= output/cdr.duckdb
PAGE ?= output/cdr.html
DBT = DBT_PROFILES_DIR="$(CURDIR)/dbt" DBT_TARGET_PATH="$(CURDIR)/.dbt/target" \
	DBT_LOG_PATH="$(CURDIR)/.dbt/logs" DBT_SEND_ANONYMOUS_USAGE_STATS=false \
	OZONETEL_CDR_JSONL="$(abspath $(JSONL))" OZONETEL_CDR_DUCKDB="$(abspath $(DUCKDB))" \
	.dbt/venv/bin/dbt

# Another project's active environment is not this one's.
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo dbt-setup dbt page test versions sdk-next soak bench test-slow $(SLOW:%=test-%) docs lint types format dist lowest audit check-airflow check-targets check-warehouses coverage mutants clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf 'make %-13s %s\n' "$$name" "$$text"; done

setup: ## make the environment in .venv, from uv.lock
	@command -v "$(UV)" >/dev/null || { \
		echo "Fetching uv from the package index into .uv"; \
		PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 $(PYTHON) -m pip install -qq --upgrade \
			--disable-pip-version-check --target .uv uv; }
	@test -d .venv || echo "Setting up the environment in .venv: a minute or so, this once"
	@"$(UV)" sync --locked --quiet

demo: setup ## load the calls of an emulated account, and look at them
	@$(RUN) examples/demo.sh

# An environment of its own: dbt's pins would hold the others' versions back, mypy's for one.
.dbt/venv/made: dbt/requirements.txt | setup
	@.venv/bin/python -c 'import sys; sys.version_info < (3, 14) or sys.exit( \
		"dbt-core 1.11 runs on Python 3.10 to 3.13, and this is %d.%d." % sys.version_info[:2])'
	@echo "Setting up dbt in .dbt/venv: half a minute or so, this once"
	@"$(UV)" venv --quiet --clear --python .venv/bin/python .dbt/venv
	@"$(UV)" pip sync --quiet --python .dbt/venv dbt/requirements.txt
	@touch $@

dbt-setup: .dbt/venv/made ## make the environment of dbt and the page in .dbt/venv

dbt: .dbt/venv/made ## make calls of the records in JSONL, in the DuckDB file DUCKDB
	@$(DBT) build --project-dir dbt

page: .dbt/venv/made ## make the page PAGE of the calls in DUCKDB, or in POSTGRES=postgresql://...
	@.dbt/venv/bin/python dbt/page "$(or $(POSTGRES),$(DUCKDB))" "$(PAGE)" $(PAGE_OPTIONS)
	@echo "The page: $(abspath $(PAGE))"

test: setup ## run the tests, but for the slow suites
	@$(RUN) pytest --numprocesses=auto --maxprocesses=4

coverage: setup ## see that the tests take every branch of what decides about data
	@$(RUN) coverage erase
	@$(RUN) coverage run -m pytest $(wildcard $(DECIDING:%=tests/test_%*.py))
	@$(RUN) coverage combine --quiet
	@$(RUN) coverage report

mutants: setup ## change what decides about data in 1,100 ways, and list those that no test notices; half an hour
	@rm -rf mutants
	@$(RUN) --with mutmut==3.8.1 mutmut run --max-children 1
	@$(RUN) --with mutmut==3.8.1 mutmut results

versions: setup ## run the tests on every Python from 3.10 that is on this machine
	@"$(UV)" tool run --with tox-uv tox run

lowest: setup ## run the tests with the oldest versions that the tap itself allows
	@"$(UV)" venv --quiet --clear .tox/lowest
	@"$(UV)" pip compile --quiet --python .tox/lowest --resolution lowest-direct --no-deps \
		pyproject.toml --output-file .tox/lowest/constraints.txt
	@"$(UV)" pip install --quiet --python .tox/lowest --constraint .tox/lowest/constraints.txt \
		--editable . --group test
	@.tox/lowest/bin/python -m pytest

sdk-next: setup ## run the tests with the newest pre-release of the Singer SDK
	@"$(UV)" venv --quiet --clear .tox/sdk-next
	@echo "singer-sdk>=0.55.dev0" >.tox/sdk-next/override.txt
	@"$(UV)" pip install --quiet --python .tox/sdk-next --override .tox/sdk-next/override.txt \
		--editable . --group test
	@.tox/sdk-next/bin/python -m pytest -m "not slow"

soak: setup ## run 10,000 sequences of faults and 1,000 kills; an hour or so
	@FAULT_SEQUENCES=10000 KILLS=1000 $(RUN) pytest -o faulthandler_timeout=0 tests/test_faults.py tests/test_kills.py --durations=3

bench: setup ## measure speed, memory and schedule beside a plain SDK tap; a quarter of an hour
	@$(RUN) benchmarks/bench.py $(BENCH)

check-airflow: setup ## run the example of many accounts under Apache Airflow; SHORT=1: in a minute; REAL=1: at the real limit
	@PYTHONPATH=tests/helpers $(RUN) python examples/many-accounts/check_airflow.py $(if $(REAL),--real) $(if $(SHORT),--short)

check-targets: setup ## load with every loader that runs without an account, and compare
	@PYTHONPATH=tests/helpers $(RUN) python tests/check_targets.py $(TARGETS)

check-warehouses: setup ## see what dbt makes in Snowflake's and BigQuery's SQL, without an account
	@"$(UV)" venv --quiet --clear --python .venv/bin/python .dbt/warehouses
	@"$(UV)" pip sync --quiet --python .dbt/warehouses tests/warehouses-requirements.txt
	@PYTHONPATH=tests/helpers .dbt/warehouses/bin/python tests/check_warehouses.py

test-slow: $(SLOW:%=test-%)

test-dbt test-page: .dbt/venv/made

$(SLOW:%=test-%): test-%: setup
	@$(RUN) pytest -m slow tests/test_$**.py

lint: setup ## check the style, the format, the words and generated parts of pages, and the workflows
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) python docs/words.py
	@$(RUN) $(COG) --check --diff --check-fail-msg='`make docs` mends it' $(GENERATED)
	@$(RUN) zizmor --offline --quiet --persona auditor .
	@$(RUN) check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(RUN) check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(RUN) check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml \
		.github/ISSUE_TEMPLATE/probe.yml
	@$(RUN) check-jsonschema --quiet --builtin-schema vendor.github-issue-config \
		.github/ISSUE_TEMPLATE/config.yml

docs: setup ## write what pages and definitions repeat: settings, columns, faults, modules
	@$(RUN) $(COG) -r $(GENERATED)

audit: setup ## ask the public database of weaknesses about what uv.lock installs
	@"$(UV)" audit --locked --preview-features audit-command

types: setup ## check the types
	@$(RUN) mypy tap_ozonetel_cdr ozonetel_sandbox tests examples benchmarks dbt/page docs
	@$(RUN) mypy --platform win32 tap_ozonetel_cdr ozonetel_sandbox

format: setup ## format the code, and mend what can be mended
	@$(RUN) ruff check --quiet --fix --exit-zero
	@$(RUN) ruff format
	@$(RUN) ruff check

dist: setup ## build the source distribution, and the wheel from it, in dist/
	@rm -rf dist
	@"$(UV)" build --quiet
	@ls dist/*

clean: ## remove what these targets made
	rm -rf .venv .uv .meltano/demo output/demo .hypothesis .mypy_cache .pytest_cache .ruff_cache .tox .bench dist .airflow .dbt dbt/target dbt/logs .coverage* mutants
