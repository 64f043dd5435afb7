"""What a budget buys: the arithmetic of a plan, of numbers alone.

A pace of one size, measured, says what the machine does a second; what a larger
size would have of it follows from its arithmetic. The largest size is taken
that still sees enough tokens.

    tokens = pace x seconds          pace = FLOP a second / FLOP a token
    enough = TOKENS_PER_PARAMETER x parameters of the layers
"""

import dataclasses

SEQUENCE = 128
VOCABULARY = 8000
MASKED = 0.3

# Assumed. Measured is one size: the loss of 4 x 256 (3.1 M parameters in its
# layers) was still falling fast after 5 M tokens.
TOKENS_PER_PARAMETER = 1.0
# Peaks: of 1e-3, 2e-3, 3e-3 and 4e-3 the first was best at this width; by 1 /
# width for others, and twice as much at most, which is assumed.
RATE, RATE_WIDTH, MOST_RATE = 1e-3, 256, 2e-3
# A corpus is gone through so often before dropout is worth its noise: assumed.
EPOCHS_WITHOUT_DROPOUT = 10
# A batch is doubled or halved for the steps to lie between these: assumed. It
# takes some 600 steps to see more in a text than how frequent words are.
FEWEST_STEPS, MOST_STEPS = 2_000, 20_000
SMALLEST_BATCH, USUAL_BATCH = 16, 32
# The first steps are of short sequences, twice as many, of half as many tokens:
# measured at 4 x 256, 10 M tokens, where .22 of the steps was as good.
SHORT_SEQUENCE, SHORT_SHARE, SHORT_FACTOR = 32, 0.34, 2
# Tokens of a step for each sequence of the batch, in the mean over the steps.
TOKENS_OF_SEQUENCE = (
    SHORT_SHARE * SHORT_FACTOR * SHORT_SEQUENCE + (1 - SHORT_SHARE) * SEQUENCE
)


@dataclasses.dataclass(frozen=True)
class Size:
    """The layers of a BERT."""

    layers: int
    width: int
    heads: int

    @property
    def name(self) -> str:
        return f"{self.layers}x{self.width}"

    @property
    def num_parameters(self) -> int:
        """Those of the matrices of the layers."""
        return 12 * self.layers * self.width**2

    @property
    def flops_per_token(self) -> float:
        """The arithmetic of training on a token of a full sequence."""
        layers = self.layers * self.width * (12 * self.width + 2 * SEQUENCE)
        words = MASKED * (self.width + VOCABULARY) * self.width
        return 6.0 * (layers + words)

    @property
    def enough_tokens(self) -> float:
        return TOKENS_PER_PARAMETER * self.num_parameters

    @property
    def learning_rate(self) -> float:
        return min(MOST_RATE, RATE * RATE_WIDTH / self.width)


SIZES = (
    Size(2, 128, 2),
    Size(4, 256, 4),
    Size(4, 512, 8),
    Size(8, 512, 8),
    Size(12, 768, 12),
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """A size, and how long it is trained.

    Args:
        size: of the model.
        tokens_per_second: its pace.
        seconds: there are for training.
        corpus_tokens: of an epoch.
        model_type: whether positions are embeddings, "bert", or turns of
            queries and keys, "roformer".
    """

    size: Size
    tokens_per_second: float
    seconds: float
    corpus_tokens: int
    model_type: str = "bert"

    @property
    def num_tokens(self) -> float:
        return self.tokens_per_second * self.seconds

    @property
    def batch_size(self) -> int:
        batch = USUAL_BATCH
        while self._steps(batch) > MOST_STEPS:
            batch *= 2
        while self._steps(batch) < FEWEST_STEPS and batch > SMALLEST_BATCH:
            batch //= 2
        return batch

    @property
    def num_steps(self) -> int:
        return max(1, int(self._steps(self.batch_size)))

    @property
    def stages(self) -> str:
        """What --stages says."""
        more = SHORT_FACTOR * self.batch_size
        rest = round(1 - SHORT_SHARE, 6)
        return (
            f"{SHORT_SEQUENCE}x{more}:{SHORT_SHARE:g},"
            f"{SEQUENCE}x{self.batch_size}:{rest:g}"
        )

    def _steps(self, batch):
        return self.num_tokens / (batch * TOKENS_OF_SEQUENCE)

    @property
    def num_epochs(self) -> float:
        return self.num_tokens / self.corpus_tokens

    @property
    def dropout(self) -> float:
        return 0.1 if self.num_epochs > EPOCHS_WITHOUT_DROPOUT else 0.0

    @property
    def bert_config(self) -> dict[str, object]:
        """What bert_config.json says."""
        rotates = self.model_type == "roformer"
        return {
            **({"model_type": self.model_type} if rotates else {}),
            "attention_probs_dropout_prob": self.dropout,
            "hidden_act": "gelu_exact" if rotates else "gelu",
            "hidden_dropout_prob": self.dropout,
            "hidden_size": self.size.width,
            "initializer_range": 0.02,
            "intermediate_size": 4 * self.size.width,
            "max_position_embeddings": 512,
            "num_attention_heads": self.size.heads,
            "num_hidden_layers": self.size.layers,
            "type_vocab_size": 2,
            "vocab_size": VOCABULARY,
        }


def expected_pace(
    size: Size, measured: Size, tokens_per_second: float
) -> float:
    """Returns the pace of a size where that of another was measured."""
    return tokens_per_second * measured.flops_per_token / size.flops_per_token


def larger(size: Size, tokens_per_second: float, seconds: float) -> Size | None:
    """Returns the next size, if it is expected to see enough tokens."""
    place = SIZES.index(size) + 1
    if place == len(SIZES):
        return None
    following = SIZES[place]
    pace = expected_pace(following, size, tokens_per_second)
    return following if pace * seconds >= following.enough_tokens else None


def table(measured: Size, tokens_per_second: float, seconds: float) -> str:
    """Returns, of each size, its pace, its tokens, and what is enough."""
    lines = [
        f"{'size':<8}{'M parameters':>13}{'tokens/s':>10}{'M tokens':>10}"
        f"{'M enough':>10}"
    ]
    for size in SIZES:
        pace = expected_pace(size, measured, tokens_per_second)
        lines.append(
            f"{size.name:<8}{size.num_parameters / 1e6:>13.1f}{pace:>10,.0f}"
            f"{pace * seconds / 1e6:>10.1f}{size.enough_tokens / 1e6:>10.1f}"
            + ("  measured" if size == measured else "")
        )
    return "\n".join(lines)
