/** Elements, and texts cut where a server that counts characters says. */

/**
 * Returns a new element.
 *
 * A text is always a text node: nothing that a server or a user says is ever
 * read as HTML.
 *
 * @param {string} name "p", or "p.hint" with classes.
 * @param {object} attributes those that are null or false are left out; an
 *     `onclick` and the like is a listener.
 * @param {...(Node|string|null)} children
 */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  node.classList.add(...classes);
  set(node, attributes);
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}

/** The same for an element of SVG. */
export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(node, attributes);
  node.append(...children);
  return node;
}

function set(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      node.addEventListener(key.slice(2), value);
    } else if (value !== null && value !== false) {
      node.setAttribute(key, value === true ? "" : value);
    }
  }
}

/**
 * Returns a text as nodes, with some of its parts marked.
 *
 * @param {string} text
 * @param {{start: number, end: number, node: function(string): Node}[]} marks
 *     in characters, which are code points: "😀" is one, though JavaScript
 *     counts two. One that begins before another ends is left out.
 */
export function marked(text, marks) {
  const characters = Array.from(text);
  const nodes = [];
  let place = 0;
  const inOrder = [...marks].sort((a, b) => a.start - b.start);
  for (const { start, end, node } of inOrder) {
    if (start < place) continue;
    nodes.push(characters.slice(place, start).join(""));
    nodes.push(node(characters.slice(start, end).join("")));
    place = end;
  }
  nodes.push(characters.slice(place).join(""));
  return nodes;
}

/** Numbers as a language writes them. */
export function numbers(language) {
  const write = (options) => {
    const format = new Intl.NumberFormat(language, options);
    return (value) => format.format(value);
  };
  return {
    whole: write({ maximumFractionDigits: 0 }),
    number: write({ maximumSignificantDigits: 4 }),
    share: write({
      style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1,
    }),
  };
}
