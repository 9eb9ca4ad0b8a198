# SPDX-License-Identifier: Apache-2.0
# cases_reload.py - another configuration comes into force while it serves: under load, with names that change, with a store in
# trouble, without the rights that it began with, and when it is stopped in the middle of it.
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import kit
from kit import Edge, Instance, Wrong, case, connect, expect, free_port, wait_for, yaml

JSON = "Content-Type: application/json\r\n"


def checked(*arguments, **named):
    """With active checks."""
    return yaml(*arguments, checks="", **named)


def ask(edge, method, path, body=""):
    """One request to the admin address; status and JSON."""
    s = connect(edge.admin)
    try:
        s.send(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")
        status, _, answer = s.answer()
    finally:
        s.close()
    return status, json.loads(answer) if answer.startswith((b"{", b"[")) else answer.decode()


def change(edge, kind, instance, expected=202, **more):
    status, answer = ask(edge, "POST", "/api/v1/changes", json.dumps({"change": kind, "instance": instance, **more}))
    expect(status == expected, f"{kind} was answered with {status} {answer}")
    return answer


def changes(edge):
    return ask(edge, "GET", "/api/v1/changes")[1]["changes"]


def instances(edge):
    return {i["address"]: i for s in ask(edge, "GET", "/api/v1/services")[1]["services"] for i in s["instances"]}


def reload(edge, good=True):
    """Asks for it and waits for its end; what became of it."""
    status, answer = ask(edge, "POST", "/api/v1/reload", "{}")
    expect(status == 202, f"it was answered with {status} {answer}")

    def look():
        last = ask(edge, "GET", "/api/v1/reload")[1]["last"]
        return last if last and last["serial"] >= answer["serial"] else None

    last = wait_for("the reload has ended", look)
    expect(last["good"] == good, f"{last}")
    return last


class Load:
    """Clients on kept connections that ask again and again; the first failure is told."""

    def __init__(self, edge, clients=4, https=False):
        self.stopped, self.wrong, self.answers = False, [], 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(edge, https), daemon=True) for _ in range(clients)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, kind, *_):
        self.stopped = True
        for t in self.threads:
            t.join(kit.PATIENCE_S)
        if kind is None:
            expect(not self.wrong, f"after {self.answers} good answers: {self.wrong[:3]}")

    def run(self, edge, https):
        try:
            c = kit.tls(edge.https) if https else connect(edge.http)
            while not self.stopped:
                status, fields, body = c.get()
                if status != 200:
                    self.wrong.append((status, fields, body[:100]))
                    return
                with self.lock:
                    self.answers += 1
                if fields.get("connection") == "close":
                    self.wrong.append("its connection is not kept")
                    return
        except (Wrong, OSError) as e:
            self.wrong.append(repr(e))

    def some(self, n=40):
        """So many answers more."""
        begin = self.answers
        wait_for("answers come", lambda: self.wrong or self.answers >= begin + n)


CHECKED = "health: { interval: 100ms, timeout: 2s }, "


def with_health(text, health=CHECKED):
    return text.replace("app: { ", "app: { " + health)


@case
def no_request_fails_over_reloads():
    with Instance() as a, Instance() as b, Instance() as c:
        both = with_health(checked([a, b]))
        other = with_health(checked([b, c]))
        with Edge(both) as edge, Load(edge) as load:
            for i in range(20):
                edge.put(other if i % 2 == 0 else both)
                edge.process.send_signal(signal.SIGHUP)
                # not only in force: said when every thread works by it, which on a busy machine is some answers later
                wait_for("it is told", lambda: edge.said().count("reloaded; changed: services.app.instances") == i + 1)
                load.some()
            expect(edge.said().count("reloaded; ") == 20, edge.said()[-2000:])


