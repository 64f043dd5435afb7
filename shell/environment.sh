# Sourced by the other scripts: leaves $PYTHON as a Python that has what
# setup.cfg asks for, and $HANLIN as the project's folder.
#
# An active environment that has it is used as it is. Otherwise .venv is made
# beside this folder; made before, it is used again. With HANLIN_LOCKED=1 the
# packages are those of requirements.lock, of which each has its hash.
#
# Where an NVIDIA driver lists a card that TensorFlow can serve, CUDA's libraries
# come with it, the extra "gpu". HANLIN_DEVICE=cpu leaves them out, and hides the
# cards from what runs here.
#
# usage: source shell/environment.sh EXTRA      (or "": a script that names none
# would hand on its own arguments)

set -euo pipefail
HANLIN="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

has_requirements() { # PYTHON EXTRA
  "$1" - "$2" "$HANLIN/setup.cfg" 2>/dev/null <<'PYTHON'
import configparser, importlib.metadata, sys
from pip._vendor.packaging.requirements import Requirement

options = configparser.ConfigParser()
options.read(sys.argv[2])
lines = options["options"]["install_requires"].split("\n")
lines += options["options.extras_require"].get(sys.argv[1], "").split("\n")
assert sys.version_info >= (3, 11)

def check(lines, extra=""):
    for requirement in map(Requirement, filter(None, lines)):
        marker = requirement.marker
        if marker and not marker.evaluate({"extra": extra}):
            continue
        if extra and marker and marker.evaluate({"extra": ""}):
            continue
        version = importlib.metadata.version(requirement.name)
        assert requirement.specifier.contains(version, prereleases=True)
        # What tensorflow[and-cuda] asks for besides.
        for one in requirement.extras:
            check(importlib.metadata.requires(requirement.name), one)

check(lines)
PYTHON
}

find_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.11 python3; do
    # TensorFlow has no build for Python 3.14 and later.
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "error: no Python 3.11 to 3.13 was found; install one" >&2
  return 1
}

# Prints the cards to have CUDA's libraries for; fails where there is none.
find_cards() { # PYTHON
  [[ "${HANLIN_DEVICE:-}" != cpu ]] && "$1" -I "$HANLIN/training/nvidia.py"
}

install_requirements() { # PYTHON EXTRA CARDS
  local pip=("$1" -m pip install --quiet --disable-pip-version-check)
  if [[ -z "$3" ]] || ! has_requirements "$1" ""; then
    echo "installing the dependencies into .venv (some 2 GB, minutes)"
  fi
  if [[ "$3" ]]; then
    echo "installing CUDA's libraries for $3: 2.8 GB to download;" \
      "HANLIN_DEVICE=cpu leaves them out"
  fi
  if [[ "${HANLIN_LOCKED:-}" ]]; then
    "${pip[@]}" --require-hashes -r "$HANLIN/requirements${2:+-$2}.lock"
  else
    "${pip[@]}" -e "$HANLIN${2:+[$2]}"
  fi
}

make_environment() { # EXTRA
  local base extra="$1" cards=""
  base=$(find_python)
  # The tests, and what else names an extra, need no GPU.
  if [[ -z "$extra" ]] && cards=$(find_cards "$base"); then
    extra=gpu
  fi
  if [[ ! -x "$HANLIN/.venv/bin/python" ]]; then
    echo "making .venv with $($base --version)"
    "$base" -m venv "$HANLIN/.venv" || {
      echo "error: $base cannot make an environment; on Debian and Ubuntu:" \
        "apt-get install python3-venv" >&2
      return 1
    }
  fi
  if ! has_requirements "$HANLIN/.venv/bin/python" "$extra"; then
    install_requirements "$HANLIN/.venv/bin/python" "$extra" "$cards"
  fi
}

if [[ "${HANLIN_DEVICE:-cpu}" != cpu ]]; then
  echo "error: HANLIN_DEVICE=$HANLIN_DEVICE: it may be cpu, or not set" >&2
  exit 1
fi
if [[ "${HANLIN_DEVICE:-}" ]]; then
  export CUDA_VISIBLE_DEVICES=-1
fi
EXTRA="${1:-}"
if [[ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ]] \
  && [[ "${VIRTUAL_ENV:-}" != "$HANLIN/.venv" ]] \
  && has_requirements python "$EXTRA"; then
  PYTHON=python
else
  make_environment "$EXTRA"
  PYTHON="$HANLIN/.venv/bin/python"
fi
