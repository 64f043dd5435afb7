"""The scores of --test_file, which no choice has looked at."""

import dataclasses
import os
from typing import Any

from finetuning import directory, evaluation
from finetuning.config import FinetuningConfig
from finetuning.model import Model
from finetuning.workbench import Workbench
from modeling.config import BertConfig
from storage import file_io
from training import checkpoint, run_settings

FOLDER = "test"


def score(
    config: FinetuningConfig, architecture: BertConfig, bench: Workbench
) -> dict[str, float]:
    """Scores --test_file by the weights of --output_dir, into its test/.

    Returns:
        {"test_accuracy": ...}, whatever the metrics are.

    Raises:
        ValueError: the file cannot be read, or there are no weights.
    """
    # As of the best of several runs, which may have others than the flags.
    before = run_settings.read(config.output_dir).get("config", {})
    rows = config.deciding("rows")
    changes: dict[str, Any] = {n: before[n] for n in rows if n in before}
    config = config.one_run(
        **changes,
        do_train=False,
        do_predict=False,
        do_eval=True,
        eval_file=config.test_file,
    )
    task = bench.task(config)
    directory.restore_task(config.output_dir, task)
    folder = os.path.join(config.output_dir, FOLDER)
    file_io.make_directory(folder)
    split = bench.split("eval", folder)
    model = bench.model(Model.of, config, architecture, task)
    results = evaluation.evaluate(
        dataclasses.replace(config, output_dir=folder),
        bench.devices,
        model,
        {"eval": split},
        directory.restore_weights(config, model),
    )
    return {
        f"test_{name.removeprefix('eval_')}": value
        for name, value in results.items()
        if name != checkpoint.GLOBAL_STEP
    }
