// SPDX-License-Identifier: Apache-2.0
// live.js - keeps the page as it is at the node, without a reload: it asks for the page again when something happens there (server-sent
// events) and every five seconds, and changes only what differs, so that what one reads, has marked or stands on stays.
// Always: what is shown is what the node rendered, nothing is computed here; when the node does not answer, that is said. Without this file
// the page reloads itself (src/control/page.c).
'use strict';

const EVERY_MS = 5000; // counts change all the time; as without a script
const HIDDEN_MS = 30000; // nobody looks: for the title only
const SOON_MS = 100; // after an event; they come in bursts
const APART_MS = 500; // between two questions
const AGAIN_MS = 1000; // while nothing answers
const PATIENCE_MS = 10000; // the node itself waits up to three seconds for others
const STREAM_AGAIN_MS = 30000; // it was refused: there are too many

const page = document.documentElement;
const lostNote = document.createElement('p');
let timer = 0;
let asking = false;
let wanted = false; // something happened since it was asked for last
let stream = null;
let seen = new Date(); // when the node answered last

lostNote.id = 'lost';
lostNote.setAttribute('role', 'alert');
lostNote.hidden = true;
document.body.prepend(lostNote);

// ---- what differs

function become(old, now) {
  if (old.nodeName !== now.nodeName) {
    old.replaceWith(document.importNode(now, true));
  } else if (!(old instanceof Element)) {
    if (old.data !== now.data) old.data = now.data;
  } else if (!old.isEqualNode(now)) {
    for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const [olds, news] = [[...old.childNodes], [...now.childNodes]];
    news.forEach((n, i) => { if (i < olds.length) become(olds[i], n); else old.append(document.importNode(n, true)); });
    olds.slice(news.length).forEach((n) => n.remove());
  }
}

function show(text) {
  const now = new DOMParser().parseFromString(text, 'text/html');
  if (now.documentElement.dataset.version !== page.dataset.version) {
    location.reload(); // another program, which may have another script
    return;
  }
  document.title = now.title;
  for (const part of ['header', 'main', 'footer']) become(document.querySelector(part), now.querySelector(part));
}

// ---- asking

function lost(why) {
  document.body.classList.add('lost');
  document.title = `no answer - ${location.host}`;
  lostNote.textContent = `No answer from this node since ${seen.toLocaleTimeString()} (${why}). What stands here is of then. It is asked again every second.`;
  lostNote.hidden = false;
}

function found() {
  seen = new Date();
  document.body.classList.remove('lost');
  lostNote.hidden = true;
}

async function ask() {
  const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  const text = await answer.text();
  if (answer.status === 401) location.reload(); // the session is over: the form to log in
  else if (!answer.ok) throw new Error(`it answers ${answer.status}`);
  else show(text);
}

function plan(ms) {
  clearTimeout(timer);
  timer = setTimeout(look, ms);
}

async function look() {
  if (asking) {
    wanted = true;
    return;
  }
  asking = true;
  wanted = false;
  let next = document.hidden ? HIDDEN_MS : EVERY_MS;
  try {
    await ask();
    found();
    if (!stream) listen();
  } catch (e) {
    lost(e.name === 'TimeoutError' ? `nothing within ${PATIENCE_MS / 1000} s` : e.name === 'TypeError' ? 'it takes no connection' : e.message);
    next = AGAIN_MS;
  }
  asking = false;
  plan(wanted ? APART_MS : next);
}

function soon() {
  wanted = true;
  if (!asking) plan(SOON_MS);
}

// ---- events: what they say is not looked at, for the page says it

let refused = 0; // when the stream was; it is tried again later

function listen() {
  if (document.hidden || Date.now() - refused < STREAM_AGAIN_MS) return;
  stream = new EventSource('/api/v1/events');
  stream.onopen = soon; // what happened meanwhile; the browser itself comes back after a break
  for (const kind of page.dataset.events.split(' ')) stream.addEventListener(kind, soon);
  stream.onerror = () => {
    if (stream?.readyState === EventSource.CLOSED) {
      stream = null;
      refused = Date.now();
    }
    soon();
  };
}

function mute() {
  stream?.close();
  stream = null;
}

// A page that nobody sees needs no stream: browsers have few connections to one node, and the node has few streams.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) mute();
  else soon();
});
window.addEventListener('pagehide', mute);
window.addEventListener('pageshow', (e) => { if (e.persisted) soon(); });

listen();
plan(EVERY_MS);
