# SPDX-License-Identifier: Apache-2.0
# cases_deeds.py - who changed and reloaded what, and why: told by API, terminal and page, over restarts and kills, and with a store that
# takes nothing for a while or is begun anew.
import json
import os
import signal
import sqlite3
import time

import kit
from cases_access import OPERATE, VIEW, Guarded
from cases_admin import ask
from cases_notices import change
from cases_terminal import tell
from kit import Edge, Instance, case, expect, wait_for, yaml


def page(edge, query=""):
    status, _, text = ask(edge, "GET", f"/api/v1/changes/history{query}")
    expect(status == 200, f"{query}: {status} {text}")
    return json.loads(text)


def deeds(edge, query="?limit=1000"):
    """Oldest first."""
    return page(edge, query)["deeds"][::-1]


def short(edge):
    """What, who, why and by whose right of each, oldest first."""
    return [(d["deed"], d["who"], d["why"], d["by"]) for d in deeds(edge)]


def all_stored(edge):
    wait_for("all of it is stored", lambda: all(d["stored"] for d in deeds(edge)))


def take_back(edge, number, who, why):
    status, _, text = ask(edge, "DELETE", f"/api/v1/changes/{number}", json.dumps({"who": who, "why": why}))
    expect(status == 202, f"{status} {text}")


def killed(edge):
    edge.process.send_signal(signal.SIGKILL)
    edge.process.wait()


def has(edge, count, deed):
    wait_for(f"{deed} is told", lambda: sum(d["deed"] == deed for d in deeds(edge)) == count)


def rewrite(edge, text):
    with open(edge.file, "w") as f:
        f.write(text)


def do_all_of_it(edge, instance):
    """A change taken back, one whose time is over, one that the file overtakes; reloads right, wrong, and by a signal."""
    with open(edge.file) as f:
        text = f.read()
    made = change(edge, change="drain", instance=instance.address, who="ann", why="a slow disk")
    take_back(edge, made["id"], "bob", "the disk is new")
    change(edge, change="weight", instance=instance.address, weight=3, for_s=1, who="ann", why="a try")
    has(edge, 1, "expired")
    change(edge, change="weight", instance=instance.address, weight=4, who="cid")
    wait_for("it is in force", lambda: all(k["in_force"] for k in json.loads(ask(edge, "GET", "/api/v1/changes")[2])["changes"]))
    rewrite(edge, text.replace(f'"{instance.address}"', f'{{ address: "{instance.address}", weight: 5 }}'))
    code, said, wrong = tell(edge, "reload", "--why", "what the weight is to be", env={"SUDO_USER": "dan"})
    expect(code == 0, f"{said} {wrong}")
    has(edge, 1, "overtaken")
    rewrite(edge, "nonsense: 1\n")
    code, said, wrong = tell(edge, "reload", "--why", "a mistake", env={"SUDO_USER": "dan"})
    expect(code == 1, f"{said} {wrong}")
    edge.process.send_signal(signal.SIGHUP)
    has(edge, 2, "reload-refused")
    rewrite(edge, text)


DONE = [("started", None, None, None),
        ("made", "ann", "a slow disk", "local"), ("taken-back", "bob", "the disk is new", "local"),
        ("made", "ann", "a try", "local"), ("expired", None, None, None),
        ("made", "cid", None, "local"), ("reloaded", "dan", "what the weight is to be", "local"), ("overtaken", None, None, None),
        ("reload-refused", "dan", "a mistake", "local"), ("reload-refused", None, None, "signal")]


