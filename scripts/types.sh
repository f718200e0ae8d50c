#!/usr/bin/env bash
# Checks the annotations. mypy's plugin for Django reads the models, and so the
# settings, which want a key; any will do.
set -euo pipefail
cd "$(dirname "$0")/.."
export DJANGO_SECRET_KEY=${DJANGO_SECRET_KEY-none}
exec .venv/bin/python -m mypy "$@"
