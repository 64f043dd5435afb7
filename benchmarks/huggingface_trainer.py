"""Pretrains by Hugging Face's Trainer on the records of run_pretraining.py.

It takes the flags of run_pretraining.py and does the same work with
`transformers`: BertForPreTraining, Trainer, AdamW, on the CPU or a GPU. The
records come in the same order, the rate follows the same schedule, and the
held-out figures are computed over the same records as eval_results.txt.

python -m benchmarks.huggingface_trainer --optimizer=adamw \
    --bert_config_file=configs/bert_tiny.json --input_file=train.tfrecord \
    --eval_input_file=heldout.tfrecord --output_dir=DIR --do_train --do_eval

Needs pip install -e '.[peers]'.
"""

import json
import time

import numpy as np
import tensorflow as tf
import torch
import transformers

import config_flags
from data.feeding import input_pipeline
from pretraining import config as pretraining_config
from pretraining import preflight
from training import schedules

# As Hugging Face marks tokens that are not to be predicted.
_IGNORED = -100


def run(config):
    """Trains and evaluates as a `PretrainingConfig` says; prints a table."""
    if config.optimizer != "adamw" or config.lr_schedule != "linear":
        raise ValueError(
            "this comparison wants --optimizer=adamw --lr_schedule=linear"
        )
    bert = preflight.read_bert_config(config)
    train_files, eval_files = preflight.find_records(config, bert)
    transformers.set_seed(config.seed)
    with open(config.bert_config_file) as file:
        shape = json.load(file)
    # google-research's "gelu" is the tanh formula.
    activation = {"gelu": "gelu_new"}.get(
        shape["hidden_act"], shape["hidden_act"]
    )
    model = transformers.BertForPreTraining(
        transformers.BertConfig(
            **shape | {"hidden_act": activation, "layer_norm_eps": 1e-12}
        )
    )
    trainer = _Trainer(
        model=model,
        args=_arguments(config),
        train_dataset=_Records(
            config, lambda: _training_batches(config, bert, train_files)
        ),
    )
    trainer.rate_of = _share_of_peak(config)
    started = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - started
    figures = {
        "steps": config.num_train_steps,
        "seconds": seconds,
        "tokens_per_second": config.num_train_steps
        * config.train_batch_size
        * config.max_seq_length
        / seconds,
    } | _evaluate(config, bert, model, eval_files)
    for name, value in figures.items():
        print(f"{name:<26}{value:>14.6g}")


class _Trainer(transformers.Trainer):
    """A Trainer whose rate is the one of run_pretraining.py."""

    def create_scheduler(self, num_training_steps, optimizer=None):
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer, self.rate_of
        )
        return self.lr_scheduler


class _Records(torch.utils.data.IterableDataset):
    def __init__(self, config, make_batches):
        super().__init__()
        self.num_batches = config.num_train_steps
        self.make_batches = make_batches

    def __iter__(self):
        for batch in self.make_batches().take(self.num_batches):
            yield from _examples(batch)


def _arguments(config):
    return transformers.TrainingArguments(
        output_dir=config.output_dir,
        max_steps=config.num_train_steps,
        per_device_train_batch_size=config.train_batch_size,
        learning_rate=config.learning_rate,
        optim="adamw_torch",
        adam_beta1=config.adam_beta1,
        adam_beta2=config.adam_beta2,
        adam_epsilon=config.adam_epsilon,
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip_norm,
        logging_steps=100,
        save_steps=config.save_checkpoints_steps,
        save_total_limit=1,
        report_to=[],
        seed=config.seed,
        disable_tqdm=True,
    )


def _share_of_peak(config):
    schedule = schedules.Schedule(
        peak=1.0,
        num_train_steps=config.num_train_steps,
        num_warmup_steps=config.warmup_steps,
        shape=config.lr_schedule,
    )
    return lambda step: float(schedule(step))


def _parser(config, bert, files):
    return input_pipeline.parser(
        files,
        config,
        max_seq_length=config.max_seq_length,
        vocab_size=bert.vocab_size,
        seed=config.seed,
    )


def _training_batches(config, bert, files):
    return input_pipeline.training_batches(
        files,
        parse=_parser(config, bert, files),
        batch_size=config.train_batch_size,
        seed=config.seed,
    )


def _examples(batch):
    """Yields each record of a batch of ours as BertForPreTraining takes it."""
    batch = {name: tensor.numpy() for name, tensor in batch.items()}
    labels = np.full(batch["input_ids"].shape, _IGNORED)
    rows, columns = np.nonzero(batch["masked_lm_weights"])
    labels[rows, batch["masked_lm_positions"][rows, columns]] = batch[
        "masked_lm_ids"
    ][rows, columns]
    for i in range(len(labels)):
        yield {
            "input_ids": batch["input_ids"][i].astype(np.int64),
            "attention_mask": batch["input_mask"][i].astype(np.int64),
            "token_type_ids": batch["segment_ids"][i].astype(np.int64),
            "labels": labels[i],
            "next_sentence_label": np.int64(
                batch["next_sentence_labels"].reshape(-1)[i]
            ),
        }


@torch.no_grad()
def _evaluate(config, bert, model, files):
    """Returns the figures of eval_results.txt."""
    batches = input_pipeline.evaluation_batches(
        files,
        parse=_parser(config, bert, files),
        batch_size=config.eval_batch_size,
    )
    model.eval()
    sums = np.zeros(6)
    num_records = sum(file.num_records for file in files)
    num_steps = min(
        config.max_eval_steps, -(-num_records // config.eval_batch_size)
    )
    for batch in batches.take(num_steps):
        examples = [e for e in _examples(batch) if e["attention_mask"][0]]
        inputs = {
            name: torch.tensor(np.stack([e[name] for e in examples]))
            for name in examples[0]
        }
        labels = inputs.pop("labels")
        next_labels = inputs.pop("next_sentence_label")
        outputs = model(**inputs)
        is_masked = labels != _IGNORED
        sums[:3] += _sums(
            outputs.prediction_logits[is_masked], labels[is_masked]
        )
        sums[3:] += _sums(outputs.seq_relationship_logits, next_labels)
    return {
        "masked_lm_loss": sums[0] / sums[2],
        "masked_lm_accuracy": sums[1] / sums[2],
        "next_sentence_loss": sums[3] / sums[5],
        "next_sentence_accuracy": sums[4] / sums[5],
    }


def _sums(logits, labels):
    nll = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    num_right = (logits.argmax(-1) == labels).sum()
    return float(nll), float(num_right), len(labels)


if __name__ == "__main__":
    # TensorFlow only reads records here.
    tf.config.set_visible_devices([], "GPU")
    config_flags.run(run, pretraining_config.PretrainingConfig)
