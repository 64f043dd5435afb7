"""One contender of benchmarks.training_step, in a process of its own.

python -m benchmarks.training_step_peers NAME SETTINGS

SETTINGS is the JSON of `Settings`. It says "ready" once it is warm, then runs
as many steps as each line of its input says and answers with the seconds, and
those of all its threads on a processor.
"""

import contextlib
import functools
import json
import os
import sys
import time
from typing import NamedTuple

import numpy as np

from benchmarks import peer_models

_WARM_UP_STEPS = 3
_LEARNING_RATE = 1e-4
_CLIP_NORM = 1.0


class Settings(NamedTuple):
    bert_config_file: str
    batch_size: int
    num_tokens: int
    num_predictions: int


def random_batch(settings, vocab_size):
    """Returns the features of full records of random words."""
    rng = np.random.default_rng(0)
    rows, tokens = settings.batch_size, settings.num_tokens
    predicted = (rows, settings.num_predictions)
    features = {
        "input_ids": rng.integers(1, vocab_size, (rows, tokens)),
        "input_mask": np.ones((rows, tokens)),
        "segment_ids": np.arange(tokens) * np.ones((rows, 1)) >= tokens // 2,
        "masked_lm_positions": np.sort(
            [rng.permutation(tokens)[: predicted[1]] for _ in range(rows)]
        ),
        "masked_lm_ids": rng.integers(1, vocab_size, predicted),
        "next_sentence_labels": rng.integers(0, 2, rows),
    }
    features = {name: x.astype(np.int32) for name, x in features.items()}
    return features | {"masked_lm_weights": np.ones(predicted, np.float32)}


def _ours(settings, mixed_precision):
    import tensorflow as tf

    from pretraining import config as pretraining_config
    from pretraining import objectives, preflight, train
    from training import precision
    from training.trainer import Trainer

    config = pretraining_config.PretrainingConfig(
        bert_config_file=settings.bert_config_file,
        input_file="none",
        output_dir="none",
        do_train=True,
        learning_rate=_LEARNING_RATE,
        train_batch_size=settings.batch_size,
        max_seq_length=settings.num_tokens,
        mixed_precision=mixed_precision,
        use_nsp=_shape_of(settings).get("model_type") != "electra",
    )
    bert = preflight.read_bert_config(config)
    devices = tf.distribute.get_strategy()
    objective = objectives.make(
        config, bert, precision.choose(config.mixed_precision, devices)
    )
    trainer = Trainer(
        config, devices, objective, train.make_schedule(config), seed=1
    )
    run_steps = trainer.make_run_steps()
    batches = iter(
        tf.data.Dataset.from_tensors(
            random_batch(settings, bert.vocab_size)
        ).repeat()
    )

    def run(num_steps):
        run_steps(batches, tf.constant(num_steps, tf.int64))
        trainer.totals.read()

    return run


def _keras_hub(settings, policy, jit_compile):
    import keras
    import tensorflow as tf

    shape = _shape_of(settings)
    keras.config.set_dtype_policy(policy)
    model = peer_models.keras_hub(shape)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            _LEARNING_RATE, weight_decay=0.01, global_clipnorm=_CLIP_NORM
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=jit_compile,
    )
    batch = random_batch(settings, shape["vocab_size"])
    inputs = {
        "token_ids": batch["input_ids"],
        "segment_ids": batch["segment_ids"],
        "padding_mask": batch["input_mask"],
        "mask_positions": batch["masked_lm_positions"],
    }
    batches = tf.data.Dataset.from_tensors(
        (inputs, batch["masked_lm_ids"], batch["masked_lm_weights"])
    ).repeat()
    return lambda num_steps: model.fit(
        batches, steps_per_epoch=num_steps, verbose=0
    )


