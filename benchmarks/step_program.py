"""The training step of one replica as HLO, from the flags of a training."""

import dataclasses
import os
from typing import Annotated, Literal

# A GPU of this machine has no part in this; read at TensorFlow's import.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402

from data import records  # noqa: E402
from modeling.config import BertConfig  # noqa: E402
from pretraining import config as pretraining_config  # noqa: E402
from pretraining import objectives, train  # noqa: E402
from training.trainer import Trainer  # noqa: E402


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepConfig(pretraining_config.PretrainingConfig):
    """The flags of run_pretraining, as far as the step goes."""

    mixed_precision: Annotated[
        Literal["bfloat16", "float16", "none"],
        "What matrices are multiplied in, as run_pretraining's.",
    ] = "bfloat16"
    input_file: Annotated[str, "Not read."] = ""
    output_dir: Annotated[str, "Not written."] = ""
    do_train: Annotated[bool, "Not read."] = True


class StepProgram:
    """The step that a training with some flags runs.

    Args:
        config: a `PretrainingConfig`; its batch is that of the replica.
        bert: the shape of the model.
    """

    def __init__(
        self, config: pretraining_config.PretrainingConfig, bert: BertConfig
    ):
        self._config = config
        self.objective = objectives.make(config, bert, config.mixed_precision)
        self.trainer = Trainer(
            config,
            tf.distribute.get_strategy(),
            self.objective,
            train.make_schedule(config),
            seed=config.seed,
        )
        # Of the batch alone: an option with a default has no HLO.
        self.run = tf.function(
            lambda batch: self.trainer.replica_step(batch), jit_compile=True
        )

    def hlo(self) -> bytes:
        """Returns the HLO, serialised."""
        make_hlo = self.run.experimental_get_compiler_ir(self.empty_batch())
        # Not "TPU" or "GPU": TensorFlow then wants a device to read the
        # variables from. HLO is of no platform; only kernels that ask for the
        # device could differ.
        return make_hlo(stage="hlo_serialized", platform_name="CPU")

    def empty_batch(self) -> dict[str, tf.Tensor]:
        """Returns a batch of zeros in the shapes of the records."""
        lengths = {1: ()} | {
            name: (getattr(self._config, name),)
            for name in (records.SEQUENCE, records.PREDICTIONS)
        }
        return {
            feature.name: tf.zeros(
                (self._config.train_batch_size, *lengths[feature.length]),
                tf.float32 if feature.kind == "float32" else tf.int32,
            )
            for feature in records.PRETRAINING_FEATURES
        }

    @property
    def state_bytes(self) -> int:
        """Bytes of the weights and of the optimizer's state."""
        state = [*self.objective.saved, *self.trainer.optimizer.variables]
        return sum(
            variable.value.dtype.size * variable.value.shape.num_elements()
            for variable in state
        )

    @property
    def flops(self) -> float:
        """Flops of the model's own arithmetic in a step."""
        config = self._config
        return config.train_batch_size * self.objective.training_flops(
            config.max_seq_length, config.max_predictions_per_seq
        )
