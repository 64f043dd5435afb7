"""What was wanted of each question and what was given, as lines of a file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from finetuning.question_answering import answers, scores
from finetuning.question_answering.answers import Answer
from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.question_answering.examples import Example
from storage import json_files


def lines(
    examples: Sequence[Example],
    given: Sequence[Mapping[str, Any]],
    found: Sequence[Answer],
    config: QuestionAnsweringConfig,
) -> Iterator[str]:
    """Yields a line of JSON for each question.

    A question that is not scored has null for its scores.

    Args:
        examples: with answers, as far as they have any.
        given: what `Task.answers` says of each.
        found: with the candidates, of which "probability" is the share of the
            answer that was given.
        config: of the run.
    """
    version_2 = config.version_2_with_negative
    contexts = (example.context for example in examples)
    pairs = scores.of_each(
        examples,
        [answer["answer"] for answer in given],
        metric=scores.choose_metric(config.answer_metric, contexts),
        version_2=version_2,
    )
    for example, answer, one, pair in zip(
        examples, given, found, pairs, strict=True
    ):
        best = answers.n_best(one, config.n_best_size, version_2=version_2)
        shares = {x["text"]: x["probability"] for x in best}
        exact, f1 = pair or (None, None)
        yield json_files.line(
            {
                "id": example.id,
                "question": example.question,
                "context": example.context,
                "wanted": [*example.answers],
                **answer,
                "probability": shares.get(answer["answer"]),
                "exact_match": exact,
                "f1": f1,
            }
        )
