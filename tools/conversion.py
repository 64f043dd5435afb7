"""Converts a BERT from one library's files to another's, and proves it."""

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from interop import (
    file_hashes,
    formats,
    graph_tokenizer,
    hugging_face,
    keras_hub,
    onnx_model,
    outputs,
    saved_model,
    saved_model_proof,
    tf1,
    tokenizer_files,
    variables,
)
from storage import file_io, json_files
from tools.convert_checkpoint import ConvertConfig
from training import run_settings

_REPORT = "conversion.json"
# Programs, not tensors: what they compute is the proof.
_NOT_READ = ("saved_model", "onnx")
# {flag of a fine-tuning: the values that other libraries have a head for}
_OWN_HEADS = {
    "classifier_head": ("pooled",),
    "long_text": ("none",),
    "ner_head": ("softmax", "crf"),
    "head_layers": (None,),
}
_LIBRARIES = {"huggingface": ("torch", "transformers")}
# KerasHub computes this one with another GELU and another epsilon.
_NOT_COMPARED = {"keras_hub": ("masked_lm_logits",)}


def convert(config: ConvertConfig) -> dict[str, Any]:
    """Converts and proves; returns the report, which conversion.json holds.

    Raises:
        ValueError: the model cannot be read or written, or the two sides
            compute different things.
    """
    file_io.check_new_directory(config.output_dir, "output_dir")
    _refuse_own_heads(config)
    source = formats.recognise(config.from_)
    whole = formats.read(
        config.from_,
        config_file=config.bert_config_file,
        tokenizer=tokenizer_files.of_flags(config),
        head=config.head,
        do_lower_case=config.do_lower_case,
    )
    model, left_out = variables.with_head(whole, config.head or whole.head)
    _export(config, model)
    written = model
    if config.to not in _NOT_READ:
        written = formats.read(config.output_dir, head=model.head)
        left_out += _compare_values(model, written, config)
    differences = _compare_outputs(config, source, whole, written)
    report = {
        "from": {
            "format": source,
            "sha256": file_hashes.of(config.from_, source),
        },
        "to": {
            "format": config.to,
            "sha256": file_hashes.of(config.output_dir, config.to),
        },
        "head": model.head,
        "num_tensors": len(written.values),
        "left_out": left_out,
        **differences,
    }
    json_files.write(os.path.join(config.output_dir, _REPORT), report)
    return report


def _refuse_own_heads(config):
    """Refuses a head that would be read as another one of the same names."""
    folder = config.from_
    if not file_io.is_directory(folder):
        folder = os.path.dirname(folder)
    settings = run_settings.read(folder)
    flags = settings.get("config", {})
    own = [
        f"--{name}={flags[name]}"
        for name, usual in _OWN_HEADS.items()
        if flags.get(name, usual[0]) not in usual
    ]
    if own and config.head != "encoder":
        raise ValueError(
            f"--from={config.from_} was trained with {' '.join(own)}, which "
            f"--to={config.to} has no place for: its answers are those of "
            "tools.predict; --head=encoder converts the encoder"
        )


def _export(config, model):
    writers = {
        "tf1": lambda directory, model: tf1.export(
            directory, model, keep_state=config.keep_optimizer
        ),
        "huggingface": hugging_face.export,
        "keras_hub": keras_hub.export,
        "onnx": onnx_model.export,
        "saved_model": lambda directory, model: saved_model.export(
            directory,
            model,
            max_seq_length=config.max_seq_length,
            padding=config.padding,
        ),
    }
    writers[config.to](config.output_dir, model)


def _compare_values(model, written, config):
    """Returns the tensors that the other form has no place for.

    Raises:
        ValueError: one came back as another.
    """
    left_out = sorted(model.values.keys() - written.values.keys())
    changed = [
        name
        for name, value in written.values.items()
        if not np.array_equal(
            variables.read_rows(model.config, name, value),
            variables.read_rows(model.config, name, model.values[name]),
        )
    ]
    if changed or set(left_out) - set(model.family.pooler_names):
        raise ValueError(
            f"{config.output_dir} is not what was written: "
            f"{(changed or left_out)[0]} differs"
        )
    return left_out


def _compare_outputs(config, source, whole, written):
    """Returns what of the report is about outputs.

    Raises:
        ValueError: they differ by more than --max_difference.
    """
    batch = outputs.fixed_batch(whole.config)
    before, by_before = _compute(source, config.from_, whole, batch)
    if config.to == "saved_model":
        found = saved_model_proof.differences(
            config.output_dir, written, batch, before
        )
        has_library = any(x.startswith("text ") for x in found)
        has_library &= bool(graph_tokenizer.libraries(written.tokenizer))
        others = "with tensorflow-text" if has_library else "alone"
        by_after = f"TensorFlow {others}, in a process of its own"
    else:
        after, by_after = _compute(config.to, config.output_dir, written, batch)
        found = outputs.differences(before, after, batch)
    shown = [
        name
        for side in (source, config.to)
        for name in _NOT_COMPARED.get(side, ())
        if name in found and source != config.to
    ]
    largest = max(x for name, x in found.items() if name not in shown)
    if not largest <= config.max_difference:
        raise ValueError(
            f"{config.output_dir} computes something else than {config.from_}: "
            f"{_listed(found)}, and --max_difference={config.max_difference:g}"
            f"; hidden_act is {whole.config.hidden_act} before, "
            f"{written.config.hidden_act} after. No {_REPORT} was written"
        )
    return {
        "computed_by": {"from": by_before, "to": by_after},
        "largest_difference": largest,
        "differences": found,
        "not_held_to_it": shown,
    }


def _compute(kind, path, model, batch):
    """Returns the outputs, and who computed them."""
    for library in _LIBRARIES.get(kind, ()):
        if not importlib.util.find_spec(library):
            return outputs.of_ours(model, batch), f"us, without {library}"
    if kind == "huggingface" and not model.family.hugging_face.classes():
        by = f"us, as transformers has no {model.family.title}"
        return outputs.of_ours(model, batch), by
    computed = {
        "tf1": lambda: (outputs.of_ours(model, batch), "us"),
        "huggingface": lambda: (
            outputs.of_transformers(path, batch, model.head, model.family),
            "transformers",
        ),
        "keras_hub": lambda: (
            outputs.of_keras_hub(path, batch, model.head, model.family),
            "KerasHub",
        ),
        "onnx": lambda: (
            outputs.joined(onnx_model.answers(path, batch)),
            "onnxruntime",
        ),
    }
    return computed[kind]()


def _listed(differences):
    return ", ".join(f"{name} by {x:.1e}" for name, x in differences.items())


def describe(config: ConvertConfig, report: Mapping[str, Any]) -> str:
    """Returns the lines for the reader."""
    by = report["computed_by"]
    lines = [
        f"{config.output_dir}: {report['num_tensors']} tensors, "
        f"{report['head']}, of {report['from']['format']}",
        f"  largest difference {report['largest_difference']:.1e}, computed by "
        f"{by['from']} and by {by['to']}",
        f"  {_listed(report['differences'])}",
    ]
    for name in report["not_held_to_it"]:
        lines.append(
            f"  {name} may differ: KerasHub's head has the exact GELU and an "
            "epsilon of 1e-5"
        )
    if config.to == "saved_model" and not any(
        name.startswith("text ") for name in report["differences"]
    ):
        lines.append(
            "  takes token ids only: name a tokenizer by --vocab_file or "
            "--spm_model_file; byte-level BPE cannot be in a graph"
        )
    if report["left_out"]:
        lines.append(f"  left out: {', '.join(report['left_out'])}")
    return "\n".join(lines)
