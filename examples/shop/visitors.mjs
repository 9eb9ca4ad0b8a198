// SPDX-License-Identifier: Apache-2.0
// visitors.mjs - people and programs who use the shop, and who count for themselves how it went.
//   node visitors.mjs --target http://127.0.0.1:8080 [--for 60s] [--rate 40] [--seed 1] [--tally FILE] [--events FILE] [--near MS]
// A visitor walks: looks around, searches, perhaps signs up, fills a cart, orders, asks the assistant. The
// steps of all visitors together begin at `rate` a second, whether or not earlier ones were answered.
// The tally is theirs alone: which journey a request belongs to comes from the table below, and the time
// from the first byte written on an open connection to the last byte read. With --events each request that was not good
// is a line of JSON: which, when, how it went, and whether the answer's head had come by then.
import fs from 'node:fs';
import http from 'node:http';
import { parseArgs } from 'node:util';

const NEAR_MS = 2; // answers this close to a threshold may be judged either way by another clock (--near)
const TIMEOUT_MS = 30_000;

// First match wins, as in evenkeel.yaml. Thresholds in ms.
const journeys = [
  ['browse', 400, (m, p) => isGet(m) && (p === '/' || p === '/search' || /^\/product\/[^/]+$/.test(p))],
  ['account', 600, (m, p) => p === '/signup' || p === '/login'],
  ['checkout', 400, (m, p) => p === '/cart' || (m === 'POST' && (p === '/cart/remove' || p === '/checkout')) || (isGet(m) && /^\/order\/[^/]+$/.test(p))],
  ['recommendations', 400, (m, p) => isGet(m) && p === '/recommendations'],
  ['assist', 600, (m, p) => m === 'POST' && p === '/assist'],
  ['unclaimed', Infinity, () => true],
];

// RFC 9110 section 9.2.2: what may be sent twice to the same effect.
const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

function isGet(method) {
  return method === 'GET' || method === 'HEAD';
}

export function journeyOf(method, path) {
  return journeys.find(([, , takes]) => takes(method, path));
}

// good, slow, failed, excluded: how evenkeel must have judged it too (see `bad` in evenkeel.yaml).
export function judge(outcome, ms, threshold) {
  if (outcome.gone) return 'excluded';
  if (outcome.broken || outcome.status >= 500) return 'failed';
  if (outcome.status >= 400) return 'excluded';
  return ms < threshold ? 'good' : 'slow';
}

export class Tally {
  constructor(nearMs = NEAR_MS) {
    this.near_ms = nearMs;
    this.journeys = Object.fromEntries(journeys.map(([name, threshold]) => [name,
      { good: 0, slow: 0, failed: 0, excluded: 0, near: 0, threshold_ms: Number.isFinite(threshold) ? threshold : null }]));
    this.requests = 0;
  }

  add(method, path, outcome, ms) {
    const [name, threshold] = journeyOf(method, path);
    const row = this.journeys[name];
    const verdict = judge(outcome, ms, threshold);
    row[verdict]++;
    if ((verdict === 'good' || verdict === 'slow') && Math.abs(ms - threshold) <= this.near_ms) row.near++;
    this.requests++;
    return verdict;
  }
}

// SplitMix-like generator: the same seed, the same walks.
function generator(seed) {
  let state = BigInt(seed);
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
    return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
  };
}

