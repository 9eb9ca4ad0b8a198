# SPDX-License-Identifier: Apache-2.0
# cases_store.py - what may happen to the store while evenkeel runs: serving goes on, it is said, and it heals by itself.
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import kit
from cases_reload import reload
from cases_terminal import tell
from kit import Edge, Instance, case, connect, expect, wait_for

FILE = """
listen: { http: "127.0.0.1:${http}", admin: "127.0.0.1:${admin}" }
store: ${dir}/evenkeel.db
workers: 2
services: { shop: { health: { interval: 0s }, instances: ["%s"] } }
journeys:
  browse: { routes: [GET /b], objectives: { %s } }
"""


def file(instance, objectives="available: { target: 99% }"):
    return FILE % (instance.address, objectives)


def ask(edge, n):
    client = connect(edge.http)
    for _ in range(n):
        expect(client.get("/b")[0] == 200, "it does not serve")
    client.close()


def journeys(edge):
    return json.loads(edge.admin_get("/api/v1/journeys")[1])


def good(edge):
    return next(j for j in journeys(edge)["journeys"] if j["name"] == "browse")["counts"]["good"]


def state(edge):
    return journeys(edge)["store"]["state"]


def stored(path):
    """What the file holds of `browse`, read as another program would: the length of the packed number tells enough."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute("SELECT t.at, hex(t.counts) FROM total t JOIN version v ON v.id = t.version JOIN journey j ON j.id = v.journey"
                          " WHERE j.name = 'browse'").fetchone()
    finally:
        db.close()


def is_stored(edge, n):
    """Everything that was counted is with the store."""
    is_stored_now(edge)
    expect(good(edge) == n, f"{good(edge)} are counted, not {n}")


def is_stored_now(edge):
    begun = int(time.time())
    wait_for("the counts are stored", lambda: (journeys(edge)["store"]["stored_at"] or 0) > begun)


def killed(edge):
    edge.process.send_signal(signal.SIGKILL)
    edge.process.wait()


def troubled(edge, word, *sentences):
    """It is said everywhere, and nobody who asks for readiness is turned away."""
    wait_for(f"the store is {word}", lambda: state(edge) == word)
    status, text = edge.admin_get("/readyz")
    expect(status == 200 and text.startswith("ready\nbut the store does not take samples"), f"{status} {text}")
    expect("The store does not take samples" in edge.admin_get("/")[1], "the page does not say it")
    for sentence in sentences:
        expect(sentence in edge.admin_get("/readyz")[1], f"'{sentence}' is not in {edge.admin_get('/readyz')[1]}")
    ask(edge, 5)


@case
def store_that_is_full_goes_on_when_there_is_room():
    if kit.no_mounts():
        return
    with Instance() as instance:
        edge = Edge(file(instance).replace("${dir}/evenkeel.db", "${dir}/small/evenkeel.db"))
        small = os.path.join(edge.folder, "small")
        os.mkdir(small)
        mount = f'mount -t tmpfs -o size=2m tmpfs {small} && exec "$@"'
        try:
            edge.start(command=["unshare", "--mount", "sh", "-c", mount, "sh"])
            ask(edge, 10)
            is_stored(edge, 10)
            ballast = f"/proc/{edge.process.pid}/root{small}/ballast"
            try:
                with open(ballast, "wb", buffering=0) as f:
                    while f.write(b"x" * 4096):
                        pass
            except OSError:
                pass
            begun = time.monotonic()
            while state(edge) == "well":  # the log has room for some more
                ask(edge, 20)
                expect(time.monotonic() - begun < 120, "a full disk is not noticed")
            troubled(edge, "full")
            count = good(edge)
            time.sleep(2)
            expect(edge.said().count("the store does not take samples") == 1, "it is not said once")
            os.unlink(ballast)
            wait_for("it takes samples again", lambda: state(edge) == "well")
            is_stored(edge, count)
            expect("but the store" not in edge.admin_get("/readyz")[1], "readyz still speaks of trouble")
            edge.says("the store takes samples again; nothing was lost")
        finally:
            edge.__exit__(None)


def in_namespace(edge, *command):
    done = subprocess.run(["nsenter", "-t", str(edge.process.pid), "-m", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    expect(done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}")


def may_mount_a_disk(folder):
    """Loop devices and ext4: not in every container."""
    if kit.no_mounts():
        return False
    image, place = os.path.join(folder, "image"), os.path.join(folder, "disk")
    with open(image, "wb") as f:
        f.truncate(32 << 20)
    os.mkdir(place)
    for command in (["mkfs.ext4", "-q", "-F", image], ["unshare", "--mount", "mount", "-o", "loop", image, place]):
        if not shutil.which(command[0]) or subprocess.run(command, capture_output=True).returncode:
            return False
    return True


@case
def store_on_a_disk_that_becomes_read_only_goes_on_with_the_next():
    with Instance() as instance:
        edge = Edge(file(instance).replace("${dir}/evenkeel.db", "${dir}/disk/evenkeel.db"))
        image, other, place = (os.path.join(edge.folder, name) for name in ("image", "repaired", "disk"))

        def start(mounted, options="loop"):
            edge.launch(command=["unshare", "--mount", "sh", "-c", f'mount -o {options} {mounted} {place} && exec "$@"', "sh"])

        try:
            if not may_mount_a_disk(edge.folder):
                print("skipped: no disk may be mounted here", flush=True)
                return
            start(image)
            edge.ready()
            ask(edge, 10)
            is_stored(edge, 10)
            node = journeys(edge)["node"]
            # as after an error of the disk; `remount,ro` is refused while files are open for writing
            in_namespace(edge, "mount", "-o", "remount,abort", place)
            troubled(edge, "disk", "Read-only file system")
            time.sleep(2)
            expect(edge.said().count("the store does not take samples") == 1, "it is not said once")
            count = good(edge)
            expect(count == 15, f"{count} are counted, not 15")
            # repaired, and mounted anew where it was
            shutil.copy(image, other)
            subprocess.run(["e2fsck", "-fy", other], capture_output=True)
            in_namespace(edge, "umount", "-l", place)
            in_namespace(edge, "mount", "-o", "loop", other, place)
            wait_for("it takes samples again", lambda: state(edge) == "well")
            ask(edge, 3)
            is_stored(edge, count + 3)
            edge.says("another copy of store")
            expect("but the store" not in edge.admin_get("/readyz")[1], "readyz still speaks of trouble")
            edge.stop()
            # the next start finds all of it; one on a disk that is read-only from the begin is refused
            start(other)
            edge.ready()
            expect(good(edge) == count + 3, f"{good(edge)} are known after a restart, not {count + 3}")
            expect(journeys(edge)["node"] == node, "it is another node now")
            expect(losses(edge) == [], f"{losses(edge)} is said to be lost")
            edge.stop()
            start(other, "loop,ro")
            edge.ended(1)
            edge.says("Read-only file system")
        finally:
            edge.__exit__(None)


@case
def store_that_another_process_locks_goes_on_afterwards():
    with Instance() as instance, Edge(file(instance)) as edge:
        ask(edge, 10)
        is_stored(edge, 10)
        db = sqlite3.connect(os.path.join(edge.folder, "evenkeel.db"), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        troubled(edge, "busy", "database is locked")
        db.execute("ROLLBACK")
        db.close()
        wait_for("it takes samples again", lambda: state(edge) == "well")
        is_stored(edge, 15)


@case
def store_that_is_deleted_is_written_anew():
    with Instance() as instance:
        edge = Edge(file(instance))
        path = os.path.join(edge.folder, "evenkeel.db")
        try:
            edge.start()
            ask(edge, 10)
            is_stored(edge, 10)
            node, row = journeys(edge)["node"], stored(path)
            for name in glob.glob(path + "*"):
                os.unlink(name)
            edge.says("was written anew with all that was in it")
            ask(edge, 7)
            is_stored(edge, 17)
            expect(stored(path)[1] != row[1], "what was counted afterwards is not in the new file")
            killed(edge)
            edge.start()
            expect(good(edge) == 17, f"after a kill {good(edge)} are known, not 17")
            expect(journeys(edge)["node"] == node, "it is another node now")
        finally:
            edge.__exit__(None)


@case
def store_that_is_damaged_is_moved_aside_and_filled_again():
    with Instance() as instance:
        edge = Edge(file(instance))
        path = os.path.join(edge.folder, "evenkeel.db")
        try:
            edge.start()
            ask(edge, 10)
            is_stored(edge, 10)
            edge.stop()  # so that all is in the file
            edge.start()
            ask(edge, 5)
            is_stored(edge, 15)
            node = journeys(edge)["node"]
            db = sqlite3.connect(path)  # brings the log into the file, where it can be damaged
            db.execute("PRAGMA wal_checkpoint(FULL)")
            db.close()
            with open(path, "r+b") as f:
                size = os.path.getsize(path)
                f.write(b"\xa5" * size)
            edge.says("damage was met while it was open")
            ask(edge, 3)
            is_stored(edge, 18)
            expect(len(glob.glob(path + ".corrupt-*")) >= 1, "the damaged file is not beside it")
            killed(edge)
            edge.start()
            expect(good(edge) == 18, f"after a kill {good(edge)} are known, not 18")
            expect(journeys(edge)["node"] == node, "it is another node now")
        finally:
            edge.__exit__(None)


@case
def store_that_is_damaged_heals_while_instances_come_and_go():
    """How they are is stored each second then, and what opens the store anew waits until nothing else is with it."""
    def well_and_ill_in_turn(instance, stream, request):
        instance.turn = not getattr(instance, "turn", False)
        well = instance.turn or request["target"] == "/b"
        stream.send(b"HTTP/1.1 " + (b"200 OK" if well else b"500 No") + b"\r\nContent-Length: 0\r\n\r\n")

    with Instance(well_and_ill_in_turn) as instance:
        edge = Edge(file(instance).replace("interval: 0s", "path: /healthz, interval: 100ms, fall: 1, rise: 1"))
        path = os.path.join(edge.folder, "evenkeel.db")
        try:
            edge.start()
            ask(edge, 10)
            is_stored(edge, 10)
            edge.stop()  # so that all is in the file
            edge.start()
            db = sqlite3.connect(path)
            db.execute("PRAGMA wal_checkpoint(FULL)")
            db.close()
            with open(path, "r+b") as f:
                f.write(b"\xa5" * os.path.getsize(path))
            edge.says("damage was met while it was open")
            wait_for("it takes samples again", lambda: state(edge) == "well")
            ask(edge, 3)
            is_stored(edge, 13)
        finally:
            edge.__exit__(None)


@case
def store_of_somebody_else_in_its_place_is_left_alone():
    with Instance() as instance, Edge(file(instance)) as other:
        ask(other, 3)
        is_stored(other, 3)
        with Edge(file(instance)) as edge:
            path = os.path.join(edge.folder, "evenkeel.db")
            ask(edge, 10)
            is_stored(edge, 10)
            copy = sqlite3.connect(path + ".other")
            source = sqlite3.connect(os.path.join(other.folder, "evenkeel.db"))
            source.backup(copy)
            source.close()
            copy.close()
            with open(path + ".other", "rb") as f:
                before = f.read()
            os.rename(path, path + ".mine")
            os.rename(path + ".other", path)
            troubled(edge, "gone")
            edge.says("is not this node's store was put in its place")
            with open(path, "rb") as f:
                expect(f.read() == before, "the other node's store was touched")
            os.rename(path, path + ".other")
            os.rename(path + ".mine", path)
            wait_for("it takes samples again", lambda: state(edge) == "well")
            is_stored(edge, 15)


@case
def backup_is_whole_and_a_start_from_it_counts_on():
    with Instance() as instance, Edge(file(instance)) as edge:
        ask(edge, 30)
        is_stored(edge, 30)
        path = os.path.join(edge.folder, "copy.db")
        code, said, wrong = tell(edge, "backup", path)
        expect(code == 0 and "bytes" in said, f"{code} {said} {wrong}")
        expect(os.stat(path).st_mode & 0o777 == 0o600, "others may read the copy")
        expect(not glob.glob(path + ".*") and not glob.glob(path + "-*"), "something was left beside it")
        code, _, wrong = tell(edge, "backup", path)
        expect(code == 1 and "is there already" in wrong, f"{code} {wrong}")
        code, _, wrong = tell(edge, "backup", os.path.join(edge.folder, "none", "copy.db"))
        expect(code == 1 and "No such file" in wrong, f"{code} {wrong}")
        node = journeys(edge)["node"]
        with_copy = Edge(file(instance).replace("${dir}/evenkeel.db", path))
        with with_copy:
            expect(good(with_copy) == 30, f"the copy knows {good(with_copy)}, not 30")
            expect(journeys(with_copy)["node"] == node, "the copy is another node's")
        ask(edge, 5)
        is_stored(edge, 35)


def check(path, *options):
    done = subprocess.run([kit.binary, "backup", "--check", path, *options], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=kit.PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


@case
def backup_is_checked_without_the_program():
    with Instance() as instance, Edge(file(instance)) as edge:
        ask(edge, 30)
        is_stored(edge, 30)
        store, path = (os.path.join(edge.folder, name) for name in ("evenkeel.db", "copy.db"))
        expect(tell(edge, "backup", path)[0] == 0, "there is no copy")
        code, said, wrong = check(path)
        expect(code == 0 and f"{path}: a whole store" in said and "browse" in said and wrong == "", f"{code} {said} {wrong}")
        code, said, _ = check(path, "--json")
        o = json.loads(said)
        expect(code == 0 and o["state"] == "whole" and o["findings"] == [] and o["node"] == journeys(edge)["node"], said)
        of_journey = next(j for j in o["journeys"] if j["name"] == "browse")
        expect(of_journey["counts"] == {"good": 30, "slow": 0, "failed": 0, "excluded": 0}, said)
        expect(o["rows"]["journey"] == len(o["journeys"]) and o["bytes"] == os.path.getsize(path), said)
        expect(not glob.glob(path + "-*"), "something was left beside it")
        # the running one's is for it alone
        code, said, wrong = check(store)
        expect(code == 1 and "open in another process" in wrong, f"{code} {said} {wrong}")
        # not a store, damaged, newer
        empty, text, newer = (os.path.join(edge.folder, name) for name in ("empty.db", "text.db", "newer.db"))
        open(empty, "w").close()
        with open(text, "w") as f:
            f.write("no store at all\n" * 1000)
        shutil.copy(path, newer)
        db = sqlite3.connect(newer)
        db.execute("PRAGMA user_version = 999")
        db.close()
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2 // 4096 * 4096)
            f.write(b"\xa5" * 4096)
        for name, word, sentence in ((empty, "no-store", "the file is empty"), (text, "no-store", "does not begin as a store"),
                                     (newer, "newer", "tables are of version 999"), (path, "damaged", "damaged"),
                                     (path + ".none", "unreadable", "No such file")):
            code, said, wrong = check(name)
            expect(code == 1 and sentence in wrong, f"{name}: {code} {said} {wrong}")
            code, said, wrong = check(name, "--json")
            expect(code == 1 and json.loads(said)["state"] == word and json.loads(said)["findings"] and wrong == "", f"{said} {wrong}")
        killed(edge)
        code, said, wrong = check(store)  # with the log that it left
        expect(code == 0 and "and a log" in said, f"{code} {said} {wrong}")
        edge.start()
        expect(good(edge) == 30, "the check changed something")


def losses(edge):
    return journeys(edge)["store"]["losses"]


class Load:
    """Clients that ask as fast as they are answered; `answered` has the wall time of each answer."""

    def __init__(self, edge, clients=4):
        self.answered, self.going = [], True
        self.threads = [threading.Thread(target=self.ask, args=(edge,), daemon=True) for _ in range(clients)]
        for t in self.threads:
            t.start()

    def ask(self, edge):
        client = connect(edge.http)
        try:
            while self.going:
                if client.get("/b")[0] == 200:
                    self.answered.append(time.time())
                time.sleep(0.002)
        except (kit.Wrong, OSError):
            pass  # it was killed
        finally:
            client.close()

    def end(self):
        self.going = False
        for t in self.threads:
            t.join()


@case
def kill_loses_at_most_two_seconds_and_says_how_much():
    with Instance() as instance:
        edge = Edge(file(instance))
        try:
            edge.start()
            expect(losses(edge) == [], "a first start has lost something")
            load = Load(edge)
            time.sleep(5.37)
            measured = edge.metric("evenkeel_measured_seconds_total")
            killed_at = time.time()
            killed(edge)
            load.end()
            time.sleep(3)
            begun = time.time()
            edge.start()
            loss, = losses(edge)
            kept = good(edge)
            of_surely_stored = sum(1 for t in load.answered if t < loss["from"] - 0.2)
            expect(of_surely_stored <= kept <= len(load.answered),
                   f"{kept} of {len(load.answered)} are known after the kill, {of_surely_stored} were stored as it says")
            older = sum(1 for t in load.answered if t < killed_at - 2)
            expect(older <= kept, f"{kept} are known after the kill, {older} were older than two seconds")
            expect(0 <= loss["lost_s"] <= 2, f"{loss} by a kill")
            expect(abs(loss["lived_until"] - killed_at) < 0.5, f"{loss}, but it was killed at {killed_at}")
            expect(begun - 0.1 <= loss["back"] <= begun + 5, f"{loss}, but it was started at {begun}")
            expect(2.5 <= loss["down_s"] <= loss["back"] - killed_at + 0.5, f"{loss}, it was away for three seconds")
            expect(abs(loss["lost_s"] + loss["down_s"] - (loss["back"] - loss["from"])) < 0.01, f"{loss} does not add up")
            # neither is measured, and all else is
            now = edge.metric("evenkeel_measured_seconds_total")
            expect(measured - 2 <= now <= measured + time.time() - begun + 0.5, f"{measured} s were measured, then {now}")
            edge.says("the last run did not end in order: counts of at most ")
            expect("counts of at most" in tell(edge, "status")[1], "status does not say it")
            expect("ended without a farewell 1 time:" in tell(edge, "slo", "browse")[1], "slo does not say it")
            expect(json.loads(tell(edge, "slo", "browse", "--json")[1])["histories"][0]["losses"] == [loss], "not in the history")
            expect(abs(edge.metric("evenkeel_lost_seconds") - loss["lost_s"]) < 0.002, "the metric says something else")
            expect(abs(edge.metric("evenkeel_down_seconds") - loss["down_s"]) < 0.002, "the metric says something else")
            # a stop in order costs nothing
            edge.stop()
            expect(not os.path.exists(os.path.join(edge.folder, "evenkeel.db-life")), "the sign of life is left behind")
            edge.start()
            expect(losses(edge) == [loss], f"{losses(edge)} after a stop in order")
            expect(good(edge) == kept, "a stop in order lost counts")
            # a second one, of which nobody knows how long it lived
            os.unlink(os.path.join(edge.folder, "evenkeel.db-life"))
            killed(edge)
            edge.start()
            second, first = losses(edge)
            expect(first == loss and second["lost_s"] is None and second["down_s"] is None, f"{second}")
            expect("of how long is not known" in tell(edge, "status")[1], "status makes something up")
        finally:
            edge.__exit__(None)


@case
def stop_while_the_store_takes_nothing_says_what_it_cost():
    with Instance() as instance:
        edge = Edge(file(instance))
        try:
            edge.start()
            ask(edge, 10)
            is_stored(edge, 10)
            db = sqlite3.connect(os.path.join(edge.folder, "evenkeel.db"), isolation_level=None)
            db.execute("BEGIN IMMEDIATE")
            troubled(edge, "busy")
            time.sleep(2)
            stopped = time.time()
            edge.stop()
            edge.says("what was counted last is not stored")
            db.execute("ROLLBACK")
            db.close()
            edge.start()
            loss, = losses(edge)
            expect(good(edge) == 10, f"{good(edge)} are known, not 10")
            expect(loss["lost_s"] >= 2 and loss["lived_until"] >= stopped, f"{loss}, stopped at {stopped}")
        finally:
            edge.__exit__(None)


# ---- other objectives

def of_browse(edge):
    return next(j for j in journeys(edge)["journeys"] if j["name"] == "browse")


def expect_browse(edge, version, good, slow, objectives):
    """Of all time, and of each objective over its own window: both tell the same here."""
    def told():
        j = of_browse(edge)
        return (j["version"], j["counts"]["good"], j["counts"]["slow"],
                {o["name"]: (o["good"], o["bad"]) for o in j["objectives"]})

    wanted = (version, good, slow, objectives)
    deadline = time.monotonic() + 5  # an answer is counted when it has gone, which its client may see first
    while told() != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    expect(told() == wanted, f"{told()}, not {wanted}")
    return of_browse(edge)["note"]


@case
def another_under_is_rebuilt_from_histograms():
    def by_query(_, stream, request):
        time.sleep(int(request["target"].partition("?")[2] or 0) / 1000)
        kit.tell(_, stream, request)

    with Instance(by_query) as instance:  # 0 is below it on a machine that stalls for a second too
        def with_objectives(objectives):
            return file(instance, objectives)

        edge = Edge(with_objectives("fast: { target: 90%, under: 1.8s }"))
        try:
            edge.start()
            client = connect(edge.http)

            def get(*times):
                for ms in times:
                    expect(client.get(f"/b?{ms}")[0] == 200, "it does not serve")

            get(0, 0, 0, 3400, 8000)
            expect(expect_browse(edge, 1, 3, 2, {"fast": (3, 2)}) is None, "a first version has something to tell")
            # an edge, and an objective that is new; a request that is under way ends under what was in force at its begin
            late = connect(edge.http)
            late.send("GET /b?7000 HTTP/1.1\r\nHost: a.test\r\n\r\n")
            wait_for("it is under way", lambda: instance.requests[-1]["target"] == "/b?7000")
            edge.put(with_objectives("fast: { target: 90%, under: 5s }, available: { target: 99% }"))
            told = reload(edge)
            expect("browse: version 2 goes on with the counts of before" in told["counts"], str(told))
            get(0, 3400)
            expect(late.answer()[0] == 200, "the request that was under way failed")
            late.close()
            note = expect_browse(edge, 2, 6, 2, {"fast": (6, 2), "available": (8, 0)})
            expect("rebuilt from histograms" in note and note in tell(edge, "status")[1], f"{note}")
            # no edge: said before and afterwards, and begun anew
            edge.put(with_objectives("fast: { target: 90%, under: 5.01s }"))
            expect("5.01s is no edge of the histogram; 5s and 5.05s are" in edge.validate()[1], edge.validate()[1])
            code, said, _ = tell(edge, "reload")
            expect(code == 0 and "browse: counts begin anew with version 3: those of 'fast' cannot be rebuilt, 5.01s is no edge" in said, said)
            get(0, 8000)
            expect_browse(edge, 3, 1, 1, {"fast": (1, 1)})
            # edges again, by a start after a kill: version 1 has what itself, version 2 and version 3 counted
            is_stored_now(edge)
            killed(edge)
            client.close()
            edge.put(with_objectives("fast: { target: 90%, under: 1.8s }"))
            edge.start()
            edge.says("browse: version 1 goes on with the counts of before")
            client = connect(edge.http)
            get(0)
            expect_browse(edge, 1, 6, 5, {"fast": (6, 5)})
            is_stored_now(edge)
            killed(edge)
            edge.start()
            expect_browse(edge, 1, 6, 5, {"fast": (6, 5)})
            client.close()
        finally:
            edge.__exit__(None)
