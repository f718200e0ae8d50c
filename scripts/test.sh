#!/usr/bin/env bash
# All checks and tests; stops at the first that fails.
#
#   make test               everything, on SQLite; on MariaDB what looks at the database; tests in a browser on one of both
#   make test DB=sqlite     quick loop; browser tests only if Chromium is there
#   make test DB=mariadb    everything, on MariaDB only
#   make test DB=mysql      everything, on MySQL only
#   make test ARGS='-k name -x'   further arguments for pytest
set -euo pipefail
cd "$(dirname "$0")/.."

database=${DB:-all}
case $database in
    all | sqlite | mariadb | mysql) ;;
    *)
        echo "DB must be sqlite, mariadb or mysql, not '$database'." >&2
        exit 1
        ;;
esac

# eval, so that quotes inside ARGS work as on the command line.
eval "pytest_arguments=(${ARGS:-})"
python=.venv/bin/python

heading() {
    printf '\n=== %s ===\n' "$*"
}

if [ "$database" = sqlite ]; then
    heading "Set-up"
    scripts/setup.sh dev
    if ! command -v chromium >/dev/null; then
        echo "Chromium is not installed: browser tests are left out."
        pytest_arguments=(-m "not browser" ${pytest_arguments[@]+"${pytest_arguments[@]}"})
    fi
else
    heading "System packages"
    topics=(mariadb browser mqtt)
    [ "$database" != mysql ] || topics+=(mysql)
    scripts/system_packages.sh "${topics[@]}"
    heading "Set-up"
    scripts/setup.sh dev mysql
fi

# All settings are given here, so that a developer's .env changes no result.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
DJANGO_SECRET_KEY=$("$python" -c 'import secrets; print(secrets.token_urlsafe(50))')
export DJANGO_SECRET_KEY
export DJANGO_DEBUG=False
export DJANGO_ALLOWED_HOSTS=example.org
export DJANGO_CSRF_TRUSTED_ORIGINS=
export DJANGO_TIME_ZONE=Asia/Seoul
export DATABASE_URL="sqlite:///$scratch/test.sqlite3"

heading "Style"
"$python" -m ruff check .
"$python" -m ruff format --check .
.venv/bin/djangofmt check templates
.venv/bin/djangofmt --check templates

heading "Types"
scripts/types.sh

heading "Migrations match the models"
"$python" manage.py makemigrations --check --dry-run

if [ "$database" != sqlite ]; then
    heading "Production settings"
    "$python" manage.py collectstatic --no-input --verbosity 0
    "$python" manage.py check --deploy --fail-level WARNING

    heading "Known holes of the packages"
    "$python" scripts/audit_packages.py
fi

browser=$(chromium --version 2>/dev/null || echo "no browser")
tests=("$python" -m pytest ${pytest_arguments[@]+"${pytest_arguments[@]}"})

on_sqlite() {
    heading "Tests on SQLite $("$python" -c 'import sqlite3; print(sqlite3.sqlite_version)'), pages in $browser"
    "${tests[@]}"
}

on_server() {
    heading "Tests on $1, pages in $browser"
    # exec: a signal for the process that runs this is one for the tests.
    exec "$python" -m scripts.throwaway_server --product "$1" --not-durable -- "${tests[@]}"
}

case $database in
    sqlite) on_sqlite ;;
    mariadb | mysql) (on_server "$database") ;;
    all)
        # Both at once, as each alone leaves a processor idle much of the time; what the second says comes after.
        # What a browser alone tells knows no database: each has one half of its tests. Not of a choice, of which a half
        # may be empty.
        halves=(--browser-half 1 --browser-half 2)
        [ -z "${ARGS:-}" ] || halves=()
        # A test without the mark can't tell which database it is, so once is enough.
        (tests+=(-m database ${halves[@]+"${halves[@]:2}"}) && on_server mariadb) >"$scratch/mariadb.log" 2>&1 &
        mariadb=$!
        # Ctrl-C does not reach what runs in the background.
        trap 'kill "$mariadb" 2>/dev/null && wait "$mariadb" || true; rm -rf "$scratch"' EXIT
        failed=0
        tests+=(${halves[@]+"${halves[@]:0:2}"})
        on_sqlite || failed=$?
        wait "$mariadb" || failed=$?
        cat "$scratch/mariadb.log"
        [ "$failed" = 0 ] || exit "$failed"
        ;;
esac

heading "All passed"
