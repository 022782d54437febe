// Elements by script. Whatever comes from the gateway becomes text nodes or values of plain attributes, never markup.

/** An element; attributes that are false or null are left out, functions listen to the event of their name. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      node.addEventListener(key, value);
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(key, value === true ? '' : value);
    }
  }
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Touches the text only if it is another one, so that a selection, and a screen reader, stay where they are. */
export function setText(node, text) {
  const next = String(text ?? '');
  if (node.textContent !== next) {
    node.textContent = next;
  }
}

export function setClass(node, name) {
  if (node.className !== name) {
    node.className = name;
  }
}

/** A row of a table that turns into a card where there is no room; labels are the heads of its columns. */
export function row(labels, attributes = {}) {
  return el('tr', {role: 'row', ...attributes}, ...labels.map(label =>
    el('td', {role: 'cell', 'data-label': label})));
}

/** Makes the children of a node be those of the items, in their order, and keeps the nodes that are there already. */
export class Keyed {
  #parent;
  #key;
  #make;
  #update;
  #nodes = new Map();

  constructor(parent, key, make, update) {
    this.#parent = parent;
    this.#key = key;
    this.#make = make;
    this.#update = update;
  }

  show(items) {
    const before = this.#nodes;
    this.#nodes = new Map();
    for (const item of items) {
      const key = this.#key(item);
      const entry = before.get(key) ?? this.#make(item);
      before.delete(key);
      this.#nodes.set(key, entry);
      this.#update(entry, item);
    }
    before.forEach(entry => entry.node.remove());
    let place = null;
    for (const {node} of this.#nodes.values()) {
      const next = place === null ? this.#first() : place.nextSibling;
      if (node !== next) {
        this.#parent.insertBefore(node, next);
      }
      place = node;
    }
  }

  /** The first child that is ours; a table's head stands before. */
  #first() {
    let child = this.#parent.firstElementChild;
    while (child && child.tagName === 'THEAD') {
      child = child.nextElementSibling;
    }
    return child;
  }
}

/** A list of terms; the entries are [term, text] and keep their nodes. */
export function facts(node) {
  const shown = new Keyed(node, ([term]) => term, ([term]) => {
    const value = el('dd');
    return {node: el('div', {}, el('dt', {}, term), value), value};
  }, (entry, [, text]) => setText(entry.value, text));
  return entries => shown.show(entries.filter(([, text]) => text !== null && text !== undefined && text !== ''));
}

const SVG = 'http://www.w3.org/2000/svg';

/** A line without axes; the number stands beside it. */
export class Sparkline {
  node = document.createElementNS(SVG, 'svg');
  #line = document.createElementNS(SVG, 'path');
  #area = document.createElementNS(SVG, 'path');

  constructor() {
    for (const [key, value] of Object.entries({viewBox: '0 0 60 20', preserveAspectRatio: 'none', 'aria-hidden': 'true',
      class: 'spark'})) {
      this.node.setAttribute(key, value);
    }
    this.#area.setAttribute('class', 'area');
    this.node.append(this.#area, this.#line);
  }

  /** @param values the newest last; at most 61 */
  show(values) {
    const top = Math.max(1, ...values);
    const x = i => i;
    const points = values.map((value, i) => `${x(i)} ${(19 - 18 * value / top).toFixed(1)}`).join('L');
    this.#line.setAttribute('d', values.length > 1 ? `M${points}` : '');
    this.#area.setAttribute('d', values.length > 1 ? `M${x(0)} 20L${points}L${x(values.length - 1)} 20Z` : '');
  }
}
