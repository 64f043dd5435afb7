"""Where in a file's names its encoder begins: bert/, roberta/, module/bert/.

An encoder is the same whatever it is filed under; a name that is a scope off
would stay random without a word.
"""

from collections.abc import Sequence

from absl import logging

_NUM_NAMED = 3


def strip(
    names: Sequence[str], *, words: str, ours: str, separator: str
) -> dict[str, str]:
    """Returns {name in the file: the name it has below our scope}.

    Names outside of the encoder lose what stands before its scope: the head of
    module/bert/... is module/cls/...

    Args:
        names: of the tensors.
        words: how the name of the word embeddings ends, which every encoder
            has.
        ours: the scope an encoder should have, such as bert/.
        separator: what parts names, / or .

    Raises:
        ValueError: there are several encoders; names their scopes.
    """
    scopes = sorted(
        name.removesuffix(words)
        for name in names
        if name == words or name.endswith(separator + words)
    )
    if not scopes or ours in scopes:
        return {name: name for name in names}
    if len(scopes) > 1:
        raise ValueError(
            "it has several encoders, under "
            f"{', '.join(map(repr, scopes[:_NUM_NAMED]))}, and none under "
            f"{ours!r}; save one of them alone"
        )
    scope = scopes[0]
    # A part of the scope's own name, as in module/bert/; none in bert_1/.
    above, part, _ = scope.removesuffix(separator).rpartition(separator)
    outer = above + part
    if scope:
        logging.info(
            "the encoder is under %r and read as that under %r", scope, ours
        )
    return {
        name: ours + name.removeprefix(scope)
        if name.startswith(scope) and (scope or not _is_head(name))
        else name.removeprefix(outer)
        for name in names
    }


def _is_head(name: str) -> bool:
    # One family calls its layers "transformer".
    parts = ("embeddings", "encoder", "transformer", "pooler")
    return not name.startswith(parts)