@case
def no_request_fails_over_changes():
    with Instance() as a, Instance() as b, Instance() as c, Edge(with_health(checked([a, b]))) as edge, Load(edge) as load:
        for _ in range(5):
            change(edge, "drain", a.address)
            load.some(10)
            change(edge, "add", c.address)
            change(edge, "weight", b.address, weight=7)
            load.some(10)
            wait_for("the new one is up", lambda: instances(edge).get(c.address, {}).get("state") == "up")
            change(edge, "undrain", a.address)
            change(edge, "remove", b.address)
            load.some(10)
            change(edge, "add", b.address)
            wait_for("it is back", lambda: instances(edge).get(b.address, {}).get("state") == "up")
            change(edge, "remove", c.address)
            load.some(10)
            wait_for("all is as before", lambda: set(instances(edge)) == {a.address, b.address})
            for k in changes(edge):
                ask(edge, "DELETE", f"/api/v1/changes/{k['id']}", "{}")


@case
def other_ways_to_serve_under_load():
    """Checks, balance and mode come and go: what is not known yet is used as before."""
    with Instance() as a, Instance() as b:
        texts = [with_health(checked([a, b]), h) for h in ("health: { interval: 0s }, ", CHECKED, "mode: observe, ", "balance: { hash: cookie:u }, ",
                                                        "health: { path: /size/2, interval: 100ms }, balance: least-requests, ")]
        with Edge(texts[0]) as edge, Load(edge) as load:
            for i in range(1, 11):
                edge.put(texts[i % len(texts)])
                reload(edge)
                load.some(30)


@case
def what_is_asked_for_in_a_row_is_judged_in_a_row():
    """Each is answered before the one before it is in force: the last one decides all the same."""
    with Instance() as a, Instance() as b, Edge(checked([a, b])) as edge:
        for last, drained in (("drain", True), ("undrain", False)) * 3:
            for kind in ("undrain", "drain", "undrain", "drain", *(["undrain"] if last == "undrain" else [])):
                status, answer = ask(edge, "POST", "/api/v1/changes", json.dumps({"change": kind, "instance": a.address}))
                expect(status in (200, 202), f"{kind}: {status} {answer}")
            wait_for("all are in force", lambda: all(k["in_force"] for k in changes(edge)))
            wait_for(f"drained is {drained}", lambda: instances(edge)[a.address]["drained"] is drained, 10)
            time.sleep(0.3)
            expect(instances(edge)[a.address]["drained"] is drained, "the last one did not decide")
        change(edge, "weight", b.address, weight=5)
        wait_for("it is in force", lambda: instances(edge)[b.address]["weight"] == 5)
        ask(edge, "DELETE", f"/api/v1/changes/{changes(edge)[0]['id']}", "{}")
        change(edge, "weight", b.address, weight=5)
        wait_for("it is in force", lambda: changes(edge) and changes(edge)[0]["in_force"])
        expect(instances(edge)[b.address]["weight"] == 5, "the last one did not decide")


