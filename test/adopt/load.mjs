// SPDX-License-Identifier: Apache-2.0
// load.mjs - clients of every kind that never stop and forgive nothing: node load.mjs --at ADDRESS --ca FILE [--port N] [--name WORD] [--plain]
// --plain: also on port 80. Each line on standard output is one failure as JSON, or `up` when every flow has had its first success; SIGTERM ends it, and
// the last line is the tally. Always: a request fails when its answer is not the right one, whole, within PATIENCE_MS. One thing
// only is no failure, and is counted as `again`: a kept connection that was closed before a byte of the answer came; then the
// request is sent once more on a new one, as browsers do (RFC 9112 section 9.3.1).
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { at: { type: 'string' }, ca: { type: 'string' }, port: { type: 'string', default: '443' }, name: { type: 'string', default: 'n' },
    plain: { type: 'boolean' } },
});
const PATIENCE_MS = 40_000;
const FOREVER = 3_600_000;
const PAUSE_MS = 12; // of each flow, between two requests: this is about every request, not about many
const tls = { host: values.at, port: Number(values.port), servername: 'shop.test', ca: fs.readFileSync(values.ca) };
const tally = {};
const sent = []; // notes that were answered with 201
let stop = false;
let calm = false; // SIGUSR2, until SIGHUP: only what is safe to repeat and short

const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function row(flow) {
  return (tally[flow] ??= { good: 0, failed: 0, again: 0 });
}

function fail(flow, why) {
  row(flow).failed++;
  console.log(JSON.stringify({ at: Date.now() / 1000, flow, why }));
}

