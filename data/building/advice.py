"""Says what is legal in a corpus and spoils the training, and why it is so."""

from collections.abc import Iterator

import numpy as np

from data.building import losses
from data.building.shards import Shard as Text
from data.config import BuildConfig
from data.manifest import Shard
from text.visible import visible

_HIGH_UNK_RATE = 0.05
_HIGH_RANDOM_NEXT_RATE = 0.75
_HIGH_DUPLICATE_RATE = 0.1
# Fewer of the masks that the settings ask for are a mistake.
_LOW_SHARE_OF_MASKS = 0.5
# So much is lost from good sentences in a single pass, and nothing in ten.
_USUAL_LOST_RATE = 0.2
_HIGH_LOST_RATE = 0.05
# Long lines are named where so much of what is lost is cut off them.
_SHARE_OF_LONG_LINES = 0.25
# Mean tokens of a word; Chinese ones have 1.5 to 2, punctuation counted.
_LONG_WORDS = 3.0
# More padding than this in packed records is worth a word. A limit whose mean
# is nearer than that binds, and is the cause.
_HIGH_PADDING_RATE = 0.05
_NEARLY_FULL = 0.9
_SPLIT = (
    "put each sentence on a line of its own, as prepare_corpus.py does, see "
    "docs/corpus.md"
)


def warnings(
    counts: dict[str, float],
    config: BuildConfig,
    longest: str = "",
    unk_characters: dict[str, int] | None = None,
) -> Iterator[str]:
    """Yields what should be thought of before training.

    Args:
        counts: those of the manifest, with rates.
        config: the flags.
        longest: names the longest line of the text.
        unk_characters: how often the most frequent of those without a row
            stand in the text.
    """
    if config.pack_sequences and counts["padding_rate"] > _HIGH_PADDING_RATE:
        yield from _warnings_of_packing(counts, config)
    if "random_next_rate" in counts:
        yield from _warnings_of_random_next(counts, config)
    yield from _warnings_of_losses(counts, config, longest)
    duplicates = counts.get("num_duplicate_documents", 0)
    if duplicates > _HIGH_DUPLICATE_RATE * counts["num_documents"]:
        yield (
            f"{duplicates:,} of {counts['num_documents']:,} documents are "
            "copies of others; prepare_corpus.py leaves copies out"
        )
    if config.word_segmenter == "spaces":
        yield from _warnings_of_spaces(counts)
    if config.masking == "static":
        yield from _warnings_of_masks(counts, config)
    if counts["unk_rate"] > _HIGH_UNK_RATE:
        most = ""
        if unk_characters:
            most = f", most of them for {shown(unk_characters)}"
        yield (
            f"{counts['unk_rate']:.1%} of the tokens are [UNK]{most}: does "
            "--vocab_file fit the language, --do_lower_case and --t2s?"
        )


def no_pair(config: BuildConfig, path: str, counts: dict[str, int]) -> str:
    """Says why no pair could be made of the text that begins in a file."""
    told = f"--pair_task={config.pair_task}: no document of {path} has two "
    if counts["num_alone_long"]:
        return (
            f"{told}lines that fit into --max_seq_length="
            f"{config.max_seq_length}; {_SPLIT}"
        )
    return (
        f"{told}sentences; one sentence a line and blank lines between "
        "documents only"
    )


def longest_line(pieces: list[Text], shards: list[Shard]) -> str:
    """Names the longest line of all shards: its file, number and tokens.

    Args:
        pieces: the text of the shards.
        shards: what the manifest says of them.
    """
    found = [
        (line, number)
        for number, shard in enumerate(shards)
        if (line := shard.longest_line)
    ]
    if not found:
        return "not known"
    longest, number = max(found, key=lambda item: item[0].num_tokens)
    piece = pieces[number].pieces[longest.piece]
    # The lines of the same file in front of the piece are other shards'.
    before = {
        (piece.path, piece.begin): source.num_lines
        for text, shard in zip(pieces, shards, strict=True)
        for piece, source in zip(text.pieces, shard.inputs, strict=True)
    }
    lines = [
        num_lines
        for (path, begin), num_lines in before.items()
        if path == piece.path and begin < piece.begin
    ]
    known = [number for number in lines if number is not None]
    place = f"{sum(known) + longest.line}"
    if len(known) < len(lines):
        place = f"{longest.line} from byte {piece.begin:,} on"
    return f"{piece.path}:{place} with {longest.num_tokens:,} tokens"


def shown(unk_characters: dict[str, int]) -> str:
    """Characters and how often each was met, for a person to read."""
    return ", ".join(
        f"{visible(character)} {number:,}"
        for character, number in unk_characters.items()
    )


def _warnings_of_packing(counts, config):
    """Says what else than tokens fills the records, if anything does."""
    masks = config.max_predictions_per_seq
    for name, limit, inside in (
        ("pack_sequences", config.pack_sequences, counts["num_sequences"]),
        ("max_predictions_per_seq", masks, counts["num_masks"]),
    ):
        a_record = inside / counts["num_records"]
        if a_record > _NEARLY_FULL * limit:
            yield (
                f"{counts['padding_rate']:.0%} of the packed records is "
                f"padding, as --{name}={limit} is reached first "
                f"({a_record:.1f} a record); raise it"
            )


