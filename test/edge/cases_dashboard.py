# SPDX-License-Identifier: Apache-2.0
# cases_dashboard.py - the dashboard in a real browser: it is live without a reload, says when the node is lost, and works without scripts.
import json
import time

from cases_access import OTHER, VIEW, Guarded
from cases_admin import ask
from cases_notices import Listener, change
from chromium import Browser
from kit import Edge, Instance, case, connect, expect, wait_for, yaml

JOURNEYS = "journeys: { shop: { owner: sales, routes: [GET /*], objectives: { available: { target: 99% } } } }\n"
SOON_S = 3  # less than the five seconds at which it asks anyway


def dashboard(edge, **more):
    browser = Browser(**more)
    try:
        browser.open(f"http://localhost:{edge.admin}/")
    except BaseException:
        browser.__exit__()
        raise
    return browser


def visit(edge, count):
    c = connect(edge.http)
    for _ in range(count):
        c.get("/x")
    c.close()


def stands(text):
    return f"document.body.innerText.includes({json.dumps(text)})"


def state_of(instance):
    return f"[...document.querySelectorAll('section tbody tr')].find((r) => r.innerText.includes('{instance.address}'))?.querySelector('b').textContent"


@case
def the_page_is_live():
    with Instance() as one, Instance() as other, Edge(yaml([one, other], more=JOURNEYS)) as edge, dashboard(edge) as b:
        wait_for("it listens", lambda: edge.metric("evenkeel_event_streams") == 1)
        b.value("window.mark = document.querySelector('h1'); document.querySelector('footer a').focus(); "
                "getSelection().selectAllChildren(document.querySelector('h1')); 1")
        for turn in range(2):  # with an answer of the page just read, and with one some seconds old
            began = time.monotonic()
            made = change(edge, change="drain", instance=other.address, who="me", why="a <b>try</b>")
            b.until("the drain is shown", f"{state_of(other)} === 'drained' && {stands('by me: a <b>try</b>')}", SOON_S)
            ask(edge, "DELETE", f"/api/v1/changes/{made['id']}", "{}")
            b.until("that it is taken back is shown", f"{state_of(other)} !== 'drained' && !{stands('Changed at run time')}", SOON_S)
            expect(time.monotonic() - began < 2 * SOON_S, "it was waited for")
            time.sleep(1.5 * (1 - turn))
        visit(edge, 20)
        b.until("what is counted is shown", "document.querySelector('tbody tr td[data-label=good]').textContent === '20'", 10)
        expect(b.value("window.mark.isConnected && document.activeElement.textContent === 'journeys' && getSelection().toString()") == "evenkeel",
               "it was loaded anew, or what stood there was replaced")
        expect(b.complaints == [], b.complaints)


@case
def the_page_says_when_the_node_is_lost():
    with Instance() as one, Edge(yaml([one], more=JOURNEYS)) as edge, dashboard(edge) as b:
        visit(edge, 5)
        b.value("window.mark = 1")
        b.until("what is counted is shown", "document.querySelector('tbody tr td[data-label=good]').textContent === '5'", 10)
        expect(b.value("document.querySelector('#lost').hidden"), "it says that nothing answers")
        edge.process.kill()
        edge.process.wait()
        b.until("it says so", "!document.querySelector('#lost').hidden && document.title.startsWith('no answer')", 10)
        expect("No answer from this node since " in b.text() and "it takes no connection" in b.text() and "asked again every second" in b.text(), b.text())
        expect("shop" in b.text(), "what it knew is gone")
        edge.start()
        b.until("it is there again", "document.querySelector('#lost').hidden && document.title === 'evenkeel'", 15)
        change(edge, change="weight", instance=one.address, weight=7, who="somebody")
        b.until("events come again", stands("by somebody"), SOON_S)
        edge.process.send_signal(19)  # SIGSTOP: it neither answers nor closes
        try:
            b.until("it says so", "!document.querySelector('#lost').hidden", 30)
            expect("nothing within 10 s" in b.text(), b.text())
        finally:
            edge.process.send_signal(18)
        b.until("it is there again", "document.querySelector('#lost').hidden", 15)
        expect(b.value("window.mark") == 1 and b.complaints == [], b.complaints)


@case
def the_page_works_without_scripts():
    with Instance() as one, Edge(yaml([one], more=JOURNEYS)) as edge, dashboard(edge, scripts=False) as b:
        shown = "document.querySelector('tbody tr td[data-label=good]').textContent"
        expect(b.value(shown) == "0", b.text())
        visit(edge, 7)
        b.until("it reloads itself", f"{shown} === '7'", 12)
        change(edge, change="drain", instance=one.address, who="me", force=True)
        b.until("it reloads itself", stands("by me"), 12)
        expect(edge.metric("evenkeel_event_streams") == 0, "it listens")


@case
def a_page_without_a_stream_asks_as_often_as_ever():
    with Instance() as one, Edge(yaml([one], more=JOURNEYS)) as edge:
        listeners = [Listener(edge) for _ in range(32)]
        with dashboard(edge) as b:
            b.value("window.mark = 1")
            visit(edge, 3)
            b.until("what is counted is shown", "document.querySelector('tbody tr td[data-label=good]').textContent === '3'", 10)
            expect(b.value("document.querySelector('#lost').hidden && window.mark === 1"), b.text())
        for s in listeners:
            s.stream.close()


@case
def a_page_whose_session_ends_asks_for_the_token():
    with Instance() as one, Guarded(one) as edge, Browser() as b:
        b.open(f"http://localhost:{edge.admin}/")
        expect(b.value("document.querySelector('form.login') !== null && document.scripts.length === 0"), b.text())
        b.value(f"document.querySelector('input').value = '{VIEW}'; document.querySelector('form').submit(); 1")
        b.until("it is logged in", "document.querySelector('form.logout') !== null")
        wait_for("it listens", lambda: b.value("performance.getEntriesByType('resource').some((e) => e.name.includes('live.js'))"))
        edge.write("view", OTHER)
        edge.reload()
        b.until("it asks for the token", "document.querySelector('form.login') !== null", 10)
