"""The page of a corpus is whole HTML, hides nothing and runs nothing."""

import html.parser
import re

import pytest

from corpus import page
from corpus.manifest import CorpusFile, Manifest
from corpus.rules import READING, RULES
from corpus.statistics import DOCUMENT_BOUNDS, SENTENCE_BOUNDS, Sizes
from corpus.tally import Tally
from text.corpus import Source

_CHINESE = re.compile("[\u4e00-\u9fff]")
# What a page must not do with a text: end a tag, turn the line, ring a bell.
_HOSTILE = "<script>alert('x')</script>\x07\u202e</p>\" onload=\x00&amp; 混\t\n"


def sizes(num_documents=0):
    """The sizes of documents of ten sentences of twenty characters."""
    lengths = [0] * len(SENTENCE_BOUNDS)
    lengths[3] = 10 * num_documents
    documents = [0] * len(DOCUMENT_BOUNDS)
    documents[3] = num_documents
    return Sizes(
        num_documents,
        10 * num_documents,
        200 * num_documents,
        600 * num_documents,
        sentence_lengths=lengths,
        document_lengths=documents,
    )


def manifest(**changes):
    """A manifest of 100 documents, of which nothing was dropped."""
    kept = sizes(100)
    values = {
        "flags": {},
        "made_from": "0" * 64,
        "sources": [Source("raw/a.txt", 60_000, "0" * 64)],
        "files": {
            "clue_pretrain_0000001.txt": CorpusFile(100, 1000, 60_000, "")
        },
        "num_raw_bytes": 60_000,
        "num_raw_files": 1,
        "num_raw_documents": 100,
        "num_raw_chars": kept.num_chars,
        "sizes": kept,
        "heldout": sizes(),
        "languages": {"zh": 99, "en": 1},
        "tally": {},
        "frequent_lines": [],
        "characters": {},
        "unknown_characters": {},
    }
    return Manifest(**values | changes)


def full(text="一段被删去的文字。", num=20):
    """A manifest in which every rule has done something."""
    tally = Tally()
    for rule in RULES:
        for number in range(num):
            tally.note(rule, f"{number} {text}", f"raw/{text} line {number}")
    # What reading leaves out has not been read.
    dropped = sum(
        count.num_chars
        for rule, count in tally
        if RULES[rule].drops and rule not in READING
    )
    train, heldout = sizes(99), sizes(1)
    train.num_tokens, train.num_unk_tokens = 15_000, 30
    return manifest(
        flags={"min_line_chars": 5, "input": text},
        sources=[Source(f"raw/{text}", 60_000, "0" * 64)],
        num_raw_chars=dropped + 20_000 + 77,
        sizes=train,
        heldout=heldout,
        tally=tally.plain(),
        frequent_lines=[{"documents": 12, "text": text}],
        characters={"的": 600, " ": 30, "<": 2, "\u0301": 1},
        unknown_characters={"龘": 20, "\u202e": 10},
    )


class _Page(html.parser.HTMLParser):
    """Notes the tags of a page, its text and whether all is closed."""

    _VOID = ("meta", "rect", "path")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], {}, []
        self.feed(text)
        self.close()
        assert not self.open
        self.text = "".join(self.words)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.update(attrs)
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_a_corpus_of_which_nothing_was_dropped_has_a_page():
    made = _Page(page.make(manifest()))
    assert "100.00% of the text is kept" in made.text
    assert "保留 100.00% 的文本" in made.text
    assert "[UNK]" not in made.text and "NaN" not in made.text


def test_a_corpus_of_which_all_is_held_out_has_a_page():
    made = _Page(page.make(manifest(sizes=sizes(), heldout=sizes(100))))
    assert "100.00% of the text is kept" in made.text


