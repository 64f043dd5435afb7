"""Builds of small texts, with what they warned of and printed."""

import logging

from data.building import build
from tests import project
from tests.data import built


def text_of(documents):
    """Lines with blank lines between documents, which are lists of lines."""
    return "\n".join("".join(f"{x}\n" for x in lines) for lines in documents)


class Builder:
    """Builds records; returns (manifest, warnings, summary).

    The vocabulary has a row for each character, unless `rows` are given.
    """

    def __init__(self, directory, caplog, capsys):
        self.path = directory / "text.txt"
        self._caplog = caplog
        self._capsys = capsys

    def build(self, text, rows=None, **flags):
        self._caplog.clear()
        if text is not None:
            self.path.write_text(text, encoding="utf-8")
            rows = rows or sorted(set(text) - set("\n "))
            flags["vocab_file"] = project.write_vocabulary(
                self.path.parent, rows, "v.txt"
            )
        flags = {"dupe_factor": 1, "overwrite": True} | flags
        flags = {"input_file": str(self.path)} | flags
        settings = built.make_config(self.path.parent, **flags)
        manifest = build.build(settings)
        return manifest, self.warnings(), self._capsys.readouterr().out

    def warnings(self):
        """What was warned of in the last build."""
        return [
            record.getMessage()
            for record in self._caplog.records
            if record.levelno == logging.WARNING
        ]
