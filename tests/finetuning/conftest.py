"""What several files of these tests ask for."""

import pytest

from training import compilation


@pytest.fixture(scope="module")
def uncompiled():
    """Steps without XLA: compiling takes longer than short runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilation, "choose", lambda *_: compilation.nothing)
        yield
