"""Several runs that answer together: the mean of their probabilities.

Shapes: M members, N rows.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from finetuning import directory, evaluation
from finetuning.config import FinetuningConfig
from finetuning.model import Model
from finetuning.splits import SplitName, wanted
from finetuning.task import Outputs
from finetuning.workbench import Workbench
from modeling.config import BertConfig
from storage import file_io
from training import strategy

FOLDER = "ensemble"


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=0)


def _of_one(logits: np.ndarray) -> np.ndarray:
    """The logarithm of the mean of probabilities that add up to 1."""
    by_member = special.log_softmax(logits, axis=-1)
    return special.logsumexp(by_member, axis=0) - np.log(len(logits))


def _of_each(logits: np.ndarray) -> np.ndarray:
    """The logits of the mean of probabilities of yes."""
    yes, no = (
        special.logsumexp(special.log_expit(sign * logits), axis=0)
        for sign in (1, -1)
    )
    return yes - no


# {`Task.output_kind`: maps the outputs of all members, [M, N, ...], to those
# of one model that says what they say together}
MIXES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "one_label": _of_one,
    "choice": _of_one,
    "multi_label": _of_each,
    "regression": _mean,
    "softmax": _of_one,
    # Of ends of answers: their logits, which add up to a score.
    "": _mean,
}


def mix(kind: str, outputs: Sequence[Outputs]) -> Outputs:
    """Returns the outputs of members together, float32.

    Args:
        kind: the `Task.output_kind` of all.
        outputs: of each member, of the same rows.
    """
    return {
        name: MIXES[kind](
            np.stack([one[name] for one in outputs]).astype(np.float64)
        ).astype(np.float32)
        for name in outputs[0]
    }


def run(
    config: FinetuningConfig,
    members: Sequence[FinetuningConfig],
    architecture: BertConfig,
    bench: Workbench,
) -> dict[str, float]:
    """Scores and predicts by the mean of several runs, into ensemble/.

    Args:
        config: of the whole; says what is scored and predicted.
        members: of the runs, each with the folder that it left.
        architecture: of all.
        bench: of all.

    Returns:
        {"ensemble_accuracy": ...}, whatever the metrics are.
    """
    folder = os.path.join(config.output_dir, FOLDER)
    file_io.make_directory(folder)
    results: dict[str, float] = {}
    found: dict[SplitName, list[Outputs]] = {}
    for member in members:
        part = member.one_run(
            do_train=False,
            do_eval=config.do_eval,
            do_predict=config.do_predict,
        )
        task = bench.task(part)
        directory.restore_task(part.output_dir, task)
        model = bench.model(Model.of, part, architecture, task)
        directory.restore_weights(part, model)
        splits = {name: bench.split(name, folder) for name in wanted(part)}
        for name, split in splits.items():
            outputs = evaluation.outputs(part, bench.devices, model, split)
            found.setdefault(name, []).append(outputs)
    for name, split in splits.items():
        mixed = mix(task.output_kind, found[name])
        if strategy.is_chief(bench.devices):
            task.write(split, mixed, folder)
        if name == "eval":
            results = evaluation.score(model, split, mixed)
    return {
        f"{FOLDER}_{name.removeprefix('eval_')}": value
        for name, value in results.items()
    }