@case
def deeds_are_told_with_who_and_why_over_restarts():
    with Instance() as one, Instance() as other:
        edge = Edge(yaml([one, other]))
        try:
            edge.start()
            begun = time.time()
            do_all_of_it(edge, other)
            expect(short(edge) == DONE, short(edge))
            edge.stop()
            edge.start()
            expect(short(edge) == DONE + [("stopped", None, None, "signal"), ("started", None, None, None)], short(edge))
            made = change(edge, change="drain", instance=other.address, who="eve", why="before the crash", for_s=900)
            all_stored(edge)
            killed(edge)
            edge.start()
            after = [("stopped", None, None, "signal"), ("started", None, None, None), ("made", "eve", "before the crash", "local"),
                     ("started", None, None, None)]
            expect(short(edge) == DONE + after, short(edge))

            list_ = deeds(edge)
            numbers = [d["number"] for d in list_]
            expect(numbers == sorted(set(numbers)), numbers)
            expect(all(begun - 2 < d["at"] < time.time() + 2 for d in list_), [d["at"] for d in list_])
            drain = list_[-2]
            expect((drain["id"], drain["change"], drain["service"], drain["instance"], drain["serial"], drain["error"])
                   == (made["id"], "drain", "app", other.address, None, None), drain)
            expect(abs(drain["expires_at"] - time.time() - 900) < 60, drain)
            expect(list_[3]["value"] == "weight=3" and list_[4]["id"] == list_[3]["id"], list_[3:5])
            expect("services.app" in list_[6]["changed"] and list_[6]["serial"] and not list_[6]["error"], list_[6])
            lines = list_[8]["error"].split("\n")
            expect(len(lines) == 4 and "evenkeel.yaml:1:1: " in lines[1] and "nonsense" in lines[1] and lines[3] and not list_[8]["changed"],
                   list_[8])
            expect(list_[0]["value"] and list_[0]["value"] == list_[-1]["value"], "a start does not say of which version")
            told_in_pages(edge, list_)
            told_in_a_terminal(edge, other, list_)
        finally:
            edge.__exit__(None)


def told_in_pages(edge, list_):
    """Any limit leads to the same, and nothing twice."""
    for limit in (1, 3, len(list_)):
        seen, before = [], None
        while True:
            told = page(edge, f"?limit={limit}" + (f"&before={before}" if before else ""))
            expect(len(told["deeds"]) <= limit, told)
            seen += told["deeds"]
            before = told["before"]
            if not before:
                break
        expect(seen[::-1] == list_, f"with {limit} at once {seen} is told")
    html = edge.admin_get("/")[1]
    expect("by eve: before the crash" in html and "a slow disk" not in html, "the page does not tell the last ones alone")
    for query in ("?limit=0", "?limit=1001", "?limit=", "?limit=1&limit=2", "?before=0", "?before=x", "?what=1", "?limit=%31%"):
        status, _, text = ask(edge, "GET", f"/api/v1/changes/history{query}")
        expect(status == 400 and json.loads(text)["reason"] == "query_wrong", f"{query}: {status} {text}")


def told_in_a_terminal(edge, instance, list_):
    code, said, wrong = tell(edge, "status", "--changes")
    lines = said.splitlines()
    expect(code == 0 and not wrong and len(lines) == 1 + len(list_), f"{code} {said} {wrong}")
    expect(lines[0].split() == ["WHEN", "WHO", "DEED", "WHAT", '"WHY"'], lines[0])
    for begin, what in (("eve", "before the crash"), ("dan", "a mistake"), ("dan", "nonsense"), ("(signal)", "reload-refused"),
                        ("ann", f"drain {instance.address} of app \"a slow disk\""), ("bob", f"taken-back      drain {instance.address} of app \"the disk is new\""),
                        ("ann", f"weight {instance.address} of app, weight=3, until 20"), ("-", "started")):
        expect(any(line[21:].startswith(begin) and what in line for line in lines), f"'{begin} ... {what}' is not in:\n{said}")
    code, said, _ = tell(edge, "status", "--changes=2")
    expect(code == 0 and len(said.splitlines()) == 4 and "--changes=4 shows more" in said, said)
    code, said, _ = tell(edge, "status", "--changes=2", "--json")
    told = json.loads(said)
    expect(code == 0 and told["deeds"] == list_[:-3:-1] and told["before"] == list_[-2]["number"], said)
    for arguments in (("--changes=0",), ("--changes=10001",), ("--changes=x",), ("--changes=-1",), ("--changes=2x",), ("--changes", "--watch")):
        code, said, wrong = tell(edge, "status", *arguments)
        expect(code == 2 and not said and "changes" in wrong, f"{arguments}: {code} {said} {wrong}")


