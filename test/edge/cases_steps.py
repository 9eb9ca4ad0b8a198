# SPDX-License-Identifier: Apache-2.0
# cases_steps.py - many users at once on their way through steps, over connections to all reactors, beside a model that knows
# each of them: the funnel is exact. And files that say it wrongly.
import json
import random
import subprocess
import threading
import time

import kit
from kit import Edge, Instance, case, connect, expect, wait_for, yaml

DEADLINE_S = 15  # far more than the users take on a busy machine
STEPS = 4
MORE = ("identity: { user: \"cookie:uid\" }\njourneys:\n"
        f"  flow: {{ steps: [{', '.join(f'GET /s/{i}/*' for i in range(1, STEPS + 1))}], deadline: {DEADLINE_S}s, "
        "objectives: { done: { target: 50% }, soon: { target: 50%, under: 1000s } } }\n"
        "  all: { routes: [GET /*], objectives: { available: { target: 1% } } }\n")


def serve(_, stream, request):
    status = {"bad": b"503 No", "none": b"404 None"}.get(request["target"].rsplit("/", 1)[-1], b"200 OK")
    stream.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nhi")


class Model:
    """What one user's requests amount to."""

    def __init__(self):
        self.reached, self.ends, self.at, self.failed = [0] * STEPS, {"completed": 0, "failed": 0, "abandoned": 0}, 0, False

    def take(self, step, what):
        if what == "good" and step == self.at + 1:
            if self.at == 0:
                self.failed = False
            self.reached[self.at] += 1
            self.at += 1
            if self.at == STEPS:
                self.ends["completed"] += 1
                self.at = 0
        elif what == "bad" and self.at and step <= self.at + 1:
            self.failed = True

    def end(self):
        if self.at:
            self.ends["failed" if self.failed else "abandoned"] += 1
            self.at = 0


def wander(port, users, seed, wrong):
    """Some users, their requests mixed, each over any of a few connections; some come back behind the deadline."""
    rng = random.Random(seed)
    streams = [connect(port) for _ in range(6)]
    try:
        for late in (False, True):
            turns = [name for name in users for _ in range(rng.randrange(1, 9))]
            rng.shuffle(turns)
            for name in turns:
                model = users[name]
                step = model.at + 1 if rng.random() < 0.75 else rng.randrange(1, STEPS + 1)
                what = rng.choices(["good", "bad", "none"], [8, 1, 1])[0]
                status = rng.choice(streams).get(f"/s/{step}/{what}", fields=f"Cookie: uid={name}\r\n")[0]
                expect(status == {"good": 200, "bad": 503, "none": 404}[what], f"{what} was answered with {status}")
                model.take(step, what)
            for model in users.values() if not late else ():
                model.end()
            if not late:
                time.sleep(DEADLINE_S + 2)  # what they began is over by then
    except (kit.Wrong, OSError) as e:
        wrong.append(str(e))
    finally:
        for s in streams:
            s.close()


def funnel(edge):
    body = kit.connect(edge.admin)
    try:
        answer = json.loads(body.get("/api/v1/journeys", host="localhost")[2])
    finally:
        body.close()
    return {j["name"]: j for j in answer["journeys"]}["flow"]


@case
def users_beside_a_model():
    with Instance(serve) as app, Edge(yaml([app], more=MORE, workers=2)) as edge:
        crowds, wrong = [{f"u{t}-{i}": Model() for i in range(40)} for t in range(4)], []
        threads = [threading.Thread(target=wander, args=(edge.http, users, seed, wrong)) for seed, users in enumerate(crowds)]
        began = time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        expect(not wrong, f"the users: {wrong[:3]}")
        expect(time.monotonic() - began < 2 * DEADLINE_S + 2, "this machine is too slow to tell before from behind a deadline")
        models = [m for users in crowds for m in users.values()]
        under_way = sum(m.at > 0 for m in models)
        now = funnel(edge)["steps"]
        expect(under_way > 20 and now["lost"] == 0, f"{under_way} are under way; {now}")
        for m in models:
            m.end()
        wanted = {e: sum(m.ends[e] for m in models) for e in ("completed", "failed", "abandoned")}
        wanted["started"] = sum(m.reached[0] for m in models)
        expect(all(n > 20 for n in wanted.values()), f"not much happened: {wanted}")

        def as_wanted():
            j = funnel(edge)
            f = j["steps"]
            return (all(f[k] == n for k, n in wanted.items()) and f["under_way"] == 0 and f["no_identity"] == 0
                    and [s["reached"] for s in f["reached"]] == [sum(m.reached[i] for m in models) for i in range(STEPS)]
                    and j["counts"]["good"] == wanted["completed"] and j["counts"]["excluded"] == wanted["abandoned"]
                    and j["counts"]["failed"] == wanted["failed"])

        try:
            wait_for("the funnel is as the model has it", as_wanted)
        except kit.Wrong:
            reached, j = [sum(m.reached[i] for m in models) for i in range(STEPS)], funnel(edge)
            raise kit.Wrong(f"wanted {wanted}, reached {reached}; got {j['counts']}, {j['steps']}")


@case
def files_that_say_steps_wrongly():
    head = "listen: { http: 127.0.0.1:8080 }\nservices: { app: { instances: [127.0.0.1:1] } }\n"
    user = "identity: { user: \"cookie:uid\" }\n"
    steps = "steps: [GET /a, GET /b]"
    for text, said in [
            (f"journeys: {{ j: {{ {steps} }} }}", "steps need identity.user"),
            (user + "journeys: { j: { steps: [GET /a] } }", "needs from 2 to 8 steps"),
            (user + f"journeys: {{ j: {{ steps: [{', '.join('GET /a' for _ in range(9))}] }} }}", "needs from 2 to 8 steps"),
            (user + f"journeys: {{ j: {{ {steps}, routes: [GET /c] }} }}", "'routes' is about single requests"),
            (user + f"journeys: {{ j: {{ kind: request, {steps}, routes: [GET /c] }} }}", "'steps' is about steps; this is a journey of requests"),
            (user + f"journeys: {{ j: {{ kind: job, {steps} }} }}", "'steps' is about steps; this is a journey of jobs"),
            (user + "journeys: { j: { kind: steps } }", "'steps' is missing"),
            (user + f"journeys: {{ j: {{ {steps}, deadline: 8d }} }}", "7d"),
            (user + f"journeys: {{ j: {{ {steps}, deadline: 10ms }} }}", "1s"),
            (user + "journeys: { j: { routes: [GET /c], deadline: 5m } }", "'deadline' is about steps"),
            (user + "journeys: { j: { routes: [GET /c], bad: { abandoned: true } } }", "'abandoned' is about steps"),
            (user + "journeys: { j: { steps: [GET /a, GET b] } }", "'GET b'"),
            (user + "journeys: {" + ", ".join(f"j{i}: {{ {steps} }}" for i in range(65)) + "}", "at most 64 journeys of steps")]:
        done = subprocess.run([kit.binary, "validate", "-c", "/dev/stdin"], input=head + text + "\n", capture_output=True, text=True)
        expect(done.returncode == 1 and said in done.stdout + done.stderr, f"{text}: {done.returncode} {done.stdout}{done.stderr}")
    good = user + f"journeys: {{ j: {{ kind: steps, {steps}, deadline: 7d, bad: {{ abandoned: true }} }}, k: {{ {steps} }} }}"
    done = subprocess.run([kit.binary, "validate", "-c", "/dev/stdin"], input=head + good + "\n", capture_output=True, text=True)
    expect(done.returncode == 0, f"{done.stdout}{done.stderr}")
