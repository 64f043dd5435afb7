"""Reading questions: what is right, and what is said of what is wrong."""

import gzip
import json

import pytest

from tests.finetuning.question_answering import squads

ZINC = "Zinc is a metal. Zinc boils."


def write(tmp_path, *entries, context=ZINC):
    return squads.write(tmp_path / "q.json", (context, entries))


def test_a_question_is_read_with_its_answers(tmp_path):
    path = write(
        tmp_path, squads.entry(1, "What boils?", ("Zinc", 17), ("Zinc", 0))
    )
    (found,) = squads.read(path)
    assert found.id == "q1" and found.question == "What boils?"
    assert found.context == ZINC and found.answers == ("Zinc", "Zinc")
    assert found.span == (17, 21) and not found.is_impossible


def test_a_packed_file_and_a_byte_order_mark_change_nothing(tmp_path):
    path = write(tmp_path, squads.entry(1, "What?", ("Zinc", 0)))
    wanted = squads.read(path)
    data = b"\xef\xbb\xbf" + (tmp_path / "q.json").read_bytes()
    (tmp_path / "bom.json").write_bytes(data)
    (tmp_path / "q.json.gz").write_bytes(gzip.compress(data))
    assert squads.read(tmp_path / "bom.json") == wanted
    assert squads.read(tmp_path / "q.json.gz") == wanted


@pytest.mark.parametrize("start", [15, 16, 18, 27, 1000, None])
def test_an_answer_is_taken_from_the_nearest_place(tmp_path, caplog, start):
    path = write(tmp_path, squads.entry(1, "What?", ("Zinc", start)))
    (found,) = squads.read(path)
    assert found.span == ((0, 4) if start is None else (17, 21))
    words = "do not stand at their answer_start"
    if start is None:
        words = "have no answer_start and stand in their text more than once"
    assert f"1 answers {words}" in caplog.text


@pytest.mark.parametrize("start", [17, 17.0, "17", "17.0"])
def test_a_place_may_have_gone_through_a_spreadsheet(tmp_path, caplog, start):
    path = write(tmp_path, squads.entry(1, "What?", ("Zinc", start)))
    (found,) = squads.read(path, strict=True)
    assert found.span == (17, 21)
    assert "answer_start" not in caplog.text


@pytest.mark.parametrize("start", [17.5, "x", True, [17], float("inf")])
def test_a_place_that_is_none_is_told(tmp_path, start):
    path = write(tmp_path, squads.entry(1, "What?", ("Zinc", start)))
    with pytest.raises(ValueError, match="answer_start is no integer"):
        squads.read(path, strict=True)


def test_white_space_around_an_answer_is_no_part_of_it(tmp_path):
    for answer in (" metal", " metal ", "metal\n"):
        path = write(tmp_path, squads.entry(1, "What?", (answer, 9)))
        (found,) = squads.read(path)
        assert ZINC[slice(*found.span)] == "metal"


