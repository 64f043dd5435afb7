"""Which tensors of a checkpoint of TensorFlow are a model's, under our names.

A file may call parts otherwise than we do, and hold a second encoder, which has
a head of its own:

    electra/embeddings/...           of both
    electra/encoder/...              what is read, unless
    generator/encoder/...            the head of masked words is asked for
    generator_predictions/...        that head
"""

from collections.abc import Iterable

from interop.families.family import Family


def to_ours(
    names: Iterable[str],
    family: Family,
    head: str | None,
    *,
    with_second: bool = False,
) -> dict[str, str]:
    """Returns {name: our name} of what a model with a head has.

    Args:
        names: below our scope, slots of optimizers among them.
        family: of the model.
        head: one of `variables.HEADS`, if one is asked for.
        with_second: whether both encoders are wanted, with their heads; the
            second keeps its scope.
    """
    found = {name: _renamed(name, family) for name in names}
    if with_second:
        return found
    for owner, scope in family.second_encoders.items():
        second = [name for name in found if name.startswith(scope)]
        if not second:
            continue
        of_owner = family.head_names(owner)
        if head == owner:
            of_all = {n for h in family.heads for n in family.head_names(h)}
            others = tuple(of_all - of_owner)
            left_out = [
                name
                for name in found
                if _is_first_encoders(name, family) or name.startswith(others)
            ]
            found |= {n: family.scope + n.removeprefix(scope) for n in second}
        else:
            of_head = tuple(of_owner)
            left_out = [n for n in found if found[n].startswith(of_head)]
            left_out += second
        for name in left_out:
            del found[name]
    return found


def to_theirs(name: str, family: Family) -> str:
    """Returns what a checkpoint calls a variable of ours, or a slot of it."""
    for ours, theirs in family.checkpoint_names:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def _is_first_encoders(name, family):
    """Whether the first encoder alone has a variable: not the embeddings."""
    is_shared = name.startswith(f"{family.scope}embeddings/")
    return name.startswith(family.scope) and not is_shared


def _renamed(name, family):
    for ours, theirs in family.checkpoint_names:
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name
