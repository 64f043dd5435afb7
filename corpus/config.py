"""Every setting of prepare_corpus, written once."""

import dataclasses
from collections.abc import Collection
from typing import Annotated, ClassVar, Self

from corpus.cleaning.config import CleaningSettings
from corpus.duplicates.config import DuplicatesSettings
from corpus.reading.config import ReadingSettings
from corpus.sentences import SentenceSettings
from jobs.config import EngineSettings
from settings.flag import Flag
from text import case
from text.config import VocabularySettings

_STANDARD_INPUT = "-"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusConfig(
    ReadingSettings,
    CleaningSettings,
    SentenceSettings,
    DuplicatesSettings,
    EngineSettings,
    VocabularySettings,
):
    """The flags of prepare_corpus.

    The report counts the [UNK] of the vocabulary, by character.
    """

    wants_vocabulary: ClassVar[bool] = False

    input_file: Annotated[
        str,
        Flag(
            "Comma list of raw files, globs and folders, local or gs://; "
            "folders with all that is in them. What a file is, its content "
            "says: text, JSON, WikiExtractor's and MediaWiki's files, HTML, "
            "WARC, WET, CSV, TSV, Parquet, packed or in archives. - is "
            "standard input.",
            decides="content",
        ),
    ]
    output_dir: Annotated[
        str,
        Flag(
            "Folder for the corpus: clue_pretrain_0000001.txt and so on, one "
            "sentence a line, a blank line between documents; "
            "heldout/clue_heldout_0000001.txt; and the report.",
            decides="nothing",
        ),
    ]
    heldout_share: Annotated[
        float,
        Flag(
            "Share of the documents that go into heldout/, to evaluate on. A "
            "hash of a document decides, so that a larger corpus holds out "
            "the same ones and more.",
            "below_1",
        ),
    ] = 0.01
    shard_megabytes: Annotated[
        int,
        Flag(
            "About how much text a file of the corpus holds; also how much "
            "raw text a worker takes at a time.",
            "positive",
        ),
    ] = 64
    do_lower_case: Annotated[
        bool,
        "Whether the report counts [UNK] as an uncased model has it. Without "
        "this flag what stands beside the vocabulary says.",
    ] = True
    t2s: Annotated[
        bool,
        "Whether the report counts [UNK] with traditional Chinese read as "
        "simplified. The corpus keeps its characters: "
        "create_pretraining_data.py --t2s converts them.",
    ] = False
    overwrite: Annotated[
        bool,
        Flag(
            "Whether to replace a corpus that other flags or files made.",
            decides="nothing",
        ),
    ] = False

    @property
    def reads_standard_input(self) -> bool:
        """Whether --input_file names standard input."""
        return _STANDARD_INPUT in self._inputs

    @property
    def named_inputs(self) -> list[str]:
        """What --input_file names beside standard input."""
        return [item for item in self._inputs if item != _STANDARD_INPUT]

    @property
    def _inputs(self) -> list[str]:
        return [item.strip() for item in self.input_file.split(",")]

    def settled(self, given: Collection[str]) -> Self:
        """Returns the settings with the case that the vocabulary is made for.

        Args:
            given: names of the flags that were given.
        """
        return case.settle(self, given, [self.vocabulary_path])