def _warnings_of_spaces(counts):
    length = counts["num_tokens"] / (counts.get("num_words") or np.inf)
    if length > _LONG_WORDS:
        yield (
            f"the words of the text have {length:.1f} tokens on average, and "
            "are masked as a whole: does --word_segmenter=spaces fit, with "
            "spaces between the words of the text?"
        )


def _warnings_of_masks(counts, config):
    wanted = min(
        config.masked_lm_prob,
        config.max_predictions_per_seq / counts["mean_tokens"],
    )
    rate = counts["masked_rate"]
    if rate and rate >= _LOW_SHARE_OF_MASKS * wanted:
        return
    advice = "the records train little"
    if config.do_whole_word_mask or config.mask_unit != "word":
        advice = (
            "words, which are masked as a whole, are longer than the masks "
            "that a sequence may have"
        )
    yield (
        f"{rate:.1%} OF THE TOKENS ARE MASKED, where --masked_lm_prob="
        f"{config.masked_lm_prob:g} and --max_predictions_per_seq="
        f"{config.max_predictions_per_seq} ask for {wanted:.1%}: {advice}"
    )


def _warnings_of_losses(counts, config, longest):
    lost = counts.get("num_lost_tokens", 0)
    rate = lost / counts["num_tokens"]
    told = (
        f"{rate:.0%} of the tokens ({lost:,}) are lost to truncation: no "
        "record holds them, as "
    )
    if rate <= _HIGH_LOST_RATE:
        return
    if counts["num_cut_tokens"] >= _SHARE_OF_LONG_LINES * lost:
        yield (
            f"{told}{_describe_long(counts, config)}, "
            f"{_mean_long(counts, config):,.0f} on average; the longest is "
            f"{longest}; {_SPLIT}"
        )
    elif rate <= _USUAL_LOST_RATE:
        return
    elif config.pair_task == "sop" and _main_reason(counts) == "single":
        yield (
            f"{told}{_describe_single(counts)}, and --pair_task=sop leaves "
            "these out"
        )
    else:
        mean = counts["num_tokens"] / counts["num_sentences"]
        yield (
            f"{told}sentences of {mean:.0f} tokens on average seldom fill "
            f"--max_seq_length={config.max_seq_length} without a rest; a "
            "larger --dupe_factor loses less, --pair_task=none nothing"
        )


def _main_reason(counts):
    """The most frequent of `losses.ALONE` for sentences alone in a pair."""
    if "num_alone_long" not in counts:  # They are of an earlier build.
        num_long = counts.get("num_long_sentences", 0)
        return "long" if 2 * num_long > counts["num_sentences"] else "single"
    return max(losses.ALONE, key=lambda x: counts[f"num_alone_{x}"])


def _describe_long(counts, config):
    return (
        f"{counts['num_long_sentences']:,} of {counts['num_sentences']:,} "
        f"lines have more tokens than --max_seq_length={config.max_seq_length} "
        "has room for"
    )


def _mean_long(counts, config):
    """The tokens that lines have on average which are too long."""
    room = config.max_seq_length - losses.NUM_SPECIAL
    beyond = counts["num_cut_tokens"] / counts["num_long_sentences"]
    return room + beyond


def _describe_single(counts):
    return (
        f"{counts['num_one_sentence_documents']:,} of "
        f"{counts['num_documents']:,} documents have one sentence"
    )


def _warnings_of_random_next(counts, config):
    num_documents = counts["num_documents"]
    is_one = num_documents == 1
    if counts["num_one_sentence_documents"] == num_documents:
        each = f"each of the {num_documents:,} documents"
        yield (
            f"{'the only document' if is_one else each} has one sentence, so "
            "every next_sentence_label is 1 (random) and next sentence "
            f"prediction learns nothing: {_describe_alone(counts, config)}"
        )
        return
    if is_one:
        yield (
            "the corpus is one document: every random next sentence is from "
            "the same document; put a blank line between documents"
        )
    if counts["random_next_rate"] > _HIGH_RANDOM_NEXT_RATE:
        yield (
            f"{counts['random_next_rate']:.0%} of the pairs are random, mostly "
            f"as {_describe_alone(counts, config)}"
        )


def _describe_alone(counts, config):
    """Says why most of the sentences without a neighbour have none."""
    match _main_reason(counts):
        case "long":
            number = counts.get("num_alone_long")
            met = f", as {number:,} in all passes," if number else ""
            return (
                f"a line that fills --max_seq_length={config.max_seq_length} "
                f"by itself{met} has no neighbour in it: are they paragraphs? "
                f"If so, {_SPLIT}; or raise --max_seq_length"
            )
        case "short_target":
            return (
                f"--short_seq_prob={config.short_seq_prob:g} asks for short "
                "sequences, which a sentence fills by itself"
            )
        case "single":
            return (
                f"{_describe_single(counts)}; is there a blank line behind "
                "every sentence? Blank lines belong between documents only"
            )
        case "last":
            mean = counts["num_sentences"] / counts["num_documents"]
            return (
                f"a document has {mean:.1f} sentences on average, and the last "
                "of them has no neighbour"
            )