export class Visitors {
  constructor(options) {
    this.target = new URL(options.target);
    this.tally = new Tally(options.near ? Number(options.near) : undefined);
    this.events = options.events ? fs.openSync(options.events, 'w') : undefined;
    this.random = generator(options.seed);
    // unused connections are let go of long before evenkeel does (60 s), so nobody closes under a request
    this.agent = new http.Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 10_000 });
    this.waiting = []; // walks whose next step may begin
    this.under_way = 0; // steps: one may ask only some turns after it began, and ask again after an answer
    this.number = 0;
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  note(verdict, method, path, outcome, ms, headArrived) {
    if (this.events === undefined || verdict === 'good') return;
    const how = outcome.gone ? 'left' : outcome.broken ? (outcome.why ?? 'broken') : outcome.status;
    fs.writeSync(this.events, `${JSON.stringify({
      time: Date.now() - Math.round(ms), method, path, idempotent: idempotent.has(method), head_arrived: headArrived, verdict,
      how, ms: Math.round(ms * 1000) / 1000,
    })}\n`);
  }

  // One request, counted. Never throws; a broken one has no status.
  request(who, method, path, { form, json, giveUp } = {}) {
    const body = form ? new URLSearchParams(form).toString() : json ? JSON.stringify(json) : undefined;
    const headers = { 'User-Agent': 'visitor' };
    if (who.cookie) headers.Cookie = who.cookie;
    if (body !== undefined) {
      headers['Content-Type'] = form ? 'application/x-www-form-urlencoded' : 'application/json';
      headers['Content-Length'] = Buffer.byteLength(body) + (giveUp ? 1000 : 0);
    }
    return new Promise((done) => {
      let start;
      let finished = false;
      let headArrived = false;
      const finish = (outcome, answer) => {
        if (finished) return;
        finished = true;
        const ms = performance.now() - (start ?? performance.now());
        clearTimeout(timer);
        this.note(this.tally.add(method, path.split('?')[0], outcome, ms), method, path, outcome, ms, headArrived);
        done(answer ?? { status: outcome.status ?? 0, headers: {}, body: '' });
      };
      const request = http.request({
        host: this.target.hostname, port: this.target.port, agent: giveUp ? false : this.agent, method, path, headers,
      });
      const timer = setTimeout(() => { request.destroy(); finish({ broken: true, why: 'timeout' }); }, TIMEOUT_MS);
      request.on('error', (e) => finish(giveUp ? { gone: true } : { broken: true, why: e.code }));
      request.on('response', (response) => {
        headArrived = true;
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => finish(response.complete ? { status: response.statusCode } : { broken: true },
          { status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces).toString() }));
        response.on('error', () => finish({ broken: true }));
        response.on('aborted', () => finish({ broken: true }));
      });
      request.on('socket', (socket) => {
        const write = () => {
          start = performance.now();
          if (!giveUp) {
            request.end(body);
            return;
          }
          // half of what was announced, and then they are gone: nothing can have been answered
          request.write(body);
          setTimeout(() => { finish({ gone: true }); socket.destroy(); }, 150);
        };
        if (socket.connecting) socket.once('connect', write);
        else write();
      });
    });
  }

  remember(who, answer) {
    const set = answer.headers['set-cookie']?.[0];
    if (set) who.cookie = set.split(';')[0];
  }

  async follow(who, answer) {
    if (answer.status === 303) return this.request(who, 'GET', answer.headers.location);
    return answer;
  }

  // A walk is a list of steps; each waits for its turn.
  async *walk(who) {
    const words = ['tea', 'lamp', 'map', 'no. 7', 'wool box', 'nothing of the kind'];
    const product = () => 1 + Math.floor(this.random() * 500);
    this.remember(who, await this.request(who, 'GET', '/'));
    yield;
    for (let n = 1 + Math.floor(this.random() * 3); n > 0; n--) {
      await this.request(who, 'GET', `/search?q=${encodeURIComponent(this.pick(words))}`);
      yield;
      await this.request(who, this.random() < 0.1 ? 'HEAD' : 'GET', `/product/${product()}`);
      yield;
    }
    if (this.random() < 0.5) {
      await this.request(who, 'GET', `/recommendations?product=${product()}`);
      yield;
    }
    if (this.random() < 0.1) { // a link that leads nowhere
      await this.request(who, 'GET', `/product/${1000 + product()}`);
      yield;
    }
    if (this.random() < 0.3) {
      yield* this.assist(who, product());
    }
    if (this.random() < 0.15) {
      await this.request(who, 'GET', '/export/catalogue.csv');
      yield;
    }
    if (this.random() < 0.4) return; // only looking
    await this.follow(who, await this.request(who, 'POST', '/cart', { form: { product: product(), quantity: 1 + Math.floor(this.random() * 3) } }));
    yield;
    if (this.random() < 0.08) {
      await this.request({}, 'POST', '/cart', { form: { product: 1, quantity: 1 }, giveUp: true });
      return;
    }
    yield* this.order(who, product());
  }

  async *assist(who, id) {
    await this.request(who, 'POST', '/assist', { json: { jsonrpc: '2.0', id: 1, method: 'tools/list' } });
    yield;
    await this.request(who, 'POST', '/assist', {
      json: { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'get_product', arguments: { id } } },
    });
    yield;
  }

  async *order(who, id) {
    const email = `v${who.number}.${process.pid}.${Date.now()}@visitors.example`;
    await this.request(who, 'GET', '/signup');
    yield;
    await this.follow(who, await this.request(who, 'POST', '/signup', { form: { email, password: 'fair winds 1' } }));
    yield;
    if (this.random() < 0.2) { // a mistyped password, then the right one
      await this.request(who, 'POST', '/login', { form: { email, password: 'fair winds 2' } });
      yield;
      await this.request(who, 'POST', '/login', { form: { email, password: 'fair winds 1' } });
      yield;
    }
    await this.request(who, 'POST', '/cart', { form: { product: id, quantity: 1 } });
    yield;
    if (this.random() < 0.3) {
      await this.request(who, 'POST', '/cart/remove', { form: { product: id } });
      yield;
    }
    const cart = await this.request(who, 'GET', '/cart');
    yield;
    const token = /name="token" value="([^"]+)"/.exec(cart.body)?.[1];
    if (token) await this.follow(who, await this.request(who, 'POST', '/checkout', { form: { token } }));
  }

  // Steps begin at even distances; who has nothing to do meanwhile lets somebody new in.
  async run(rate, forMs, stopped) {
    const began = performance.now();
    for (let n = 0; !stopped(); n++) {
      const due = began + (n * 1000) / rate;
      if (due - began >= forMs) break;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((go) => setTimeout(go, wait));
      const next = this.waiting.shift() ?? this.walk({ number: ++this.number });
      this.under_way++;
      next.next().then(({ done }) => {
        this.under_way--;
        if (!done) this.waiting.push(next);
      });
    }
    while (this.under_way > 0) await new Promise((go) => setTimeout(go, 20));
    this.agent.destroy();
  }
}

function milliseconds(text) {
  const [, n, unit] = /^([0-9.]+)(ms|s|m|h)?$/.exec(text) ?? [];
  if (!n) throw new Error(`--for ${text}: a duration such as 60s was expected`);
  return Number(n) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit ?? 's'];
}

async function main() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: 'http://127.0.0.1:8080' }, for: { type: 'string' },
      rate: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' }, tally: { type: 'string' },
      events: { type: 'string' }, near: { type: 'string' },
    },
  });
  const visitors = new Visitors(values);
  let stop = false;
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { stop = true; });
  await visitors.run(Number(values.rate), values.for ? milliseconds(values.for) : Infinity, () => stop);
  const text = `${JSON.stringify({ requests: visitors.tally.requests, journeys: visitors.tally.journeys }, null, 2)}\n`;
  if (values.tally) fs.writeFileSync(values.tally, text);
  else process.stdout.write(text);
}

if (import.meta.url === `file://${fs.realpathSync(process.argv[1])}`) await main();
