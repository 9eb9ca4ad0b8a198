// SPDX-License-Identifier: Apache-2.0
// routes.mjs - from a request to a page: one table, one function a row.
import * as assist from './assist.mjs';
import * as pages from './pages.mjs';
import { findSession, logIn, newToken, signUp, validAccount } from './sessions.mjs';
import { sleep, suffer, troubles } from './troubles.mjs';

const BODY_MAX = 64 * 1024;

class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function readBody(request) {
  const pieces = [];
  let n = 0;
  for await (const piece of request) {
    n += piece.length;
    if (n > BODY_MAX) throw new Refusal(413, 'that is too much');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

const readForm = async (request) => new URLSearchParams(await readBody(request));

function html(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function json(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function go(response, where) {
  response.writeHead(303, { Location: where, 'Content-Length': 0 });
  response.end();
}

const number = (text) => (/^[0-9]{1,9}$/.test(text ?? '') ? Number(text) : NaN);

// ---- what each row does: (shop, request, response, { session, url, id })

async function home(shop, request, response, { session }) {
  html(response, 200, pages.home(session, await shop.popular(24)));
}

async function search(shop, request, response, { session, url }) {
  const words = (url.searchParams.get('q') ?? '').slice(0, 100);
  html(response, 200, pages.search(session, words, await shop.search(words, 24)));
}

async function product(shop, request, response, { session, id }) {
  const found = Number.isNaN(number(id)) ? undefined : await shop.product(number(id));
  if (!found) throw new Refusal(404, 'There is no such product.');
  html(response, 200, pages.product(session, found));
}

async function recommendations(shop, request, response, { session, url }) {
  if (troubles.slow_recommendations_ms) await sleep(troubles.slow_recommendations_ms);
  const id = number(url.searchParams.get('product'));
  html(response, 200, pages.recommendations(session, await shop.recommendations(Number.isNaN(id) ? 1 : id, 8)));
}

const showSignup = async (shop, request, response, { session }) => html(response, 200, pages.account(session, '/signup'));
const showLogin = async (shop, request, response, { session }) => html(response, 200, pages.account(session, '/login'));

async function enter(shop, request, response, session, action, find, wrong) {
  const form = await readForm(request);
  const email = form.get('email') ?? '';
  const password = form.get('password') ?? '';
  const id = validAccount(email, password) ? await find(shop, email, password) : undefined;
  if (!id) {
    html(response, 422, pages.account(session, action, wrong));
    return;
  }
  await shop.signIn(session.id, id);
  go(response, '/cart');
}

const doSignup = (shop, request, response, { session }) => enter(shop, request, response, session, '/signup', signUp,
  'That address is taken, or it is none, or the password is shorter than 8 letters.');
const doLogin = (shop, request, response, { session }) => enter(shop, request, response, session, '/login', logIn,
  'The address or the password is wrong.');

async function showCart(shop, request, response, { session }) {
  html(response, 200, pages.cart(session, await shop.cart(session.id)));
}

async function addToCart(shop, request, response, { session }) {
  const form = await readForm(request);
  const quantity = number(form.get('quantity') ?? '1');
  if (!(quantity >= 1 && quantity <= 99)) throw new Refusal(422, 'From 1 to 99 of one thing, please.');
  const id = number(form.get('product'));
  if (Number.isNaN(id) || !(await shop.addToCart(session.id, id, quantity))) throw new Refusal(404, 'There is no such product.');
  go(response, '/cart');
}

async function removeFromCart(shop, request, response, { session }) {
  const id = number((await readForm(request)).get('product'));
  if (!Number.isNaN(id)) await shop.removeFromCart(session.id, id);
  go(response, '/cart');
}

async function checkout(shop, request, response, { session }) {
  const token = (await readForm(request)).get('token') ?? '';
  if (!session.customer_id) throw new Refusal(403, 'Log in first.');
  if (token.length < 8 || token.length > 64) throw new Refusal(422, 'This order has no token; go back to the cart.');
  const result = await shop.checkout(session, token, newToken());
  if (result.empty) throw new Refusal(422, 'The cart is empty.');
  if (result.soldOut) throw new Refusal(409, `${result.soldOut} is sold out.`);
  go(response, `/order/${result.id}`);
}

async function order(shop, request, response, { session, id }) {
  const found = session.customer_id && !Number.isNaN(number(id)) ? await shop.order(session.customer_id, number(id)) : undefined;
  if (!found) throw new Refusal(404, 'There is no such order of yours.');
  html(response, 200, pages.order(session, found));
}

async function ask(shop, request, response, { session }) {
  const reply = await assist.answer(shop, session, await readBody(request));
  if (reply === undefined) response.writeHead(202, { 'Content-Length': 0 }).end();
  else json(response, 200, reply);
}

// Streamed: chunked, a hundred rows at a time, no faster than the reader reads.
async function exportCatalogue(shop, request, response) {
  response.writeHead(200, { 'Content-Type': 'text/csv; charset=utf-8' });
  response.write('id,name,category,cents\n');
  for await (const rows of shop.catalogue()) {
    const text = rows.map((r) => `${r.id},"${r.name}",${r.category},${r.cents}\n`).join('');
    if (!response.write(text)) await new Promise((done) => response.once('drain', done));
  }
  response.end();
}

async function health(shop, request, response) {
  await shop.healthy();
  response.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok\n');
}

const table = [
  // method, path, function, needs a session
  ['GET', /^\/$/, home, true],
  ['GET', /^\/search$/, search, true],
  ['GET', /^\/product\/([^/]+)$/, product, true],
  ['GET', /^\/recommendations$/, recommendations, true],
  ['GET', /^\/signup$/, showSignup, true],
  ['POST', /^\/signup$/, doSignup, true],
  ['GET', /^\/login$/, showLogin, true],
  ['POST', /^\/login$/, doLogin, true],
  ['GET', /^\/cart$/, showCart, true],
  ['POST', /^\/cart$/, addToCart, true],
  ['POST', /^\/cart\/remove$/, removeFromCart, true],
  ['POST', /^\/checkout$/, checkout, true],
  ['GET', /^\/order\/([^/]+)$/, order, true],
  ['POST', /^\/assist$/, ask, true],
  ['GET', /^\/export\/catalogue\.csv$/, exportCatalogue, false],
  ['GET', /^\/healthz$/, health, false],
];

export async function route(shop, request, response) {
  const url = new URL(request.url, 'http://shop.invalid');
  if (url.pathname !== '/healthz' && await suffer(request, response)) return;
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const rows = table.filter(([, path]) => path.test(url.pathname));
  const row = rows.find(([m]) => m === method);
  let session;
  try {
    if (!row) throw new Refusal(rows.length ? 405 : 404, 'There is nothing here.');
    const [, path, act, needsSession] = row;
    if (needsSession) session = await findSession(shop, request, response);
    await act(shop, request, response, { session, url, id: path.exec(url.pathname)[1] });
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    html(response, e.status, pages.note(session, 'Sorry', e.message));
  }
}
