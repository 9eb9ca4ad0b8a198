# SPDX-License-Identifier: Apache-2.0
# cases_notices.py - GET /api/v1/events: what is told, going on after a break, and the bounds.
import json
import os
import socket
import sqlite3
import threading
import time

from cases_access import OPERATE, OTHER, VIEW, Guarded
from cases_admin import ask
from kit import Edge, Instance, Stream, Wrong, case, connect, expect, free_port, wait_for, yaml

PATIENCE_S = 30


class Listener:
    """An open stream; events are dicts with event, id and data."""

    def __init__(self, edge, query="", fields="", token=None, small=False):
        if small:  # a window that is soon full
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", edge.admin))
            self.stream = Stream(sock)
        else:
            self.stream = connect(edge.admin)
        if token:
            fields += f"Authorization: Bearer {token}\r\n"
        self.stream.send(f"GET /api/v1/events{query} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
        line, self.fields = self.stream.head()
        self.status, self.text, self.over = int(line.split()[1]), "", False
        if self.status == 200:
            expect(self.fields["content-type"] == "text/event-stream" and self.fields["cache-control"] == "no-store", self.fields)
            expect(self.fields["x-content-type-options"] == "nosniff", self.fields)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def block(self):
        """Up to the next empty line: its lines; None at the end of the stream."""
        while "\n\n" not in self.text:
            n = int(self.stream.take_until(b"\r\n").split(b";")[0], 16)
            self.text += self.stream.take(n + 2)[:-2].decode()
            if n == 0:
                self.over = True
                return None
        block, _, self.text = self.text.partition("\n\n")
        return block.split("\n")

    def next(self):
        """The next event; None at the end of the stream."""
        deadline = time.monotonic() + PATIENCE_S  # signs of life come all the time
        while (lines := self.block()) is not None:
            expect(time.monotonic() < deadline, f"no event within {PATIENCE_S} s")
            found = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith(":"))
            if "event" in found:
                return {**found, "data": json.loads(found["data"])}
        return None

    def until(self, kind, **data):
        """The next one of this kind with these data."""
        seen, deadline = [], time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                e = self.next()
            except Wrong as wrong:
                raise Wrong(f"{wrong}; awaited {kind} {data}; seen {seen[-12:]}")
            seen.append(e and (e["event"], e["data"]))
            expect(e is not None, f"the stream ended before {kind} {data}")
            if e["event"] == kind and all(e["data"].get(k) == v for k, v in data.items()):
                expect(abs(e["data"]["at"] - time.time()) < 120, f"it is told with another time: {e}")
                return e
        raise Wrong(f"{kind} {data} did not come; seen {seen[-12:]}")


def change(edge, expected=202, **wish):
    status, _, text = ask(edge, "POST", "/api/v1/changes", json.dumps(wish))
    expect(status == expected, f"{wish}: {status} {text}")
    return json.loads(text)


