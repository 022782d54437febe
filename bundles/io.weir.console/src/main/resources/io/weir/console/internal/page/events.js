// What happens, newest first.

import {byId, el, row, setText} from './dom.js';
import {bytes, millis, time} from './format.js';

const MOST = 200;
const SHOWN_EVERY = 250;
const BAD_CHANGES = new Set(['crashed', 'hung', 'oom-killed', 'start-failed']);
const BAD_RESULTS = new Set(['failed', 'refused']);
const GROUPS = {accepted: 'calls', ended: 'calls', retrying: 'calls', published: 'calls', instance: 'changes',
  function: 'changes', part: 'changes', deployment: 'changes'};

export function isProblem(kind, event) {
  return kind === 'retrying' || kind === 'instance' && BAD_CHANGES.has(event.change)
    || kind === 'ended' && BAD_RESULTS.has(event.result) || kind === 'deployment' && event.state === 'rolled-back';
}

function head(kind, event) {
  switch (kind) {
    case 'ended': return event.result;
    case 'instance': case 'function': return event.change;
    case 'part': return 'part';
    case 'deployment': return event.state;
    default: return kind;
  }
}

function what(kind, event) {
  const parts = [];
  switch (kind) {
    case 'accepted':
      parts.push(`${event.trigger} ${event.subject}`, bytes(event.bytes));
      break;
    case 'ended':
      parts.push(`${event.trigger} ${event.subject}`, event.status > 0 && String(event.status), millis(event.tookMs),
        event.coldStartMs > 0 && `waited ${millis(event.coldStartMs)} (${event.coldCause}, from ${event.coldFrom})`,
        event.attempts > 1 && `${event.attempts} attempts`, event.detail);
      break;
    case 'retrying':
      parts.push(`attempt ${event.attempt} failed, again in ${millis(event.delayMs)}`, event.cause);
      break;
    case 'published':
      parts.push(event.topic, bytes(event.bytes));
      break;
    case 'instance':
      parts.push(event.instance, event.cause, event.tookMs > 0 && millis(event.tookMs), event.detail);
      break;
    case 'deployment':
      parts.push(`package ${event.package} ${event.version}`, event.step);
      break;
    case 'part':
      parts.push(event.state);
      break;
  }
  return parts.filter(part => part).join(' · ');
}

export class EventLog {
  #body = byId('log');
  #kind = byId('kind');
  #hold = byId('hold');
  #all = [];
  #timer = 0;

  constructor() {
    this.#kind.addEventListener('change', () => this.#render());
    this.#hold.addEventListener('click', () => {
      const held = this.#hold.getAttribute('aria-pressed') !== 'true';
      this.#hold.setAttribute('aria-pressed', String(held));
      if (!held) {
        this.#render();
      }
    });
  }

  /** What comes now starts with what the gateway remembers. */
  restart() {
    this.#all = [];
    this.#later();
  }

  heard(kind, event) {
    this.#all.push({kind, event, node: null});
    // Problems are rarer and wanted longer than the rest.
    if (this.#all.length > 4 * MOST) {
      const old = this.#all.slice(0, -2 * MOST).filter(({kind, event}) => isProblem(kind, event)).slice(-MOST);
      this.#all = old.concat(this.#all.slice(-2 * MOST));
    }
    this.#later();
  }

  #later() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      if (this.#hold.getAttribute('aria-pressed') !== 'true') {
        this.#render();
      }
    }, SHOWN_EVERY);
  }

  #render() {
    const wanted = this.#kind.value;
    const shown = this.#all.filter(({kind, event}) => wanted === 'all' || (wanted === 'problems' ? isProblem(kind, event)
      : GROUPS[kind] === wanted)).slice(-MOST).reverse();
    byId('log-empty').hidden = shown.length > 0;
    setText(byId('log-empty'), this.#all.length === 0 ? 'Nothing has happened yet.' : 'None of these.');
    // Rows stay where they are, or a selection would be lost.
    shown.forEach((entry, i) => {
      entry.node ??= EventLog.#row(entry);
      if (this.#body.children[i] !== entry.node) {
        this.#body.insertBefore(entry.node, this.#body.children[i] ?? null);
      }
    });
    while (this.#body.children.length > shown.length) {
      this.#body.lastElementChild.remove();
    }
  }

  static #row({kind, event}) {
    const node = row(['Time', 'Event', 'Of', 'What'], {class: isProblem(kind, event) ? 'problem' : null});
    node.children[0].append(el('time', {datetime: event.at}, time(event.at)));
    node.children[1].append(el('span', {class: 'tag'}, head(kind, event)));
    node.children[2].append(event.function ?? event.part ?? '');
    node.children[3].append(what(kind, event));
    return node;
  }
}
