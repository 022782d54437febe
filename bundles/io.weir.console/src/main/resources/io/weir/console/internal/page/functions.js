// The functions: one row each, and all about one below its row.

import {Detail} from './detail.js';
import {byId, el, Keyed, row, setClass, setText, Sparkline} from './dom.js';
import {isProblem} from './events.js';
import {bytes, count, millis, rate, time, triggerText} from './format.js';

const HISTORY = 61;
const LABELS = ['Function', 'Instances', 'Address', 'Requests', 'Answers', 'In flight', 'p50 · p99', 'CPU · memory',
  'Last problem'];
const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'other'];
/** The states of an instance; other changes are none. */
const STATES = new Set(['creating', 'created', 'arming', 'armed', 'starting', 'ready', 'freezing', 'frozen', 'thawing',
  'draining', 'stopping']);

const byFunction = list => new Map(list.map(each => [each.function, each]));

/** Everything known of one function. */
class Known {
  spec = null;
  instances = [];
  traffic = null;
  rate = null;
  history = [];
  usage = null;
  cpu = null;
  forecast = null;
  /** What went wrong last, and the last words of the last instance that ended badly: {at, title, text}. */
  problem = null;
  words = null;
  answeredAt = 0;
  #problemBefore = null;
  #trafficAt = 0;
  #usageAt = 0;

