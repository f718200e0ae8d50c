# The work is done in scripts/; `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help run test test-all lint format chaos-notices chaos-captures bench-import bench-api bench-captures bench-trends bench-queries bench-pages bench-episodes bench-growth soak chaos attack fuzz-api fuzz-files watch-days scan screenshots image-check messages

help: ## list the targets
	@sed -n 's/^\([a-z-]*\): ## /\1\t/p' Makefile | expand -t 16

run: ## set up and serve on http://127.0.0.1:8000 (PORT=8001 for another port)
	@scripts/run.sh

test: ## all checks and tests, on SQLite and MariaDB (quick: DB=sqlite; also DB=mariadb, DB=mysql, ARGS='-k name')
	@scripts/test.sh

test-all: ## the same, then on MySQL what looks at the database
	@scripts/test.sh
	@DB=mysql ARGS="-m database $$ARGS" scripts/test.sh

lint: ## check style and types
	@scripts/setup.sh dev
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/djangofmt check templates
	@.venv/bin/djangofmt --check templates
	@scripts/types.sh

format: ## put code in style
	@scripts/setup.sh dev
	@.venv/bin/python -m ruff check --fix .
	@.venv/bin/python -m ruff format .
	@.venv/bin/djangofmt check --fix templates
	@.venv/bin/djangofmt templates

bench-import: ## measure the CSV import on MariaDB against pandas + SQLAlchemy
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench
	@.venv/bin/python -m scripts.throwaway_server --local-infile --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_import $(ARGS)

bench-api: ## measure posts to the API on MariaDB against FastAPI + SQLAlchemy
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_api $(ARGS)

bench-captures: ## measure captures on SQLite and MariaDB: posts, reads, bytes a sample, memory (ARGS='--seconds 600')
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_captures $(ARGS)

bench-trends: ## measure trends and waterfalls on SQLite and MariaDB (ARGS='--features 10000000' for more)
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_trends $(ARGS)

bench-queries: ## measure the newest of each machine on MariaDB against a window function
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_queries $(ARGS)

bench-pages: ## measure each page on MariaDB with much data: server time, queries, weight in Chromium
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh dev mysql
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_pages $(ARGS)

bench-episodes: ## measure on MariaDB what keeping episodes costs a post, and their pages with 20,000 of them
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh dev mysql
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_episodes $(ARGS)

bench-growth: ## measure on MariaDB how costs grow to 30 million samples and 5 million diagnoses (8 minutes)
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh dev mysql
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.bench_growth $(ARGS)

soak: ## use the site for ten minutes on MariaDB: pages, 5,000 samples/s, memory (ARGS='--rate 2000')
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 2G -- \
		.venv/bin/python -m bench.soak $(ARGS)

chaos: ## kill MariaDB and server processes under an import and posts, then look at every row (ARGS='--seed 2 --kills 20')
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench
	@.venv/bin/python -m bench.chaos $(ARGS)

chaos-captures: ## kill importer, gateway and server while they store captures, then look at each (ARGS='--sqlite' '--kills 20')
	@scripts/system_packages.sh mariadb mqtt
	@scripts/setup.sh bench dev
	@.venv/bin/python -m bench.chaos_captures $(ARGS)

chaos-notices: ## kill workers while they send notices, then look for each notice (ARGS='--sqlite' '--kills 40')
	@scripts/system_packages.sh mariadb
	@scripts/setup.sh bench dev
	@.venv/bin/python -m bench.chaos_notices $(ARGS)

attack: ## slow, endless and costly requests on MariaDB, directly and through Caddy, while a collector posts (ARGS='--seconds 5')
	@scripts/system_packages.sh mariadb proxy
	@scripts/setup.sh bench
	@.venv/bin/python -m scripts.throwaway_server --buffer-pool 1G -- \
		.venv/bin/python -m bench.attack $(ARGS)

fuzz-api: ## call the API with thousands of made-up requests, on SQLite and MariaDB (EXAMPLES=500, SEED=2)
	@HIMMES_WITHOUT_BROWSER=1 HIMMES_FUZZ_EXAMPLES=$(or $(EXAMPLES),200) HIMMES_FUZZ_SEED=$(or $(SEED),1) \
		ARGS='himmes/api/tests/test_api_fuzz.py' scripts/test.sh

fuzz-files: ## import thousands of made-up files of samples and of signals, and hold what comes of them against them (FILES=10000, SEED=2)
	@scripts/setup.sh dev
	@.venv/bin/python -m bench.fuzz_files --files $(or $(FILES),2000) --seed $(or $(SEED),1)

watch-days: ## watch folders for ten simulated days of minute files from three loggers (DAYS=1, ARGS='--seed 2')
	@scripts/setup.sh dev
	@.venv/bin/python -m bench.watch_days --days $(or $(DAYS),10) $(ARGS)

scan: ## let a scanner at the site as production serves it, as a stranger and logged in
	@scripts/setup.sh dev
	@.venv/bin/python -m scripts.scan

screenshots: ## take the pictures of docs/images anew, with synthetic data of their own
	@scripts/system_packages.sh browser korean-browser
	@scripts/setup.sh dev
	@.venv/bin/python -m scripts.screenshots

image-check: ## build the container image, start it as compose.yaml says, open its pages (needs root)
	@scripts/system_packages.sh mariadb browser proxy image
	@scripts/setup.sh dev
	@.venv/bin/python -m scripts.image_check

messages: ## update the translation catalogs from the sources (needs gettext)
	@command -v xgettext >/dev/null || { echo "Install gettext first: apt-get install gettext" >&2; exit 1; }
	@scripts/setup.sh dev
	@.venv/bin/python -m django makemessages --all --no-location \
		--ignore node_modules --ignore staticfiles --ignore var
	@scripts/setup.sh dev
