"""Packages that only some raw files need, asked for by name."""

import importlib
from typing import Any


def load(module: str, package: str, what: str) -> Any:
    """Returns a module of the extra.

    Args:
        module: its dotted name.
        package: as pip knows it.
        what: needs it: "HTML".

    Raises:
        ValueError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ValueError(
            f"{what} needs the package {package}: pip install -e '.[corpus]'"
        ) from None
