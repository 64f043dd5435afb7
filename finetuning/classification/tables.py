"""Files of labelled texts as rows of columns: TSV, CSV and JSON lines."""

import csv
import io
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from storage import file_io, json_files
from text import corpus

_NUM_LISTED = 12
# A text may be long: Python refuses those above 128 kB as a slip.
csv.field_size_limit(1 << 30)


class Row(NamedTuple):
    """A row of a file."""

    line: int  # From 1.
    values: Sequence[Any]
    wrong: str | None = None  # Why it cannot be used.


class Table(NamedTuple):
    """The rows of a file.

    Without a header its columns are named "1", "2", ...
    """

    path: str
    columns: Sequence[str]
    rows: Sequence[Row]
    has_header: bool = True

    def find(self, names: str) -> int | None:
        """Returns where a column is, or None.

        Args:
            names: of the column, with | between other names it may have.
        """
        for name in names.split("|"):
            if name in self.columns:
                return self.columns.index(name)
        return None

    def need(self, names: str, flag: str) -> int:
        """Returns where a column is.

        Args:
            names: as for `find`.
            flag: what may help, for the error.

        Raises:
            ValueError: the table has none; says which it has, and the flag.
        """
        place = self.find(names)
        if place is None:
            listed = ", ".join(map(repr, self.columns[:_NUM_LISTED]))
            more = " ..." if len(self.columns) > _NUM_LISTED else ""
            header = "" if self.has_header else " (it has no header)"
            raise ValueError(
                f"{self.path}: no column {names.replace('|', ' or ')!r} among "
                f"{listed}{more}{header}; {flag}"
            )
        return place


def form_of(path: str) -> str:
    """Returns the form that a file's name tells, a key of `FORMS`."""
    ending = os.path.splitext(path.removesuffix(".gz"))[1].lower()
    return {".csv": "csv", ".jsonl": "jsonl", ".json": "jsonl"}.get(
        ending, "tsv"
    )


def read(
    path: str,
    form: str,
    *,
    header: str = "auto",
    known: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Table:
    """Reads a local or remote file, gzipped or not.

    Args:
        path: of a UTF-8 file; a BOM is dropped.
        form: a key of `FORMS`.
        header: "true", "false", or "auto": the first row is a header if one of
            `known` is in it.
        known: names that a header may have.
        names: of the columns of a file without a header.

    Raises:
        ValueError: the file is missing, empty or not what `form` says.
    """
    if not file_io.exists(path):
        raise ValueError(f"no file {path}")
    text = corpus.read(path)
    rows = FORMS[form](path, text)
    if not rows:
        raise ValueError(f"{path}: the file has no rows")
    if form == "jsonl":
        return _of_objects(path, rows)
    first = [name.strip() for name in rows[0].values]
    wanted = {name.lower() for name in known}
    has_header = header == "true" or (
        header == "auto" and any(name.lower() in wanted for name in first)
    )
    if has_header:
        rows = rows[1:]
    elif len(names) == len(first):
        first = list(names)
    else:
        first = [str(number) for number in range(1, len(first) + 1)]
    if not rows:
        raise ValueError(f"{path}: the file has a header and no rows")
    return Table(path, first, _checked(rows, len(first)), has_header)


def _checked(rows, num_columns):
    """Marks the rows that have other columns than the first one."""
    return [
        row
        if len(row.values) == num_columns or row.wrong
        else row._replace(
            wrong=f"{len(row.values)} columns, not {num_columns}"
            if row.values
            else "an empty line"
        )
        for row in rows
    ]


def _tsv(path, text):
    # Only \n, or \r\n, ends a line: \r alone, a quote or U+2028 is text.
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    return [
        Row(number, line.split("\t") if line else ())
        for number, line in enumerate(lines, start=1)
        if line or number > 1
    ]


def _csv(path, text):
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for values in reader:
            rows.append(Row(line, values))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {line}: no CSV from here on ({error}); "
            "--task_name=tsv reads tab-separated files"
        ) from None
    while rows and not rows[-1].values:
        rows.pop()
    return rows


def _json_lines(path, text):
    if text.lstrip().startswith("["):
        raise ValueError(
            f"{path}: one JSON list; wanted is a JSON object a line"
        )
    rows = []
    for number, line in enumerate(text.rstrip("\n").split("\n"), start=1):
        try:
            rows.append(Row(number, json_files.parse(line, path)))
        except ValueError:
            wrong = "no JSON object" if line.strip() else "an empty line"
            rows.append(Row(number, {}, wrong))
    return rows if text.strip() else []


def _of_objects(path, rows):
    """Makes a table whose columns are the keys of all objects."""
    columns = list(dict.fromkeys(key for row in rows for key in row.values))
    return Table(
        path,
        columns,
        [
            row._replace(values=[row.values.get(name) for name in columns])
            for row in rows
        ],
    )


FORMS = {"tsv": _tsv, "csv": _csv, "jsonl": _json_lines}
