"""Texts that cleaning keeps, and what it makes of a text."""

import gzip

from corpus.cleaning import cleaner, config
from corpus.document import Document
from corpus.tally import Tally
from tests import project

PROSE_ZH = (
    "清晨的雾还没有散去，渡口已经站满了等船的人。\n"
    "老陈把缆绳解开，回头看了一眼岸上的灯火。\n"
    "“今天风大，”他说，“你们都坐稳了。”\n"
    "“嗯。”\n"
    "船慢慢离开岸边，水声盖过了人们的说话声。"
)
PROSE_EN = (
    "The ferry left the pier before the fog had lifted.\n"
    "Nobody on the deck spoke, and the only sound was that of the water.\n"
    '"Sit down," said the old man. "The wind is strong today."\n'
    "They did as they were told, with their bags held close to them."
)
POEM = (
    "春江夜泊\n江上月明人未眠，\n孤舟一夜泊寒烟。\n"
    "钟声不到愁边客，\n却送潮声到枕前。"
)


def clean(text, **flags):
    """Returns (what is kept, {rule: Count})."""
    tally = Tally()
    made = cleaner.Cleaner(config.CleaningSettings(**flags))
    return made.clean(Document("here", text), tally), dict(tally)


def num_chars(text):
    return len("".join((text or "").split()))


def among_prose(line):
    """A line in a document that is kept."""
    return f"{PROSE_ZH}\n{line}\n{PROSE_EN}"


def corpus_lines(name):
    """The lines of a real corpus, blank ones between documents."""
    path = project.shared() / "data" / f"corpus_{name}.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read().split("\n")
