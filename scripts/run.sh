#!/usr/bin/env bash
# Sets the project up and serves it for this machine only: make run PORT=8001
set -euo pipefail
cd "$(dirname "$0")/.."

port=${PORT:-8000}

case $port in
    '' | *[!0-9]*)
        echo "PORT must be a number, not '$port'." >&2
        exit 1
        ;;
esac

# Asked first: setting up takes a while, and runserver would only fail after it.
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "Port $port is in use by another program." >&2
    echo "Choose another one, for example: make run PORT=$((port + 1))" >&2
    exit 1
fi

scripts/setup.sh
.venv/bin/python manage.py first_start
exec scripts/serve.sh "$port"
