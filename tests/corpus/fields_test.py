"""The text of a record is found by the names that published corpora use."""

import json

import pytest

from corpus.reading import fields
from corpus.reading.config import ReadingSettings
from tests.corpus import raw_files, reading_checks

# {corpus: (a record as it has them, its text)}
RECORDS = {
    "wiki_zh": (
        {
            "id": "53",
            "url": "https://zh.w.org/?curid=53",
            "title": "经济学",
            "text": "经济学\n\n是一门学科。",
        },
        "经济学\n是一门学科。",
    ),
    "news2016zh": (
        {
            "news_id": "610",
            "keywords": "导语，用户",
            "title": "标题",
            "desc": "简介。",
            "source": "网",
            "time": "03-21 12:00",
            "content": "正文。",
        },
        "正文。",
    ),
    "baike2018qa": (
        {
            "qid": "qid_2",
            "category": "健康",
            "title": "问题？",
            "desc": "",
            "answer": "回答。\r\n再答。",
        },
        "问题？\n回答。\n再答。",
    ),
    "webtext2019zh": (
        {
            "qid": 6,
            "title": "问题？",
            "desc": "补充。",
            "topic": "房",
            "star": 3,
            "content": "回答。",
            "answer_id": 1,
            "answerer_tags": "人",
        },
        "问题？\n补充。\n回答。",
    ),
    "Hugging Face": ({"text": "正文。", "meta": {"lang": "zh"}}, "正文。"),
    "WuDao": (
        {
            "id": 1,
            "uniqueKey": "0a",
            "dataType": "百科",
            "title": "题",
            "content": "正文。",
        },
        "正文。",
    ),
    "list": (
        {"paragraphs": ["第一段。", "", "第二段。"]},
        "第一段。\n第二段。",
    ),
    "capitals": ({"ID": 1, "Content": "正文。"}, "正文。"),
    "Chinese": ({"标题": "题", "正文": "文。"}, "文。"),
    "no name": (
        {
            "a": "https://a.b/" + "c" * 90,
            "key": "12" * 40,
            "story": "一个很长的故事，写了很多很多字，比别的都长。",
        },
        "一个很长的故事，写了很多很多字，比别的都长。",
    ),
}


@pytest.mark.parametrize("corpus", RECORDS)
@pytest.mark.parametrize("form", ["lines", "array", "indented", "bare"])
def test_the_text_of_published_corpora_is_found(tmp_path, corpus, form):
    record, text = RECORDS[corpus]
    written = {
        "lines": "\n".join([json.dumps(record, ensure_ascii=False)] * 3),
        "array": json.dumps([record] * 3),
        "indented": json.dumps([record] * 3, indent=2, ensure_ascii=False),
        "bare": "\n".join([json.dumps(record, indent=2)] * 3),
    }
    reading_checks.check(tmp_path / "a", written[form].encode(), [text] * 3)


def test_fields_of_the_flag_are_joined_in_its_order(tmp_path):
    record = {"text": "别的。", "b": "乙。", "a": ["甲。", "丙。"]}
    data = json.dumps(record).encode() + b'\n{"text": "without"}\n'
    settings = ReadingSettings(text_field=" a, b ")
    left_out = reading_checks.check(
        tmp_path / "a", data, ["甲。\n丙。\n乙。"], settings
    )
    assert left_out == {"document_record_without_text": 1}
    table = "b,a\n乙。,甲。\n"
    reading_checks.check(
        tmp_path / "a", table.encode(), ["甲。\n乙。"], settings
    )


def test_the_longest_field_is_the_same_in_every_piece(tmp_path):
    lines = [
        {"x": "很长的故事" * 20, "y": "短"},
        {"x": "短", "y": "很长的故事" * 9},
    ] * 20
    path = tmp_path / "a"
    path.write_text("\n".join(map(json.dumps, lines)))
    whole, _, _ = reading_checks.read(path)
    assert [x.text for x in whole] == [x["x"] for x in lines]
    assert reading_checks.read(path, limit_bytes=500)[0] == whole


def test_text_that_begins_as_json_is_text(tmp_path):
    for text in (
        "[1] 参考书目在这里。\n[2] 另一本书。",
        "{注意}这是正文。",
        "[“引用”]这是正文。\n又一段。",
        '["x] 没有完的引号，只是正文。',
    ):
        reading_checks.check(tmp_path / "a", text.encode(), [text])


def test_a_text_with_commas_is_no_table(tmp_path):
    text = "text, and more, of it\nonce, upon, a time\nthere, was, one"
    assert fields.known(["text", "and more"])
    reading_checks.check(tmp_path / "a", text.encode(), [text])


def test_rows_of_a_table_that_are_no_rows_are_noted(tmp_path):
    data = "id,text\n" + "1,好。\n" * 9 + '2\n3,好,多,了\n4,"两\n行。"\n'
    left_out = reading_checks.check(
        tmp_path / "a", data.encode(), [*["好。"] * 9, "两\n行。"]
    )
    assert left_out == {
        "document_record_damaged": 1,
        "document_record_without_text": 1,
    }


def test_samples_of_this_project_are_read():
    settings = ReadingSettings()
    folder = raw_files.__file__.rsplit("/tests/", 1)[0] + "/samples/raw"
    for name in ("articles.jsonl", "zh_hant.txt"):
        try:
            documents, tally, _ = reading_checks.read(
                f"{folder}/{name}", settings
            )
        except FileNotFoundError:
            pytest.skip("no raw samples")
        assert len(documents) > 3 and not dict(tally)
