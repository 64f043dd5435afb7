"""Pretrains by the defaults of other programs, for so many processor seconds.

run_mlm: examples/pytorch/language-modeling/run_mlm.py of transformers, with no
flag but files: BertForMaskedLM, text joined to 512 tokens, 8 sequences a step,
15 % masks, AdamW at 5e-5 that falls in a line. keras_hub: KerasHub's guide
"Pretraining a Transformer from scratch": its TransformerEncoder, 128 sequences
of 128 tokens, 25 % masks, AdamW at a constant 5e-4, compiled. Layers and widths
are those of --bert_config_file. A run of benchmarks.recipe_race on the same
records, judged by the same held-out ones, stands beside them.

python -m benchmarks.recipe_peers --peer=run_mlm --seconds=400 \
    --bert_config_file=configs/bert_mini.json \
    --input_file=records/filled_128.tfrecord \
    --eval_input_file=records/heldout_nsp_128_20.tfrecord

Needs pip install -e '.[peers]'.
"""

import dataclasses
import json
import time
from typing import Annotated, Literal

import numpy as np
import tensorflow as tf

import config_flags
from data import manifest, records
from data.feeding import dynamic_rows
from settings.flag import Flag, Settings

_EVAL_RECORDS = 640
_NUM_EVALUATIONS = 10
_PROBE_STEPS = 3
# As Hugging Face marks tokens that are not to be predicted.
_IGNORED = -100


@dataclasses.dataclass(frozen=True, kw_only=True)
class PeersConfig(Settings):
    """The flags of this program."""

    peer: Annotated[Literal["run_mlm", "keras_hub"], "Whose defaults."]
    bert_config_file: Annotated[str, "The shape of the model."]
    input_file: Annotated[
        str, "Records of --masking=dynamic --pair_task=none, without padding."
    ]
    eval_input_file: Annotated[str, "Static records, of which it is judged."]
    seconds: Annotated[
        float, Flag("Processor seconds of training steps.", "positive")
    ] = 400.0
    seed: Annotated[int, Flag("Of weights, masks and order.")] = 1


def run(config):
    """Trains and prints held-out losses over processor seconds."""
    found = manifest.find(config.input_file)
    rows = _rows(config.input_file, found.max_seq_length)
    print(f"{len(rows):,} rows of {rows.shape[1]} tokens", flush=True)
    train = {"run_mlm": _run_mlm, "keras_hub": _keras_hub}[config.peer]
    with open(config.bert_config_file) as file:
        shape = json.load(file)
    ids = found.mask_id, found.special_ids, found.vocab_size
    heldout = _heldout(config.eval_input_file)
    train(config, shape, rows, ids, _Judge(config, heldout))


def _rows(path, length):
    """Returns the full rows of records without masks, int32 [N, length]."""
    found = []
    for batch in tf.data.TFRecordDataset(path).batch(1024):
        rows = dynamic_rows.parse(batch, length).ids.numpy()
        found.append(rows[(rows != 0).all(1)])
    return np.concatenate(found)


def _heldout(path):
    """Returns {feature: array} of the first held-out records."""
    found = manifest.find(path)
    parse = records.parse_fn(
        found.max_seq_length, found.max_predictions_per_seq
    )
    data = tf.data.TFRecordDataset(path).batch(_EVAL_RECORDS).map(parse)
    return next(data.as_numpy_iterator())


class _Judge:
    """Prints the held-out loss, and counts no second that it takes."""

    def __init__(self, config, heldout):
        self._config, self.heldout = config, heldout
        self._began, self._outside = time.process_time(), 0.0

    @property
    def seconds(self):
        return time.process_time() - self._began - self._outside

    def restart(self):
        self._began, self._outside = time.process_time(), 0.0

    def look(self, step, log_probabilities):
        """`log_probabilities(heldout)` returns [records, places, words]."""
        seconds, began = self.seconds, time.process_time()
        weights = self.heldout["masked_lm_weights"]
        labels = self.heldout["masked_lm_ids"]
        found = log_probabilities(self.heldout)
        nll = -np.take_along_axis(found, labels[..., None], -1)[..., 0]
        is_right = found.argmax(-1) == labels
        total = weights.sum()
        print(
            f"{self._config.peer} step {step:,}  {seconds:.0f} processor s  "
            f"masked_lm_loss {(nll * weights).sum() / total:.3f}  "
            f"accuracy {(is_right * weights).sum() / total:.3f}",
            flush=True,
        )
        self._outside += time.process_time() - began


def _mask(rng, words, ids):
    """Returns words and labels, as DataCollatorForLanguageModeling's."""
    mask_id, special_ids, vocab_size = ids
    chosen = (rng.random(words.shape) < 0.15) & ~np.isin(words, special_ids)
    labels = np.where(chosen, words, _IGNORED)
    choice = rng.random(words.shape)
    drawn = rng.integers(0, vocab_size, words.shape)
    hidden = np.where(choice < 0.8, mask_id, drawn)
    return np.where(chosen & (choice < 0.9), hidden, words), labels


