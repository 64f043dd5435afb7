"""Fine-tunes by Hugging Face's Trainer on the rows of a run of ours.

It takes what a finished run of run_classifier.py, run_squad.py or run_ner.py
(softmax) left: the same rows, the same settings, and the model that run started
from, as a directory of Hugging Face's. Trainer, AdamW, batches padded to their
longest row; the outputs are scored by the same task as ours.

python -m benchmarks.huggingface_finetuning --model_dir=OUTPUT_DIR \
    --huggingface_dir=MODEL [--seeds=1,2,3] [--group_by_length] \
    [--same_schedule]

Needs pip install -e '.[peers]'.
"""

import dataclasses
import json
import statistics
import tempfile
import time
from typing import Annotated

import numpy as np
import tensorflow as tf
import torch
import transformers

import config_flags
from finetuning import batches, cache, programs, task
from training import schedules

_MODELS = {
    "sequence_classification": (
        transformers.AutoModelForSequenceClassification
    ),
    "token_classification": transformers.AutoModelForTokenClassification,
    "question_answering": transformers.AutoModelForQuestionAnswering,
}
# Ours and theirs.
_FEATURES = {
    "input_ids": "input_ids",
    "input_mask": "attention_mask",
    "segment_ids": "token_type_ids",
    "start_positions": "start_positions",
    "end_positions": "end_positions",
}
_IGNORED = -100


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonConfig:
    """What to compare with."""

    model_dir: Annotated[str, "The --output_dir of a run of ours."]
    huggingface_dir: Annotated[str, "The model that the run started from."]
    seeds: Annotated[str, "Seeds to train with, as 1,2,3."] = "1"
    group_by_length: Annotated[
        bool, "Whether Trainer makes batches of rows of like length, too."
    ] = False
    bf16: Annotated[bool, "Whether Trainer computes in bfloat16."] = False
    same_schedule: Annotated[
        bool,
        "Whether Trainer has our rate at each step. Its own line to 0 begins "
        "at the end of the warm-up, as linear_from_peak, and so is above "
        "google-research/bert's linear, which begins at step 0: by 11 % with "
        "--warmup_proportion=0.1.",
    ] = False


def run(comparison):
    """Trains with each seed; prints scores and seconds."""
    config, made = programs.load(comparison.model_dir)
    made.read("train")
    splits = {name: _load(config, made, name) for name in ("train", "eval")}
    scores, seconds = [], []
    for seed in map(int, comparison.seeds.split(",")):
        model, spent = _train(comparison, config, made, splits["train"], seed)
        outputs = _outputs(model, made, splits["eval"])
        found = made.score(splits["eval"], outputs)
        print(json.dumps({"seed": seed, "seconds": spent} | found), flush=True)
        scores.append(found[made.key_metric])
        seconds.append(spent)
    print(
        f"{made.key_metric} {statistics.fmean(scores):.4f}, "
        f"{statistics.fmean(seconds):.1f} s a run"
    )


def _load(config, made, name):
    examples = made.read(name)
    rows = cache.rows(
        cache.path_of(config.output_dir, name),
        made.describe_rows(name),
        lambda: made.make_rows(name, examples),
        is_writer=False,
    )
    return task.Split(name, examples, rows)


def _train(comparison, config, made, split, seed):
    """Returns the model and the seconds of its training."""
    transformers.set_seed(seed)
    labels = {}
    if made.head != "question_answering":
        labels["num_labels"] = len(made.labels or ("a number",))
    model = _MODELS[made.head].from_pretrained(
        comparison.huggingface_dir, ignore_mismatched_sizes=True, **labels
    )
    with tempfile.TemporaryDirectory() as folder:
        args = _arguments(comparison, config, split, seed, folder)
        trainer = transformers.Trainer(
            model=model,
            args=args,
            train_dataset=_examples(made, split.rows),
            data_collator=_collate,
        )
        if comparison.same_schedule:
            trainer.create_optimizer()
            trainer.lr_scheduler = _schedule(config, args, trainer.optimizer)
        started = time.monotonic()
        trainer.train()
        return model.eval(), time.monotonic() - started


