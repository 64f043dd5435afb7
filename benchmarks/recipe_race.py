"""Races recipes of pretraining: the same text, model and judge for all.

A contender is a flag file of run_pretraining.py, which reads `records/...` and
`model/dropout.json` or `model/no_dropout.json`: the race puts them there. They
are BERT's; `electra_` and `distilbert_` before these names are those families'.
Every contender runs with every seed, a few a time, each a process that is
given again where it was stopped: so is the race. What is held out is evaluated
on the way and at the end; processor seconds are those of the training steps
alone.

python -m benchmarks.recipe_race_data --input_file=TEXT --output_dir=records
python -m benchmarks.recipe_race --contenders=configs/pretrain/race \\
    --data_dir=records --output_dir=race --tokens=10,000,000 --cores=0,1
"""

import os

import config_flags
from benchmarks.race import (
    contenders,
    curves,
    finetunings,
    jobs_in_turn,
    programme,
    record,
    table,
)
from benchmarks.race.config import RaceConfig, items
from benchmarks.race.contenders import Contender
from benchmarks.race.programme import SINGLE
from storage import inputs, json_files
from text import vocabularies
from training import results_file


def run(config: RaceConfig) -> None:
    """Runs what is not done, and says how it ended."""
    racing = contenders.read(config.contenders)
    names = [contender.name for contender in racing]
    against = items(config.against) or names
    if unknown := set(against) - set(names):
        raise ValueError(f"--against: no contender {min(unknown)!r}")
    inputs.check_file(config.bert_config_file, "bert_config_file")
    vocabularies.check_word_pieces(config.vocab_file)
    shape = json_files.read(config.bert_config_file)
    programme.prepare(config, shape)
    jobs = programme.jobs(config, racing)
    cores = list(map(int, items(config.cores)))
    failed = jobs_in_turn.run(jobs, config.output_dir, cores)
    runs = {one.name: _curves(config, one, shape) for one in racing}
    runs = {name: own for name, own in runs.items() if own}
    if not runs:
        raise ValueError("no contender came to an evaluation; see above")
    text = table.markdown(
        runs,
        {name: _scores(config, name) for name in runs},
        [name for name in against if name in runs],
    )
    directory = config.record_dir or os.path.join(config.output_dir, "record")
    record.write(directory, racing, runs, text, jobs, config.data_dir)
    print(table.plain(text))
    print(f"kept in {directory}")
    if failed:
        raise ValueError(f"{len(failed)} failed, the first: {failed[0].name}")


def _curves(config: RaceConfig, contender: Contender, shape: dict) -> list:
    """Returns the curve of each seed, as far as it has come."""
    update = 0.0
    if contender.value("optimizer") == "muon":
        update = curves.newton_schulz_teraflops(shape)
    folders = [
        os.path.join(config.output_dir, programme.run_dir(contender.name, seed))
        for seed in items(config.seeds)
    ]
    found = [curves.read(folder, update_teraflops=update) for folder in folders]
    return [curve for curve in found if curve]


def _scores(config: RaceConfig, name: str) -> dict[str, list[float]]:
    """Returns {what: the numbers of all seeds} beside the held-out pairs."""
    wanted = {SINGLE: curves.LOSS} | {
        task: finetunings.TUNINGS[task].score for task in items(config.finetune)
    }
    scores: dict[str, list[float]] = {}
    for what, number in wanted.items():
        for seed in items(config.seeds):
            folder = programme.scored_dir(what, name, seed)
            found = results_file.read(os.path.join(config.output_dir, folder))
            if number in found:
                scores.setdefault(what, []).append(found[number])
    return scores


if __name__ == "__main__":
    config_flags.run(run, RaceConfig)
