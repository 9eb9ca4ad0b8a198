// SPDX-License-Identifier: Apache-2.0
// sessions.mjs - cookies, sessions and passwords. A session is a row: any instance can take the request.
import crypto from 'node:crypto';
import { promisify } from 'node:util';

const scrypt = promisify(crypto.scrypt);
const COST = { N: 1024, r: 8, p: 1 }; // cheap on purpose: this is an example that runs under load

export function newToken() {
  return crypto.randomBytes(18).toString('base64url');
}

export function cookieOf(request, name) {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=');
    if (key === name) return value;
  }
  return undefined;
}

// The request's session; a new one (and its cookie) when it has none.
export async function findSession(shop, request, response) {
  const id = cookieOf(request, 'uid');
  const known = id && id.length <= 64 ? await shop.session(id) : undefined;
  if (known) return known;
  const session = { id: newToken(), customer_id: null, order_token: newToken(), email: null };
  await shop.addSession(session.id, session.order_token);
  response.setHeader('Set-Cookie', `uid=${session.id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000`);
  return session;
}

async function hash(password, salt) {
  return (await scrypt(password, salt, 32, COST)).toString('hex');
}

export function validAccount(email, password) {
  return /^[^@\s]{1,64}@[^@\s]{1,128}$/.test(email) && password.length >= 8 && password.length <= 128;
}

// The new customer's id; undefined when the address is taken.
export async function signUp(shop, email, password) {
  const salt = newToken();
  return shop.addCustomer(email.toLowerCase(), salt, await hash(password, salt));
}

// The customer's id; undefined when address or password are wrong.
export async function logIn(shop, email, password) {
  const customer = await shop.customer(email.toLowerCase());
  const given = await hash(password, customer?.salt ?? 'nobody'); // as long for strangers as for customers
  const right = customer && crypto.timingSafeEqual(Buffer.from(given), Buffer.from(customer.password));
  return right ? customer.id : undefined;
}