def test_each_rule_stands_in_both_languages_with_its_count_and_samples():
    made = full()
    text = page.make(made)
    rows = re.findall(r"<details class=\"rule\">.*?</details>", text, re.S)
    assert len(rows) == len(RULES)
    found = {}
    for row in rows:
        read = _Page(row).text
        (name,) = [
            name
            for name, rule in RULES.items()
            if read.startswith(rule.english + rule.chinese)
            and f" {rule.unit}s" in read
            and name not in found
        ][:1]
        found[name] = read
    for name, read in found.items():
        rule, count = RULES[name], made.tally[name]
        assert _CHINESE.search(rule.chinese), name
        assert ("删除" if rule.drops else "修改") in read
        assert f"{count['num']:,}" in read and f"{count['num_chars']:,}" in read
        assert rule.flag in read and rule.origin in read
        for sample in count["samples"]:
            assert sample["text"] in read and sample["source"] in read
    assert "--min_line_chars=5" in found["line_short"]


def test_a_rule_that_found_nothing_is_named():
    read = _Page(page.make(manifest())).text
    for rule in RULES.values():
        assert rule.english in read and rule.chinese in read


def test_every_title_and_note_is_in_both_languages():
    text = page.make(full())
    for tag in ("h1", "h2", "h3", "th", "dt"):
        for title in re.findall(rf"<{tag}>(.*?)</{tag}>", text):
            english, _, chinese = title.partition('<span class="zh">')
            assert not english or _CHINESE.search(chinese), title


@pytest.mark.parametrize("text", [_HOSTILE, "\u05d0\u05d1\u05d2", "\U000e0001"])
def test_a_text_may_hold_anything_and_is_shown_as_text(text):
    plain = _Page(page.make(full()))
    made = page.make(full(text))
    hostile = _Page(made)
    assert set(hostile.tags) <= set(plain.tags)
    assert set(hostile.attributes) <= set(plain.attributes)
    assert not {"src", "href", "onload"} & set(hostile.attributes)
    assert not re.search(r"url\(|@import|https?:", made)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", made)
    for character in text.replace("\n", "\u21b5").replace("\t", "\u2409"):
        if character.isprintable():
            assert character in hostile.text
    made.encode()


def test_what_has_no_look_is_shown_by_its_name():
    read = _Page(page.make(full(_HOSTILE))).text
    assert "\u2407U+202E</p>" in read and "\u2400&amp; 混\u2409\u21b5" in read


def test_of_many_files_the_first_are_shown_and_the_others_counted():
    paths = [f"raw/{number:05}.txt" for number in range(10_000)]
    sources = [Source(path, 10, "0" * 64) for path in paths for _ in range(2)]
    files = {
        f"clue_pretrain_{number:07}.txt": CorpusFile(1, 10, 600, "")
        for number in range(3000)
    }
    text = page.make(manifest(sources=sources, files=files))
    read = _Page(text).text
    assert paths[49] in read and paths[50] not in read
    assert "and 9,950 more另有 9,950 个" in read
    assert "and 2,950 more另有 2,950 个" in read
    assert "20 bytes" in read
    assert len(text) < 100_000


def test_a_page_is_of_bounded_size():
    long = "很长的一行" * 10_000
    lines = [{"documents": 9, "text": long}] * 1000
    characters = {chr(0x4E00 + number): 1 for number in range(5000)}
    made = full(long)
    text = page.make(
        manifest(
            tally=made.tally,
            sources=made.sources * 1000,
            frequent_lines=lines,
            characters=characters,
            unknown_characters=characters,
        )
    )
    assert len(text) < 2_000_000


def test_the_steps_add_up_to_what_is_kept():
    made = full()
    text = page.make(made)
    (table,) = re.findall(r'<table class="funnel">.*?</table>', text)
    rows = re.findall(
        r"<td>([-\d,]+)</td><td>([-\d,]+)</td><td>[^<]+</td></tr>", table
    )
    steps = [[int(x.replace(",", "")) for x in row] for row in rows]
    assert steps[0][1] == made.num_raw_chars
    for before, (gone, left) in zip(steps, steps[1:], strict=False):
        assert before[1] - gone == left
    assert steps[-1] == [77, 20_000]


def test_a_page_is_a_function_of_its_manifest():
    assert page.make(full()) == page.make(full())
