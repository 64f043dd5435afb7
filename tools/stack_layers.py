"""Makes a deeper model of one that is trained: layer i takes layer i mod n.

python -m tools.stack_layers --from=output/bert_3_layers/export \\
    --num_hidden_layers=6 --output_dir=output/bert_6_layers

Progressive stacking (Gong et al. 2019): a few layers learn fast, and their
copies are a better start than random numbers. The result is a directory with
bert_model.ckpt, bert_config.json and vocab.txt, without an optimizer, to go on
training from with --init_checkpoint. One run that does so by itself:
run_pretraining.py --stages.
"""

import dataclasses
from typing import Annotated, ClassVar

import config_flags
from interop import look
from settings.flag import Flag
from storage import file_io, tensorflow_start
from text.config import VocabularySettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class StackConfig(VocabularySettings):
    """Every setting of stack_layers."""

    wants_vocabulary: ClassVar[bool] = False

    from_: Annotated[
        str,
        "The model: a prefix such as .../bert_model.ckpt, or a directory of "
        "google-research/bert, Hanlin, Hugging Face or KerasHub.",
    ]
    num_hidden_layers: Annotated[
        int, Flag("How many layers the new model has.", "positive")
    ]
    output_dir: Annotated[str, "Where to; must be empty or not exist."]
    bert_config_file: Annotated[
        str | None, "The bert_config.json, where none is beside the checkpoint."
    ] = None


def stack(config: StackConfig) -> str:
    """Writes the deeper model; returns a line for the reader.

    Raises:
        ValueError: the model cannot be read, or is as deep already.
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
    before, after = model.config.num_hidden_layers, config.num_hidden_layers
    if after <= before:
        raise ValueError(
            f"--num_hidden_layers={after} is not more than the {before} "
            f"layers of --from={config.from_}"
        )
    if model.config.shares_layers:
        raise ValueError(
            f"--from={config.from_}: its layers share their weights; a deeper "
            "one is --num_hidden_layers of its config alone"
        )
    deeper = variables.with_layers(model, [i % before for i in range(after)])
    prefix = tf1.export(config.output_dir, deeper)
    return f"{prefix}: {after} layers, copies of {before}"


if __name__ == "__main__":
    config_flags.run(lambda config: print(stack(config)), StackConfig)
