"""The type of a tensor, for annotations."""

from typing import Any

# Of the backend that Keras runs on; no type is common to all of them.
Tensor = Any
