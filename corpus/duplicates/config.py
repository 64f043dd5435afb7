"""The settings of duplicates, and the rules that count what they drop."""

import dataclasses
from typing import Annotated

from corpus.tally import Rule
from settings.flag import Flag, Settings

RULES: dict[str, Rule] = {
    "line_repeated": Rule(
        "line",
        "stands in many documents",
        "在许多文档中重复",
        flag="repeated_line_documents",
        origin="CCNet",
    ),
    "document_exact_duplicate": Rule(
        "document",
        "the same as an earlier document",
        "与前面的文档相同",
        flag="exact_duplicates",
    ),
    "document_near_duplicate": Rule(
        "document",
        "nearly the same as an earlier document",
        "与前面的文档近似重复",
        flag="near_duplicate_threshold",
        origin="MinHash (Broder, 1997)",
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DuplicatesSettings(Settings):
    """Which repeated lines and documents are dropped. The first one stays."""

    exact_duplicates: Annotated[
        bool,
        "Whether to drop documents whose text, blanks aside, is that of an "
        "earlier one.",
    ] = True
    near_duplicates: Annotated[
        bool,
        "Whether to drop documents that are nearly an earlier one, as "
        "--near_duplicate_threshold says.",
    ] = True
    # Of Chinese news with 5 % of the characters changed, 0.6 finds all and 0.7
    # nine of ten; with 20 % changed, 0.25 does. See benchmarks.duplicates.
    near_duplicate_threshold: Annotated[
        float,
        Flag(
            "Documents are nearly the same if they have at least this share "
            "of their runs of three words or Chinese characters in common "
            "(Jaccard, estimated by MinHash).",
            "share",
        ),
    ] = 0.6
    repeated_line_documents: Annotated[
        int,
        Flag(
            "A line that stands in at least so many documents stays in the "
            "first alone, as menus and notices do; digits, blanks, marks and "
            "case aside. Short lines, such as those of a dialogue, stay. 0 "
            "drops none.",
            "not_negative",
        ),
    ] = 10

    def __post_init__(self):
        super().__post_init__()
        if self.repeated_line_documents == 1:
            raise ValueError(
                "--repeated_line_documents must be 0 or at least 2, as every "
                "line stands in 1 document, got 1"
            )
        threshold = self.near_duplicate_threshold
        if self.near_duplicates and threshold < 0.2:
            raise ValueError(
                "--near_duplicate_threshold must be at least 0.2, as documents "
                f"that are no copies have as much in common, got {threshold}; "
                "--nonear_duplicates drops none"
            )
