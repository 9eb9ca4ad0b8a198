// SPDX-License-Identifier: Apache-2.0
// pages.mjs - what a person sees: plain HTML, rendered here, working without JavaScript.
const STYLE = `
:root{color-scheme:light dark;--ink:#1d2733;--paper:#fcfbf8;--soft:#69727d;--line:#ddd8cc;--sea:#14617b}
@media(prefers-color-scheme:dark){:root{--ink:#e8e6e1;--paper:#161a1f;--soft:#9aa3ad;--line:#333b44;--sea:#6fc3df}}
*{box-sizing:border-box}body{margin:0 auto;max-width:62rem;padding:0 1rem 3rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:center;padding:.9rem 0;border-bottom:1px solid var(--line);margin-bottom:1.25rem}
header a.home{font-weight:700;font-size:1.15rem;text-decoration:none;margin-right:auto}a{color:var(--sea)}
ul.goods{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.75rem}
ul.goods li{border:1px solid var(--line);border-radius:.5rem;padding:.75rem}ul.goods a{display:block;font-weight:600;text-decoration:none}
.price{color:var(--soft)}form.inline{display:inline-flex;gap:.4rem;flex-wrap:wrap}label{display:block;margin:.6rem 0}
input{font:inherit;padding:.4rem .55rem;border:1px solid var(--line);border-radius:.35rem;background:transparent;color:inherit;max-width:100%}
button{font:inherit;padding:.4rem .9rem;border:0;border-radius:.35rem;background:var(--sea);color:var(--paper);cursor:pointer}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.45rem .3rem;border-bottom:1px solid var(--line)}.note{padding:.6rem .8rem;border-left:4px solid var(--sea)}`;

export function escape(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const money = (cents) => `€ ${(cents / 100).toFixed(2)}`;

function page(title, session, body) {
  const who = session?.email
    ? escape(session.email)
    : '<a href="/login">Log in</a> · <a href="/signup">Sign up</a>';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · Chandlery</title><style>${STYLE}</style></head><body><header><a class="home" href="/">Chandlery</a>
<form class="inline" action="/search"><input name="q" aria-label="Search" placeholder="lamp, tea, map"><button>Search</button></form>
<a href="/cart">Cart</a><span>${who}</span></header><main><h1>${escape(title)}</h1>${body}</main></body></html>`;
}

function goods(list) {
  if (list.length === 0) return '<p>Nothing here by that name.</p>';
  return `<ul class="goods">${list.map((p) => `<li><a href="/product/${p.id}">${escape(p.name)}</a><span class="price">${money(p.cents)}</span></li>`).join('')}</ul>`;
}

export const home = (session, list) => page('Everything for a steady ship', session, goods(list));

export const search = (session, words, list) => page(`“${words}”`, session, goods(list));

export const product = (session, p) => page(p.name, session, `<p>${escape(p.about)}</p><p class="price">${money(p.cents)}, ${p.stock} in stock</p>
<form method="post" action="/cart"><input type="hidden" name="product" value="${p.id}"><label>How many <input name="quantity" type="number" min="1" max="99" value="1"></label><button>Put into the cart</button></form>
<p><a href="/recommendations?product=${p.id}">What others took with it</a></p>`);

export const recommendations = (session, list) => page('What others took with it', session, goods(list));

export function cart(session, lines) {
  if (lines.length === 0) return page('Your cart', session, '<p>It is empty.</p>');
  const total = lines.reduce((sum, l) => sum + l.cents * l.quantity, 0);
  const rows = lines.map((l) => `<tr><td><a href="/product/${l.id}">${escape(l.name)}</a></td><td>${l.quantity}</td><td>${money(l.cents * l.quantity)}</td>
<td><form method="post" action="/cart/remove"><input type="hidden" name="product" value="${l.id}"><button>Remove</button></form></td></tr>`).join('');
  const next = session.customer_id
    ? `<form method="post" action="/checkout"><input type="hidden" name="token" value="${escape(session.order_token)}"><button>Order for ${money(total)}</button></form>`
    : '<p class="note"><a href="/login">Log in</a> or <a href="/signup">sign up</a> to order.</p>';
  return page('Your cart', session, `<table>${rows}</table><p class="price">Together ${money(total)}</p>${next}`);
}

export function account(session, action, wrong) {
  const title = action === '/signup' ? 'Sign up' : 'Log in';
  return page(title, session, `${wrong ? `<p class="note">${escape(wrong)}</p>` : ''}<form method="post" action="${action}">
<label>Mail address <input name="email" type="email" required autocomplete="email"></label>
<label>Password, at least 8 letters <input name="password" type="password" minlength="8" required autocomplete="current-password"></label><button>${title}</button></form>`);
}

export const order = (session, o) => page(`Order ${o.id}`, session, `<p>Thank you. ${money(Number(o.cents))}, packed and on its way.</p>`);

export const note = (session, title, text) => page(title, session, `<p class="note">${escape(text)}</p>`);
