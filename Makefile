# One command sets up a fresh machine and serves the site: make run.
# The steps are in scripts/, so that any make will do.

.PHONY: help run test coverage matrix check venv wheel bench lock translations

help: ## say what there is (this)
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## set up what is missing and serve the site on http://127.0.0.1:8000 (FLASK_PORT=9000 changes it)
	@sh scripts/run.sh

test: ## run the tests, the fast ones first (ARGS="-x tests/site" chooses)
	@sh scripts/test.sh $(ARGS)

coverage: ## run the tests under coverage; fail if the coverage of a room fell (ARGS=--record raises the limits)
	@COVERAGE=1 sh scripts/test.sh
	@sh scripts/coverage.sh $(ARGS)

matrix: ## run the library's fast tests on each Python from 3.11 on, and on SQLAlchemy 2.0
	@sh scripts/interpreters.sh $(ARGS)

check: ## lint, format, types and the arrows between the rooms
	@sh scripts/check.sh

venv: ## only set up .venv with the pinned requirements
	@sh scripts/venv.sh

wheel: ## build the caching library as a wheel into dist/
	@sh scripts/wheel.sh

bench: ## run the benchmarks (ARGS=name chooses one)
	@sh scripts/bench.sh $(ARGS)

lock: ## pin and hash the requirements anew (ARGS=--upgrade takes newer versions)
	@sh scripts/lock.sh $(ARGS)

translations: ## update the catalogues from the texts in templates and code (ARGS=pt-BR begins a language)
	@sh scripts/translations.sh $(ARGS)
