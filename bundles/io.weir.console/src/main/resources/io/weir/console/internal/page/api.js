// The gateway's REST API, seen from a page that may be hidden, and of a gateway that may be gone.

const BASE = new URL('../api/v1/', document.baseURI);
const FRONT = new URL('../function/', document.baseURI);
const PATIENCE = 10_000;
/** Nothing is asked for more often, whatever happens. */
const LEAST = 1000;
const LONGEST_PAUSE = 10_000;
/** A browser on the gateway itself breaks off what it loads whenever a container's interface comes: no loss to tell of. */
const GRACE = 3000;

/** What went wrong, in the gateway's own words if it said any. */
async function problem(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).detail ?? text;
  } catch {
    return text || `the gateway answered ${response.status}`;
  }
}

export async function getJson(path) {
  const response = await fetch(new URL(path, BASE), {cache: 'no-store', signal: AbortSignal.timeout(PATIENCE)});
  if (!response.ok) {
    throw new Error(`${path}: ${await problem(response)}`);
  }
  return response.json();
}

export async function getText(path) {
  const response = await fetch(new URL(path, BASE), {cache: 'no-store', signal: AbortSignal.timeout(PATIENCE)});
  if (!response.ok) {
    throw new Error(await problem(response));
  }
  return response.text();
}

/** A change. The gateway refuses it from pages of other origins. */
export async function change(method, path, body) {
  const response = await fetch(new URL(path, BASE), {method, mode: 'same-origin', redirect: 'error',
    headers: {'Content-Type': 'application/json'}, body: body === undefined ? undefined : JSON.stringify(body)});
  if (!response.ok) {
    throw new Error(await problem(response));
  }
}

/** Calls a function through the front door. Its answer is shown as text, whatever it says it is. */
export async function invoke(name, body) {
  let type = 'application/json';
  try {
    JSON.parse(body);
  } catch {
    type = 'text/plain;charset=utf-8';
  }
  const began = performance.now();
  const response = await fetch(new URL(`${encodeURIComponent(name)}/`, FRONT), {method: 'POST', mode: 'same-origin',
    redirect: 'manual', headers: {'Content-Type': type}, body});
  const text = await response.text();
  return {status: response.status, took: performance.now() - began, text};
}

/** Asks for one document again and again; sooner if something happened. */
class Feed {
  #path;
  #every;
  #use;
  #link;
  #timer = 0;
  #asked = -Infinity;
  #under = false;
  #running = false;
  #again = false;

  constructor(link, path, every, use) {
    this.#link = link;
    this.#path = path;
    this.#every = every;
    this.#use = use;
  }

  start() {
    this.#running = true;
    this.#plan(0);
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  soon() {
    if (this.#under) {
      this.#again = true;
    } else if (this.#running) {
      this.#plan(0);
    }
  }

  #plan(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), Math.max(delay, this.#asked + LEAST - performance.now()));
  }

  async #ask() {
    if (this.#under) {
      return;
    }
    this.#under = true;
    this.#again = false;
    this.#asked = performance.now();
    let pause = this.#every;
    let answer = null;
    try {
      answer = await getJson(this.#path);
      this.#link.answered(this.#path);
    } catch (e) {
      this.#link.failed(this.#path, e);
      pause = Math.min(pause, 2 * LEAST);
    }
    this.#under = false;
    if (this.#running) {
      this.#plan(this.#again ? 0 : pause);
    }
    if (answer !== null) {
      this.#use(answer);
    }
  }
}

/** The stream of events. The browser's own way to connect again gives up at an error status; this one does not. */
class Stream {
  static KINDS = ['accepted', 'ended', 'retrying', 'published', 'instance', 'function', 'part', 'deployment'];
  #link;
  #heard;
  #opened;
  #source = null;
  #timer = 0;
  #pause = LEAST;

  constructor(link, opened, heard) {
    this.#link = link;
    this.#opened = opened;
    this.#heard = heard;
  }

  start() {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(new URL('events?recent=true', BASE));
    this.#source = source;
    source.onopen = () => {
      this.#pause = LEAST;
      this.#link.answered('events');
      this.#opened();
    };
    source.onerror = () => {
      source.close();
      this.#link.failed('events', new Error('the stream of events broke off'));
      this.#timer = setTimeout(() => this.start(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    };
    for (const kind of Stream.KINDS) {
      source.addEventListener(kind, message => this.#heard(kind, JSON.parse(message.data)));
    }
  }

  stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#pause = LEAST;
  }
}

/** Whether the gateway answers, and since when it does not. */
export class Link {
  #down = new Map();
  #feeds = new Map();
  #stream;
  #changed;

  /** @param changed told {since, detail, whole} when something does not answer, null when all of it does again */
  constructor(changed) {
    this.#changed = changed;
  }

  feed(path, every, use) {
    this.#feeds.set(path, new Feed(this, path, every, use));
  }

  events(opened, heard) {
    this.#stream = new Stream(this, opened, heard);
  }

  soon(...paths) {
    paths.forEach(path => this.#feeds.get(path).soon());
  }

  /** While nobody sees the page, it asks for nothing and takes none of the gateway's places for listeners. */
  watch() {
    const follow = () => {
      if (document.hidden) {
        this.#feeds.forEach(feed => feed.stop());
        this.#stream.stop();
      } else {
        this.#feeds.forEach(feed => feed.start());
        this.#stream.start();
      }
    };
    document.addEventListener('visibilitychange', follow);
    window.addEventListener('pagehide', () => this.#stream.stop());
    window.addEventListener('pageshow', shown => shown.persisted && follow());
    follow();
  }

  answered(what) {
    if (this.#down.delete(what)) {
      this.#tell();
    }
  }

  failed(what, error) {
    if (!this.#down.has(what)) {
      this.#down.set(what, {since: new Date(), detail: error.message});
      setTimeout(() => this.#tell(), GRACE);
    }
  }

  #tell() {
    const lost = [...this.#down].filter(([, {since}]) => Date.now() - since >= GRACE - 100);
    this.#changed(lost.length === 0 ? null : {...lost.map(([, each]) => each).reduce((first, next) =>
      next.since < first.since ? next : first), whole: lost.some(([what]) => what === 'status' || what === 'events')});
  }
}
