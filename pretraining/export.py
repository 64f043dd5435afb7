"""What a pretraining leaves for others: export/, as models are published.

That is bert_model.ckpt of the newest weights, without an optimizer,
bert_config.json, and vocab.txt or the files of another kind of tokenizer.
"""

import os
import pathlib
import re
from collections.abc import Sequence

import numpy as np
from absl import logging

from data.feeding.record_files import RecordFile
from interop import tf1
from interop.variables import PortableModel
from modeling.config import BertConfig
from pretraining.config import PretrainingConfig
from pretraining.objective import Network, PretrainingObjective
from storage import file_io, json_files
from text import case, vocab, vocabularies
from text.vocab import Vocabulary

FOLDER = "export"
_OURS = pathlib.Path(__file__).parents[1] / "vocab"
_IS_VOCABULARY = re.compile(r"vocab.*\.txt")


def vocabulary_hashes(files: Sequence[RecordFile]) -> set[str]:
    """Returns the sha256 of the vocabularies that records were built with."""
    hashes = {file.facts.made_from.vocab_sha256 for file in files}
    return {sha256 for sha256 in hashes if sha256}


def find_vocabulary(
    config: PretrainingConfig, files: Sequence[RecordFile], bert: BertConfig
) -> Vocabulary | None:
    """Finds the vocabulary that the records were built with.

    Without a flag that names it, it is looked for beside the records, the
    config and the checkpoint to start from, and in vocab/ of this project, and
    known by the hash in the records' manifest.

    Args:
        config: names the files to look at, and beside.
        files: the records.
        bert: the shape of the model.

    Returns:
        None where it is not found.

    Raises:
        ValueError: the flag names another vocabulary.
    """
    wanted = vocabulary_hashes(files)
    if config.vocabulary_path:
        vocabulary = vocabularies.load(config)
        _check(vocabulary, config.vocabulary_flag, wanted, bert)
        return vocabulary
    if len(wanted) != 1:
        return None
    for path in _candidates(
        files, config.bert_config_file, config.init_checkpoint
    ):
        found = _read(path)
        if found and found.sha256 in wanted:
            return found
    return None


def _check(vocabulary, flag, wanted, bert):
    others = sorted(wanted - {vocabulary.sha256})
    if others:
        raise ValueError(
            f"--{flag}={vocabulary.path} has the sha256 "
            f"{vocabulary.sha256}, the records were built with {others[0]}; "
            "name that file, or leave the flag out"
        )
    if len(vocabulary) > bert.vocab_size:
        raise ValueError(
            f"--{flag}={vocabulary.path} has {len(vocabulary)} rows, more "
            f"than vocab_size={bert.vocab_size} in --bert_config_file"
        )


def _candidates(files, bert_config_file, init_checkpoint):
    folders = {os.path.dirname(file.path) for file in files}
    folders.add(os.path.dirname(bert_config_file))
    if init_checkpoint:
        folders |= {os.path.dirname(init_checkpoint), init_checkpoint}
    return [
        os.path.join(folder, name)
        for folder in (*sorted(folders), str(_OURS))
        for name in file_io.names_in(folder or ".")
        if _IS_VOCABULARY.fullmatch(name)
        or name in vocabularies.FILES
        or name.endswith(".model")
        or (folder == str(_OURS) and name.endswith(".txt"))
    ]


def _read(path):
    """The vocabulary in a file; None of other files."""
    try:
        return vocabularies.read(path)
    except (ValueError, OSError):
        return None


def write(
    output_dir: str,
    objective: PretrainingObjective,
    vocabulary: Vocabulary | None,
    files: Sequence[RecordFile],
) -> None:
    """Writes export/ of --output_dir, unless it is there with these weights.

    The index of its checkpoint appears last: without it, it does not exist.

    Args:
        output_dir: of the run.
        objective: what was trained.
        vocabulary: of `find_vocabulary`.
        files: the records that were trained on.
    """
    directory = os.path.join(output_dir, FOLDER)
    # The first network last, as without its index there is no export/.
    for network in reversed(objective.networks):
        folder = os.path.join(directory, network.folder).rstrip("/")
        file_io.remove_leftovers(folder)
        _write_network(folder, network, vocabulary)
        _write_case(folder, files)
    if not vocabularies.find_in(directory):
        logging.warning(
            "%s lacks %s, as none was found with the hash that the records' "
            "manifest has: copy it there, or give the same command with "
            "--vocab_file",
            directory,
            vocab.FILE,
        )


def _write_network(
    directory: str, network: Network, vocabulary: Vocabulary | None
) -> None:
    values = {name: x.numpy() for name, x in network.variables.items()}
    model = PortableModel(
        config=network.architecture,
        head=network.head,
        values=values,
        tokenizer=dict(vocabulary.files) if vocabulary else {},
    )
    if not _is_there(directory, model):
        tf1.export(directory, model)
        logging.info("%s: the model, as models are published", directory)


def _write_case(directory, files):
    """Writes whether the model is uncased, as the records' builds were."""
    flags = [file.facts.made_from.flags for file in files]
    cases = {f["do_lower_case"] for f in flags if "do_lower_case" in f}
    if len(cases) == 1:
        path = os.path.join(directory, case.TOKENIZER_CONFIG)
        json_files.write(path, {"do_lower_case": cases.pop()})


def _is_there(directory, model):
    try:
        found = tf1.read(directory)
    except ValueError:
        return False
    return (
        model.tokenizer in ({}, found.tokenizer)
        and found.config == model.config
        and found.values.keys() == model.values.keys()
        and all(
            np.array_equal(found.values[name], value)
            for name, value in model.values.items()
        )
    )
