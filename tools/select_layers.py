"""Makes a smaller model of some layers of a trained one: a student's start.

python -m tools.select_layers --from=bert_base_chinese \\
    --layers=0,2,4,7,9,11 --family=distilbert --output_dir=output/six_layers

Layers count from 0 and go on in their order; those above are Sanh et al.'s
(2019). All that does not depend on the number of layers is kept as it is. With
--family=distilbert, of a BERT, segments, pooler and the head for pairs are left
out, as a DistilBERT has none; the row of segment A is added to every position,
so that text without a second segment means what it meant. What is lost is
counted and named. The result is a directory with bert_model.ckpt, the config
and the vocabulary, to go on from with --init_checkpoint.
"""

import dataclasses
from typing import Annotated, Any, ClassVar, Literal

import config_flags
from interop import look
from storage import file_io, tensorflow_start
from text.config import VocabularySettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class SelectConfig(VocabularySettings):
    """Every setting of select_layers."""

    wants_vocabulary: ClassVar[bool] = False

    from_: Annotated[
        str,
        "The model: a prefix such as .../bert_model.ckpt, or a directory of "
        "google-research/bert, Hanlin, Hugging Face or KerasHub.",
    ]
    layers: Annotated[
        str, "The layers to keep, rising numbers from 0 on, as 0,2,4,7,9,11."
    ]
    output_dir: Annotated[str, "Where to; must be empty or not exist."]
    family: Annotated[
        Literal["distilbert"] | None,
        "The family of the new model; without it that of --from.",
    ] = None
    bert_config_file: Annotated[
        str | None, "The bert_config.json, where none is beside the checkpoint."
    ] = None


def select(config: SelectConfig) -> str:
    """Writes the smaller model; returns lines for the reader.

    Raises:
        ValueError: the model cannot be read, has no such layers, or cannot be
            of --family.
    """
    look.check_weights(config.from_, "from")
    with tensorflow_start.quiet():
        from interop import formats, tf1, tokenizer_files, variables

    file_io.check_new_directory(config.output_dir, "output_dir")
    model = formats.read(
        config.from_,
        config_file=config.bert_config_file,
        tokenizer=tokenizer_files.of_flags(config),
    )
    if model.config.shares_layers:
        raise ValueError(
            f"--from={config.from_}: its layers share their weights; fewer of "
            "them are a smaller num_hidden_layers in its config alone"
        )
    chosen = _numbers(config, model.config.num_hidden_layers)
    smaller = variables.with_layers(model, chosen)
    if config.family:
        smaller = _as_distilbert(config, smaller)
    prefix = tf1.export(config.output_dir, smaller)
    return (
        f"{prefix}: {len(chosen)} of {model.config.num_hidden_layers} layers, "
        f"{config.layers}; {_describe_lost(model, chosen, smaller)}"
    )


def _numbers(config, num_layers):
    try:
        numbers = [int(part) for part in config.layers.split(",")]
    except ValueError:
        raise ValueError(
            f"--layers={config.layers} is not a list of numbers, as 0,2,4"
        ) from None
    is_in = all(0 <= number < num_layers for number in numbers)
    if not is_in or sorted(set(numbers)) != numbers:
        raise ValueError(
            f"--layers={config.layers}: wanted are rising numbers from 0 to "
            f"{num_layers - 1}, as --from={config.from_} has {num_layers} "
            "layers"
        )
    return numbers


def _as_distilbert(config: SelectConfig, model: Any) -> Any:
    """Returns a BERT as a DistilBERT."""
    from interop import variables
    from modeling.config import BertConfig
    from modeling.distilbert import DistilBertConfig

    heads = {"encoder": "encoder"}
    heads |= dict.fromkeys(("masked_lm", "pretraining"), "masked_lm")
    before = model.config
    if type(before) is not BertConfig or model.head not in heads:
        raise ValueError(
            f"--family={config.family}: --from={config.from_} is a "
            f"{before.model_type} with the head {model.head}; wanted is a bert "
            "with a head of masked words, or none"
        )
    fields = {x.name for x in dataclasses.fields(DistilBertConfig)}
    shape = DistilBertConfig(
        **{
            x.name: getattr(before, x.name)
            for x in dataclasses.fields(before)
            if x.name in fields and x.name not in ("hidden_act", "extra")
        },
        # In a DistilBERT "gelu" is another function than in a BERT.
        hidden_act={"gelu": "gelu_new"}.get(
            before.hidden_act, before.hidden_act
        ),
    )
    ours, theirs = variables.family_of(shape), model.family
    head = heads[model.head]
    wanted = variables.wanted(shape, head).keys() - {*ours.pooler_names}
    values = {
        name.replace(theirs.scope, ours.scope, 1): value
        for name, value in model.values.items()
    }
    values = {name: values[name] for name in wanted}
    segments = model.values[f"{theirs.scope}embeddings/token_type_embeddings"]
    values[ours.positions] = values[ours.positions] + segments[0]
    return dataclasses.replace(model, config=shape, head=head, values=values)


def _describe_lost(model, chosen, smaller):
    """Names what of a model the smaller one has not."""
    lost = [
        f"layer {number}"
        for number in range(model.config.num_hidden_layers)
        if number not in chosen
    ]
    scopes = model.family.scope, smaller.family.scope
    lost += [
        name
        for name in model.values
        if "/layer_" not in name
        and name.replace(*scopes, 1) not in smaller.values
    ]
    sizes = [sum(x.size for x in m.values.values()) for m in (model, smaller)]
    if not lost:
        return "nothing is lost"
    return (
        f"lost are {sizes[0] - sizes[1]:,} of {sizes[0]:,} numbers, those of "
        f"{', '.join(lost)}"
    )


if __name__ == "__main__":
    config_flags.run(lambda config: print(select(config)), SelectConfig)
