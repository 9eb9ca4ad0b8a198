// SPDX-License-Identifier: Apache-2.0
// tally.test.mjs - the visitors' arithmetic.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { journeyOf, judge, Tally, Visitors } from '../visitors.mjs';

test('a request belongs to the first journey that takes it', () => {
  const table = [
    ['GET', '/', 'browse'], ['HEAD', '/product/3', 'browse'], ['GET', '/product/3/x', 'unclaimed'],
    ['GET', '/search', 'browse'], ['POST', '/signup', 'account'], ['GET', '/login', 'account'],
    ['POST', '/cart', 'checkout'], ['POST', '/cart/remove', 'checkout'], ['GET', '/order/12', 'checkout'],
    ['GET', '/checkout', 'unclaimed'], ['GET', '/recommendations', 'recommendations'], ['POST', '/assist', 'assist'],
    ['GET', '/export/catalogue.csv', 'unclaimed'],
  ];
  for (const [method, path, name] of table) assert.equal(journeyOf(method, path)[0], name, `${method} ${path}`);
});

test('an answer is good, slow, failed or excluded', () => {
  assert.equal(judge({ status: 200 }, 399, 400), 'good');
  assert.equal(judge({ status: 303 }, 400, 400), 'slow');
  assert.equal(judge({ status: 500 }, 1, 400), 'failed');
  assert.equal(judge({ broken: true }, 1, 400), 'failed');
  assert.equal(judge({ status: 404 }, 9999, 400), 'excluded');
  assert.equal(judge({ gone: true }, 1, 400), 'excluded');
});

test('what lies near the threshold is told', () => {
  const tally = new Tally();
  tally.add('GET', '/', { status: 200 }, 399);
  tally.add('GET', '/', { status: 200 }, 401);
  tally.add('GET', '/', { status: 200 }, 10);
  tally.add('GET', '/', { status: 404 }, 400);
  assert.deepEqual(tally.journeys.browse, { good: 2, slow: 1, failed: 0, excluded: 1, near: 2, threshold_ms: 400 });
  assert.equal(tally.requests, 4);
});

test('who is stopped while a step begins waits for all that the step asks', async () => {
  let asked = 0;
  const shop = http.createServer((_, answer) => { asked++; answer.end(); });
  await new Promise((ready) => shop.listen(0, '127.0.0.1', ready));
  const visitors = new Visitors({ target: `http://127.0.0.1:${shop.address().port}`, seed: 1 });
  // the second step ends what the first began, and only then asks: not at once
  async function* inner() { yield; }
  visitors.walk = async function* walk() {
    yield* inner();
    await visitors.request({}, 'GET', '/cart');
    await visitors.request({}, 'GET', '/cart');
  };
  let steps = 0;
  await visitors.run(100, Infinity, () => steps++ === 2);
  assert.equal(visitors.tally.requests, 2);
  assert.equal(asked, 2);
  shop.close();
});
