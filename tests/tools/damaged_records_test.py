"""Damage to the bytes of a record file is found, wherever it is."""

import gzip
import zlib

import numpy as np
import pytest

from data.building import crc32c
from tests.tools import recorded
from tools.inspection import findings, report

# Damages of each kind; the second number in the slow tests.
_FEW, _MANY = 60, 500
_SLOW = pytest.param(_MANY, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path, _ = recorded.build_samples(tmp_path_factory.mktemp("built"))
    return recorded.serialized(path)[: recorded.NUM_FEW]


def written(path, records, packed=""):
    """The bytes of a record file."""
    recorded.write(path, records, packed)
    return path.read_bytes()


def flipped(data, place, bit):
    """The same bytes with another bit."""
    data = bytearray(data)
    data[place] ^= 1 << bit
    return bytes(data)


def found_in(path, data):
    path.write_bytes(data)
    inspection = recorded.inspect(path)
    assert "Traceback" not in report.text(inspection)
    return inspection


@pytest.mark.parametrize("number", [_FEW, _SLOW])
def test_every_flipped_bit_is_found_in_its_record(tmp_path, records, number):
    data = written(tmp_path / "a", records)
    starts = recorded.starts(data)
    rng = np.random.default_rng(0)
    for case in range(number):
        record = int(rng.integers(len(records)))
        begin, end = starts[record : record + 2]
        # In turn the length and its checksum, the data, its checksum.
        bounds = (begin, begin + 12, end - 4, end)
        first, last = bounds[case % 3 : case % 3 + 2]
        place = int(rng.integers(first, last))
        inspection = found_in(
            tmp_path / "b", flipped(data, place, int(rng.integers(8)))
        )
        rule = "length checksum" if case % 3 == 0 else "data checksum"
        assert inspection.found.counts == {rule: 1}, (record, place)
        title = findings.RULES[rule].title
        assert recorded.places(inspection) == {(title, record)}
        left = record if case % 3 == 0 else len(records) - 1
        assert inspection.statistics.num_records == left


@pytest.mark.parametrize("number", [_FEW, _SLOW])
def test_every_truncation_inside_a_record_is_found(tmp_path, records, number):
    data = written(tmp_path / "a", records)
    starts = recorded.starts(data)
    rng = np.random.default_rng(1)
    for size in rng.integers(1, len(data), number).tolist():
        inspection = found_in(tmp_path / "b", data[:size])
        record = int(np.searchsorted(starts, size, side="right")) - 1
        assert inspection.statistics.num_records == record
        if size not in starts:
            title = findings.RULES["truncated"].title
            assert recorded.places(inspection) == {(title, record)}


@pytest.mark.parametrize("number", [_FEW, _SLOW])
def test_a_damaged_gzip_file_is_found_or_reads_as_before(
    tmp_path, records, number
):
    data = written(tmp_path / "a.gz", records, "GZIP")
    assert not recorded.inspect(tmp_path / "a.gz").found.counts
    rng = np.random.default_rng(2)
    num_found = 0
    for case in range(number):
        place = int(rng.integers(len(data)))
        if case % 2:
            damaged = data[:place]
        else:
            damaged = flipped(data, place, int(rng.integers(8)))
        inspection = found_in(tmp_path / "b.gz", damaged)
        if inspection.found.number(findings.ERROR):
            num_found += 1
        else:
            # A bit of the header that says nothing of the content.
            assert gzip.decompress(damaged) == gzip.decompress(data)
    assert num_found > 0.9 * number


def test_what_stands_before_the_damage_of_a_gzip_file_is_read(
    tmp_path, records
):
    data = b"".join(map(_framed, records))
    # Without compression, so that what is whole can be counted.
    packer = zlib.compressobj(0, wbits=31)
    packed = packer.compress(data) + packer.flush()
    starts = recorded.starts(data)
    inspection = found_in(tmp_path / "a.gz", packed[: len(packed) // 2])
    num_whole = int(np.searchsorted(starts, len(packed) // 2 - 15)) - 1
    assert inspection.statistics.num_records == num_whole > 1
    assert inspection.found.counts == {"gzip": 1}


def _framed(data):
    def checksum(of):
        value = crc32c.masked(np.frombuffer(of, np.uint8))
        return int(value).to_bytes(4, "little")

    length = len(data).to_bytes(8, "little")
    return length + checksum(length) + data + checksum(data)


@pytest.mark.parametrize("number", [_FEW, _SLOW])
def test_wrong_bytes_under_right_checksums_are_no_traceback(
    tmp_path, records, number
):
    rng = np.random.default_rng(3)
    wrong = []
    for _ in range(number):
        data = bytearray(records[int(rng.integers(len(records)))])
        for place in rng.integers(len(data), size=int(rng.integers(1, 5))):
            data[place] ^= 1 << int(rng.integers(8))
        wrong.append(bytes(data))
    path = recorded.write(tmp_path / "a", [records[0], *wrong])
    inspection = recorded.inspect(path)
    assert inspection.found.number(findings.ERROR)
    text = report.text(inspection)
    assert text.splitlines()[-1].startswith("not sound")
    (file,) = inspection.files
    assert file.num_records == number + 1
