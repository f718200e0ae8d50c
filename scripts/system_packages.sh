#!/usr/bin/env bash
# Sees to the Debian packages that tests and benchmarks need.
#
#   scripts/system_packages.sh mariadb browser
#
# mariadb: server for throw-away databases, tools for backups, headers to compile
#          mysqlclient
# mysql: what unpacks MySQL's programs for throw-away databases (scripts/mysql_programs.py)
# browser: Chromium and a Korean font
# korean-browser: Chromium's own texts in Korean, as in fields for dates
# mqtt: Mosquitto, the broker that the tests of the gateway start for themselves
# proxy: Caddy, the documented proxy
# image: what builds and runs the container image without an engine's service
#
# Installs what is missing as root or with passwordless sudo; otherwise says
# what to install and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian keeps servers here, which is not on the PATH of normal users.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

has() {
    command -v "$1" >/dev/null
}

# The Python that will compile mysqlclient.
python=${PYTHON:-python3}
[ ! -x .venv/bin/python ] || python=.venv/bin/python

has_python_headers() {
    "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
}

has_korean_font() {
    [ -n "$(fc-list :lang=ko 2>/dev/null)" ] ||
        dpkg-query -s fonts-nanum >/dev/null 2>&1 # when fc-list is not installed
}

# Prints the missing packages for a topic, one a line.
missing_packages() {
    case $1 in
        mariadb)
            # The -core packages hold the programs without a system service.
            has mariadbd && has mariadb-install-db || echo mariadb-server-core
            # my_print_defaults is called by mariadb-install-db.
            has mariadb && has my_print_defaults || echo mariadb-client-core
            # Backups; not in the -core package.
            has mariadb-dump || echo mariadb-client
            has pkg-config || echo pkg-config
            pkg-config --exists libmariadb 2>/dev/null || echo libmariadb-dev
            has gcc || printf '%s\n' gcc libc6-dev
            # No Python at all: scripts/setup.sh says so.
            ! has "$python" || has_python_headers ||
                "$python" -c 'import sys; print("python3.%d-dev" % sys.version_info[1])'
            ;;
        mysql)
            has mmdebstrap || echo mmdebstrap
            [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
            ;;
        browser)
            has chromium || echo chromium
            # The smallest of the packaged Korean fonts.
            has_korean_font || echo fonts-nanum
            ;;
        korean-browser)
            [ -n "${CHROMIUM:-}" ] || [ -e /usr/lib/chromium/locales/ko.pak ] || echo chromium-l10n
            ;;
        mqtt)
            has mosquitto || echo mosquitto
            ;;
        proxy)
            has caddy || echo caddy
            ;;
        image)
            has mmdebstrap || echo mmdebstrap
            [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
            has podman || echo podman
            has crun || has runc || echo crun
            [ -e /usr/libexec/podman/catatonit ] || echo catatonit
            has ip || echo iproute2
            ;;
        *)
            echo "unknown argument '$1'; known: mariadb, mysql, browser, korean-browser, mqtt, proxy, image" >&2
            return 1
            ;;
    esac
}

find_missing() {
    missing=()
    local topic packages
    for topic in "$@"; do
        packages=$(missing_packages "$topic")
        # Unquoted to split it: package names have no spaces.
        # shellcheck disable=SC2206
        missing+=($packages)
    done
}

[ $# -gt 0 ] || set -- mariadb browser
find_missing "$@"
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
fi
if ! has apt-get || ! ${as_root[@]+"${as_root[@]}"} true 2>/dev/null; then
    echo "These Debian packages, or what corresponds to them, are missing:" >&2
    echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

apt() {
    # Standard output is only progress; errors come on standard error.
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq "$@" </dev/null >/dev/null
}

echo "Installing Debian packages: ${missing[*]}"
# One unreachable package source of the machine need not matter.
apt update || echo "apt-get update failed, trying with the lists at hand" >&2
apt install -y --no-install-recommends "${missing[@]}"

find_missing "$@"
if [ ${#missing[@]} -gt 0 ]; then
    echo "Still missing after the installation: ${missing[*]}" >&2
    exit 1
fi
