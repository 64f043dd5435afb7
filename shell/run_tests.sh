#!/usr/bin/env bash
# Runs the linter, the formatter's check, the type checker and the tests, two
# files of them at a time. More arguments go to pytest: `bash
# shell/run_tests.sh -m slow`, `... tests/data`, `... -n0` for one at a time.

source "$(dirname "$0")/environment.sh" dev
cd "$HANLIN"

"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m mypy
"$PYTHON" -m pytest -n2 --dist=loadfile "$@"
