'use strict';

const assert = require('node:assert');
const {once} = require('node:events');
const http = require('node:http');
const {test} = require('node:test');
const {answer, reading, serve} = require('./main.js');
const {Windows} = require('./windows.js');

test('tells a window when the first reading after its end arrives', () => {
  const windows = new Windows(10);
  assert.equal(windows.add('t', 1, 1_000), null);
  assert.equal(windows.add('t', 3, 9_999), null);
  assert.deepEqual(windows.add('t', 100, 10_000), {
    topic: 't', from: '1970-01-01T00:00:00.000Z', to: '1970-01-01T00:00:10.000Z', count: 2, mean: 2, min: 1, max: 3,
  });
});

test('keeps topics apart', () => {
  const windows = new Windows(10);
  windows.add('a', 1, 0);
  assert.equal(windows.add('b', 2, 10_000), null);
  assert.equal(windows.add('a', 5, 10_000).mean, 1);
});

test('counts a late reading in the open window', () => {
  const windows = new Windows(10);
  windows.add('t', 1, 20_000);
  windows.add('t', 3, 5_000);
  assert.equal(windows.add('t', 0, 30_000).count, 2);
});

test('forgets the topic unheard for longest', () => {
  const windows = new Windows(10, 2);
  for (const topic of ['a', 'b', 'a', 'c']) {
    windows.add(topic, 1, 0);
  }
  assert.equal(windows.add('b', 1, 10_000), null);
});

test('refuses what is no reading for good', () => {
  for (const body of ['', 'warm', '{}', '{"value":"1"}', 'null', '[1]', 'true']) {
    assert.equal(answer(new Windows(10), {}, body).status, 400, body);
  }
  assert.equal(reading('21.5'), 21.5);
});

test('serves readings over HTTP with keep-alive', async () => {
  const server = serve(new Windows(10)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  const post = (time, value) => new Promise((resolve, reject) => {
    const request = http.request({agent, port: server.address().port, method: 'POST',
      headers: {'ce-subject': 't', 'ce-time': time, 'content-type': 'application/json'}}, response => {
      let body = '';
      response.on('data', chunk => { body += chunk; });
      response.on('end', () => resolve({status: response.statusCode, body}));
    });
    request.on('error', reject);
    request.end(JSON.stringify({value}));
  });
  try {
    assert.equal((await post('2026-01-01T00:00:00Z', 20)).status, 204);
    assert.equal((await post('2026-01-01T00:00:05Z', 22)).status, 204);
    const told = await post('2026-01-01T00:00:10Z', 1);
    assert.equal(told.status, 200);
    assert.equal(JSON.parse(told.body).mean, 21);
  } finally {
    agent.destroy();
    server.close();
  }
});
