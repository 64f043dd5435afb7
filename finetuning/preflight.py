"""What can be known to be wrong before anything is computed."""

from interop import bert_config, start
from text import case, vocab
from training import checkpoint


def read_bert_config(config):
    """Reads --bert_config_file and checks it against the other flags."""
    bert = start.read_config(
        config.bert_config_file, max_seq_length=config.max_seq_length
    )
    vocabulary = vocab.load(config.vocab_file)
    num_rows = len(vocabulary)
    if num_rows > bert.vocab_size:
        raise ValueError(
            f"--vocab_file={config.vocab_file} has {num_rows} rows, "
            f"{config.bert_config_file} has vocab_size={bert.vocab_size}: they "
            f"are not of one model. {bert_config.offer(config, num_rows)}"
        )
    case.check(vocabulary, config.do_lower_case)
    return bert


def check_batch_sizes(config, devices):
    """Checks that replicas and their parts can share a batch evenly."""
    replicas = devices.num_replicas_in_sync
    for name, parts in (
        ("train_batch_size", config.gradient_accumulation_steps),
        ("eval_batch_size", 1),
        ("predict_batch_size", 1),
    ):
        in_parts = f" in {parts} parts each" if parts > 1 else ""
        if getattr(config, name) % (replicas * parts):
            raise ValueError(
                f"--{name}={getattr(config, name)} is the batch of all "
                f"{replicas} replicas together{in_parts} and must be a "
                f"multiple of {replicas * parts}"
            )


def initialize(config, made):
    """Takes the weights of --init_checkpoint; see `interop.start`."""
    return start.initialize(
        config.init_checkpoint,
        checkpoint.by_path(made.variables),
        made.config,
        config_file=config.bert_config_file,
        allow_partial=config.allow_partial_init,
    )