def _scorer(model):
    """Returns `log_probabilities` of a BertForMaskedLM."""
    import torch

    def log_probabilities(heldout):
        model.eval()
        found = []
        with torch.no_grad():
            for first in range(0, _EVAL_RECORDS, 32):
                part = {k: x[first : first + 32] for k, x in heldout.items()}
                logits = model(
                    input_ids=torch.tensor(part["input_ids"]),
                    attention_mask=torch.tensor(part["input_mask"]),
                    token_type_ids=torch.tensor(part["segment_ids"]),
                ).logits.log_softmax(-1)
                at = torch.tensor(part["masked_lm_positions"]).long()
                at = at[..., None].expand(-1, -1, logits.shape[-1])
                found.append(logits.gather(1, at).numpy())
        model.train()
        return np.concatenate(found)

    return log_probabilities


def _run_mlm(config, shape, rows, ids, judge):
    import torch
    import transformers

    transformers.set_seed(config.seed)
    model = transformers.BertForMaskedLM(transformers.BertConfig(**shape))
    log_probabilities = _scorer(model)
    length = min(512, shape["max_position_embeddings"])
    text = rows.ravel()[: rows.size // length * length].reshape(-1, length)
    rng = np.random.default_rng(config.seed)

    def collate(examples):
        words = np.stack(examples).astype(np.int64)
        words, labels = _mask(rng, words, ids)
        return {
            "input_ids": torch.tensor(words),
            "labels": torch.tensor(labels),
        }

    def arguments(steps):
        return transformers.TrainingArguments(
            output_dir="unused",
            max_steps=steps,
            per_device_train_batch_size=8,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            seed=config.seed,
            use_cpu=not torch.cuda.is_available(),
        )

    class Look(transformers.TrainerCallback):
        """Tells the seconds of steps alone: a Trainer is slow to start."""

        def __init__(self):
            self.ends = []

        def on_step_begin(self, args, state, control, **kwargs):
            if not self.ends:
                judge.restart()

        def on_step_end(self, args, state, control, **kwargs):
            self.ends.append(judge.seconds)
            every = max(1, state.max_steps // _NUM_EVALUATIONS)
            if state.global_step % every == 0:
                judge.look(state.global_step, log_probabilities)

    def train(steps):
        look = Look()
        transformers.Trainer(
            model=model,
            args=arguments(steps),
            train_dataset=list(text),
            data_collator=collate,
            callbacks=[look],
        ).train()
        return look.ends

    # A step's time decides how many steps the rate falls over.
    start = {k: v.clone() for k, v in model.state_dict().items()}
    ends = train(_PROBE_STEPS)
    steps = max(1, int(config.seconds / np.diff(ends).min()))
    print(f"{steps:,} steps", flush=True)
    model.load_state_dict(start)
    train(steps)


def _keras_hub(config, shape, rows, ids, judge):
    import keras
    import keras_hub

    keras.utils.set_random_seed(config.seed)
    length, places = rows.shape[1], 32
    mask_id, special_ids, vocab_size = ids
    masks = keras_hub.layers.MaskedLMMaskGenerator(
        vocabulary_size=vocab_size,
        mask_selection_rate=0.25,
        mask_selection_length=places,
        mask_token_id=mask_id,
        unselectable_token_ids=list(special_ids),
    )

    def prepare(batch):
        found = masks(batch)
        inputs = {
            "token_ids": found["token_ids"],
            "mask_positions": found["mask_positions"],
        }
        return inputs, found["mask_ids"], found["mask_weights"]

    tokens = keras.Input((length,), dtype="int32", name="token_ids")
    at = keras.Input((None,), dtype="int32", name="mask_positions")
    embedding = keras_hub.layers.TokenAndPositionEmbedding(
        vocabulary_size=shape["vocab_size"],
        sequence_length=length,
        embedding_dim=shape["hidden_size"],
    )
    x = embedding(tokens)
    x = keras.layers.LayerNormalization(epsilon=1e-5)(x)
    x = keras.layers.Dropout(rate=0.1)(x)
    for _ in range(shape["num_hidden_layers"]):
        x = keras_hub.layers.TransformerEncoder(
            intermediate_dim=shape["intermediate_size"],
            num_heads=shape["num_attention_heads"],
            dropout=0.1,
            layer_norm_epsilon=1e-5,
        )(x)
    outputs = keras_hub.layers.MaskedLMHead(
        token_embedding=embedding.token_embedding, activation="softmax"
    )(x, mask_positions=at)
    model = keras.Model({"token_ids": tokens, "mask_positions": at}, outputs)
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.AdamW(5e-4),
        jit_compile=True,
    )

    def log_probabilities(heldout):
        inputs = {
            "token_ids": heldout["input_ids"],
            "mask_positions": heldout["masked_lm_positions"],
        }
        return np.log(model.predict(inputs, batch_size=32, verbose=0) + 1e-30)

    data = tf.data.Dataset.from_tensor_slices(rows)
    data = data.shuffle(len(rows), seed=config.seed).repeat()
    batches = iter(data.batch(128).map(prepare))
    model.train_on_batch(*next(batches))
    judge.restart()
    step, evaluations = 0, 0
    while judge.seconds < config.seconds:
        model.train_on_batch(*next(batches))
        step += 1
        share = judge.seconds / config.seconds * _NUM_EVALUATIONS
        if share >= evaluations + 1:
            evaluations += 1
            judge.look(step, log_probabilities)


if __name__ == "__main__":
    config_flags.run(run, PeersConfig)
