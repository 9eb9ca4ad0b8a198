// SPDX-License-Identifier: Apache-2.0
// shop.test.mjs - the shop over real HTTP and a real database: pages, accounts, carts, orders, the assistant.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Shop } from '../db.mjs';
import { route } from '../routes.mjs';

let shops;
let servers;
let ports;

before(async () => {
  shops = [new Shop(), new Shop()];
  await Promise.all(shops.map((s) => s.prepare())); // at once, as instances start
  servers = shops.map((shop) => http.createServer((q, r) => route(shop, q, r).catch((e) => r.writeHead(500).end(e.message))));
  ports = await Promise.all(servers.map((s) => new Promise((done) => s.listen(0, '127.0.0.1', () => done(s.address().port)))));
});

after(async () => {
  servers.forEach((s) => { s.close(); s.closeAllConnections(); });
  await Promise.all(shops.map((s) => s.close()));
});

// Each request goes to the other instance: nothing may be remembered in one.
let turn = 0;

class Person {
  async ask(method, path, form) {
    const body = form && (form instanceof URLSearchParams || typeof form === 'string' ? form : new URLSearchParams(form));
    const answer = await fetch(`http://127.0.0.1:${ports[turn++ % 2]}${path}`, {
      method, body, redirect: 'manual', headers: this.cookie ? { Cookie: this.cookie } : {},
    });
    const set = answer.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    return { status: answer.status, text: await answer.text(), where: answer.headers.get('location') };
  }

  async signUp() {
    await this.ask('GET', '/');
    const email = `p${Math.random().toString(36).slice(2)}@example.com`;
    const answer = await this.ask('POST', '/signup', { email, password: 'long enough' });
    assert.equal(answer.status, 303);
    return email;
  }

  async token() {
    return /name="token" value="([^"]+)"/.exec((await this.ask('GET', '/cart')).text)?.[1];
  }
}

test('pages show what is there and escape what is asked for', async () => {
  const p = new Person();
  assert.match((await p.ask('GET', '/')).text, /Everything for a steady ship/);
  assert.match((await p.ask('GET', '/product/7')).text, /in stock/);
  assert.equal((await p.ask('GET', '/product/99999')).status, 404);
  assert.equal((await p.ask('GET', '/product/x')).status, 404);
  const found = await p.ask('GET', `/search?q=${encodeURIComponent('<script>alert(1)</script>')}`);
  assert.equal(found.status, 200);
  assert.doesNotMatch(found.text, /<script>/);
  assert.match((await p.ask('GET', '/search?q=lamps')).text, /lamps/);
  assert.match((await p.ask('GET', '/search?q=%25')).text, /Nothing here/); // no wildcard of LIKE
  assert.equal((await p.ask('GET', '/nowhere')).status, 404);
  assert.equal((await p.ask('POST', '/search')).status, 405);
});

test('an account is made once and entered with the right password only', async () => {
  const p = new Person();
  const email = await p.signUp();
  assert.equal((await new Person().ask('POST', '/signup', { email, password: 'long enough' })).status, 422);
  assert.equal((await new Person().ask('POST', '/login', { email, password: 'wrong enough' })).status, 422);
  assert.equal((await new Person().ask('POST', '/login', { email, password: 'long enough' })).status, 303);
  assert.equal((await p.ask('POST', '/signup', { email: 'no mail', password: 'long enough' })).status, 422);
  assert.equal((await p.ask('POST', '/signup', { email: 'a@b.c', password: 'short' })).status, 422);
});

test('a cart is the same at every instance', async () => {
  const p = new Person();
  await p.ask('GET', '/');
  assert.equal((await p.ask('POST', '/cart', { product: 3, quantity: 2 })).status, 303);
  assert.equal((await p.ask('POST', '/cart', { product: 4, quantity: 1 })).status, 303);
  assert.match((await p.ask('GET', '/cart')).text, /no\. 3<[\s\S]*no\. 4</);
  await p.ask('POST', '/cart/remove', { product: 3 });
  assert.doesNotMatch((await p.ask('GET', '/cart')).text, /no\. 3</);
  assert.equal((await p.ask('POST', '/cart', { product: 99999, quantity: 1 })).status, 404);
  assert.equal((await p.ask('POST', '/cart', { product: 3, quantity: 100 })).status, 422);
  assert.equal((await p.ask('POST', '/cart', 'x'.repeat(70000))).status, 413);
});

