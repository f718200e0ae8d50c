#!/usr/bin/env bash
# Serves the project for this machine only, with a worker beside it that sends notices: scripts/serve.sh PORT
# Whatever ends the server, such as Ctrl-C, ends the worker too.
set -euo pipefail
cd "$(dirname "$0")/.."

end() {
    trap - EXIT INT TERM
    kill "$server" "$worker" 2>/dev/null || true
    wait
}

# Both in the background: a shell looks at no signal while it waits for a program in the foreground.
.venv/bin/python manage.py work &
worker=$!
.venv/bin/python manage.py runserver "127.0.0.1:$1" <&0 &
server=$!
trap end EXIT
trap 'end; exit 130' INT
trap 'end; exit 143' TERM
wait "$server"