@case
def many_reloads_at_once():
    with Instance() as a, Edge(checked([a])) as edge, Load(edge, clients=2) as load:
        serials = []
        for _ in range(30):
            edge.process.send_signal(signal.SIGHUP)
            serials.append(ask(edge, "POST", "/api/v1/reload", "{}")[1]["serial"])
        expect(serials == sorted(serials), f"{serials}")
        wait_for("the last has ended", lambda: (ask(edge, "GET", "/api/v1/reload")[1]["last"] or {}).get("serial", 0) >= serials[-1])
        load.some()
        done = subprocess.run([f"{kit.binary} reload --admin 127.0.0.1:{edge.admin} & {kit.binary} reload --admin 127.0.0.1:{edge.admin} & wait -n && wait"],
                              shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        expect(done.stdout.count("reloaded; changed: nothing") == 2, done.stdout)


@case
def a_refused_file_takes_no_change_with_it():
    """The file is a pipe: the reload waits in the middle for as long as we want."""
    with Instance() as a, Instance() as b, Edge(checked([a, b])) as edge:
        with open(edge.file) as f:
            text = f.read()
        os.rename(edge.file, edge.file + ".away")
        os.mkfifo(edge.file)
        status, first = ask(edge, "POST", "/api/v1/reload", "{}")
        expect(status == 202, "it was not taken")
        with open(edge.file, "w") as pipe:  # opens once the loader reads
            change(edge, "drain", a.address)
            status, second = ask(edge, "POST", "/api/v1/reload", "{}")
            expect(second["serial"] > first["serial"], f"{first} {second}")
            expect(ask(edge, "GET", "/api/v1/reload")[1]["state"].startswith("the file is read"), "it is not at that")
            expect(connect(edge.http).get()[0] == 200, "it does not serve meanwhile")
            pipe.write(text)
        wait_for("the first is over", lambda: (ask(edge, "GET", "/api/v1/reload")[1]["last"] or {}).get("serial") == first["serial"])
        with open(edge.file, "w") as pipe:  # the run that the drain rides
            pipe.write("nonsense: true\n")
        wait_for("the second was refused", lambda: (ask(edge, "GET", "/api/v1/reload")[1]["last"] or {}).get("good") is False)
        wait_for("the drain is in force", lambda: changes(edge)[0]["in_force"] and instances(edge)[a.address]["drained"])
        os.unlink(edge.file)


@case
def stopping_in_the_middle_of_a_reload():
    with Instance() as a, Edge(checked([a])) as edge:
        os.rename(edge.file, edge.file + ".away")
        os.mkfifo(edge.file)
        ask(edge, "POST", "/api/v1/reload", "{}")
        with open(edge.file, "w") as pipe:
            edge.process.send_signal(signal.SIGTERM)
            edge.says("stopping: no new connections")
            time.sleep(0.3)
            pipe.write(edge.config)
        edge.ended()
        expect("everything counted is stored" in edge.said(), edge.said()[-500:])


@case
def changes_survive_a_kill():
    with Instance() as a, Instance() as b, Edge(checked([a, b])) as edge:
        for _ in range(5):
            change(edge, "drain", a.address, why="a \"slow\" disk, \u00e4")
            wait_for("it is in force", lambda: changes(edge)[0]["in_force"])
            edge.process.kill()
            edge.process.wait()
            edge.start()
            expect(instances(edge)[a.address]["drained"], "the drain is gone")
            k = changes(edge)[0]
            expect((k["stored"], k["in_force"], k["why"]) == (True, True, "a \"slow\" disk, \u00e4"), f"{k}")
            change(edge, "undrain", a.address)
            wait_for("it is back", lambda: not instances(edge)[a.address]["drained"])
            edge.process.kill()
            edge.process.wait()
            edge.start()
            expect(not changes(edge) and not instances(edge)[a.address]["drained"], "the drain is back")


def stored_as_down(edge, instance):
    """As another program would read it."""
    db = sqlite3.connect(f"file:{edge.folder}/evenkeel.db?mode=ro", uri=True)
    try:
        return db.execute("SELECT 1 FROM instance_state WHERE instance = ? AND NOT up", (instance.address,)).fetchone()
    finally:
        db.close()


@case
def what_was_down_gets_no_request_after_a_restart():
    """Until its first good check: the checks are slow to answer, so that there is a time before."""
    for how in ("stop", "kill"):
        state = {"healthy": False, "slow": False}

        def answer(instance, stream, request):
            if request["target"] == "/healthz" and instance is bad:
                while state["slow"]:
                    time.sleep(0.02)
                stream.send("HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % (200 if state["healthy"] else 503))
            else:
                stream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        with Instance(answer) as bad, Instance(answer) as one, Instance(answer) as two:
            health = "slow-start: 0s, health: { path: /healthz, interval: 200ms, timeout: 30s, fall: 1 }, balance: round-robin, "
            with Edge(with_health(checked([bad, one, two]), health)) as edge:
                wait_for("one is down", lambda: instances(edge)[bad.address]["state"] == "down")
                if how == "kill":
                    wait_for("that is stored", lambda: stored_as_down(edge, bad))
                    edge.process.kill()
                    edge.process.wait()
                else:
                    edge.stop()
                state["slow"] = True
                edge.start()
                c = connect(edge.http)
                for _ in range(30):
                    expect(c.get()[0] == 200, "a request fails")
                wrong = [r for r in bad.requests if r["target"] != "/healthz"]
                expect(not wrong, f"after {how}: it got {len(wrong)} requests before its first check")
                expect(instances(edge)[bad.address]["check"]["checked"] is False, "it was checked already")
                state.update(healthy=True, slow=False)
                wait_for("it is up", lambda: instances(edge)[bad.address]["state"] == "up")
                wait_for("it gets requests again", lambda: c.get() and [r for r in bad.requests if r["target"] != "/healthz"])


# ---- names, with a hosts file of our own


class Hosts:
    """A private /etc/hosts (and no other resolver) for one program."""

    def __init__(self):
        self.folder = os.path.join(kit.certs.folder, f"hosts-{time.monotonic_ns()}")
        os.mkdir(self.folder)
        self.write("")
        with open(self.folder + "/nsswitch.conf", "w") as f:
            f.write("hosts: files\n")

    def write(self, text):
        with open(self.folder + "/hosts", "w") as f:  # the same file: it is mounted
            f.write(text)

    def command(self):
        return ["unshare", "-m", "sh", "-c", f"mount --bind {self.folder}/hosts /etc/hosts && mount --bind {self.folder}/nsswitch.conf "
                "/etc/nsswitch.conf && exec \"$@\"", "sh"]

    def refused(self):
        return kit.no_mounts([*self.command(), "true"])


@case
def names_change_under_load():
    hosts = Hosts()
    if hosts.refused():
        return
    port = free_port()
    with Instance(host="127.0.0.11", port=port) as a, Instance(host="127.0.0.12", port=port) as b, Instance(host="127.0.0.13", port=port) as c:
        hosts.write("127.0.0.11 app.test\n127.0.0.12 app.test\n")
        text = with_health(checked([f"app.test:{port}"]))
        edge = Edge(text)
        edge.launch(command=hosts.command())
        with Started(edge), Load(edge) as load:
            expect(set(instances(edge)) == {f"127.0.0.11:{port}", f"127.0.0.12:{port}"}, f"{instances(edge).keys()}")
            change(edge, "drain", f"127.0.0.11:{port}")
            wait_for("it is drained", lambda: instances(edge)[f"127.0.0.11:{port}"]["drained"])
            load.some()
            hosts.write("127.0.0.13 app.test\n127.0.0.12 app.test\n")
            wait_for("the third is up", lambda: instances(edge).get(f"127.0.0.13:{port}", {}).get("state") == "up")
            load.some()
            before = len(a.requests)
            expect(f"127.0.0.11:{port}" not in instances(edge), "it is still there")
            # a lookup that fails leaves all as it is
            hosts.write("\n")
            edge.says("its last addresses stay")
            load.some()
            expect(len(instances(edge)) == 2, f"{instances(edge)}")
            # back, and drained as before
            hosts.write("127.0.0.11 app.test\n127.0.0.12 app.test\n")
            wait_for("the first is back", lambda: f"127.0.0.11:{port}" in instances(edge))
            expect(instances(edge)[f"127.0.0.11:{port}"]["drained"], "it is not drained any more")
            load.some()
            expect(len(a.requests) == before, "a drained one got requests")
            edge.says("can be looked up again")
            expect(c.requests and b.requests, "one of them got none")


@case
def a_name_nobody_knows_yet():
    hosts = Hosts()
    if hosts.refused():
        return
    port = free_port()
    with Instance(host="127.0.0.11", port=port) as a:
        edge = Edge(with_health(checked([f"app.test:{port}"])))
        edge.launch(command=hosts.command())
        with Started(edge):
            edge.says("tried again every ten seconds")
            c = connect(edge.http)
            status, _, body = c.get()
            expect(status in (502, 503), f"it answers {status} {body}")
            hosts.write("127.0.0.11 app.test\n")
            wait_for("it is up", lambda: instances(edge).get(a.address, {}).get("state") == "up")
            # the threads go by the new configuration some moments after control has made it
            wait_for("it is used", lambda: c.get()[0] == 200)


class Started:
    """An edge that was started in another way."""

    def __init__(self, edge):
        self.edge = edge

    def __enter__(self):
        return self.edge.ready()

    def __exit__(self, kind, *rest):
        return self.edge.__exit__(kind, *rest)


@case
def a_resolver_that_never_answers_holds_up_nothing():
    """A drain, and the end, while a name is looked up again: one name's patience at most, not that of all."""
    hosts = Hosts()
    if hosts.refused():
        return
    with open(hosts.folder + "/nsswitch.conf", "w") as f:
        f.write("hosts: files dns\n")
    with open(hosts.folder + "/resolv.conf", "w") as f:
        f.write("nameserver 127.0.0.77\noptions timeout:2 attempts:1\n")
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        silent.bind(("127.0.0.77", 53))
    except OSError as e:
        print(f"skipped: nobody may be a resolver here: {e}", flush=True)
        return
    names = [f"n{i}.test" for i in range(12)]
    hosts.write("".join(f"127.0.0.1 {n}\n" for n in names))
    command = hosts.command()
    command[4] = f"mount --bind {hosts.folder}/resolv.conf /etc/resolv.conf && " + command[4]
    with silent, Instance() as a, Instance() as b:
        edge = Edge(checked([a, b] + [f"{n}:{a.port + 1 if a.port < 65000 else 1}" for n in names]).replace("app: { ", "app: { health: { interval: 0s }, "))
        edge.launch(command=command)
        with Started(edge):
            hosts.write("\n")
            edge.says("cannot be looked up")  # the first of them was given up: there are eleven more
            begun = time.monotonic()
            change(edge, "drain", a.address)
            wait_for("the drain is in force", lambda: instances(edge)[a.address]["drained"])
            took = time.monotonic() - begun
            expect(took < 12, f"a drain took {took:.1f} s")
            begun = time.monotonic()
            edge.stop()
            took = time.monotonic() - begun
            expect(took < 12, f"the end took {took:.1f} s")


# ---- rights and files


@case
def tls_outlives_rights_and_files():
    """https in front, TLS with a certificate of our own behind, another user: after the start the keys can be read by nobody."""
    root = os.geteuid() == 0
    keep = os.path.join(kit.certs.folder, f"rights-{time.monotonic_ns()}")
    os.mkdir(keep)
    for name in ("a", "edge", "ca"):
        shutil.copy(kit.certs.pem(name), keep)
        shutil.copy(kit.certs.key(name), keep)
    context = kit.server_context("address")
    with Instance(context=context) as one, Instance(context=context) as two:
        def text(who):
            return checked(who, listen=f"https: {{ address: \"127.0.0.1:${{https}}\", certificate: {keep}/a.pem, key: {keep}/a.key }}",
                        tls=f"ca: {keep}/ca.pem, certificate: {keep}/edge.pem, key: {keep}/edge.key",
                        more="user: nobody" if root else "").replace("app: { ", "app: { health: { interval: 100ms }, ")
        edge = Edge(text([one]))
        os.chmod(edge.folder, 0o777)
        with edge, Load(edge, clients=2, https=True) as load:
            if root:
                with open(f"/proc/{edge.process.pid}/status") as f:
                    expect(f"Uid:\t{pwd.getpwnam('nobody').pw_uid}\t" in f.read(), "it is still root")
            for name in os.listdir(keep):
                os.unlink(os.path.join(keep, name))
            edge.put(text([one, two]))
            os.chmod(edge.file, 0o644)
            for _ in range(3):
                last = reload(edge)
                load.some()
            expect(last["needs_restart"] is None, f"{last}")
            wait_for("the second is up", lambda: instances(edge)[two.address]["state"] == "up")
            wait_for("it is used", lambda: two.requests)
            # a service that is new has to read them, and cannot
            edge.put(text([one, two]).rstrip().rstrip("}").rstrip() + f", more: {{ instances: [127.0.0.1:1], tls: {{ ca: {keep}/ca.pem }} }} }}\n"
                    "routes: [{ path: /more, service: more }, { path: /*, service: app }]\n")
            os.chmod(edge.file, 0o644)
            last = reload(edge, good=False)
            expect("service 'more'" in last["error"], f"{last}")
            load.some()


@case
def a_full_disk():
    """The store cannot be written: a drain works all the same and says that it is not stored; a reload works."""
    folder = os.path.join(kit.certs.folder, f"disk-{time.monotonic_ns()}")
    os.mkdir(folder)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(f"skipped: no small disk here: {done.stdout.strip()[:120]}", flush=True)
        return
    try:
        with Instance() as a, Instance() as b, Instance() as c:
            text = with_health(checked([a, b])).replace("${dir}/evenkeel.db", folder + "/evenkeel.db")
            with Edge(text) as edge, Load(edge, clients=2) as load:
                fill = os.open(folder + "/fill", os.O_WRONLY | os.O_CREAT)
                try:
                    while os.write(fill, b"x" * 4096):
                        pass
                except OSError:
                    os.close(fill)
                change(edge, "drain", a.address)
                wait_for("it is in force", lambda: changes(edge)[0]["in_force"])
                expect(changes(edge)[0]["stored"] is False, "it says that it is stored")
                edge.says("is not in the store and ends with this process")
                done = subprocess.run([kit.binary, "status", "--admin", f"127.0.0.1:{edge.admin}"], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, timeout=60)
                expect("not stored" in done.stdout, done.stdout)
                edge.put(with_health(checked([a, b, c])).replace("${dir}/evenkeel.db", folder + "/evenkeel.db"))
                reload(edge)
                load.some()
                change(edge, "undrain", a.address)
                wait_for("it is back", lambda: not instances(edge)[a.address]["drained"])
                said = edge.said()
                time.sleep(3)
                expect(edge.said().count("\n") - said.count("\n") < 10, "it says the same again and again")
                os.unlink(folder + "/fill")
                change(edge, "drain", a.address)
                wait_for("it is stored", lambda: changes(edge)[0]["stored"])
    finally:
        subprocess.run(["umount", folder], timeout=60)


@case
def a_large_file_is_read_in_a_moment():
    with Instance() as a, Instance() as b:
        services = "".join(f"  s{i}: {{ health: {{ interval: 0s }}, instances: [{', '.join(f'127.1.{i}.{k}:80' for k in range(1, 5))}] }}\n" for i in range(250))
        routes = "".join(f"  - {{ path: /s{i}/*, service: s{i} }}\n" for i in range(250))
        journeys = "".join(f"  j{i}: {{ routes: [GET /s{i}/*], objectives: {{ available: {{ target: 99% }} }} }}\n" for i in range(250))

        def text(who):
            return ("listen: { http: \"127.0.0.1:${http}\", admin: \"127.0.0.1:${admin}\" }\nstore: ${dir}/evenkeel.db\nworkers: 2\n"
                    f"services:\n  app: {{ health: {{ interval: 0s }}, instances: [{', '.join(i.address for i in who)}] }}\n" + services +
                    "routes:\n" + routes + "  - { path: /*, service: app }\njourneys:\n" + journeys)

        with Edge(text([a])) as edge, Load(edge, clients=2) as load:
            times = []
            for i in range(4):
                edge.put(text([a, b] if i % 2 == 0 else [a]))
                begun = time.monotonic()
                reload(edge)
                times.append(time.monotonic() - begun)
                change(edge, "weight", a.address, weight=i + 2)
                wait_for("it is in force", lambda: instances(edge)[a.address]["weight"] == i + 2)
                load.some(20)
            print(f"250 services, 1000 instances, 250 journeys: reloads took {', '.join(f'{t * 1000:.0f} ms' for t in times)}", flush=True)
            expect(min(times) < 5, f"it takes {min(times):.1f} s")