  showTraffic(traffic, now) {
    const seconds = (now - this.#trafficAt) / 1000;
    const more = traffic && this.traffic ? traffic.requests - this.traffic.requests : -1;
    this.rate = more >= 0 ? more / seconds : traffic ? 0 : null;
    // Requests that the kernel leads past the gateway make no events; their answers tell that it works again.
    if (this.problem && this.problem === this.#problemBefore
        && traffic?.responses['2xx'] > (this.traffic?.responses['2xx'] ?? Infinity)) {
      this.answeredAt = Math.max(this.answeredAt, this.problem.at);
    }
    this.#problemBefore = this.problem;
    if (traffic) {
      this.history = [...this.history, this.rate].slice(-HISTORY);
    }
    this.traffic = traffic;
    this.#trafficAt = now;
  }

  showUsage(usage, now) {
    const more = usage && this.usage ? usage.cpuSeconds - this.usage.cpuSeconds : -1;
    this.cpu = more >= 0 ? more / ((now - this.#usageAt) / 1000) : null;
    this.usage = usage;
    this.#usageAt = now;
  }

  heard(kind, event) {
    const at = Date.parse(event.at);
    if (isProblem(kind, event)) {
      const problem = {at, title: event.change ?? (event.status > 0 ? `answered ${event.status}` : event.result)
        ?? `attempt ${event.attempt} failed`,
        text: event.detail ?? event.cause ?? ''};
      if (at >= (this.problem?.at ?? 0)) {
        this.problem = problem;
      }
      if (kind === 'instance' && at >= (this.words?.at ?? 0)) {
        this.words = problem;
      }
    } else if (kind === 'ended') {
      this.answeredAt = Math.max(this.answeredAt, at);
    }
    if (kind === 'instance') {
      this.#changed(event, at);
    }
  }

  /** Shows what an instance does before the list of instances is asked for again. */
  #changed({instance, change}, at) {
    const known = this.instances.find(each => each.name === instance);
    if (known && STATES.has(change) && at >= Date.parse(known.since)) {
      known.state = change;
      known.since = new Date(at).toISOString();
    }
  }

  /** What is wrong now, or was last. */
  trouble() {
    const {broken, service} = this.spec;
    if (broken) {
      return {now: true, title: `failed ${count(broken.failures)} × since ${time(broken.since)}, next try ${
        time(broken.retryAt)}`, text: this.words?.text || broken.detail};
    } else if (service?.problem) {
      return {now: true, title: 'address', text: service.problem};
    }
    return this.problem && {now: this.problem.at > this.answeredAt,
      title: `${this.problem.title} ${time(this.problem.at)}`, text: this.problem.text || this.words?.text || ''};
  }

  inFlight() {
    return this.traffic?.inFlight ?? this.instances.reduce((sum, each) => sum + each.inFlight, 0);
  }

  matches(text) {
    return [this.spec.name, this.spec.image, this.spec.handler, ...this.spec.triggers.map(triggerText)]
      .some(each => each?.toLowerCase().includes(text));
  }
}

export class FunctionTable {
  #all = new Map();
  #specs = null;
  #open = new Set();
  #changed;
  #search = byId('search');
  #due = false;
  #rows;

  /** @param changed called when something was done to a function here */
  constructor(changed) {
    this.#changed = changed;
    this.#search.addEventListener('input', () => this.#later());
    this.#rows = new Keyed(byId('functions-table'), known => known.spec.name, known => this.#make(known),
      (entry, known) => this.#update(entry, known));
  }

  #known(name) {
    return this.#all.get(name) ?? this.#all.set(name, new Known()).get(name);
  }

  functions(specs) {
    const names = new Set(specs.map(spec => spec.name));
    [...this.#all.keys()].filter(name => !names.has(name)).forEach(name => this.#all.delete(name));
    specs.forEach(spec => this.#known(spec.name).spec = spec);
    this.#specs = specs;
    this.#later();
  }

  instances(instances) {
    this.#all.forEach(known => known.instances = []);
    instances.forEach(each => this.#all.get(each.function)?.instances.push(each));
    this.#later();
  }

  traffic(traffic) {
    const now = performance.now();
    const found = byFunction(traffic);
    this.#all.forEach((known, name) => known.showTraffic(found.get(name) ?? null, now));
    this.#later();
  }

  usage(usage) {
    const now = performance.now();
    const found = byFunction(usage);
    this.#all.forEach((known, name) => known.showUsage(found.get(name) ?? null, now));
    this.#later();
  }

  forecasts(forecasts) {
    const found = byFunction(forecasts);
    this.#all.forEach((known, name) => known.forecast = found.get(name) ?? null);
    this.#later();
  }

  heard(kind, event) {
    if (event.function && (kind !== 'function' || event.change !== 'removed')) {
      this.#known(event.function).heard(kind, event);
      this.#later();
    }
  }

  totals() {
    const counted = [...this.#all.values()].filter(known => known.traffic);
    return counted.length === 0 ? null : counted.reduce((sum, known) => ({rate: sum.rate + (known.rate ?? 0),
      inFlight: sum.inFlight + known.traffic.inFlight}), {rate: 0, inFlight: 0});
  }

  #later() {
    if (!this.#due) {
      this.#due = true;
      requestAnimationFrame(() => {
        this.#due = false;
        this.#render();
      });
    }
  }

  #render() {
    if (this.#specs === null) {
      return;
    }
    const text = this.#search.value.trim().toLowerCase();
    const shown = this.#specs.map(spec => this.#all.get(spec.name)).filter(known => known?.spec && known.matches(text))
      .sort((a, b) => a.spec.name < b.spec.name ? -1 : 1);
    this.#rows.show(shown);
    byId('functions-empty').hidden = shown.length > 0;
    setText(byId('functions-empty'), text ? 'No function is called like that.'
      : 'No functions yet; weir deploy FILE brings the first.');
  }

  #make({spec: {name}}) {
    const line = row(LABELS);
    const [first, , address, requests, , , , , trouble] = line.children;
    const node = el('tbody', {role: 'rowgroup', 'data-function': name}, line);
    const entry = {node, line, detail: null, spark: new Sparkline()};
    const id = `detail-${name}`;
    entry.toggle = el('button', {type: 'button', class: 'name', 'aria-expanded': 'false', 'aria-controls': id,
      click: () => this.#toggle(entry, name)}, name);
    entry.of = el('small');
    entry.triggers = el('small');
    first.append(entry.toggle, entry.of, entry.triggers);
    entry.address = el('span', {class: 'address'});
    entry.more = el('small');
    address.append(entry.address, entry.more);
    entry.rate = el('span');
    entry.total = el('small');
    requests.append(el('span', {class: 'rate'}, entry.spark.node, entry.rate), entry.total);
    entry.title = el('strong');
    entry.text = el('span', {class: 'words'});
    trouble.append(entry.title, entry.text);
    [5, 6, 7].forEach(i => line.children[i].classList.add('number'));
    const tag = () => ({node: el('span')});
    entry.states = new Keyed(line.children[1], ([state]) => state, tag, ({node}, [state, many]) => {
      setText(node, many > 1 ? `${state} × ${many}` : state);
      setClass(node, `pill ${state === 'ready' ? 'good' : state}`);
    });
    entry.answers = new Keyed(line.children[4], ([kind]) => kind, tag, ({node}, [kind, many]) => {
      setText(node, `${kind} ${count(many)}`);
      setClass(node, `tag c${kind}`);
    });
    entry.second = el('tr', {role: 'row', id, class: 'detail', hidden: true});
    node.append(entry.second);
    return entry;
  }

  #toggle(entry, name) {
    const open = !this.#open.delete(name);
    if (open) {
      this.#open.add(name);
      entry.detail ??= new Detail(entry.second, name, this.#changed);
    }
    entry.toggle.setAttribute('aria-expanded', String(open));
    entry.second.hidden = !open;
    this.#later();
  }

  #update(entry, known) {
    const {spec, instances, traffic, usage} = known;
    const cells = entry.line.children;
    setText(entry.of, spec.image ?? `${spec.runtime} · ${spec.handler}`);
    setText(entry.triggers, spec.triggers.map(triggerText).join(', '));
    const states = new Map();
    instances.forEach(({state}) => states.set(state, (states.get(state) ?? 0) + 1));
    entry.states.show(states.size > 0 ? [...states] : [['asleep', 0]]);
    // The shorter ones, of IPv4, first.
    const [address, ...more] = [...spec.service?.addresses ?? []].sort((a, b) => a.startsWith('[') - b.startsWith('['));
    setText(entry.address, address ?? '–');
    setText(entry.more, more.length > 0 ? `and ${count(more.length)} more` : '');
    entry.spark.show(known.history);
    entry.spark.node.classList.toggle('none', !traffic);
    setText(entry.rate, known.rate === null ? '' : rate(known.rate));
    const served = instances.reduce((sum, each) => sum + each.served, 0);
    setText(entry.total, traffic ? `${count(traffic.requests)} in all`
      : served > 0 ? `${count(served)} through the gateway` : '');
    setClass(cells[3], traffic || served > 0 ? '' : 'none');
    entry.answers.show(CLASSES.map(kind => [kind, traffic?.responses[kind] ?? 0]).filter(([, many]) => many > 0));
    setText(cells[5], count(known.inFlight()));
    setText(cells[6], traffic?.latencyMs.max > 0
      ? `${millis(traffic.latencyMs.p50)} · ${millis(traffic.latencyMs.p99)}` : '–');
    setText(cells[7], usage?.instances > 0 ? `${known.cpu === null ? '–' : `${(known.cpu * 100).toFixed(1)} %`} · ${
      bytes(usage.memoryBytes)}` : '–');
    const trouble = known.trouble();
    setText(entry.title, trouble?.title ?? '');
    setText(entry.text, trouble?.text ?? '');
    setClass(cells[8], trouble ? trouble.now ? 'trouble' : 'trouble past' : 'none');
    if (this.#open.has(spec.name)) {
      entry.detail.show(known);
    }
  }
}