LEFT_OUT = {
    "the answer is not in the context": squads.entry(2, "Q?", ("gold", 3)),
    "the answer is empty": squads.entry(2, "Q?", (" ", 3)),
    "the question is empty": squads.entry(2, " ", ("Zinc", 0)),
    "no answer, which --version_2_with_negative allows": squads.entry(2, "Q?"),
    "a question before it has the same id": squads.entry(1, "Q?", ("is", 5)),
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_what_cannot_be_learned_from_is_left_out_and_told(
    tmp_path, caplog, reason
):
    good = squads.entry(1, "What?", ("Zinc", 0))
    path = write(tmp_path, good, LEFT_OUT[reason])
    (found,) = squads.read(path)
    assert found.id == "q1"
    place = f"{path}, article 1, paragraph 1, question {LEFT_OUT[reason]['id']}"
    assert "left out 1" in caplog.text
    assert reason in caplog.text and place in caplog.text
    with pytest.raises(ValueError, match="--strict") as raised:
        squads.read(path, strict=True)
    assert reason in str(raised.value) and place in str(raised.value)


def test_answers_are_not_needed_to_predict(tmp_path):
    entries = [*LEFT_OUT.values()][:4]
    entries = [{**entry, "id": str(i)} for i, entry in enumerate(entries)]
    del entries[-1]["answers"]
    path = write(tmp_path, *entries)
    found = squads.read(path, is_training=False, strict=True)
    assert [example.id for example in found] == ["0", "1", "2", "3"]
    assert found[0].answers == ("gold",) and found[0].span is None


def test_an_empty_context_is_told_and_its_question_is_kept(tmp_path, caplog):
    entries = [squads.entry(1, "What?", ("Zinc", 0))]
    path = write(tmp_path, *entries, context=" \n")
    (found,) = squads.read(path, is_training=False)
    assert found.id == "q1"
    assert "the context is empty" in caplog.text
    with pytest.raises(ValueError, match="no question that can be used"):
        squads.read(path)


@pytest.mark.parametrize("others", [{}, {"is_impossible": True}])
def test_version_2_has_questions_without_an_answer(tmp_path, others):
    answers = [("Zinc", 0)] if others else []
    path = write(tmp_path, squads.entry(1, "Q?", *answers, **others))
    (found,) = squads.read(path, version_2=True, strict=True)
    assert found.is_impossible
    assert found.answers == () and found.span is None


def message(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content if isinstance(content, bytes) else b"")
    if not isinstance(content, bytes):
        path.write_text(json.dumps(content))
    with pytest.raises(ValueError) as raised:
        squads.read(path)
    text = str(raised.value)
    assert text.startswith(str(path))
    return text.removeprefix(str(path))


def test_a_file_of_another_form_is_refused(tmp_path):
    found = message(tmp_path, {"version": 2, "articles": []})
    assert 'it has no \'data\', only ["articles", "version"]' in found
    assert "SQuAD's form is" in found
    assert "it must be an object, got []" in message(tmp_path, [])
    found = message(tmp_path, {"data": [{"paragraphs": []}, {"title": "x"}]})
    assert ": data[1] has no 'paragraphs', only [\"title\"]" in found
    found = message(tmp_path, {"data": [{"paragraphs": [{"qas": []}]}]})
    assert ", article 1, paragraph 1: it has no 'context'" in found
    entries = [{"question": "What?"}]
    found = message(tmp_path, squads.data_of((ZINC, entries)))
    assert "qas[0] has no 'id'" in found
    entries = [{"id": "q1", "question": "What?", "answers": ["Zinc"]}]
    found = message(tmp_path, squads.data_of((ZINC, entries)))
    assert 'qas[0].answers[0] must be an object, got "Zinc"' in found
    entries[0]["answers"] = {"text": "Zinc"}
    found = message(tmp_path, squads.data_of((ZINC, entries)))
    assert "qas[0].answers must be a list" in found
    assert "no question that can be used" in message(tmp_path, {"data": []})


def test_what_is_no_json_is_told_with_its_line(tmp_path):
    assert ", line 3, column 1: not JSON" in message(
        tmp_path, b'{"data": [\n1,\nx]}'
    )
    found = message(tmp_path, '{"data": "é"}'.encode("latin1"))
    assert "not UTF-8 at byte 10" in found


@pytest.mark.parametrize("name", squads.SHARED)
def test_real_files_are_read_whole(name):
    data = squads.shared_data(name)
    entries = [q for a in data for p in a["paragraphs"] for q in p["qas"]]
    path = squads.shared_path(name)
    found = squads.read(path, is_training=False, strict=True)
    assert [example.id for example in found] == [q["id"] for q in entries]
    for example, one in zip(found, entries, strict=True):
        assert example.answers[0] == one["answers"][0]["text"]
        if example.question:  # Two of CMRC's are empty.
            answer = example.context[slice(*example.span)]
            assert answer == example.answers[0].strip()
