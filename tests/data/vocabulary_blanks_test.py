"""Blanks behind the rows of a vocabulary change no record."""

import pathlib

import pytest

from tests import project
from tests.data import built

ROWS = (
    "[PAD]",
    *(f"[unused{number}]" for number in range(1, 200)),
    *project.SPECIAL_TOKENS[1:],
    *dict.fromkeys("".join(project.sample_lines()[:200]).replace(" ", "")),
)


@pytest.mark.parametrize("masking", ["static", "dynamic"])
def test_special_rows_are_left_out_of_random_words_all_the_same(
    tmp_path, masking
):
    found = []
    for name, end in (("plain", ""), ("blank", " ")):
        path = tmp_path / f"{name}.txt"
        rows = dict.fromkeys(ROWS)
        path.write_bytes("".join(f"{row}{end}\n" for row in rows).encode())
        output = f"{tmp_path}/{name}"
        manifest = built.build_only(
            tmp_path,
            vocab_file=str(path),
            output_file=output,
            dupe_factor=1,
            masking=masking,
            **({"random_words": "no_specials"} if masking == "static" else {}),
        )
        assert manifest.special_ids == list(range(204))
        assert manifest.mask_id == 203
        found.append(pathlib.Path(output).read_bytes())
    assert found[0] == found[1]
