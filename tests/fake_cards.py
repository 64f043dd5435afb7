"""A fake `nvidia-smi` for the PATH, and cards for it to list."""

import json
import os
import pathlib
import sys

_PROGRAM = """#!{python}
import json, sys
cards, unknown = json.loads({data!r})
query = next(x for x in sys.argv if x.startswith("--query-gpu="))
assert "--format=csv,noheader,nounits" in sys.argv
fields = query.partition("=")[2].split(",")
for field in fields:
    if field in unknown:
        print(f'Field "{{field}}" is not a valid field to query.')
        sys.exit(2)
for card in cards:
    print(", ".join(card[field] for field in fields))
sys.exit(0 if cards else 9)
"""

H100 = ("NVIDIA H100 80GB HBM3", "9.0", "81559")
A100 = ("NVIDIA A100-SXM4-40GB", "8.0", "40960")
RTX_5090 = ("NVIDIA GeForce RTX 5090", "12.0", "32607")
GTX_980 = ("NVIDIA GeForce GTX 980", "5.2", "4096")


def card(kind, driver="550.54.15", number=0):
    """A row of `nvidia-smi` for one of the kinds above."""
    name, capability, memory = kind
    return {
        "name": name,
        "uuid": f"GPU-{number:08x}-1111-2222-3333-444444444444",
        "driver_version": driver,
        "memory.total": memory,
        "compute_cap": capability,
    }


def install(directory, *cards, unknown_fields=()):
    """Writes `nvidia-smi` into a folder; returns a PATH that begins with it."""
    folder = pathlib.Path(directory) / "nvidia"
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    data = json.dumps([cards, unknown_fields])
    program.write_text(_PROGRAM.format(python=sys.executable, data=data))
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
