/**
 * What the answers of models look like, a function for each kind.
 *
 * Each takes (answer, asked, {words, numbers}) and returns {said, nodes}: the
 * answer in one line, which a screen reader speaks, and what is below it.
 */

import { el, marked } from "./dom.js";

const MOST_BARS = 12;
const NUM_COLOURS = 6;
const NO_BREAK = "\u2060";  // No line ends here.

/**
 * Returns bars of shares between 0 and 1, the longest first, and how many more
 * there are than have room.
 *
 * @param {[string, number][]} rows
 * @param {{words, numbers}} context
 * @param {{half?: boolean}} options half: marks the middle, over which a label
 *     is given.
 */
export function bars(rows, { words, numbers }, { half = false } = {}) {
  const inOrder = [...rows].sort((a, b) => b[1] - a[1]);
  const list = el("dl.bars");
  const most = half ? rows.length : MOST_BARS;
  inOrder.slice(0, most).forEach(([name, share], n) => {
    const isGiven = half ? share > 0.5 : n === 0;
    const look = `${half ? ".half" : ""}${half && !isGiven ? ".off" : ""}`;
    list.append(
      el(isGiven ? "dt.best" : "dt", {}, name),
      el("dd", {}, track(share, look)),
      el("dd.share", {}, numbers.share(share)),
    );
  });
  const left = rows.length - most;
  return left > 0 ? [list, el("p.hint", {}, words.more(left))] : [list];
}

/** Returns one bar; its number stands beside it, for those who hear. */
function track(share, look = "") {
  const bar = el("i");
  // By the style's own interface: a strict policy allows no other way.
  bar.style.setProperty("--share", `${100 * share}%`);
  return el(`span.track${look}`, { "aria-hidden": "true" }, bar);
}

function oneLabel(answer, asked, context) {
  const rows = Object.entries(answer.probabilities);
  const share = context.numbers.share(answer.probabilities[answer.label]);
  return { said: `${answer.label} · ${share}`, nodes: bars(rows, context) };
}

function severalLabels(answer, asked, context) {
  const { words } = context;
  const rows = Object.entries(answer.probabilities);
  return {
    said: answer.labels.join(" · ") || words.noLabels,
    nodes: [
      ...bars(rows, context, { half: true }),
      el("p.hint", {}, words.severalHint),
    ],
  };
}

function number(answer, asked, { words, numbers }) {
  return {
    said: `${words.value} ${numbers.number(answer.value)}`,
    nodes: [],
  };
}

/**
 * The labels of choices are names of columns; people know the choices.
 *
 * Their order is that of the model's labels: an object of JavaScript has names
 * that are numbers in another one.
 */
function choices(answer, asked, context) {
  const { words, numbers, labels } = context;
  const names = labels.length ? labels : Object.keys(answer.probabilities);
  const texts = asked.slice(1);
  const rows = names.map(
    (name, place) => [texts[place], answer.probabilities[name]],
  );
  const place = names.indexOf(answer.label);
  const share = numbers.share(answer.probabilities[answer.label]);
  return {
    said: [words.choice(place + 1), texts[place], share].join(" · "),
    nodes: bars(rows, context),
  };
}

function entities(answer, asked, { words }) {
  const found = [...answer.entities].sort((a, b) => a.start - b.start);
  if (!found.length) {
    return {
      said: words.noEntities, nodes: [el("p.text", {}, answer.text)],
    };
  }
  const types = [...new Set(found.map((entity) => entity.type))].sort();
  const marks = found.map(({ start, end, type }) => ({
    start,
    end,
    node: (text) => el(
      `mark.k${types.indexOf(type) % NUM_COLOURS}`, {},
      text, NO_BREAK, el("small", {}, type),
    ),
  }));
  const listed = found.map(({ text, type }) => `${text} (${type})`);
  return {
    said: [
      words.entities(found.length),
      el("span.unseen", {}, `: ${listed.join(", ")}`),
    ],
    nodes: [el("p.text", {}, ...marked(answer.text, marks))],
  };
}

function answers(answer, asked, { words }) {
  const { context } = asked;
  if (!answer.answer) {
    return { said: words.noAnswer, nodes: [el("p.text", {}, context)] };
  }
  const { start, end } = answer;
  const node = (text) => el("mark.k1", {}, text);
  return {
    said: answer.answer,
    nodes: [el("p.text", {}, ...marked(context, [{ start, end, node }]))],
  };
}

export const ANSWERS = {
  labels: oneLabel,
  pair_labels: oneLabel,
  number,
  several_labels: severalLabels,
  choices,
  entities,
  answers,
};

const MASK = /【？】|\[MASK\]/gu;

/** Returns the masks of a text: [{start, end}], in characters. */
export function masks(text) {
  const before = (place) => Array.from(text.slice(0, place)).length;
  return Array.from(text.matchAll(MASK), (match) => ({
    start: before(match.index),
    end: before(match.index + match[0].length),
  }));
}

/** The sentence with each blank's likeliest word, and bars of each blank. */
export function filled(blanks, text, context) {
  const places = masks(text);
  // WordPiece marks what goes on in a word: of use in the bars, not in a text.
  const best = (n) => (blanks[n]?.words[0]?.token ?? "?").replace(/^##/u, "");
  const marks = places.map(({ start, end }, n) => (
    { start, end, node: () => el("mark.blank", {}, best(n)) }
  ));
  const nodes = [];
  blanks.forEach(({ words: guesses }, n) => {
    if (blanks.length > 1) {
      nodes.push(el("h3", {}, context.words.blank(n + 1)));
    }
    nodes.push(...bars(
      guesses.map(({ token, score }) => [token, score]), context,
    ));
  });
  return { said: marked(text, marks), nodes };
}

/** The cosine of two vectors, as a number and a bar. */
export function similar([left, right], asked, { words, numbers }) {
  const dot = (a, b) => a.reduce((sum, value, n) => sum + value * b[n], 0);
  const length = Math.sqrt(dot(left, left) * dot(right, right));
  const cosine = length ? dot(left, right) / length : 0;
  return {
    said: `${words.cosine} ${cosine.toFixed(3)}`,
    nodes: [
      track(Math.max(0, cosine)),
      el("p.hint", {}, words.dimensions(numbers.whole(left.length))),
    ],
  };
}