def _hugging_face(settings, bfloat16):
    import torch

    shape = _shape_of(settings)
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, pair_label = peer_models.hugging_face(shape)
    model.to(device).train()
    optimizer = torch.optim.AdamW(
        model.parameters(), _LEARNING_RATE, weight_decay=0.01, fused=True
    )
    batch = random_batch(settings, shape["vocab_size"])
    labels = np.full(batch["input_ids"].shape, -100)
    np.put_along_axis(
        labels, batch["masked_lm_positions"], batch["masked_lm_ids"], 1
    )
    arrays = {
        "input_ids": batch["input_ids"],
        "attention_mask": batch["input_mask"],
        "token_type_ids": batch["segment_ids"],
        "labels": labels,
    }
    if pair_label:
        arrays[pair_label] = batch["next_sentence_labels"]
    inputs = {
        name: torch.tensor(value, dtype=torch.long, device=device)
        for name, value in arrays.items()
    }

    def run(num_steps):
        for _ in range(num_steps):
            with (
                torch.autocast(device, torch.bfloat16)
                if bfloat16
                else contextlib.nullcontext()
            ):
                loss = model(**inputs).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP_NORM)
            optimizer.step()
            optimizer.zero_grad()
        float(loss.detach())

    return run


def _tf_models(settings):
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf
    import tf_keras

    shape = _shape_of(settings)
    model = peer_models.tf_models(shape)
    optimizer = tf_keras.optimizers.AdamW(_LEARNING_RATE, weight_decay=0.01)
    batch = random_batch(settings, shape["vocab_size"])
    inputs = {
        "input_word_ids": tf.constant(batch["input_ids"]),
        "input_mask": tf.constant(batch["input_mask"]),
        "input_type_ids": tf.constant(batch["segment_ids"]),
        "masked_lm_positions": tf.constant(batch["masked_lm_positions"]),
    }
    crossentropy = functools.partial(
        tf_keras.losses.sparse_categorical_crossentropy, from_logits=True
    )

    @tf.function
    def train_step():
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            loss = tf.reduce_mean(
                crossentropy(batch["masked_lm_ids"], outputs["mlm_logits"])
            ) + tf.reduce_mean(
                crossentropy(
                    batch["next_sentence_labels"], outputs["next_sentence"]
                )
            )
        variables = model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(
            tape.gradient(loss, variables), _CLIP_NORM
        )
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    def run(num_steps):
        for _ in range(num_steps):
            loss = train_step()
        float(loss)

    return run


def _shape_of(settings):
    with open(settings.bert_config_file) as file:
        return json.load(file)


# {name: a function that makes, of `Settings`, a function that runs N steps}
CONTENDERS = {
    "ours": functools.partial(_ours, mixed_precision=None),
    "ours float32": functools.partial(_ours, mixed_precision="none"),
    "ours bfloat16": functools.partial(_ours, mixed_precision="bfloat16"),
    "KerasHub float32": functools.partial(
        _keras_hub, policy="float32", jit_compile=False
    ),
    "KerasHub float32 jit": functools.partial(
        _keras_hub, policy="float32", jit_compile=True
    ),
    "KerasHub bfloat16": functools.partial(
        _keras_hub, policy="mixed_bfloat16", jit_compile=False
    ),
    "KerasHub bfloat16 jit": functools.partial(
        _keras_hub, policy="mixed_bfloat16", jit_compile=True
    ),
    "Hugging Face float32": functools.partial(_hugging_face, bfloat16=False),
    "Hugging Face bfloat16": functools.partial(_hugging_face, bfloat16=True),
    "tf-models float32": _tf_models,
}


def main(name, settings):
    # What libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    run = CONTENDERS[name](Settings(**json.loads(settings)))
    run(_WARM_UP_STEPS)
    print("ready", file=answers)
    for line in sys.stdin:
        starts = time.perf_counter(), time.process_time()
        run(int(line))
        ends = time.perf_counter(), time.process_time()
        print(ends[0] - starts[0], ends[1] - starts[1], file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