// One request over TLS: { status, headers, body }. Throws what went wrong.
function once(flow, agent, method, path, { body, headers, pieces, plain } = {}) {
  return new Promise((done, wrong) => {
    const options = { ...(plain ? { host: values.at, port: 80 } : tls), agent: agent ?? false, method, path, headers: { Host: 'shop.test', ...headers } };
    const request = (plain ? http : https).request(options);
    let begun = false;
    const timer = setTimeout(() => request.destroy(new Error(`nothing within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    request.on('response', (response) => {
      const got = [];
      begun = true;
      response.on('data', (piece) => got.push(piece));
      response.on('error', wrong);
      response.on('end', () => {
        clearTimeout(timer);
        if (!response.complete) wrong(new Error('broken off'));
        done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(got) });
      });
    });
    request.on('error', (e) => {
      clearTimeout(timer);
      const closed = e.code === 'ECONNRESET' || e.code === 'EPIPE';
      wrong(Object.assign(e, { again: closed && !begun && request.reusedSocket }));
    });
    if (pieces) {
      for (const piece of pieces) request.write(piece);
      request.end();
    } else request.end(body);
  });
}

async function ask(flow, agent, method, path, options = {}) {
  let answer;
  try {
    answer = await once(flow, agent, method, path, options);
  } catch (e) {
    if (!e.again) throw new Error(`${method} ${path}: ${e.message}`);
    row(flow).again++;
    answer = await once(flow, undefined, method, path, options).catch((e2) => {
      throw new Error(`${method} ${path}: again: ${e2.message}`);
    });
  }
  const wanted = options.status ?? 200;
  if (answer.status !== wanted) throw new Error(`${method} ${path}: ${answer.status}, not ${wanted}: ${answer.body.toString().slice(0, 120)}`);
  return answer;
}

// Calls `act` again and again, each time for one success.
async function flow(name, act, wait = PAUSE_MS) {
  row(name);
  for (let n = 0; !stop; n++) {
    if (calm && !name.startsWith('browse')) {
      await pause(20);
      continue;
    }
    try {
      await act(n);
      row(name).good++;
    } catch (e) {
      fail(name, e.message);
      await pause(200);
    }
    await pause(wait);
  }
}

const kept = () => new https.Agent({ keepAlive: true, maxSockets: 1 });

function demand(so, why) {
  if (!so) throw new Error(why);
}

// ---- the flows

const words = ['lamp', 'tea', 'map'];
const agents = Object.fromEntries(['browse', 'buy', 'note', 'upload', 'download', 'file'].map((name) => [name, kept()])); // one flow each
const flows = [];

flows.push(flow('browse, kept', async (n) => {
  const path = ['/', `/product/${1 + (n % 500)}`, `/search?q=${words[n % 3]}`][n % 3];
  const answer = await ask('browse, kept', agents.browse, n % 7 ? 'GET' : 'HEAD', path);
  demand(n % 7 ? answer.body.includes('</html>') : answer.body.length === 0, `${path}: not the page`);
}));

flows.push(flow('browse, new', async (n) => {
  const answer = await ask('browse, new', undefined, 'GET', `/product/${1 + (n % 500)}`);
  demand(answer.body.includes('</html>'), 'not the page');
}));

if (values.plain) flows.push(flow('no TLS, new', () => ask('no TLS, new', undefined, 'GET', '/', { plain: true, status: 301 }), 50));

let cookie;
flows.push(flow('buy, kept', async (n) => {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', ...(cookie && { Cookie: cookie }) };
  const answer = await ask('buy, kept', agents.buy, 'POST', '/cart', { body: `product=${1 + (n % 500)}&quantity=1`, headers, status: 303 });
  cookie = answer.headers['set-cookie']?.[0].split(';')[0] ?? cookie;
}));

flows.push(flow('note, new', async (n) => {
  const id = `${values.name}-new-${n}`;
  await ask('note, new', undefined, 'POST', '/live/note', { body: id, status: 201 });
  sent.push(id);
}));

flows.push(flow('note, kept', async (n) => {
  const id = `${values.name}-kept-${n}`;
  await ask('note, kept', agents.note, 'POST', '/live/note', { body: id, status: 201 });
  sent.push(id);
}));

flows.push(flow('upload', async (n) => {
  const body = randomBytes(1000 + (n % 5) * 60_000);
  const pieces = [];
  for (let at = 0; at < body.length; at += 5000) pieces.push(body.subarray(at, at + 5000));
  const answer = await ask('upload', n % 2 ? agents.upload : undefined, 'PUT', '/live/upload', n % 4 < 2 ? { pieces } : { body });
  demand(JSON.parse(answer.body).sha256 === sha256(body), 'other bytes arrived');
}, 40));

let export_;
flows.push(flow('download', async (n) => {
  const answer = await ask('download', agents.download, 'GET', n % 2 ? '/export/catalogue.csv' : '/live/chunks?n=300001');
  if (n % 2) export_ ??= sha256(answer.body);
  demand(n % 2 ? sha256(answer.body) === export_ : answer.body.equals(Buffer.alloc(300_001, 'k')), 'other bytes came');
}, 60));

flows.push(flow('file', async () => {
  const answer = await ask('file', agents.file, 'GET', '/static/app.js');
  demand(answer.body.toString() === 'let it = 1;\n', 'another file');
}, 40));

// An event stream of that time: every event, in order.
function events(name, ms) {
  return new Promise((done, wrong) => {
    const request = https.request({ ...tls, agent: false, path: '/live/events', headers: { Host: 'shop.test' } });
    let next = 1;
    let text = '';
    let silent;
    const alive = () => {
      clearTimeout(silent);
      silent = setTimeout(() => request.destroy(new Error('silent')), PATIENCE_MS);
    };
    const over = setInterval(() => { // counts from the first event; silence is noticed below
      if (next === 1 || (!stop && !(calm && ms < FOREVER / 2) && (ms -= 100) > 0)) return;
      end();
      done();
      request.destroy();
    }, 100);
    const end = () => { clearInterval(over); clearTimeout(silent); };
    alive();
    request.on('error', (e) => { end(); wrong(new Error(`events: ${e.message}`)); });
    request.on('response', (response) => {
      if (response.statusCode !== 200) request.destroy(new Error(`${response.statusCode}`));
      response.on('error', (e) => { end(); wrong(new Error(`events: ${e.message} after ${next - 1}`)); });
      response.on('end', () => { end(); wrong(new Error(`events: ended after ${next - 1}`)); });
      response.on('data', (piece) => {
        alive();
        text += piece;
        for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
          if (text.slice(0, at) !== `id: ${next}`) request.destroy(new Error(`${text.slice(0, at)}, not ${next}`));
          next++;
          text = text.slice(at + 2);
        }
      });
    });
    request.end();
  });
}

function masked(text) {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const body = payload.map((b, i) => b ^ mask[i & 3]);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, body]);
}

// A WebSocket of that time: what is said comes back.
function talk(name, ms) {
  return new Promise((done, wrong) => {
    const request = https.request({ ...tls, agent: false, path: '/live/ws', headers: {
      Host: 'shop.test', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': randomBytes(16).toString('base64') } });
    let timer;
    const end = (why) => { clearTimeout(timer); if (why) wrong(new Error(`WebSocket: ${why}`)); else done(); };
    timer = setTimeout(() => request.destroy(new Error('no 101')), PATIENCE_MS);
    request.on('error', (e) => end(e.message));
    request.on('response', (response) => { end(`${response.statusCode}`); request.destroy(); });
    request.on('upgrade', (response, socket, head) => {
      const until = Date.now() + ms;
      let n = 0;
      let got = head;
      let over = false;
      const finish = (why) => { if (!over) end(why); over = true; socket.destroy(); };
      const say = () => {
        if (stop || (calm && ms < FOREVER) || Date.now() > until) { finish(); return; }
        clearTimeout(timer);
        timer = setTimeout(() => finish('silent'), PATIENCE_MS);
        got = Buffer.alloc(0);
        socket.write(masked(`word ${++n}`));
      };
      socket.on('error', (e) => finish(`${e.message} after ${n}`));
      socket.on('close', () => finish(`closed after ${n}`));
      socket.on('data', (piece) => {
        got = Buffer.concat([got, piece]);
        const wanted = Buffer.from(`word ${n}`);
        if (got.length < 2 + wanted.length) return;
        if (!got.subarray(2).equals(wanted)) finish(`${got.subarray(2)} came, not ${wanted}`);
        else setTimeout(say, 50);
      });
      say();
    });
    request.end();
  });
}

flows.push(flow('events, short', () => events('events, short', 1500)));
flows.push(flow('WebSocket, short', () => talk('WebSocket, short', 1500)));
flows.push(flow('events, long', () => events('events, long', FOREVER)));
flows.push(flow('WebSocket, long', () => talk('WebSocket, long', FOREVER)));

process.on('SIGUSR2', () => { calm = true; });
process.on('SIGHUP', () => { calm = false; });
process.on('SIGTERM', () => { stop = true; });
const looking = setInterval(() => {
  if (!Object.entries(tally).every(([name, r]) => r.good > 0 || name.endsWith('long'))) return;
  clearInterval(looking);
  console.log('"up"');
}, 50);
await Promise.all(flows);
clearInterval(looking);
for (const agent of Object.values(agents)) agent.destroy();
// To a pipe this is written bit by bit: ending before would cut it off at what the pipe holds.
process.stdout.write(`${JSON.stringify({ tally, sent })}\n`, () => process.exit(0));
