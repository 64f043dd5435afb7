#!/usr/bin/env bash
# Writes requirements.lock, requirements-gpu.lock and requirements-dev.lock: one
# version of each package that setup.cfg asks for, and of what those ask for, with
# the hashes of its files, for all Pythons and systems that Hanlin runs on.
#
# usage: bash shell/lock.sh [--upgrade]
# Versions that still satisfy setup.cfg stay, with --upgrade the newest come.
# HANLIN_LOCKED=1 bash shell/quickstart.sh (or run_tests.sh) installs them.

source "$(dirname "$0")/environment.sh" dev
cd "$HANLIN"

for extra in "" gpu dev; do
  "$PYTHON" -m uv pip compile --quiet --universal --python-version=3.11 \
    --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command="bash shell/lock.sh" \
    ${extra:+--extra="$extra"} "$@" setup.cfg \
    --output-file="requirements${extra:+-$extra}.lock"
done
