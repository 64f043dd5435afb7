"""The bodies of requests, as /openapi.json describes them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from finetuning import masks

Name = Annotated[
    str | None,
    Field(
        max_length=200,
        description="A model of /v1/models; the only one that can do it "
        "without this.",
    ),
]
Text = str
Input = (
    Text
    | Annotated[list[Text], Field(min_length=1, max_length=64)]
    | Annotated[dict[str, Text], Field(min_length=1, max_length=8)]
)


class _Form(BaseModel):
    # What is misspelt is told, and nothing is made into something else.
    model_config = ConfigDict(extra="forbid", strict=True)


class PredictForm(_Form):
    """Inputs for a fine-tuned model, answered as tools.predict does."""

    inputs: Annotated[
        list[Input],
        Field(
            min_length=1,
            description="Each a text; [a, b] or {text_a, text_b} for a model "
            "of pairs; {question, context} for one of answers. Tabs and line "
            "ends in a text count as spaces.",
            examples=[["这家店的菜很好吃"]],
        ),
    ]
    model: Name = None


class EmbeddingsForm(_Form):
    """Texts for vectors, in the form of OpenAI's clients."""

    input: Annotated[
        Text | Annotated[list[Text], Field(min_length=1)],
        Field(description="A text or several.", examples=["今天天气很好"]),
    ]
    model: Name = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[
        int | None, Field(description="The model's own width, if it is given.")
    ] = None
    user: Annotated[
        str | None, Field(description="OpenAI's; it makes no difference.")
    ] = None
    pooling: Annotated[
        Literal["cls", "mean", "mean_all", "max"] | None,
        Field(
            description="What is made of the tokens: mean and max leave out "
            "[CLS] and [SEP]. As the model's own files say without this."
        ),
    ] = None
    layers: Annotated[
        str | list[int] | int | None,
        Field(
            description="Layers, from -1, the last one, on; several are "
            "joined.",
            examples=["-1"],
        ),
    ] = None
    normalize: Annotated[
        bool | None, Field(description="Whether vectors are of length 1.")
    ] = None
    truncate: Annotated[
        bool, Field(description="Whether a long text is cut, or refused.")
    ] = False

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input

    @property
    def written_layers(self) -> str | None:
        """The layers as --layers writes them."""
        if self.layers is None or isinstance(self.layers, str):
            return self.layers
        several = (
            self.layers if isinstance(self.layers, list) else [self.layers]
        )
        return ",".join(map(str, several))


class FillMaskForm(_Form):
    """Texts with masks."""

    inputs: Annotated[
        list[Text],
        Field(
            min_length=1,
            description="Texts with [MASK] or 【？】 in them.",
            examples=[["今天的天气很【？】"]],
        ),
    ]
    top_k: Annotated[int, Field(ge=1, le=masks.MOST_WORDS)] = 5
    model: Name = None


class Failure(BaseModel):
    """What is said of an error."""

    message: str
    type: str
    param: str | None
    code: str | None


class Failed(BaseModel):
    """Every answer of status 4xx and 5xx."""

    error: Failure
