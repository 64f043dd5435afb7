/**
 * What models are asked, a form for each question.
 *
 * A form is {title, hint, action, fields, examples, ask, show}: `ask` makes
 * the request of what the fields hold, `show` what `answers.js` returns of the
 * response.
 */

import { ANSWERS, filled, masks, similar } from "./answers.js";
import { EXAMPLES } from "./words.js";

const TOP_WORDS = 5;
const FEWEST_CHOICES = 2;

/** Returns the forms of a model, as far as the server says it can. */
export function formsOf(model, words) {
  const can = new Set(model.can);
  const forms = [];
  if (can.has("predict") && model.kind in ANSWERS) {
    forms.push(predict(model, words));
  }
  if (can.has("fill-mask")) forms.push(fill(model, words));
  if (can.has("embeddings")) forms.push(compare(model, words));
  return forms;
}

function predict(model, words) {
  const { kind } = model;
  // A model of choices takes as many as it was trained with.
  const known = model.labels?.length ?? 0;
  const twoTexts = [
    { name: words.first, long: true }, { name: words.second, long: true },
  ];
  const fields = {
    pair_labels: twoTexts,
    choices: [
      { name: words.text, long: true },
      ...Array.from({ length: known || FEWEST_CHOICES }, (_, n) => (
        { name: words.choice(n + 1) }
      )),
    ],
    answers: [{ name: words.question }, { name: words.context, long: true }],
  }[kind] ?? [{ name: words.text, long: true }];
  const input = (values) => {
    if (kind === "answers") return { question: values[0], context: values[1] };
    return values.length > 1 ? values : values[0];
  };
  return {
    name: "predict",
    title: words.titles[kind],
    action: words.run,
    fields,
    more: kind === "choices" && !known ? words.choice : null,
    examples: EXAMPLES[kind],
    ask: (ask, values) => ask(
      "v1/predict", { model: model.id, inputs: [input(values)] },
    ),
    show: ({ answers }, values, context) => (
      ANSWERS[kind](
        answers[0], input(values), { ...context, labels: model.labels ?? [] },
      )
    ),
  };
}

function fill(model, words) {
  return {
    name: "fill",
    title: words.fillTitle,
    hint: words.fillHint,
    action: words.fill,
    fields: [{ name: words.sentence, long: true }],
    insert: { name: words.addMask, text: "【？】" },
    examples: EXAMPLES.fill,
    refuse: ([text]) => (masks(text).length ? null : words.noMask),
    ask: (ask, values) => ask(
      "v1/fill-mask", { model: model.id, inputs: values, top_k: TOP_WORDS },
    ),
    show: ({ answers }, [text], context) => filled(answers[0], text, context),
  };
}

function compare(model, words) {
  return {
    name: "compare",
    title: words.similarTitle,
    hint: words.similarHint,
    action: words.compare,
    fields: [{ name: words.first }, { name: words.second }],
    examples: EXAMPLES.similar,
    ask: (ask, values) => ask(
      "v1/embeddings", { model: model.id, input: values },
    ),
    show: ({ data }, values, context) => {
      const vectors = [...data]
        .sort((a, b) => a.index - b.index)
        .map(({ embedding }) => embedding);
      return similar(vectors, values, context);
    },
  };
}
