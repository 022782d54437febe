'use strict';
// Waits for a handler, loads it, then serves it over HTTP/1.1.
//
// Until a handler is loaded only two requests are understood: POST /.weir/load and POST /.weir/check. Afterwards every
// request is the function's own.

const http = require('node:http');
const Module = require('node:module');
const net = require('node:net');
const util = require('node:util');
const vm = require('node:vm');
// What handlers use most, loaded while nobody waits.
for (const name of ['assert', 'buffer', 'crypto', 'events', 'fs', 'os', 'path', 'querystring', 'stream', 'url', 'zlib']) {
  require('node:' + name);
}

const TEXT = 'text/plain; charset=utf-8';
const OURS = ['content-length', 'transfer-encoding', 'connection'];

/** One request: a message, or what an HTTP client sent. */
class Event {
  #query;

  constructor(request, body) {
    const at = request.url.indexOf('?');
    this.method = request.method;
    this.path = at < 0 ? request.url : request.url.slice(0, at);
    this.queryString = at < 0 ? '' : request.url.slice(at + 1);
    this.headers = request.headers;
    this.body = body;
  }

  /** A header field, upper and lower case being the same. */
  header(name) { return this.headers[name.toLowerCase()]; }

  /** Parameters by name; the last one wins. */
  get query() { return this.#query ??= Object.fromEntries(new URLSearchParams(this.queryString)); }

  get text() { return this.body.toString('utf8'); }

  json() { return JSON.parse(this.text); }

  get id() { return this.headers['ce-id']; }

  get type() { return this.headers['ce-type']; }

  get source() { return this.headers['ce-source']; }

  get subject() { return this.headers['ce-subject']; }

  get time() { return this.headers['ce-time']; }
}

/** The handler cannot be used; the message says why. */
class Refused extends Error {}

let handle = null;
let claimed = false;

/** The stack without the runner's own frames and Node's. */
function trace(error) {
  const text = error instanceof Error ? error.stack ?? String(error) : 'thrown: ' + util.inspect(error);
  return text.split('\n').filter(line => !/^\s+at .*(node:|\/runner\.js:)/.test(line)).join('\n') + '\n';
}

function compiled(file, code) {
  const head = '(function (exports, require, module, __filename, __dirname) { ';
  try {
    return new vm.Script(head + code + '\n})', {filename: file, columnOffset: -head.length});
  } catch (error) {
    const line = /^[^\n]*:(\d+)\n/.exec(error.stack)?.[1] ?? '1';
    throw new Refused(`line ${line}: ${error.message}`);
  }
}

function load({file, code, env}) {
  Object.assign(process.env, env);
  const script = compiled(file, code);
  const module = {exports: {}, id: file, filename: file};
  let exported;
  try {
    script.runInThisContext()(module.exports, Module.createRequire(__filename), module, file, __dirname);
    exported = typeof module.exports === 'function' ? module.exports : module.exports?.handle;
  } catch (error) {
    throw new Refused(trace(error));
  }
  if (typeof exported !== 'function') {
    throw new Refused(`${file} exports no function; write exports.handle = async (event) => …`);
  }
  handle = exported;
}

function command(request, body) {
  try {
    if (request.method === 'POST' && request.url === '/.weir/check') {
      const {file, code} = JSON.parse(body);
      compiled(file, code);
      return {status: 204};
    }
    if (request.method === 'POST' && request.url === '/.weir/load' && !claimed) {
      claimed = true;
      load(JSON.parse(body));
      return {status: 204};
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return {status: 422, body: error.message};
  }
  return {status: 503, body: 'no handler is loaded\n'};
}

function isAnswer(result) {
  return typeof result === 'object' && Number.isInteger(result.status)
    && Object.keys(result).every(key => key === 'status' || key === 'headers' || key === 'body');
}

/** Sends what a handler returned. */
function reply(response, head, result) {
  let status, headers = {}, body = result;
  if (result != null && isAnswer(result)) {
    ({status, headers = {}, body} = result);
    if (status < 200 || status > 599) throw new RangeError(`status ${status} is none; use 200 to 599`);
  }
  let type;
  if (body == null) {
    status ??= 204;
    body = Buffer.alloc(0);
  } else if (typeof body === 'string') {
    type = TEXT;
    body = Buffer.from(body);
  } else if (body instanceof Uint8Array) {
    type = 'application/octet-stream';
  } else {
    type = 'application/json';
    body = JSON.stringify(body);
    if (body === undefined) throw new TypeError('what the handler returned has no JSON');
    body = Buffer.from(body);
  }
  response.statusCode = status ?? 200;
  if (type) response.setHeader('Content-Type', type);
  for (const [name, value] of Object.entries(headers)) {
    if (!OURS.includes(name.toLowerCase())) response.setHeader(name, value);
  }
  if (response.statusCode !== 204 && response.statusCode !== 304) response.setHeader('Content-Length', body.length);
  response.end(head ? undefined : body);
}

function failed(response, head, error) {
  process.stderr.write(trace(error));
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  reply(response, head, {status: 500, body: (error instanceof Error ? `${error.name}: ${error.message}` : String(error)) + '\n'});
}

async function serve(request, response, body) {
  const head = request.method === 'HEAD';
  try {
    reply(response, head, handle ? await handle(new Event(request, body)) : command(request, body));
  } catch (error) {
    if (!response.headersSent) failed(response, head, error);
  }
}

function newServer() {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => serve(request, response, parts.length === 1 ? parts[0] : Buffer.concat(parts)));
    request.on('error', () => {});        // the client went away
  });
  server.on('connection', socket => socket.setNoDelay(true));
  // The gateway ends connections. A clock that ends them here would strike right after a thaw, when the next request comes.
  server.keepAliveTimeout = server.headersTimeout = server.requestTimeout = server.timeout = 0;
  return server;
}

/** Does everything a few times, so that Node compiles its code and this while nobody waits. */
async function rehearse() {
  const server = newServer();
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  const socket = net.connect(server.address().port, '127.0.0.1');
  const post = (path, body) => new Promise(done => {
    socket.once('data', done);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nce-id: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });
  const file = {file: 'rehearsal.js', code: 'exports.handle = async (event) => ({id: event.id, is: event.json(), of: event.query});'};
  await post('/.weir/check', JSON.stringify(file));
  await post('/.weir/load', JSON.stringify({...file, env: {}}));
  for (let i = 0; i < 5; i++) await post('/a?b=c', '{"value": 1.5}');
  socket.destroy();
  server.close();
  handle = null;
  claimed = false;
}

process.on('SIGTERM', () => process.exit(0));
rehearse().then(() => newServer().listen({port: Number(process.env.PORT ?? 8080), host: '0.0.0.0', backlog: 256}));