@case
def events_tell_what_happens():
    peer = free_port()
    checks = "health: { interval: 100ms, timeout: 1s, fall: 2, rise: 1 }, "
    journeys = "journeys: { a: { routes: [GET /*], objectives: { available: { target: 99% } } } }\n"
    with Instance() as good, Instance() as other:
        edge = Edge(yaml([good, other], checks=checks, more=f"peers: [\"127.0.0.1:{peer}\"]\n{journeys}"))
        with edge, Listener(edge, "?after=0") as s:
            s.until("node", state="ready")
            other.listener.shutdown(socket.SHUT_RDWR)
            other.listener.close()
            e = s.until("instance", instance=other.address, state="down")
            expect(e["data"]["service"] == "app" and e["data"]["why"], e)
            other.listener = socket.create_server(("127.0.0.1", other.port))
            threading.Thread(target=other.accept, daemon=True).start()
            s.until("instance", instance=other.address, state="up")

            made = change(edge, change="drain", instance=other.address, who="me", why="a \"try\"")
            e = s.until("change", deed="made", change="drain", instance=other.address, service="app", who="me", why="a \"try\"", by="local")
            expect(e["data"]["id"] == made["id"], e)
            s.until("instance", instance=other.address, state="drained")
            status = ask(edge, "DELETE", f"/api/v1/changes/{made['id']}", '{"who": "you", "why": "enough"}')[0]
            expect(status == 202, status)
            s.until("change", deed="taken-back", id=made["id"], who="you", why="enough")
            s.until("instance", instance=other.address, state="undrained")
            change(edge, change="weight", instance=other.address, weight=3, for_s=1)
            s.until("change", deed="made", change="weight", value="weight=3")
            s.until("change", deed="expired", change="weight", who=None, by=None)
            change(edge, change="drain", instance=other.address, who="me")
            s.until("change", deed="made")
            change(edge, change="undrain", instance=other.address, who="she")
            s.until("change", deed="taken-back", change="drain", who="she")

            with open(edge.file) as f:
                text = f.read()
            with open(edge.file, "w") as f:
                f.write(text.replace("99%", "99.5%").replace("GET /*", "GET /b/*"))
            ask(edge, "POST", "/api/v1/reload", '{"who": "me", "why": "a new target"}')
            s.until("journey", journey="a", version=2)
            e = s.until("reload", deed="reloaded", who="me", why="a new target", by="local")
            expect("journeys.a" in e["data"]["changed"] and e["data"]["error"] is None, e)
            with open(edge.file, "w") as f:
                f.write("nonsense: 1\n")
            edge.process.send_signal(1)  # SIGHUP
            e = s.until("reload", deed="reload-refused", by="signal", who=None)
            expect(e["data"]["error"], e)
            expect(ask(edge, "POST", "/api/v1/reload", '{"what": 1}')[0] == 400, "a body that is not understood is taken")

            lock = sqlite3.connect(os.path.join(edge.folder, "evenkeel.db"), isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            c = connect(edge.http)
            c.get("/b/1")
            c.close()
            s.until("store", state="busy")
            lock.execute("ROLLBACK")
            lock.close()
            s.until("store", state="well", text=None)

            edge.process.terminate()
            s.until("node", state="draining")
            expect(s.next() is None and s.over, "the stream does not end in order")
            edge.ended()


@case
def events_tell_of_peers_and_ejections():
    with Instance() as good, Instance() as bad, Edge(yaml([good])) as one:
        with Edge(yaml([good, bad], more=f"peers: [\"127.0.0.1:{one.admin}\"]")) as edge, Listener(edge, "?after=0") as s:
            s.until("peer", peer=f"127.0.0.1:{one.admin}", state="heard")
            bad.listener.shutdown(socket.SHUT_RDWR)
            bad.listener.close()
            for _ in range(30):
                c = connect(edge.http)
                c.get("/x")
                c.close()
            e = s.until("instance", instance=bad.address, state="ejected")
            expect(e["data"]["why"] == "takes no connection", e)
            s.until("instance", instance=bad.address, state="up", why="it is tried again")
            one.stop()
            e = s.until("peer", state="silent")
            expect(e["data"]["error"], e)


@case
def one_goes_on_after_a_break():
    with Instance() as good, Edge(yaml([good])) as edge:
        with Listener(edge) as s:
            change(edge, change="weight", instance=good.address, weight=2)
            first = s.until("change")
        for weight in (3, 4, 5):
            change(edge, change="weight", instance=good.address, weight=weight)
        for query, fields in (("", f"Last-Event-ID: {first['id']}\r\n"), (f"?after={first['id']}", ""),
                              ("?after=0", f"Last-Event-ID: {first['id']}\r\n")):  # what the browser knows is newer
            with Listener(edge, query, fields) as s:
                expect([s.until("change")["data"]["value"] for _ in range(3)] == ["weight=3", "weight=4", "weight=5"], "some are missing")
        with Listener(edge, "?after=0&kinds=change") as s:
            events = [s.next() for _ in range(4)]
            expect([e["data"]["value"] for e in events] == [f"weight={i}" for i in (2, 3, 4, 5)], events)
            numbers = [int(e["id"].split("-")[1]) for e in events]
            expect(numbers == sorted(set(numbers)), numbers)
        with Listener(edge, "?kinds=reload") as s:  # from now on, and nothing else
            change(edge, change="weight", instance=good.address, weight=6)
            ask(edge, "POST", "/api/v1/reload", "{}")
            expect(s.next()["event"] == "reload", "another kind is told")
        origin = first["id"].split("-")[0]
        for after in (f"{origin}-9999", "12345-1"):
            with Listener(edge, f"?after={after}") as s:
                e = s.next()
                expect(e["event"] == "missed" and "another process" in e["data"]["why"] and e["data"]["after"] == after, e)
                expect(s.until("change")["data"]["value"] == "weight=2", "what is kept is not told")
        for query in ("?after=x", "?kinds=", "?kinds=change,nonsense", "?what=1", "?after=1&after=2"):
            with Listener(edge, query) as s:
                body = json.loads(s.stream.body(s.fields))
                expect(s.status == 400 and body["reason"] == "query_wrong", f"{query}: {s.status} {body}")
        edge.stop()
        edge.start()
        with Listener(edge, f"?after={first['id']}") as s:
            expect(s.next()["event"] == "missed", "the id of an earlier process is taken for one of ours")
            s.until("node", state="ready")


@case
def who_was_away_too_long_is_told():
    with Instance() as good, Edge(yaml([good])) as edge:
        change(edge, change="weight", instance=good.address, weight=1000)
        with Listener(edge, "?after=0") as s:
            first = s.until("change")
        many(edge, good, 400)
        with Listener(edge, f"?after={first['id']}") as s:
            e = s.next()
            expect(e["event"] == "missed" and "not kept" in e["data"]["why"], e)
            following = s.next()
            expect(following["id"] != first["id"] and int(following["id"].split("-")[1]) == int(e["id"].split("-")[1]) + 1,
                   f"{e} is followed by {following}")


def many(edge, instance, count):
    """So many events of more than a thousand bytes."""
    s = connect(edge.admin)
    for i in range(count):
        body = json.dumps({"change": "weight", "instance": instance.address, "weight": i % 900 + 2, "who": '"' * 256, "why": '"' * 256})
        s.send(f"POST /api/v1/changes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        status, _, text = s.answer()
        expect(status in (200, 202), f"{status} {text}")
    s.close()


@case
def who_does_not_read_is_cut_off():
    with Instance() as good, Edge(yaml([good])) as edge:
        with Listener(edge, small=True) as slow, Listener(edge, "?kinds=change") as quick:
            wait_for("both listen", lambda: edge.metric("evenkeel_event_streams") == 2)
            seen = 0
            for _ in range(40):
                many(edge, good, 100)
                while seen < 100 * (_ + 1):
                    expect(quick.next() is not None, "the quick one is cut off")
                    seen += 1
                if edge.metric("evenkeel_event_streams") == 1:
                    break
            expect(edge.metric("evenkeel_event_streams") == 1, "the slow one is still told")
            slow.stream.rest()
            expect(slow.stream.ended, "the slow one is not cut off")


@case
def no_more_than_32_listen():
    with Instance() as good, Edge(yaml([good])) as edge:
        listeners = [Listener(edge) for _ in range(32)]
        expect(all(s.status == 200 for s in listeners), [s.status for s in listeners])
        with Listener(edge) as s:
            body = json.loads(s.stream.body(s.fields))
            expect(s.status == 503 and body["reason"] == "too_many_streams" and "retry-after" in s.fields, f"{s.status} {body}")
        listeners.pop().stream.close()
        wait_for("there is room again", lambda: edge.metric("evenkeel_event_streams") == 31)
        with Listener(edge) as s:
            expect(s.status == 200, s.status)
        change(edge, change="weight", instance=good.address, weight=2)
        for s in listeners:
            s.until("change")
            s.stream.close()
        head = connect(edge.admin)
        head.send("HEAD /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        expect(head.head()[0].split()[1] == "200", "HEAD is not answered")
        expect(head.get("/healthz", host="localhost")[0] == 200, "behind HEAD nothing is answered")
        head.close()


@case
def a_quiet_stream_shows_that_it_lives():
    with Instance() as good, Edge(yaml([good])) as edge, Listener(edge) as s:
        expect(s.block() == ["retry: 2000"], "it does not say when to come back")
        began = time.monotonic()
        while (lines := s.block())[0] != ":":
            expect(lines[0].startswith("event:"), lines)
        expect(12 < time.monotonic() - began < 30, f"after {time.monotonic() - began} s")


@case
def streams_end_with_their_token():
    with Instance() as good, Guarded(good) as edge:
        with Listener(edge) as s:
            expect(s.status == 401, "nobody is asked for a token")
        with Listener(edge, token=VIEW) as s:
            edge.reload()
            s.until("reload")
            edge.ask("POST", "/api/v1/changes", OPERATE, body=json.dumps({"change": "weight", "instance": good.address, "weight": 7}))
            s.until("change", by="operate-token")
            edge.write("view", OTHER)
            edge.reload()
            while s.next() is not None:
                pass
            expect(s.over, "it goes on, though its token is no longer good")
