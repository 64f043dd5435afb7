"""Processes that build shards: they fail, die and are killed."""

import multiprocessing
import time
import types

import pytest

from jobs import engines
from tests import house_test
from tests.data import failing

SETTINGS = types.SimpleNamespace(engine="local", num_workers=2)


def run(function, jobs):
    """Returns (results, bytes that were told)."""
    told = []
    results = engines.run(SETTINGS, function, jobs, told.append)
    return results, sum(told)


def test_results_stand_in_the_order_of_the_jobs_and_no_more_run_than_asked(
    tmp_path,
):
    jobs = [
        failing.job(tmp_path, number, seconds=(0.6, 0.0, 0.3, 0.0, 0.2)[number])
        for number in range(5)
    ]
    results, told = run(failing.note_when, jobs)
    assert results == [0, 1, 2, 3, 4]
    assert told == 500
    times = [
        tuple(map(float, path.read_text().split()))
        for path in sorted(tmp_path.glob("*.times"))
    ]
    for begin, _ in times:
        assert sum(a <= begin < b for a, b in times) <= SETTINGS.num_workers
    ends = [end for _, end in times]
    assert ends != sorted(ends)


@pytest.mark.parametrize(
    "function", [failing.be_killed, failing.leave_half_a_message]
)
def test_a_worker_that_is_killed_is_tried_once_more(tmp_path, caplog, function):
    jobs = [
        failing.job(tmp_path, number, num_failures=number % 2)
        for number in range(4)
    ]
    results, told = run(function, jobs)
    assert results == [0, 1, 2, 3]
    assert told == (400 if function is failing.be_killed else 0)
    assert [failing.attempts(tmp_path, k) for k in range(4)] == [1, 2, 1, 2]
    assert caplog.text.count("it is tried again") == 2
    assert "shard 3 failed (the process ended with status -9" in caplog.text


@pytest.mark.parametrize(
    ("function", "attempts", "kind", "words"),
    [
        (failing.be_killed, 2, RuntimeError, "ended with status -9"),
        (failing.find_wrong_text, 1, ValueError, "^text: not UTF-8 at byte 7$"),
        (failing.find_a_full_disk, 2, OSError, "No space left.*'made'"),
        (failing.make_a_mistake, 2, RuntimeError, "KeyError: 'there is no"),
    ],
)
def test_what_fails_is_told_and_the_others_are_done(
    tmp_path, function, attempts, kind, words
):
    fails = failing.job(tmp_path, 0, num_failures=9)
    others = [failing.job(tmp_path, number) for number in (1, 2)]
    results, _ = run(function, [fails, *others])
    assert type(results[0]) is kind
    with pytest.raises(kind, match=words):
        raise results[0]
    assert failing.attempts(tmp_path, 0) == attempts
    assert results[1:] == [1, 2]


def test_a_worker_does_one_job_after_another(tmp_path):
    jobs = [failing.job(tmp_path, number) for number in range(9)]
    results, _ = run(failing.say_who_works, jobs)
    assert len(set(results)) <= SETTINGS.num_workers


def test_an_error_in_the_build_ends_its_workers(tmp_path):
    jobs = [failing.job(tmp_path, n, seconds=60.0) for n in range(2)]
    with pytest.raises(KeyboardInterrupt):
        engines.run(SETTINGS, failing.tell_and_wait, jobs, _interrupt)
    deadline = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()


def _interrupt(_):
    raise KeyboardInterrupt


def test_a_cluster_is_sent_all_that_its_jobs_import():
    wanted = {"corpus", "data"}
    wanted |= house_test.MAY_IMPORT["corpus"] | house_test.MAY_IMPORT["data"]
    assert wanted == set(engines.SHIPPED)
