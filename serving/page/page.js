/** The page: its language, its models, and the parts of the one chosen. */

import { cardOf } from "./card.js";
import { el, numbers } from "./dom.js";
import { view } from "./form_view.js";
import { formsOf } from "./forms.js";
import { Failure, connect } from "./server.js";
import { WORDS } from "./words.js";

const LANGUAGE = "hanlin.language";
const MODEL = "hanlin.model";
const TAGS = { zh: "zh-CN", en: "en" };
const byId = (id) => document.getElementById(id);

let language = localStorage.getItem(LANGUAGE);
if (!(language in WORDS)) {
  const isChinese = navigator.language.toLowerCase().startsWith("zh");
  language = isChinese ? "zh" : "en";
}
let models = [];
let chosen = null;
// {id of a model and name of a form: what its fields hold}
const written = new Map();
const words = () => WORDS[language];
const ask = connect(askForKey, words);

async function load() {
  byId("failed").replaceChildren();
  byId("loading").textContent = words().loading;
  try {
    const { data } = await ask("v1/models");
    models = data;
    const before = sessionStorage.getItem(MODEL);
    chosen = models.find(({ id }) => id === before) ?? models[0] ?? null;
    byId("loading").textContent = models.length ? "" : words().none;
  } catch (error) {
    byId("loading").textContent = "";
    const is = error instanceof Failure;
    if (!is) console.error(error);
    byId("failed").replaceChildren(el(
      "div.wrong", {}, is ? error.message : words().strange(200),
      el("button", { type: "button", onclick: load }, words().again),
    ));
  }
  draw();
}

/** Draws all that depends on the language or on the model. */
function draw() {
  const { title, skip, language: name, model } = words();
  document.documentElement.lang = TAGS[language];
  document.title = `Hanlin · ${title}`;
  byId("skip").textContent = skip;
  byId("languages").setAttribute("aria-label", name);
  for (const button of byId("languages").children) {
    button.setAttribute("aria-pressed", button.value === language);
  }
  byId("pick").hidden = models.length < 2;
  byId("pick").firstElementChild.textContent = model;
  byId("model").replaceChildren(...models.map(({ id }) => el(
    "option", { value: id, selected: id === chosen.id }, id,
  )));
  byId("model-parts").replaceChildren(...(chosen ? parts() : []));
}

function parts() {
  const context = {
    words: words(), numbers: numbers(TAGS[language]), language, ask,
  };
  const forms = formsOf(chosen, context.words).map((form) => {
    const key = JSON.stringify([chosen.id, form.name]);
    if (!written.has(key)) written.set(key, []);
    return view(form, written.get(key), context);
  });
  return [el("div.parts", {}, el("div", {}, ...forms),
    el("div", {}, cardOf(chosen, context)))];
}

/** Asks for a key; returns null where the user gives none. */
function askForKey(wasRefused) {
  const dialog = byId("ask");
  const { askTitle, askWhy, askAgain, key, ok, cancel } = words();
  const texts = {
    "ask-title": askTitle,
    "ask-why": wasRefused ? askAgain : askWhy,
    "key-name": key,
    "ask-ok": ok,
    "ask-no": cancel,
  };
  for (const [id, text] of Object.entries(texts)) byId(id).textContent = text;
  byId("key").value = "";
  dialog.returnValue = "";
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "ok" ? byId("key").value : null);
      byId("key").value = "";
    }, { once: true });
    dialog.showModal();
  });
}

byId("languages").replaceChildren(...Object.entries(WORDS).map(
  ([code, { name }]) => el("button", {
    type: "button",
    value: code,
    lang: TAGS[code],
    onclick: () => {
      language = code;
      localStorage.setItem(LANGUAGE, code);
      if (!models.length) load();
      else draw();
    },
  }, name),
));
byId("model").addEventListener("change", ({ target }) => {
  chosen = models.find(({ id }) => id === target.value);
  sessionStorage.setItem(MODEL, chosen.id);
  draw();
});
draw();
load();
