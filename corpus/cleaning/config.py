"""The settings of cleaning: which lines and documents are dropped."""

import dataclasses
from typing import Annotated

from settings.flag import Flag, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class CleaningSettings(Settings):
    """The flags that say what of a document is kept.

    As they are they drop what is surely no prose. A share of 1 is no limit, a
    length of 0 neither.
    """

    drop_boilerplate: Annotated[
        bool,
        "Whether to drop short lines that say nothing of their document: "
        "menus, copyright, the responsible editor, cookies, sharing.",
    ] = True
    drop_braces: Annotated[
        bool,
        "Whether to drop lines with a curly bracket, most of them code; C4 "
        "drops the whole page.",
    ] = False
    require_end_mark: Annotated[
        bool,
        "Whether to drop lines that do not end as a sentence does, with "
        "closing quotes and brackets or without (C4, CLUECorpus2020). Headings "
        "and verse go, too.",
    ] = False
    min_line_chars: Annotated[
        int,
        Flag(
            "Lines of fewer characters are dropped, blanks not counted; "
            "CLUECorpus2020 has 5, which costs short lines of a dialogue.",
            "not_negative",
        ),
    ] = 0
    min_line_letters: Annotated[
        float,
        Flag(
            "Lines whose share of letters, Chinese characters among them, is "
            "smaller are dropped: rulers, dates, rows of numbers.",
            "share",
        ),
    ] = 0.15
    min_document_chars: Annotated[
        int,
        Flag(
            "Documents of fewer characters are dropped, blanks not counted. "
            "Gopher has 50 words, which costs short reviews and verse.",
            "not_negative",
        ),
    ] = 10
    require_sentence: Annotated[
        bool,
        "Whether to drop documents without a sentence: no line ends as one "
        "does, and none is long. C4 wants three sentences (T5's code: five).",
    ] = True
    min_document_letters: Annotated[
        float,
        Flag(
            "Documents whose share of letters is smaller are dropped. Gopher "
            "wants a letter in 0.8 of the words, which Chinese does not "
            "separate.",
            "share",
        ),
    ] = 0.5
    max_duplicate_lines: Annotated[
        float,
        Flag(
            "Documents are dropped where a larger share of the lines has stood "
            "in them before (Gopher: 0.3).",
            "share",
        ),
    ] = 0.3
    max_duplicate_chars: Annotated[
        float,
        Flag(
            "The same by the characters of these lines (Gopher: 0.2).",
            "share",
        ),
    ] = 0.2
    max_repeated_chars: Annotated[
        float,
        Flag(
            "Documents are dropped where a larger share of the characters "
            "stands in passages of 24 that have stood in them before; after "
            "Gopher, which has 0.1 for ten words: manuals and lists, which "
            "say much alike, would go.",
            "share",
        ),
    ] = 0.8
    max_bullet_lines: Annotated[
        float,
        Flag(
            "Documents are dropped where a larger share of the lines begins "
            "with a bullet (Gopher: 0.9).",
            "share",
        ),
    ] = 0.9
    max_ellipsis_lines: Annotated[
        float,
        Flag(
            "Documents are dropped where a larger share of the lines ends in "
            "an ellipsis (Gopher: 0.3).",
            "share",
        ),
    ] = 0.3
    bad_words_file: Annotated[
        str | None,
        Flag(
            "File of words, one a line: a document that has one is dropped "
            "(C4, CLUECorpus2020).",
            decides="content",
        ),
    ] = None
    languages: Annotated[
        str,
        "Comma list of languages; documents in others are dropped. zh (any "
        "kind of Chinese), en, ja, ko; latin for all else in Latin letters; "
        "cyrillic, greek, arabic, hebrew, thai, other; all keeps every one.",
    ] = "zh,en"
    remove: Annotated[
        str,
        "Comma list of what to take out of lines: url, email, phone (of China, "
        "and of others that begin with +), id_card (of China, with its right "
        "check digit), bank_card (by Luhn's check digit).",
    ] = ""

    def __post_init__(self):
        super().__post_init__()
        # They bring Numba, which --help is not to wait for.
        from corpus.cleaning import languages, personal

        _check("languages", self.wanted_languages, {*languages.ALL, "all"})
        _check("remove", self.removed_kinds, set(personal.KINDS))
        if not self.wanted_languages:
            raise ValueError("--languages names none; all keeps every one")

    @property
    def wanted_languages(self) -> frozenset[str]:
        """What --languages names."""
        return frozenset(_items(self.languages))

    @property
    def removed_kinds(self) -> frozenset[str]:
        """What --remove names."""
        return frozenset(_items(self.remove))


def _items(text):
    return filter(None, (part.strip() for part in text.split(",")))


def _check(flag, items, known):
    for item in sorted(items - known):
        raise ValueError(
            f"--{flag} names {item!r}; it may be {', '.join(sorted(known))}"
        )
