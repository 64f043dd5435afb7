#!/usr/bin/env bash
# Runs the linter, the formatter's check and the tests. More arguments go to
# pytest: `bash shell/run_tests.sh -m slow`, `... tests/data`.

source "$(dirname "$0")/environment.sh" dev

"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m pytest "$@"