def _arguments(comparison, config, split, seed, folder):
    num_steps = int(
        split.num_rows / config.train_batch_size * config.num_train_epochs
    )
    return transformers.TrainingArguments(
        output_dir=folder,
        use_cpu=not torch.cuda.is_available(),
        bf16=comparison.bf16,
        max_steps=num_steps,
        per_device_train_batch_size=config.train_batch_size,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.lr_schedule.replace("_from_peak", ""),
        warmup_steps=int(num_steps * config.warmup_proportion),
        optim="adamw_torch",
        adam_beta1=config.adam_beta1,
        adam_beta2=config.adam_beta2,
        adam_epsilon=config.adam_epsilon,
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip_norm,
        save_strategy="no",
        logging_steps=1000,
        report_to=[],
        seed=seed,
        disable_tqdm=True,
        remove_unused_columns=False,
        **{"train_sampling_strategy": "group_by_length"}
        if comparison.group_by_length
        else {},
    )


def _schedule(config, args, optimizer):
    shares = schedules.Schedule(
        peak=1.0,
        num_train_steps=args.max_steps,
        num_warmup_steps=args.warmup_steps,
        shape=config.lr_schedule,
    )
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: float(shares(step))
    )


def _examples(made, rows):
    """Returns each row as Trainer takes it, without its padding."""
    lengths = batches.lengths_of_rows(rows)
    names = [name for name in _FEATURES if name in rows]
    examples = []
    for row, length in enumerate(lengths):
        example = {
            _FEATURES[name]: torch.as_tensor(rows[name][row]).long()
            for name in names
        }
        for name in task.FEATURES:
            example[_FEATURES[name]] = example[_FEATURES[name]][:length]
        if "label_weights" in rows:
            labels = np.where(
                rows["label_weights"][row], rows["label_ids"][row], _IGNORED
            )[:length]
            example["labels"] = torch.as_tensor(labels).long()
        elif made.head == "sequence_classification":
            example["labels"] = torch.as_tensor(rows["label_ids"][row])
            if rows["label_ids"].dtype != np.float32:
                example["labels"] = example["labels"].long()
        examples.append(example)
    return examples


def _collate(examples):
    """Pads to the longest row of a batch."""
    batch = {}
    for name in examples[0]:
        values = [example[name] for example in examples]
        if values[0].dim():
            padding = _IGNORED if name == "labels" else 0
            batch[name] = torch.nn.utils.rnn.pad_sequence(
                values, batch_first=True, padding_value=padding
            )
        else:
            batch[name] = torch.stack(values)
    return batch


@torch.no_grad()
def _outputs(model, made, split):
    """Returns {name: float32 [N, ...]} as our own head gives them."""
    found = {}
    whole = split.rows["input_ids"].shape[1]
    lengths = batches.lengths_of_rows(split.rows)
    order = np.argsort(lengths)
    for chosen in np.array_split(order, max(1, len(order) // 32)):
        longest = lengths[chosen].max()
        outputs = model(
            **{
                _FEATURES[name]: torch.as_tensor(
                    split.rows[name][chosen, :longest]
                ).long()
                for name in task.FEATURES
            }
        )
        for name in ("logits", "start_logits", "end_logits"):
            if name not in outputs:
                continue
            values = outputs[name].float().numpy()
            if made.head != "sequence_classification":
                padding = [(0, 0)] * values.ndim
                padding[1] = (0, whole - longest)
                values = np.pad(values, padding)
            shape = (len(order), *values.shape[1:])
            found.setdefault(name, np.zeros(shape, np.float32))[chosen] = values
    return found


if __name__ == "__main__":
    # TensorFlow only reads rows here.
    tf.config.set_visible_devices([], "GPU")
    config_flags.run(run, ComparisonConfig)
