/** The card of a model: its shape, its training, its scores, its curve. */

import { el, svg } from "./dom.js";

const WIDTH = 400;
const HEIGHT = 190;
const LEFT = 40;
const FOOT = 26;
const MOST_TICKS = 5;

/** Returns the card; what the server does not know of a model is left out. */
export function cardOf(model, { words, numbers }) {
  const card = model.card ?? {};
  const facts = el("dl.facts");
  for (const [name, value] of factsOf(model, card, words, numbers)) {
    facts.append(el("dt", {}, name), el("dd", {}, value));
  }
  const parts = [
    el("h2", { id: "card" }, words.card),
    el("p.hint", {}, model.id),
    facts,
  ];
  const scores = scoresOf(card);
  if (scores.length) {
    const list = el("dl.facts");
    for (const [name, value] of scores) {
      list.append(el("dt", {}, name), el("dd", {}, written(value, numbers)));
    }
    parts.push(el("h3", {}, words.scores), list);
  }
  const lines = linesOf(card);
  if (lines[0].length > 1) {
    parts.push(el("h3", {}, words.curve), curve(lines, words, numbers));
  }
  return el("section.card", { "aria-labelledby": "card" }, ...parts);
}

function written(value, numbers) {
  return typeof value === "number" ? numbers.number(value) : String(value);
}

function factsOf(model, card, words, numbers) {
  const shape = card.shape ?? {};
  const held = heldOut(card);
  const layers = shape.layers ?? shape.num_hidden_layers;
  const width = shape.width ?? shape.hidden_size;
  const written = (value) => (
    typeof value === "number" ? numbers.whole(value) : value
  );
  const accuracy = held.masked_lm_accuracy;
  const rows = {
    kind: words.kinds[model.kind] ?? model.kind,
    family: card.family,
    layers: layers && width && `${layers} × ${width}`,
    heads: written(shape.heads ?? shape.num_attention_heads),
    positions: written(card.max_seq_length ?? shape.max_position_embeddings),
    vocabulary: written(card.vocabulary_rows ?? card.vocabulary),
    parameters: written(card.parameters),
    records: written(card.records),
    steps: written(card.steps),
    masked_lm_loss: held.masked_lm_loss?.toFixed(3),
    masked_lm_accuracy: accuracy && numbers.share(accuracy),
  };
  const facts = Object.entries(rows)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [words.facts[name], String(value)]);
  if (model.labels?.length) {
    facts.push([words.labels, model.labels.join(", ")]);
  }
  return facts;
}

/** Returns what a pretraining was on text that it did not see. */
function heldOut(card) {
  return card.held_out ?? card.scores ?? {};
}

/** Returns the scores that are not among the facts. */
function scoresOf(card) {
  return Object.entries(card.scores ?? {}).filter(
    ([name]) => !["masked_lm_loss", "masked_lm_accuracy"].includes(name),
  );
}

/**
 * Returns [[step, loss], ...] of training and of held-out text.
 *
 * A point of the server is such a pair, or a row of metrics.jsonl.
 */
function linesOf(card) {
  const points = card.curve ?? [];
  const pick = (prefix) => points.map((point) => (Array.isArray(point)
    ? (prefix ? [] : point)
    : [point.step, point[`${prefix}masked_lm_loss`] ?? point[`${prefix}loss`]]
  )).filter((pair) => pair.length === 2 && pair.every(Number.isFinite));
  return [pick(""), pick("eval_")];
}

/** Returns round numbers from below the least value to above the most. */
function ticks(least, most) {
  const range = most > least ? most - least : 1;
  const power = 10 ** Math.floor(Math.log10(range / MOST_TICKS));
  const step = power
    * [1, 2, 5, 10].find((n) => range / (n * power) <= MOST_TICKS);
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.ceil(most / step));
  return Array.from(
    { length: last - first + 1 }, (_, n) => (first + n) * step,
  );
}

function curve([training, held], words, numbers) {
  const all = [...training, ...held];
  const ys = all.map(([, y]) => y);
  const acrossTicks = ticks(0, Math.max(...all.map(([x]) => x)));
  const upTicks = ticks(Math.min(...ys), Math.max(...ys));
  const place = (value, marks, from, to) => (
    from + (to - from) * (value - marks[0]) / (marks.at(-1) - marks[0])
  );
  const across = (x) => place(x, acrossTicks, LEFT, WIDTH - 16).toFixed(1);
  const up = (y) => place(y, upTicks, HEIGHT - FOOT, 8).toFixed(1);
  const picture = svg("svg", {
    class: "curve",
    viewBox: `0 0 ${WIDTH} ${HEIGHT + 14}`,
    role: "img",
    "aria-label": said(training, held, words, numbers),
  });
  for (const y of upTicks) {
    picture.append(
      svg("path", { class: "axis", d: `M${LEFT} ${up(y)}H${WIDTH - 16}` }),
      svg("text", { x: LEFT - 6, y: +up(y) + 4, "text-anchor": "end" },
        numbers.number(y)),
    );
  }
  for (const x of acrossTicks) {
    picture.append(svg(
      "text", { x: across(x), y: HEIGHT - FOOT + 16, "text-anchor": "middle" },
      numbers.whole(x),
    ));
  }
  picture.append(svg(
    "text", { x: WIDTH, y: HEIGHT + 6, "text-anchor": "end" }, words.step,
  ));
  [training, held].forEach((points, n) => {
    if (!points.length) return;
    const path = points.map(([x, y]) => `${across(x)} ${up(y)}`).join("L");
    picture.append(svg("path", { class: n ? "line held" : "line",
      d: `M${path}` }));
    if (!held.length) return;
    const x = LEFT + 130 * n;
    picture.append(
      svg("path", { class: n ? "line held" : "line",
        d: `M${x} ${HEIGHT + 2}h18` }),
      svg("text", { x: x + 24, y: HEIGHT + 6 },
        n ? words.heldOut : words.training),
    );
  });
  return picture;
}

/** Returns the first and the last points of the lines, in words. */
function said(training, held, words, numbers) {
  const name = { 0: words.training, 1: words.heldOut };
  return [training, held].filter((line) => line.length).map((line, n) => {
    const [x0, y0, x1, y1] = [...line[0], ...line.at(-1)];
    return words.curveSaid(
      name[n], numbers.number(y0), numbers.whole(x0), numbers.number(y1),
      numbers.whole(x1),
    );
  }).join(" ");
}