@case
def deeds_come_through_once_a_locked_store_has_healed():
    with Instance() as one, Instance() as other:
        edge = Edge(yaml([one, other]))
        try:
            edge.start()
            made = change(edge, change="drain", instance=other.address, who="ann", why="before")
            all_stored(edge)
            db = sqlite3.connect(os.path.join(edge.folder, "evenkeel.db"), isolation_level=None)
            db.execute("BEGIN IMMEDIATE")
            take_back(edge, made["id"], "bob", "while it is locked")
            edge.says("remembered until the store takes it")
            change(edge, change="weight", instance=other.address, weight=9, who="cid", why="still locked")
            told = page(edge)
            expect([(d["who"], d["stored"]) for d in told["deeds"]] == [("cid", False), ("bob", False), ("ann", True), (None, True)], told)
            expect(told["lost"] == 0 and told["store_error"] is None, told)
            code, said, _ = tell(edge, "status", "--changes")
            expect(code == 0 and '"still locked"; not stored' in said and '"before"; not' not in said, said)
            expect(edge.said().count("remembered until the store takes it") == 1, "it is not said once")
            db.execute("ROLLBACK")
            db.close()
            all_stored(edge)
            killed(edge)
            edge.start()
            expect([d["why"] for d in deeds(edge)] == [None, "before", "while it is locked", "still locked", None], deeds(edge))
        finally:
            edge.__exit__(None)


def run_sql(edge, sql):
    db = sqlite3.connect(os.path.join(edge.folder, "evenkeel.db"), timeout=30)
    db.execute(sql)
    db.commit()
    db.close()


@case
def deeds_that_cannot_be_read_cost_the_older_ones():
    """Only their table is not there: the store takes samples, what is remembered is told, and why the rest is not."""
    with Instance() as one, Instance() as other:
        edge = Edge(yaml([one, other]))
        try:
            edge.start()
            all_stored(edge)
            run_sql(edge, "ALTER TABLE deed RENAME TO elsewhere")
            change(edge, change="weight", instance=other.address, weight=9, who="ann", why="nowhere to go")
            edge.says("remembered until the store takes it")
            told = page(edge)
            expect([(d["deed"], d["stored"]) for d in told["deeds"]] == [("made", False), ("started", True)], told)
            expect("cannot read what was done" in (told["store_error"] or ""), told)
            code, said, _ = tell(edge, "status", "--changes")
            expect(code == 0 and "older ones cannot be told: store " in said and "nowhere to go" in said, f"{code} {said}")
            run_sql(edge, "ALTER TABLE elsewhere RENAME TO deed")
            all_stored(edge)
            expect(page(edge)["store_error"] is None, page(edge))
            killed(edge)
            edge.start()
            expect([d["why"] for d in deeds(edge)] == [None, "nowhere to go", None], deeds(edge))
        finally:
            edge.__exit__(None)


