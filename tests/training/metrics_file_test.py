"""metrics.jsonl: no damage stops a run, and no length fills the memory."""

import json
import tracemalloc

import pytest

from training import metrics_file, summaries

# What is no line of metrics: of other forms, cut, or of other programs.
DAMAGES = [
    b"",
    b"{",
    b"[]",
    b"5",
    b"null",
    b'"step"',
    b'{"loss": 1}',
    b'{"step": "x"}',
    b'{"step": 1.5}',
    b'{"step": null}',
    b'{"step": true}',
    b"\0" * 50,
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"step": 1, "lo',
]


def line(step, **numbers):
    return json.dumps({"step": step, "loss": step / 10} | numbers).encode()


def write(path, lines):
    path.write_bytes(b"".join(x + b"\n" for x in lines))


def steps(path):
    return [row["step"] for row in metrics_file.rows(str(path))]


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_lines_after_a_step_are_cut_off_at_any_block(
    tmp_path, monkeypatch, block
):
    monkeypatch.setattr(metrics_file, "_BLOCK_BYTES", block)
    path = tmp_path / "m"
    lines = [line(step, text=f"{step}" * (step % 40)) for step in range(1, 60)]
    for last in (0, 1, 30, 58, 59, 100):
        write(path, lines)
        kept = min(last, 59)
        found = metrics_file.cut_after(str(path), last)
        assert found == (kept or None)
        whole = b"".join(x + b"\n" for x in lines[:kept])
        assert path.read_bytes() == whole


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_line_that_a_kill_cut_short_is_dropped(tmp_path, scheme):
    path = tmp_path / "m"
    whole = line(1) + b"\n" + line(2) + b"\n"
    for rest in (line(3)[:-4], line(3), b'{"step": 3'):
        path.write_bytes(whole + rest)
        assert metrics_file.cut_after(f"{scheme}{path}", 9) == 2
        assert path.read_bytes() == whole


def test_a_file_that_is_not_there_or_empty_has_no_rows(tmp_path):
    path = tmp_path / "m"
    for _ in range(2):
        assert metrics_file.cut_after(str(path), 5) is None
        assert metrics_file.rows(str(path)) == []
        path.touch()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("place", ["first", "middle", "last", "alone"])
def test_a_damaged_line_stops_no_run(tmp_path, caplog, damage, place):
    path = tmp_path / "metrics.jsonl"
    good = [line(1), line(2), line(3)]
    lines = {
        "first": [damage, *good],
        "middle": [good[0], damage, *good[1:]],
        "last": [*good, damage],
        "alone": [damage],
    }[place]
    write(path, lines)
    wanted = [] if place == "alone" else [1, 2, 3]
    assert steps(path) == wanted
    if damage:
        assert f"{path}: 1 lines are no metrics and are left out" in caplog.text
    assert metrics_file.cut_after(str(path), 3) == (3 if wanted else None)
    metrics_file.append(str(path), line(4).decode() + "\n")
    assert steps(path) == [*wanted, 4]
    # Behind the last good line nothing stays that is none.
    is_dropped = damage in lines[-1:]
    assert (damage in path.read_bytes().split(b"\n")[:-1]) != is_dropped


def test_a_run_goes_on_and_draws_its_picture_over_any_damage(tmp_path, caplog):
    path = tmp_path / summaries.METRICS_FILE
    write(path, [*DAMAGES, line(1), *DAMAGES, line(2), *DAMAGES, line(7)])
    with summaries.Summaries(str(tmp_path), start_step=2, num_steps=9) as told:
        assert told.has(2) and not told.has(7)
        told.write(4, {"loss": 0.5})
        told.saved("model.ckpt-4", is_last=True)
    assert steps(path) == [1, 2, 4]
    picture = (tmp_path / summaries.CURVES_FILE).read_bytes()
    assert picture.startswith(b"\x89PNG")
    # Empty lines are not told of but where they are dropped.
    assert f"{len(DAMAGES)} lines are no metrics and are dropped" in caplog.text
    left = 2 * (len(DAMAGES) - 1)
    assert f"{left} lines are no metrics and are left out" in caplog.text


def test_rows_are_those_with_a_name_and_numbers_alone(tmp_path):
    path = tmp_path / "m"
    write(
        path,
        [
            line(1),
            line(2, eval_f1=0.5, note="eval_f1", is_good=True, none=None),
            line(3, eval_f1=float("nan")),
            line(4, name="eval_f1"),
        ],
    )
    found = metrics_file.rows(str(path), with_name="eval_f1")
    assert [row["step"] for row in found] == [2, 3]
    assert found[0] == {"step": 2, "loss": 0.2, "eval_f1": 0.5}
    assert found[1]["eval_f1"] != found[1]["eval_f1"]


def test_of_many_rows_some_are_taken_evenly_and_all_evaluations(tmp_path):
    path = tmp_path / "m"
    lines = [
        line(step, **({"eval_loss": 1.0} if step % 999 == 0 else {}))
        for step in range(1, 10_001)
    ]
    write(path, lines)
    found = metrics_file.rows(str(path), most=100)
    assert len(found) <= 100 + 10
    assert [row["step"] for row in found if "eval_loss" in row] == list(
        range(999, 10_001, 999)
    )
    others = [row["step"] for row in found if "eval_loss" not in row]
    gaps = {b - a for a, b in zip(others, others[1:], strict=False)}
    assert gaps <= {100, 200} and others[0] == 1
    assert len(metrics_file.rows(str(path))) == 10_000


@pytest.fixture
def long_file(tmp_path, monkeypatch):
    monkeypatch.setattr(metrics_file, "_BLOCK_BYTES", 1 << 14)
    path = tmp_path / "m"
    write(path, (line(step) for step in range(1, 30_001)))
    assert path.stat().st_size > 900_000
    return path


@pytest.mark.parametrize(
    "use",
    [
        lambda path: metrics_file.cut_after(path, 10),
        lambda path: metrics_file.cut_after(path, 30_000),
        lambda path: metrics_file.rows(path, most=50),
        lambda path: metrics_file.rows(path, with_name="eval_loss"),
        lambda path: metrics_file.append(path, "{}\n"),
    ],
)
def test_a_long_file_is_never_in_memory_as_a_whole(long_file, use):
    tracemalloc.start()
    try:
        use(str(long_file))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300_000


def test_what_is_appended_is_the_next_line(tmp_path):
    path = tmp_path / "m"
    for step in (1, 2):
        metrics_file.append(str(path), line(step).decode() + "\n")
    assert steps(path) == [1, 2]
