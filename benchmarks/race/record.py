"""What is kept of a race: table, picture, numbers, commands, flag files."""

import json
import os
import shlex
from collections.abc import Sequence

from benchmarks.race import curves, records, table
from benchmarks.race.contenders import Contender
from benchmarks.race.jobs_in_turn import Job
from pages import charts
from storage import file_io

_DIGITS = 6


def write(
    directory: str,
    contenders: Sequence[Contender],
    runs: table.Runs,
    text: str,
    jobs: Sequence[Job],
    data_dir: str,
) -> None:
    """Writes a record that is small enough to be kept with the code.

    Args:
        directory: where.
        contenders: who ran.
        runs: what they gave.
        text: the tables.
        jobs: what was run.
        data_dir: of the records; the commands that made them are kept, too.
    """
    file_io.make_directory(directory)

    def put(name, content):
        file_io.write_whole(os.path.join(directory, name), content.encode())

    put("table.md", text)
    put("curves.svg", picture(runs))
    put("curves.json", _numbers(runs))
    made_by = os.path.join(data_dir, records.COMMANDS)
    commands = [shlex.join(["python", *job.arguments]) for job in jobs]
    if os.path.exists(made_by):
        made = file_io.read_bytes(made_by).decode().strip()
        # As the runs call the folder, wherever it was.
        commands.insert(0, made.replace(data_dir.rstrip("/"), "records"))
    put("commands.txt", "\n".join(commands) + "\n")
    for contender in contenders:
        put(
            f"{contender.name}.flags",
            file_io.read_bytes(contender.path).decode(),
        )


def picture(runs: table.Runs) -> str:
    """Draws the held-out loss over processor seconds, and over arithmetic."""
    return charts.standalone(
        [
            charts.lines(
                {
                    name: [
                        list(zip(c[column], c[curves.LOSS], strict=True))
                        for c in own
                    ]
                    for name, own in runs.items()
                },
                x_name=x_name,
                y_name="held-out masked_lm_loss",
            )
            for column, x_name in (
                (curves.SECONDS, "processor seconds"),
                (curves.TERAFLOPS, "model TFLOP"),
            )
        ]
    )


def _numbers(runs):
    """A line of JSON for each curve: {contender: [curves]}."""
    rounded = {
        name: [
            {
                column: [float(f"{x:.{_DIGITS}g}") for x in values]
                for column, values in curve.items()
            }
            for curve in own
        ]
        for name, own in runs.items()
    }
    blocks = [
        f"{json.dumps(name)}: [\n"
        + ",\n".join(json.dumps(curve) for curve in own)
        + "\n]"
        for name, own in rounded.items()
    ]
    return "{\n" + ",\n".join(blocks) + "\n}\n"
