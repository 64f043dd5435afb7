"""Makes more rows of a task's TSV: words of its texts give way to others.

python -m tools.augment --input_file=train.tsv --output_file=train_aug.tsv \\
    --init_checkpoint=bert_base --num_variants=10
python -m tools.augment --input_file=train.tsv --output_file=train_aug.tsv \\
    --similar_words=vectors.txt --word_segmenter=jieba

As TinyBERT's data_augmentation.py (Jiao et al. 2020, appendix A). A word that
is one token, or a Chinese word, is masked, and a model that was pretrained on
masked words says what else could stand there, beside the text as it was; of
other words the similar ones of a file take the place. Each row is followed by
its variants, which have its other columns, and in which each such word is
another with the probability --replace_prob. A row of two texts has variants of
each, beside the other as it was. Names with digits, numbers, words with an
apostrophe and words such as "the" stay. The rows depend on the flags and the
files alone.
"""

import dataclasses
from collections.abc import Collection, Iterator
from typing import Annotated, ClassVar, Literal, Self

from absl import logging

import config_flags
from finetuning.classification import own_files, tables
from interop import look
from jobs import progress
from settings.flag import Flag
from storage import file_io, inputs, tensorflow_start
from text import case
from text.config import RowSettings

# Rows whose masked words are computed together, those of like length first.
_ROWS_AT_ONCE = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmentConfig(RowSettings):
    """Every setting of augment."""

    wants_vocabulary: ClassVar[bool] = False

    input_file: Annotated[
        str, "A TSV as run_classifier.py reads it; .gz is unpacked."
    ]
    output_file: Annotated[str, "The TSV to write: its rows, and more."]
    text_columns: Annotated[
        str | None,
        "The columns of the texts, between commas: names, or numbers from 1 "
        "where there is no header. Without this flag those with usual names.",
    ] = None
    init_checkpoint: Annotated[
        str | None,
        "A model with a head of masked words, in any form that "
        "run_pretraining.py takes.",
    ] = None
    bert_config_file: Annotated[
        str | None, "Its bert_config.json, where none is beside it."
    ] = None
    do_lower_case: Annotated[
        bool,
        "Whether the model is uncased; without this flag what its files say.",
    ] = True
    similar_words: Annotated[
        str | None,
        "Words for what is several tokens, or for all without a model: "
        "vectors in word2vec's text form, or a word, a tab and similar words "
        "between spaces a line.",
    ] = None
    word_segmenter: Annotated[
        Literal["none", "jieba", "spaces"],
        "What parts Chinese text into words; none: each character is one.",
    ] = "none"
    num_variants: Annotated[
        int,
        Flag(
            "Variants to draw of each text; equal ones count once.", "positive"
        ),
    ] = 30
    num_candidates: Annotated[
        int,
        Flag("The likeliest or most similar words to draw from.", "positive"),
    ] = 15
    replace_prob: Annotated[
        float, Flag("How likely a word gives way to another.", "share")
    ] = 0.4
    random_seed: Annotated[int, "Seed of every random draw."] = 12345
    batch_size: Annotated[
        int, Flag("Masked words computed at once.", "positive")
    ] = 32

    def __post_init__(self):
        super().__post_init__()
        if not (self.init_checkpoint or self.similar_words):
            raise ValueError(
                "set --init_checkpoint or --similar_words: one of them has to "
                "say which words may stand for others"
            )

    def settled(self, given: Collection[str]) -> Self:
        """Returns the settings with the case that the model is of."""
        return case.settle(
            self, given, (self.init_checkpoint, self.vocabulary_path)
        )


def augment(config: AugmentConfig) -> str:
    """Writes the rows and their variants; returns a line for the reader.

    Raises:
        ValueError: a file cannot be used, or no word can give way; names it.
    """
    inputs.check_file(config.input_file, "input_file")
    file_io.check_output(config.output_file, "output_file")
    table = tables.read(config.input_file, "tsv", known=_known(config))
    places = _text_places(config, table)
    # They compile.
    from tools import augmentation, similar_words

    sources: list[augmentation.Candidates] = []
    if config.init_checkpoint:
        look.check_weights(config.init_checkpoint, "init_checkpoint")
        with tensorflow_start.quiet():
            from tools.masked_words import MaskedWords
        sources.append(MaskedWords(config))
    if config.similar_words:
        inputs.check_file(config.similar_words, "similar_words")
        sources.append(
            similar_words.read(config.similar_words, config.num_candidates)
        )
    lines = ["\t".join(table.columns)] if table.has_header else []
    with progress.Progress("augmenting", len(table.rows), "row") as shown:
        for begin in range(0, len(table.rows), _ROWS_AT_ONCE):
            block = table.rows[begin : begin + _ROWS_AT_ONCE]
            lines += _lines(config, block, begin, places, sources)
            shown.advance(len(block))
    num_rows = len(lines) - table.has_header
    if num_rows == len(table.rows):
        raise ValueError(
            f"{config.input_file}: no word of its {num_rows:,} rows can give "
            "way to another: is --text_columns right, and are "
            "--init_checkpoint and --similar_words of its language?"
        )
    file_io.write_lines(config.output_file, lines)
    return (
        f"{config.output_file}: {num_rows:,} rows, of {len(table.rows):,} in "
        f"{config.input_file}"
    )


def _known(config):
    named = (config.text_columns or "").split(",")
    return (*own_files.KNOWN, *(x for x in named if x and not x.isdigit()))


def _text_places(config, table):
    """Returns where the texts are in a row."""
    if config.text_columns:
        names = config.text_columns.split(",")
    else:
        names = own_files.usual_texts(table) or ("text",)
    flag = "--text_columns names them"
    places = [table.need(name, flag) for name in names]
    logging.info("%s: text in %s", table.path, " and ".join(map(repr, names)))
    return places


def _lines(config, rows, first, places, sources) -> Iterator[str]:
    """Yields the lines of some rows, each before its variants."""
    from tools import augmentation

    usable = [row for row in rows if not row.wrong]
    texts = [row.values[place] for row in usable for place in places]
    words = augmentation.find(texts, config.word_segmenter, sources)
    found = iter(words)
    for number, row in enumerate(rows, first):
        yield "\t".join(row.values)
        if row.wrong:
            logging.warning(
                "%s, line %s has no variants: %s",
                config.input_file,
                row.line,
                row.wrong,
            )
            continue
        for place in places:
            for text in augmentation.variants(
                row.values[place],
                next(found),
                num_draws=config.num_variants,
                replace_prob=config.replace_prob,
                seed=f"{config.random_seed} {number} {place}",
            ):
                values = list(row.values)
                values[place] = text
                yield "\t".join(values)


if __name__ == "__main__":
    config_flags.run(lambda config: print(augment(config)), AugmentConfig)
