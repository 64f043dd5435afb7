"""The settings of every program that reads text."""

import dataclasses
from typing import Annotated, ClassVar

from settings.flag import Flag, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class VocabularySettings(Settings):
    """The flags that name what text becomes tokens by; read by `vocabularies`.

    Raises:
        ValueError: none is given, where one is wanted, or two that differ.
    """

    wants_vocabulary: ClassVar[bool] = True
    vocab_file: Annotated[
        str | None,
        Flag("The vocabulary of the model: a vocab.txt.", decides="content"),
    ] = None
    spm_model_file: Annotated[
        str | None,
        Flag(
            "The model's SentencePiece, as ALBERT's spiece.model or "
            "30k-clean.model; --vocab_file is not read then, as in "
            "google-research/albert.",
            decides="content",
        ),
    ] = None
    tokenizer: Annotated[
        str | None,
        Flag(
            "In place of both, the folder of a model whose own files say how "
            "text becomes tokens, or the file that does: spiece.model, "
            "vocab.json with merges.txt, tokenizer.json or vocab.txt.",
            decides="content",
        ),
    ] = None

    def __post_init__(self):
        super().__post_init__()
        if self.tokenizer and (self.vocab_file or self.spm_model_file):
            other = "spm_model_file" if self.spm_model_file else "vocab_file"
            raise ValueError(
                f"--tokenizer={self.tokenizer} stands in place of --{other}="
                f"{getattr(self, other)}: give one of them"
            )
        if self.wants_vocabulary and not self.vocabulary_path:
            raise ValueError(
                "--vocab_file, --spm_model_file or --tokenizer must name the "
                "vocabulary of the model"
            )

    @property
    def vocabulary_flag(self) -> str:
        """Which of the flags counts."""
        if self.tokenizer:
            return "tokenizer"
        return "spm_model_file" if self.spm_model_file else "vocab_file"

    @property
    def vocabulary_path(self) -> str:
        """What it names; nothing where no flag is given."""
        return getattr(self, self.vocabulary_flag) or ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowSettings(VocabularySettings):
    """The flags of every program that makes rows, or reads them."""

    max_seq_length: Annotated[
        int,
        Flag(
            "Tokens of a row, [CLS] and [SEP] included; longer texts are cut.",
            "positive",
            decides="rows",
        ),
    ] = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSettings(RowSettings):
    """The flags that say how text is read before it is tokenized."""

    do_lower_case: Annotated[
        bool,
        Flag(
            "Whether the model is uncased: text is lower-cased and stripped of "
            "accents, as uncased and Chinese models want. Without this flag "
            "what the model's own files, those beside the vocabulary or their "
            "folder's name say.",
            decides="rows",
        ),
    ] = True
    t2s: Annotated[
        bool,
        Flag(
            "Whether to read traditional Chinese as simplified (OpenCC), as a "
            "model does that was pretrained with --t2s; answers and entities "
            "stay in the characters of the text.",
            decides="rows",
        ),
    ] = False
