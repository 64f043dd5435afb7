"""Gives a model another vocabulary, and keeps what it has learned.

Words of a field as rows of their own:

python -m tools.extend_vocab --init_checkpoint=bert_model.ckpt \\
    --bert_config_file=bert_config.json --vocab_file=vocab.txt \\
    --input_file='corpus/*.txt' --find_words=500 --output_dir=extended

Fewer rows: --shrink, or --keep_vocab_file. The result is a directory with
bert_model.ckpt, bert_config.json and vocab.txt, to go on training from.
"""

import dataclasses
from collections.abc import Collection
from typing import Annotated, Literal, Self

import config_flags
from interop import look
from settings.flag import Flag, Settings
from storage import inputs, tensorflow_start
from text import case, vocabularies


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExtendConfig(Settings):
    """Every setting of extend_vocab."""

    init_checkpoint: Annotated[
        str,
        "The model: a prefix such as .../bert_model.ckpt, or a directory of "
        "google-research/bert, Hanlin, Hugging Face or KerasHub.",
    ]
    bert_config_file: Annotated[str, "Its bert_config.json."]
    vocab_file: Annotated[str, "Its vocabulary."]
    output_dir: Annotated[str, "Where the new model goes."]
    words_file: Annotated[str | None, "Words to add, one a line."] = None
    input_file: Annotated[
        str | None,
        "Text of the field: for --find_words, and to count its tokens before "
        "and after. A comma list of files, globs or directories.",
    ] = None
    find_words: Annotated[
        int,
        Flag(
            "Add so many words of --input_file, those that save most tokens.",
            "not_negative",
        ),
    ] = 0
    min_count: Annotated[
        int,
        Flag(
            "How often a word must occur in --input_file to be found.",
            "positive",
        ),
    ] = 10
    use_unused: Annotated[
        bool,
        "Whether new words take [unusedN] rows before rows are appended.",
    ] = True
    new_rows: Annotated[
        Literal["mean", "random"],
        "First values of a new row: the mean of the pieces the word had, or a "
        "truncated normal of 0.02.",
    ] = "mean"
    shrink: Annotated[
        bool,
        "Whether to drop what simplified Chinese does not need, as CLUE's "
        "vocabulary of 8,021 rows does.",
    ] = False
    keep_vocab_file: Annotated[
        str | None,
        "A vocabulary to change to: its rows in its order, with the values "
        "that they have in --vocab_file.",
    ] = None
    do_lower_case: Annotated[bool, "Whether the model is uncased."] = True
    t2s: Annotated[
        bool, "Whether to convert --input_file to simplified Chinese."
    ] = False
    seed: Annotated[
        int,
        Flag("Decides random rows.", "not_negative"),
    ] = 12345

    def __post_init__(self):
        wanted = (
            self.words_file,
            self.find_words,
            self.shrink,
            self.keep_vocab_file,
        )
        if not any(wanted):
            raise ValueError(
                "nothing to do: set --words_file, --find_words, --shrink or "
                "--keep_vocab_file"
            )
        if self.shrink and self.keep_vocab_file:
            raise ValueError("set --shrink or --keep_vocab_file, not both")
        if self.find_words and not self.input_file:
            raise ValueError("--find_words needs --input_file, the text")
        super().__post_init__()

    def settled(self, given: Collection[str]) -> Self:
        """Returns the settings with the case that the model is of.

        Args:
            given: names of the flags that were given.
        """
        return case.settle(
            self,
            given,
            (self.init_checkpoint, self.vocab_file, self.bert_config_file),
        )


def run(config: ExtendConfig) -> None:
    """Writes the model with another vocabulary, and prints a report."""
    look.check_weights(config.init_checkpoint, "init_checkpoint")
    inputs.check_file(config.bert_config_file, "bert_config_file")
    vocabularies.check_word_pieces(config.vocab_file)
    if config.input_file:
        inputs.look(config.input_file, "input_file")
    with tensorflow_start.quiet():
        from tools import vocab_extension
    print(vocab_extension.extend(config))


if __name__ == "__main__":
    config_flags.run(run, ExtendConfig)
