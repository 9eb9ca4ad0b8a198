# SPDX-License-Identifier: Apache-2.0
# cases_events.py - jobs that are told of late count when they ended: in every window, in the history, and after a restart.
import json
import time

from kit import Edge, Instance, case, expect, wait_for, yaml
from cases_admin import ask

JOBS = "journeys: { mail: { kind: job, objectives: { done: { target: 90%, window: 2d } } } }"


def tell(edge, events, expected=200):
    status, _, body = ask(edge, "POST", "/api/v1/events", json.dumps(events))
    expect(status == expected, f"it answered {status}: {body}")
    return body


def windows(edge):
    j = json.loads(ask(edge, "GET", "/api/v1/journeys")[2])["journeys"][0]
    o = j["objectives"][0]
    return {w["window"]: w["good"] for w in o["windows"]} | {"own": o["good"], "all": j["counts"]["good"]}


@case
def late_events_count_when_they_ended():
    with Instance() as app, Edge(yaml([app], more=JOBS)) as edge:
        now = time.time()
        tell(edge, [{"journey": "mail", "outcome": "good", "duration_s": 1, "at": now - ago} for ago in (0, 1200, 5400, 10800, 21500)])
        tell(edge, [{"journey": "mail", "outcome": "good", "duration_s": 1, "at": now - 6 * 3600 - 60}], 400)
        tell(edge, [{"journey": "mail", "outcome": "good", "duration_s": 1, "at": now + 120}], 400)
        # the journey is younger than all but one of them: they count as of its first moments
        wait_for("all are counted", lambda: windows(edge)["all"] == 5 and windows(edge)["5m"] == 5)


@case
def late_events_over_a_restart():
    with Instance() as app, Edge(yaml([app], more=JOBS)) as edge:
        time.sleep(1.5)  # it has begun with nothing
        tell(edge, [{"journey": "mail", "outcome": "good", "duration_s": 1}])
        wait_for("it is stored", lambda: json.loads(ask(edge, "GET", "/api/v1/journeys")[2])["stored_at"])
        edge.stop()
        make_older(edge, 5 * 3600)
        edge.start()
        now = time.time()
        tell(edge, [{"journey": "mail", "outcome": "good", "duration_s": 1, "at": now - ago, "id": str(ago)} for ago in (2, 1200, 5400, 10800)])
        wanted = {"5m": 1, "30m": 2, "1h": 2, "2h": 3, "6h": 5, "1d": 5, "3d": 5, "28d": 5, "own": 5, "all": 5}
        wait_for(f"it counts {wanted}; it says {windows(edge)}", lambda: windows(edge) == wanted)
        time.sleep(2.2)  # seconds in which it is stored
        told = json.loads(ask(edge, "GET", "/api/v1/journeys/mail/history?points=96")[2])
        points = [p for p in told["points"] if p["good"]]
        expect(sum(p["good"] for p in points) == 5 and len(points) >= 4, f"the history has {points}")
        for p, ago in zip(points[1:3], (10800, 5400)):
            expect(p["at"] - told["step_s"] - 60 <= now - ago <= p["at"], f"{ago} s ago is not in {p}")
        edge.stop()
        edge.start()
        wait_for(f"it says the same; it says {windows(edge)}", lambda: windows(edge) == wanted)


def make_older(edge, seconds):
    """As if all in the store had been so much earlier."""
    import os
    import sqlite3
    db = sqlite3.connect(os.path.join(edge.folder, "evenkeel.db"))
    for table in ("total", "minute", "hour", "histogram"):
        db.execute(f"UPDATE {table} SET at = at - ?", (seconds - seconds % 300,))
    db.execute("UPDATE epoch SET started = started - ?", (seconds,))
    db.commit()
    db.close()
