"""What a race runs, in which order, and what lies where in its folder.

records -> --data_dir        model/     shapes and vocabulary
tasks/                       what is fine-tuned on
runs/NAME/seed_N/            pretraining
single/NAME/seed_N/          its loss on single sequences
tuned/TASK/NAME/seed_N/      its fine-tunings
"""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.race import finetunings, records
from benchmarks.race.config import RaceConfig, items
from benchmarks.race.contenders import Contender
from benchmarks.race.jobs_in_turn import Job
from storage import file_io

_BATCH = 32  # Of evaluations.
SINGLE = "single"
# What DistilBERT's config calls a key of BERT's.
_OF_DISTILBERT = {
    "hidden_act": "activation",
    "hidden_size": "dim",
    "initializer_range": "initializer_range",
    "intermediate_size": "hidden_dim",
    "max_position_embeddings": "max_position_embeddings",
    "num_attention_heads": "n_heads",
    "num_hidden_layers": "n_layers",
    "vocab_size": "vocab_size",
}


def prepare(config: RaceConfig, shape: Mapping[str, Any]) -> None:
    """Puts records, shapes and tasks where the contenders' flags name them."""
    directory = config.output_dir
    file_io.make_directory(os.path.join(directory, "model"))
    link = os.path.join(directory, "records")
    if not os.path.isdir(config.data_dir):
        raise ValueError(f"--data_dir={config.data_dir} is no folder")
    if not os.path.lexists(link):
        os.symlink(os.path.abspath(config.data_dir), link)
    if os.path.realpath(link) != os.path.realpath(config.data_dir):
        raise ValueError(
            f"--output_dir={directory} has races on {os.path.realpath(link)}, "
            f"not on --data_dir={config.data_dir}; name another"
        )
    for name, own in _shapes(shape).items():
        path = os.path.join(directory, "model", f"{name}.json")
        text = json.dumps(own, indent=2) + "\n"
        file_io.write_whole(path, text.encode())
    file_io.copy(
        config.vocab_file, os.path.join(directory, "model", "vocab.txt")
    )
    for task in items(config.finetune):
        finetunings.TUNINGS[task].unpack(
            task, config.finetune_dir, os.path.join(directory, "tasks", task)
        )


def _shapes(shape):
    """Returns {name in model/: config}: the shape, as families write it."""
    shapes = {}
    for name, rate in (("dropout", 0.1), ("no_dropout", 0.0)):
        bert = shape | {
            "hidden_dropout_prob": rate,
            "attention_probs_dropout_prob": rate,
        }
        shapes[name] = bert
        shapes[f"electra_{name}"] = bert | {
            "model_type": "electra",
            "embedding_size": shape["hidden_size"],
        }
        shapes[f"distilbert_{name}"] = {
            "model_type": "distilbert",
            "dropout": rate,
            "attention_dropout": rate,
            **{new: shape[old] for old, new in _OF_DISTILBERT.items()},
        }
    return shapes


def run_dir(name: str, seed: str) -> str:
    return os.path.join("runs", name, f"seed_{seed}")


def _pretraining(config: RaceConfig, contender: Contender, seed: str) -> Job:
    """Returns the run of a contender with a seed."""
    num_steps = contender.num_steps(config.tokens)
    every = max(1, round(num_steps / config.evaluations))
    folder = run_dir(contender.name, seed)
    return Job(
        name=f"{contender.name}, seed {seed}: {num_steps:,} steps",
        folder=folder,
        arguments=(
            "run_pretraining.py",
            *contender.arguments,
            *shlex.split(config.flags),
            f"--seed={seed}",
            f"--num_train_steps={num_steps}",
            "--do_train",
            "--do_eval",
            *_evaluation(config, contender, "nsp"),
            f"--eval_every_steps={every}",
            f"--save_checkpoints_steps={every}",
            "--keep_checkpoint_max=2",
            f"--output_dir={folder}",
        ),
    )


def _evaluation(config, contender, kind):
    name = records.heldout_file(
        kind,
        contender.number("max_seq_length"),
        contender.number("max_predictions_per_seq"),
    )
    if not os.path.exists(os.path.join(config.data_dir, name)):
        raise ValueError(
            f"{contender.path} wants held-out records {name}, which "
            f"--data_dir={config.data_dir} has not: see --heldout_length and "
            "--heldout_predictions of benchmarks.recipe_race_data"
        )
    return (
        f"--eval_input_file=records/{name}",
        f"--eval_batch_size={_BATCH}",
        f"--max_eval_steps={-(-config.heldout_records // _BATCH)}",
    )


def jobs(config: RaceConfig, contenders: Sequence[Contender]) -> list[Job]:
    """Returns all runs; contenders take turns, seed by seed.

    Raises:
        ValueError: what a contender wants is not there.
    """
    pairs = [
        (contender, seed)
        for seed in items(config.seeds)
        for contender in contenders
    ]
    trained = [_pretraining(config, *pair) for pair in pairs]
    judged = [
        job
        for pair, before in zip(pairs, trained, strict=True)
        for job in _judgements(config, *pair, before)
    ]
    return trained + judged


def _judgements(config, contender, seed, before):
    """Yields what is asked of a model that has been trained."""
    folder = scored_dir(SINGLE, contender.name, seed)
    yield Job(
        name=f"{contender.name}, seed {seed}: on single sequences",
        folder=folder,
        arguments=(
            "run_pretraining.py",
            *contender.arguments,
            *shlex.split(config.flags),
            "--nouse_nsp",
            "--do_eval",
            *_evaluation(config, contender, "none"),
            f"--init_checkpoint={before.folder}",
            f"--output_dir={folder}",
        ),
        after=before,
    )
    for task in items(config.finetune):
        tuning = finetunings.TUNINGS[task]
        folder = scored_dir(task, contender.name, seed)
        yield Job(
            name=f"{contender.name}, seed {seed}: {task}",
            folder=folder,
            arguments=(
                *tuning.script,
                *finetunings.FLAGS,
                *shlex.split(config.finetune_flags),
                f"--seed={seed}",
                f"--data_dir=tasks/{task}",
                "--vocab_file=model/vocab.txt",
                f"--bert_config_file={_with_dropout(contender)}",
                f"--init_checkpoint={before.folder}",
                f"--output_dir={folder}",
            ),
            after=before,
        )


def _with_dropout(contender):
    """Returns the shape of a contender, as fine-tunings like it."""
    path = contender.value("bert_config_file")
    return path.replace("no_dropout", "dropout")


def scored_dir(what: str, name: str, seed: str) -> str:
    """Returns where a model is scored: on single sequences, or on a task."""
    top = SINGLE if what == SINGLE else os.path.join("tuned", what)
    return os.path.join(top, name, f"seed_{seed}")
