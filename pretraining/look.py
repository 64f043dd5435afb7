"""A first look at the files: what is known without TensorFlow."""

from data import manifest
from data.feeding import manifest_checks
from interop import look
from pretraining.config import PretrainingConfig
from storage import inputs
from text import vocabularies


def at_files(config: PretrainingConfig) -> None:
    """Looks for the files of a run, and at what their manifests say.

    Raises:
        ValueError: one is missing or does not fit the flags; names the flag.
    """
    shape = look.at_model(
        config,
        max_seq_length=config.max_seq_length,
        output_dir=config.output_dir,
    )
    if config.teacher_dir:
        look.check_weights(config.teacher_dir, "teacher_dir")
    if config.vocabulary_path:
        vocabularies.find(config)
    is_evaluated = config.do_eval or config.eval_every_steps
    if config.stages is None:
        _look_at_records(config.input_file, "input_file", config, shape)
    else:
        for patterns in config.input_sets:
            inputs.look(patterns, "input_file")
    if is_evaluated and config.eval_input_file:
        _look_at_records(
            config.eval_input_file, "eval_input_file", config, shape
        )


def _look_at_records(patterns, flag, config, shape):
    vocab_size = shape.get("vocab_size")
    finder = manifest.Finder()
    for path in inputs.look(patterns, flag):
        beside = finder.of(path)
        if beside and isinstance(vocab_size, int):
            manifest_checks.check(
                path,
                beside,
                max_seq_length=config.max_seq_length,
                max_predictions_per_seq=config.max_predictions_per_seq,
                vocab_size=vocab_size,
            )
