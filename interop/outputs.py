"""What a model computes: here, and by the libraries whose formats we write.

Each function returns {name: float32 array}: "sequence_output" [B, T, W],
"pooled_output" [B, W], and of the heads "masked_lm_logits" [B, T, V],
"next_sentence_logits" [B, 2], "replaced_token_logits" [B, T], "logits": [B, N]
of sequences, [B, 1] of choices, [B, T, N] of tokens, [B, T, 2] of answers'
begins and ends.

Shapes: B batch, T tokens, W width, V vocabulary, N labels.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from interop import network, variables
from interop.families.family import Family
from interop.variables import PortableModel
from modeling.config import BertConfig

Arrays = Mapping[str, np.ndarray]

FEATURES = ("input_ids", "input_mask", "segment_ids")


def fixed_batch(
    config: BertConfig, num_rows: int = 4, num_tokens: int = 32
) -> Arrays:
    """Returns a batch of uneven rows that is the same every time."""
    rng = np.random.default_rng(20181011)
    num_tokens = min(num_tokens, config.num_positions)
    lengths = np.linspace(num_tokens, max(num_tokens // 4, 2), num_rows)
    mask = np.arange(num_tokens) < lengths.astype(int)[:, None]
    middles = lengths.astype(int)[:, None] // 2
    ids = rng.integers(0, config.vocab_size, mask.shape) * mask
    if config.first_position:
        # In transformers the row before the first position is that of padding,
        # whose id it is, too.
        ids = np.maximum(ids, config.first_position)
    segments = (np.arange(num_tokens) >= middles) & mask
    segments = np.minimum(segments, max(config.type_vocab_size - 1, 0))
    return {
        "input_ids": ids.astype(np.int32),
        "input_mask": mask.astype(np.int32),
        "segment_ids": segments.astype(np.int32),
    }


def of_ours(model: PortableModel, features: Arrays) -> Arrays:
    """Computes the outputs of a model here, in float32."""
    found = network.Network(model)(
        *(ops.convert_to_tensor(features[name]) for name in FEATURES)
    )
    return joined({n: ops.convert_to_numpy(x) for n, x in found.items()})


def joined(answer: Arrays) -> Arrays:
    """Joins what is said of an answer's begin and end to "logits"."""
    if "start_logits" not in answer:
        return answer
    rest = {n: x for n, x in answer.items() if not n.endswith("_logits")}
    ends = (answer["start_logits"], answer["end_logits"])
    return rest | {"logits": np.stack(ends, axis=-1)}


def of_transformers(
    directory: str,
    features: Arrays,
    head: str,
    family: Family = variables.DEFAULT,
) -> Arrays:
    """Computes the outputs of a Hugging Face directory with transformers.

    Args:
        directory: a local one.
        features: {name: int [B, T]} of `FEATURES`.
        head: one of `variables.HEADS`.
        family: of the model.
    """
    import torch

    model = family.hugging_face.classes()[head].from_pretrained(directory)
    inputs = features_of_transformers(model, features)
    if head == "multiple_choice":  # The rows are the choices of one question.
        inputs = {name: value[None] for name, value in inputs.items()}
    with torch.no_grad():
        out = model.float().eval()(**inputs, output_hidden_states=True)
    found = {"sequence_output": out.hidden_states[-1]}
    if head == "encoder":
        found["pooled_output"] = out.get("pooler_output")
    elif head == "pretraining" and "prediction_logits" not in out:
        found["replaced_token_logits"] = out.logits
    elif head == "pretraining":
        found["masked_lm_logits"] = out.prediction_logits
        found["next_sentence_logits"] = out[family.hugging_face.pair_logits]
    elif head == "masked_lm":
        found["masked_lm_logits"] = out.logits
    elif head == "question_answering":
        found["logits"] = torch.stack((out.start_logits, out.end_logits), -1)
    elif head == "multiple_choice":
        found["logits"] = out.logits.T
    else:
        found["logits"] = out.logits
    return {n: v.numpy() for n, v in found.items() if v is not None}


def features_of_transformers(model: Any, features: Arrays) -> dict[str, Any]:
    """Returns a batch as a model of transformers takes it.

    A model that knows no segments takes none.
    """
    import torch

    names = ("input_ids", "attention_mask", "token_type_ids")
    taken = inspect.signature(model.forward).parameters
    return {
        theirs: torch.tensor(np.asarray(features[ours]), dtype=torch.long)
        for theirs, ours in zip(names, FEATURES, strict=True)
        if theirs in taken
    }


def differences(
    before: Arrays, after: Arrays, features: Arrays
) -> dict[str, float]:
    """Returns {name: largest difference} of outputs that both have.

    Outputs at padding are nobody's and not compared.
    """
    is_real = np.asarray(features["input_mask"]).astype(bool)
    found = {}
    for name in before.keys() & after.keys():
        ours, theirs = before[name], after[name]
        if ours.shape[:2] == is_real.shape:
            ours, theirs = ours[is_real], theirs[is_real]
        found[name] = float(np.abs(ours - theirs).max())
    return dict(sorted(found.items()))


def of_keras_hub(
    directory: str,
    features: Arrays,
    head: str,
    family: Family = variables.DEFAULT,
) -> Arrays:
    """Computes the outputs of a preset with KerasHub.

    Args:
        directory: a local one.
        features: {name: int [B, T]} of `FEATURES`.
        head: one that KerasHub has.
        family: of the model.
    """
    _, classes = family.keras_hub.classes()
    inputs = {
        "token_ids": features["input_ids"],
        "padding_mask": features["input_mask"],
        "segment_ids": features["segment_ids"],
    }
    backbone = classes["encoder"][0].from_preset(directory)
    # One that knows no segments takes none, and without a pooler it returns
    # one array.
    inputs = {name: inputs[name] for name in backbone.input}
    found = backbone(inputs)
    if not isinstance(found, dict):
        found = {"sequence_output": found}
    if head == "encoder":
        return {n: ops.convert_to_numpy(x) for n, x in found.items()}
    model = classes[head][0].from_preset(directory, preprocessor=None)
    if head == "masked_lm":
        everywhere = np.zeros_like(features["input_ids"])
        everywhere += np.arange(everywhere.shape[1], dtype=np.int32)
        found["masked_lm_logits"] = model(
            inputs | {"mask_positions": everywhere}
        )
    else:
        found["logits"] = model(inputs)
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}
