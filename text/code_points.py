"""Text as numbers."""

import numpy as np


def code_points(text: str) -> np.ndarray:
    """Returns the code points of a text; uint32 [characters].

    Surrogates may be alone: no UTF-8 has them, but a string may.
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
