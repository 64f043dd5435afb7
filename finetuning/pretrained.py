"""A pretrained encoder that is used as it is: vectors, and masked words.

    encoder = Pretrained("output/pretrained")
    encoder.vectors(["今天天气很好", "a fine day"], pooling="mean")  # [2, W]
    encoder.fill(["今天的天气很【？】"], top_k=3)

Shapes: N texts, P masks of a text, T tokens, W width, V vocabulary, K words.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from finetuning import masks
from finetuning.classification import rows as text_rows
from finetuning.compiled import MOST_ROWS_ON_CPU, Predicting
from finetuning.features import LayerFeatures
from finetuning.prediction import Predictor
from finetuning.task import Rows
from interop import formats, look
from interop.network import Network
from modeling import families
from storage import file_io, json_files
from text import vocabularies
from text.tokenization import Tokenizer
from training import strategy
from training.config import Device, DeviceSettings

_EXPORT = "export"
_CONFIGS = ("bert_config.json", "config.json")
_LONGEST = 512
# How sentence-transformers says what a model's vectors are, in our words.
_POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean_all",
}


class Pretrained:
    """An encoder of any format, with its vocabulary.

    Args:
        directory: an --output_dir of run_pretraining.py or its export/, a
            folder of google-research/bert, Hugging Face or KerasHub.
        max_seq_length: tokens of a row; as many as the model was made for
            without it, 512 at most.
        batch_size: texts computed at once; see `MOST_ROWS_ON_CPU`.
        device: as --device says.

    Raises:
        ValueError: it is none of these, or its files do not belong together.
    """

    def __init__(
        self,
        directory: str,
        *,
        max_seq_length: int | None = None,
        batch_size: int = MOST_ROWS_ON_CPU,
        device: Device = "auto",
    ):
        folder = folder_of(directory)
        self._devices = strategy.create(DeviceSettings(device=device))
        with self._devices.scope():
            model = formats.read(folder)
            self._network = Network(model)
        found = vocabularies.find_in(folder)
        if found is None:
            raise ValueError(f"{folder} has no file of a vocabulary")
        self.config = model.config
        self.vocabulary = vocabularies.read(found)
        self.pooling, self.normalize, longest = _sentence_settings(folder)
        most = model.config.num_positions
        self.max_seq_length = max_seq_length or min(longest, most)
        look.check_length(folder, self.max_seq_length, most)
        family = families.FAMILIES[model.config.model_type]
        self.fills_masks = model.head == "masked_lm" or (
            model.head == "pretraining" and not family.discriminator
        )
        self._batch_size = batch_size
        self._folder = folder
        self._tokenizer = Tokenizer(self.vocabulary, model.do_lower_case)
        self._predictors: dict[Any, Predictor] = {}

    @property
    def weights(self) -> Sequence[Any]:
        """The variables of the encoder and of its head."""
        return [*self._network.weights.values()]

    def rows(self, texts: Sequence[str], *, truncate: bool = True) -> Rows:
        """Returns the rows of texts, as extract_features.py makes them.

        Args:
            texts: of any length.
            truncate: whether one that is too long is cut, or refused.

        Raises:
            ValueError: one is too long; says which and how long.
        """
        if not truncate:
            self._check_lengths(texts)
        return text_rows.make(
            [(text, None) for text in texts],
            self._tokenizer,
            self.vocabulary,
            max_seq_length=self.max_seq_length,
            truncation="head",
        )

    def _check_lengths(self, texts):
        lines = "\n".join(text.replace("\n", " ") for text in texts)
        lengths = np.diff(self._tokenizer.tokenize(lines)[1])
        lengths += self.vocabulary.layout.num_special(False)
        for number, length in enumerate(lengths.tolist()):
            if length > self.max_seq_length:
                raise ValueError(
                    f"input {number} has {length} tokens, more than the "
                    f'{self.max_seq_length} of the model: "truncate": true '
                    "cuts it"
                )

    def vector_model(
        self, layers: str = "-1", pooling: str = "mean", normalize: bool = False
    ) -> LayerFeatures:
        """Returns what computes {"values": [N, W]}; several layers are joined.

        Raises:
            ValueError: there is no such layer.
        """
        return LayerFeatures(
            self._network.encode,
            self.config.num_hidden_layers,
            (self.vocabulary.roles.cls, self.vocabulary.roles.sep),
            layers=layers,
            combine="concat",
            pooling=pooling,
            normalize=normalize,
        )

    def vectors(
        self,
        texts: Sequence[str],
        *,
        layers: str = "-1",
        pooling: str = "mean",
        normalize: bool = False,
    ) -> np.ndarray:
        """Returns a vector of each text, float32 [N, W], or [N, layers * W].

        Args:
            texts: one that is too long is cut.
            layers: as --layers of extract_features.py writes them.
            pooling: as its --pooling has it: cls, mean, mean_all, max.
            normalize: whether they are made of length 1.

        Raises:
            ValueError: there is no such layer.
        """
        options = (layers, pooling, normalize)
        if options not in self._predictors:
            self._predictors[options] = self._predictor(
                self.vector_model(*options)
            )
        if not texts:
            return np.zeros((0, self.config.hidden_size), np.float32)
        return self._predictors[options].outputs(self.rows(texts))["values"]

    def mask_model(self) -> masks.MaskModel:
        """Returns what computes the likeliest words of masked rows.

        Raises:
            ValueError: the model has no head of masked words.
        """
        if not self.fills_masks:
            raise ValueError(
                f"{self._folder} has no head of masked words: it fills no masks"
            )
        return masks.MaskModel(self._network, len(self.vocabulary))

    def masked_rows(self, texts: Sequence[str]) -> Rows:
        """Returns rows of texts with masks in them; see `masks.make_rows`."""
        return masks.make_rows(
            texts, self._tokenizer, self.vocabulary, self.max_seq_length
        )

    def fill(
        self, texts: Sequence[str], *, top_k: int = 5
    ) -> list[list[dict[str, Any]]]:
        """Returns the likeliest words for each mask of each text.

        Args:
            texts: with [MASK] or 【？】 in them.
            top_k: how many words, `masks.MOST_WORDS` at most.

        Returns:
            For each text and each of its masks {"position": its first
            character, "words": [{"token", "score"}]}, likeliest first.

        Raises:
            ValueError: a text has no mask, or too many; the model fills none.
        """
        if "masks" not in self._predictors:
            self._predictors["masks"] = self._predictor(self.mask_model())
        if not texts:
            return []
        outputs = self._predictors["masks"].outputs(self.masked_rows(texts))
        return masks.answers(texts, outputs, self.vocabulary, top_k)

    def _predictor(self, model: Predicting) -> Predictor:
        return Predictor(
            self._devices,
            model,
            batch_size=self._batch_size,
            group_by_length=True,
        )


def folder_of(directory: str) -> str:
    """Returns the folder with a model's shape: export/ of a pretraining's.

    Raises:
        ValueError: there is none.
    """
    for folder in (directory, os.path.join(directory, _EXPORT)):
        for name in _CONFIGS:
            if file_io.exists(os.path.join(folder, name)):
                return folder
    raise ValueError(
        f"{directory} has neither {' nor '.join(_CONFIGS)}, nor an {_EXPORT}/ "
        "with one: it is no directory of a model"
    )


def _sentence_settings(folder):
    """Returns (pooling, normalize, tokens) as sentence-transformers says it.

    Without its files mean and length 1, as vectors are compared by cosines.
    """

    def read(name, shape):
        return json_files.read_or_none(os.path.join(folder, name), shape) or {}

    longest = read("sentence_bert_config.json", dict).get("max_seq_length")
    if not isinstance(longest, int):
        longest = _LONGEST
    modules = read("modules.json", [dict])
    if not modules:
        return "mean", True, longest
    settings = read(os.path.join("1_Pooling", "config.json"), dict)
    chosen = [ours for key, ours in _POOLINGS.items() if settings.get(key)]
    is_known = len(chosen) == sum(
        value is True for name, value in settings.items() if "_mode_" in name
    )
    if len(chosen) != 1 or not is_known:
        raise ValueError(
            f"{folder}: its 1_Pooling/config.json asks for another pooling "
            f"than {' or '.join(_POOLINGS)}"
        )
    kinds = [str(module.get("type")) for module in modules]
    return chosen[0], any(x.endswith(".Normalize") for x in kinds), longest
