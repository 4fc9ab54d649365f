# `make run` and `make test` do all set-up. Without make (Windows): see README.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/ready
JOBS ?= 2

.PHONY: run test lint figures notebooks docs benchmarks clean

run: $(READY)
	$(BIN)/cramplab overview --out results --jobs $(JOBS)

# Copies with answers are those for students with the answers filled in, which the tests judge one by one; the open lab's has more in it.
ANSWERED := --ignore-glob='*/solutions/0*'

test: $(READY)
	-@$(BIN)/python tests/get_chromium.py
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --nbmake tests notebooks $(ANSWERED)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases docs/make.py docs/_ext
	$(BIN)/lint-imports

# Every lecture figure, for slides and notes, light and dark: some minutes.
figures: $(READY)
	$(BIN)/cramplab figures --out results/figures --jobs $(JOBS)

# From notebooks/source: the copies for students in notebooks, those with answers in notebooks/solutions.
notebooks: $(READY)
	$(BIN)/cramplab notebooks notebooks --solutions

# The site, into build/docs. What takes minutes is kept in build/docs_kept until code or parameters change; make docs FAST=1 leaves it out.
docs: $(READY)
	$(BIN)/python docs/make.py $(if $(FAST),--fast)

# Beside other programs, each in an environment of its own below build/peers; results in build/benchmarks. An hour or so.
benchmarks: $(READY)
	$(BIN)/python -m benchmarks.compare

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/python -c "open('$(READY)', 'w').close()"

clean:
	rm -rf $(VENV) results
