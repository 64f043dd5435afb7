/** A form of `forms.js` as a part of the page, with its states. */

import { el } from "./dom.js";
import { Failure } from "./server.js";

const MOST_CHOICES = 10;

/**
 * Returns the part of a form.
 *
 * @param {object} form see `forms.js`.
 * @param {string[]} values what its fields hold, kept by the caller while the
 *     page changes its language; changed as the user writes.
 * @param {{words, numbers, language, ask}} context
 */
export function view(form, values, context) {
  const { words } = context;
  const title = el("h2", { id: form.name }, form.title);
  const fields = el("div");
  const said = el("p.said", { role: "status" });
  const details = el("div.details");
  const wrong = el("div.wrong", { role: "alert" });
  const button = el("button.main", { type: "submit" }, form.action);
  let asked = 0;

  const inputs = () => [...fields.querySelectorAll("input, textarea")];

  function draw() {
    const names = form.fields.map(({ name }) => name);
    while (names.length < values.length) names.push(form.more(names.length));
    fields.replaceChildren(...names.map((name, n) => {
      const { long } = form.fields[n] ?? {};
      const input = el(long ? "textarea" : "input", {
        lang: "und",
        autocomplete: "off",
        rows: long ? 3 : null,
        oninput: () => { values[n] = input.value; },
        onkeydown: (event) => {
          const { key, ctrlKey, metaKey } = event;
          // In one line Enter does so by itself.
          if (long && key === "Enter" && (ctrlKey || metaKey)) {
            part.requestSubmit();
          }
        },
      });
      input.value = values[n] ?? "";
      values[n] = input.value;
      return el("label.field", {}, el("span", {}, name), input);
    }));
  }

  function clear() {
    said.replaceChildren();
    details.replaceChildren();
    wrong.replaceChildren();
  }

  async function submit(event) {
    event.preventDefault();
    const empty = values.findIndex((value) => !value.trim());
    clear();
    if (empty >= 0) {
      const input = inputs()[empty];
      const name = input.parentNode.firstChild.textContent;
      wrong.replaceChildren(words.needed(name));
      input.focus();
      return;
    }
    const refused = form.refuse?.(values);
    if (refused) {
      wrong.replaceChildren(refused);
      inputs()[0].focus();
      return;
    }
    // An answer that comes after a newer question is left aside.
    asked += 1;
    const mine = asked;
    const given = [...values];
    button.setAttribute("aria-busy", "true");
    said.replaceChildren(words.working);
    try {
      const response = await form.ask(context.ask, given);
      if (mine !== asked) return;
      const answer = form.show(response, given, context);
      said.replaceChildren(...[answer.said].flat());
      details.replaceChildren(...answer.nodes);
    } catch (error) {
      if (mine !== asked) return;
      clear();
      if (!(error instanceof Failure)) console.error(error);
      wrong.replaceChildren(
        error instanceof Failure ? error.message : words.strange(200),
      );
    } finally {
      if (mine === asked) button.removeAttribute("aria-busy");
    }
  }

  const known = form.examples[context.language].map(
    (example) => example.slice(0, form.fields.length),
  );
  const examples = known.map((example) => el(
    "li", {}, el("button", {
      type: "button",
      onclick: () => {
        values.splice(0, values.length, ...example);
        draw();
        part.requestSubmit();
      },
    }, example.join(" / ")),
  ));
  const buttons = el("div.buttons", {}, button, ...extras(form, words, {
    values, draw, inputs,
  }));
  const part = el("form", {
    novalidate: true, onsubmit: submit, "aria-labelledby": form.name,
  }, fields, buttons);
  draw();
  return el(
    "section.card", { "aria-labelledby": form.name },
    title,
    form.hint ? el("p.hint", {}, form.hint) : null,
    part,
    el("ul.examples", { "aria-label": words.examples }, ...examples),
    wrong, said, details,
  );
}

/** Returns the buttons that a form has besides. */
function extras(form, words, { values, draw, inputs }) {
  const made = [];
  if (form.insert) {
    made.push(el("button", {
      type: "button",
      onclick: () => {
        const [input] = inputs();
        input.setRangeText(
          form.insert.text, input.selectionStart, input.selectionEnd, "end",
        );
        values[0] = input.value;
        input.focus();
      },
    }, form.insert.name));
  }
  if (form.more) {
    const change = (change_) => () => {
      change_();
      draw();
      inputs().at(-1).focus();
    };
    made.push(
      el("button", { type: "button", onclick: change(() => {
        if (values.length <= MOST_CHOICES) values.push("");
      }) }, words.addChoice),
      el("button", { type: "button", onclick: change(() => {
        if (values.length > form.fields.length) values.pop();
      }) }, words.dropChoice),
    );
  }
  return made;
}
