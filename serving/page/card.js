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
  const scores = Object.entries(card.scores ?? {});
  if (scores.length) {
    const list = el("dl.facts");
    for (const [name, value] of scores) {
      list.append(el("dt", {}, name), el("dd", {}, written(value, numbers)));
    }
    parts.push(el("h3", {}, words.scores), list);
  }
  const points = (card.curve ?? []).filter(
    (point) => point.every(Number.isFinite),
  );
  if (points.length > 1) {
    parts.push(el("h3", {}, words.curve), curve(points, words, numbers));
  }
  return el("section.card", { "aria-labelledby": "card" }, ...parts);
}

function written(value, numbers) {
  return typeof value === "number" ? numbers.number(value) : String(value);
}

function factsOf(model, card, words, numbers) {
  const shape = card.shape ?? {};
  const held = card.held_out ?? {};
  const width = shape.hidden_size ?? shape.d_model;
  const layers = shape.num_hidden_layers;
  const whole = (value) => (
    typeof value === "number" ? numbers.whole(value) : value
  );
  const rows = {
    kind: words.kinds[model.kind] ?? model.kind,
    layers: layers && width && `${layers} × ${width}`,
    heads: whole(shape.num_attention_heads),
    positions: whole(shape.max_position_embeddings),
    vocabulary: whole(card.vocabulary ?? shape.vocab_size),
    parameters: whole(card.parameters),
    records: whole(card.records),
    steps: whole(card.steps),
    masked_lm_loss: held.masked_lm_loss?.toFixed(3),
    masked_lm_accuracy: held.masked_lm_accuracy === undefined
      ? undefined : numbers.share(held.masked_lm_accuracy),
  };
  const facts = Object.entries(rows)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [words.facts[name], String(value)]);
  if (model.labels?.length) {
    facts.push([words.labels, model.labels.join(", ")]);
  }
  return facts;
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

function curve(points, words, numbers) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const acrossTicks = ticks(0, Math.max(...xs));
  const upTicks = ticks(Math.min(...ys), Math.max(...ys));
  const place = (value, all, from, to) => (
    from + (to - from) * (value - all[0]) / (all.at(-1) - all[0])
  );
  const across = (x) => place(x, acrossTicks, LEFT, WIDTH - 16).toFixed(1);
  const up = (y) => place(y, upTicks, HEIGHT - FOOT, 8).toFixed(1);
  const { number, whole } = numbers;
  const [first, last] = [points[0], points.at(-1)];
  const picture = svg("svg", {
    class: "curve",
    viewBox: `0 0 ${WIDTH} ${HEIGHT + 14}`,
    role: "img",
    "aria-label": words.curveSaid(
      number(first[1]), whole(first[0]), number(last[1]), whole(last[0]),
    ),
  });
  for (const y of upTicks) {
    picture.append(
      svg("path", { class: "axis", d: `M${LEFT} ${up(y)}H${WIDTH - 16}` }),
      svg("text", { x: LEFT - 6, y: +up(y) + 4, "text-anchor": "end" },
        number(y)),
    );
  }
  for (const x of acrossTicks) {
    picture.append(svg(
      "text", { x: across(x), y: HEIGHT - FOOT + 16, "text-anchor": "middle" },
      whole(x),
    ));
  }
  const path = points.map(([x, y]) => `${across(x)} ${up(y)}`).join("L");
  picture.append(
    svg("text", { x: WIDTH, y: HEIGHT + 6, "text-anchor": "end" },
      words.step),
    svg("path", { class: "line", d: `M${path}` }),
  );
  return picture;
}