test('an order needs a customer, a token and a cart', async () => {
  const stranger = new Person();
  await stranger.ask('GET', '/');
  assert.equal((await stranger.ask('POST', '/checkout', { token: '12345678' })).status, 403);
  const p = new Person();
  await p.signUp();
  assert.equal((await p.ask('POST', '/checkout', { token: '12345678' })).status, 422);
  await p.ask('POST', '/cart', { product: 5, quantity: 1 });
  assert.equal((await p.ask('POST', '/checkout', { token: 'short' })).status, 422);
  const ordered = await p.ask('POST', '/checkout', { token: await p.token() });
  assert.equal(ordered.status, 303);
  assert.equal((await p.ask('GET', ordered.where)).status, 200);
  assert.equal((await stranger.ask('GET', ordered.where)).status, 404);
});

test('the same order sent many times at once is one order', async () => {
  const p = new Person();
  await p.signUp();
  await p.ask('POST', '/cart', { product: 6, quantity: 1 });
  const token = await p.token();
  const answers = await Promise.all(Array.from({ length: 8 }, () => p.ask('POST', '/checkout', { token })));
  const orders = new Set(answers.filter((a) => a.status === 303).map((a) => a.where));
  assert.equal(orders.size, 1);
  assert.equal((await shops[0].query('select count(*)::int as n from purchase where token = $1', [token])).rows[0].n, 1);
});

test('many customers at once never buy more than there is', async () => {
  await shops[0].query('update product set stock = 5 where id = 9');
  const people = await Promise.all(Array.from({ length: 12 }, async () => {
    const p = new Person();
    await p.signUp();
    await p.ask('POST', '/cart', { product: 9, quantity: 1 });
    p.paper = await p.token();
    return p;
  }));
  const answers = await Promise.all(people.map((p) => p.ask('POST', '/checkout', { token: p.paper })));
  assert.equal(answers.filter((a) => a.status === 303).length, 5);
  assert.equal(answers.filter((a) => a.status === 409).length, 7);
  assert.equal((await shops[0].query('select stock from product where id = 9')).rows[0].stock, 0);
});

test('the assistant speaks JSON-RPC', async () => {
  const p = new Person();
  await p.ask('GET', '/');
  const call = async (value) => JSON.parse((await p.ask('POST', '/assist', typeof value === 'string' ? value : JSON.stringify(value))).text);
  const tool = (name, args) => ({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: args } });
  assert.equal((await call({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).result.tools.length, 4);
  assert.equal((await call('{')).error.code, -32700);
  assert.equal((await call({ id: 1 })).error.code, -32600);
  assert.equal((await call({ jsonrpc: '2.0', id: 1, method: 'tools/sing' })).error.code, -32601);
  assert.equal((await call(tool('constructor', {}))).error.code, -32602);
  assert.equal((await call(tool('get_product', { id: 'x' }))).error.code, -32602);
  assert.equal((await call(tool('get_product', { id: 99999 }))).result.isError, true);
  assert.equal((await call(tool('get_product', { id: 8 }))).result.isError, false);
  assert.equal((await call(tool('add_to_cart', { id: 8, quantity: 2 }))).result.isError, false);
  assert.match((await p.ask('GET', '/cart')).text, /no\. 8</);
  assert.equal((await call([tool('get_product', { id: 8 }), tool('search_products', { words: 'tea' })])).length, 2);
  assert.equal((await p.ask('POST', '/assist', '{"jsonrpc":"2.0","method":"tools/list"}')).status, 202);
});

test('the catalogue is streamed whole', async () => {
  const { text } = await new Person().ask('GET', '/export/catalogue.csv');
  assert.equal(text.trim().split('\n').length, 501);
});