@case
def deeds_come_through_once_a_full_disk_has_room():
    if kit.no_mounts():
        return
    with Instance() as one, Instance() as other:
        edge = Edge(yaml([one, other]).replace("${dir}/evenkeel.db", "${dir}/small/evenkeel.db"))
        small = os.path.join(edge.folder, "small")
        os.mkdir(small)
        mount = f'mount -t tmpfs -o size=2m tmpfs {small} && exec "$@"'
        try:
            edge.start(command=["unshare", "--mount", "sh", "-c", mount, "sh"])
            all_stored(edge)
            ballast = f"/proc/{edge.process.pid}/root{small}/ballast"
            try:
                with open(ballast, "wb", buffering=0) as f:
                    while f.write(b"x" * 4096):
                        pass
            except OSError:
                pass
            made = 0
            while all(d["stored"] for d in deeds(edge)):  # the log has room for some more
                made += 1
                expect(made < 900, "a full disk is not noticed")
                change(edge, change="weight", instance=other.address, weight=made % 900 + 2, who="ann", why=f"number {made} " + "x" * 200)
                time.sleep(0.02)
            wait_for("it is noticed", lambda: json.loads(edge.admin_get("/api/v1/journeys")[1])["store"]["state"] == "full")
            change(edge, change="weight", instance=other.address, weight=1, who="bob", why="while it is full")
            expect(not deeds(edge)[-1]["stored"], "it is said to be stored")
            os.unlink(ballast)
            all_stored(edge)
            told = [d["why"] for d in deeds(edge) if d["deed"] == "made"]
            expect(len(told) == made + 1 and all(why.startswith(f"number {i} ") for i, why in enumerate(told[:-1], 1)), told[-5:])
            expect(told[-1] == "while it is full" and page(edge)["lost"] == 0, told[-1])
        finally:
            edge.__exit__(None)


@case
def deeds_before_a_stop_are_not_lost_by_a_lock_that_ends_in_time():
    with Instance() as one, Instance() as other:
        edge = Edge(yaml([one, other]))
        try:
            edge.start()
            all_stored(edge)
            db = sqlite3.connect(os.path.join(edge.folder, "evenkeel.db"), isolation_level=None)
            db.execute("BEGIN IMMEDIATE")
            change(edge, change="weight", instance=other.address, weight=9, who="ann", why="just before the stop")
            edge.says("remembered until the store takes it")
            edge.process.send_signal(signal.SIGTERM)
            edge.says("stopping:")
            db.execute("ROLLBACK")
            db.close()
            edge.ended()
            edge.start()
            expect([d["deed"] for d in deeds(edge)] == ["started", "made", "stopped", "started"], deeds(edge))
        finally:
            edge.__exit__(None)


@case
def deeds_are_written_anew_into_a_store_that_was_damaged():
    with Instance() as one, Instance() as other:
        edge = Edge(yaml([one, other]))
        path = os.path.join(edge.folder, "evenkeel.db")
        try:
            edge.start()
            change(edge, change="weight", instance=other.address, weight=2, who="ann", why="an earlier process")
            edge.stop()
            edge.start()
            change(edge, change="weight", instance=other.address, weight=3, who="bob", why="this process")
            all_stored(edge)
            before = [(d["number"], d["why"]) for d in deeds(edge)]
            db = sqlite3.connect(path)  # brings the log into the file, where it can be damaged
            db.execute("PRAGMA wal_checkpoint(FULL)")
            db.close()
            with open(path, "r+b") as f:
                f.write(b"\xa5" * os.path.getsize(path))
            edge.says("damage was met while it was open")
            edge.says("the store takes samples again")
            change(edge, change="weight", instance=other.address, weight=4, who="cid", why="afterwards")
            all_stored(edge)
            killed(edge)
            edge.start()
            after = [(d["number"], d["why"]) for d in deeds(edge)]
            expect(after[:len(before)] == before and [why for _, why in after[len(before):]] == ["afterwards", None], f"{before}; {after}")
        finally:
            edge.__exit__(None)


@case
def deeds_are_for_those_who_may_look():
    with Instance() as good, Guarded(good) as edge:
        edge.ask("POST", "/api/v1/changes", OPERATE, body=json.dumps({"change": "weight", "instance": good.address, "weight": 7, "who": "ann"}))
        expect(edge.ask("GET", "/api/v1/changes/history", None)[0] == 401, "nobody is asked for a token")
        status, _, body = edge.ask("GET", "/api/v1/changes/history", VIEW)
        expect(status == 200, f"{status} {body}")
        told = [(d["deed"], d["who"], d["by"]) for d in json.loads(body)["deeds"]]
        expect(told == [("made", "ann", "operate-token"), ("started", None, None)], told)
