# SPDX-License-Identifier: Apache-2.0
# cases_process.py - the process: its rights and limits, whoever starts it, and how it stops.
import os
import pwd
import re
import resource
import signal
import socket
import stat
import time

import kit
from kit import Edge, Instance, Wrong, case, connect, expect, free_low_port, wait_for, yaml


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


@case
def user_is_dropped_to_after_binding():
    if os.geteuid() != 0:
        return  # nobody else can become another user; the next case says what they are told
    nobody = pwd.getpwnam("nobody")
    with Instance() as instance:
        edge = Edge(yaml([instance], more="user: nobody\nlog: { access: ${dir}/access.jsonl }"), http=free_low_port())
        os.chmod(edge.folder, 0o777)
        with edge:
            expect(connect(edge.http).get()[0] == 200, "it does not serve")
            s = status_of(edge.process.pid)
            for ids in ("Uid", "Gid"):
                wanted = nobody.pw_uid if ids == "Uid" else nobody.pw_gid
                expect(set(s[ids].split()) == {str(wanted)}, f"{ids} is {s[ids]}")
            expect(set(s["Groups"].split()) <= {str(nobody.pw_gid)}, f"groups are {s['Groups']}")
            expect(s["NoNewPrivs"] == "1", "it may get new privileges")
            expect(int(s["CapEff"], 16) == 0, f"capabilities are {s['CapEff']}")
            for task in os.listdir(f"/proc/{edge.process.pid}/task"):
                expect(status_of(f"{edge.process.pid}/task/{task}")["Uid"].split()[0] == str(nobody.pw_uid), f"thread {task} is another user")
            wait_for("a line is logged", lambda: os.path.getsize(os.path.join(edge.folder, "access.jsonl")) > 0)
            for name in ("evenkeel.db", "access.jsonl"):
                st = os.stat(os.path.join(edge.folder, name))
                expect(st.st_uid == nobody.pw_uid, f"{name} belongs to {st.st_uid}")
            expect(stat.S_IMODE(os.stat(os.path.join(edge.folder, "access.jsonl")).st_mode) & 0o007 == 0, "everybody may read the log")


@case
def unknown_user_stops_the_start():
    with Instance() as instance:
        Edge(yaml([instance], more="user: no-such-user")).fails("there is no user 'no-such-user'")


@case
def no_core_file():
    with Instance() as instance, Edge(yaml([instance])) as edge:
        with open(f"/proc/{edge.process.pid}/limits") as f:
            line = next(line for line in f if line.startswith("Max core file size"))
        expect(line.split()[4:6] == ["1", "1"], line)


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, 700))


@case
def few_descriptors_are_said_and_the_admin_address_answers():
    with Instance() as instance:
        edge = Edge(yaml([instance], workers=1, more="trusted: [127.0.0.0/8]"))
        try:
            edge.start(preexec=few_files)
            expect(re.search(r"only 700 files may be open: limits.connections is 94 instead of 20000", edge.said()), edge.said())
            clients = []
            for _ in range(150):  # beyond what it takes; the rest waits in the kernel's queue
                c = connect(edge.http)
                c.send("GET / HTTP/1.1\r\nHost: a.test\r\nX: ")
                clients.append(c)
            wait_for("the connections are taken", lambda: edge.metric("evenkeel_http_connections") >= 94)
            expect(edge.admin_get("/healthz")[0] == 200, "the admin address does not answer")
            # one whose first bytes are still to come gives way to the next, and is gone by the end of the turn
            wait_for("no more than it may have", lambda: edge.metric("evenkeel_http_connections") <= 94)
            for c in clients:
                c.close()
            wait_for("others are served again", lambda: connect(edge.http).get()[0] == 200)
            edge.stop()
        finally:
            edge.__exit__(Wrong)


def listen_at(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(64)
    return s


@case
def sockets_are_taken_over():
    with Instance() as instance:
        edge = Edge(yaml([instance]))
        http, admin = listen_at(edge.http), listen_at(edge.admin)

        # LISTEN_PID must be the program's own: a shell puts the sockets where they belong and becomes it
        script = f'exec 3<&{http.fileno()} 4<&{admin.fileno()}; LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"'
        with edge_started(edge, command=["/bin/bash", "-c", script, "sh"], pass_fds=(http.fileno(), admin.fileno())):
            # ours are closed here, so only the program can be the one that accepts
            http.close()
            admin.close()
            for _ in range(8):
                expect(connect(edge.http).get()[0] == 200, "it does not serve on the socket it was given")
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                try:
                    s.bind(("127.0.0.1", edge.http))
                    raise Wrong("it opened a socket of its own: the address can be shared")
                except OSError:
                    pass


class edge_started:
    """Edge.__enter__ with other ways to start it."""

    def __init__(self, edge, **how):
        self.edge, self.how = edge, how

    def __enter__(self):
        return self.edge.start(**self.how)

    def __exit__(self, kind, *rest):
        return self.edge.__exit__(kind, *rest)


@case
def supervisor_is_told():
    with Instance() as instance:
        edge = Edge(yaml([instance]))
        path = os.path.join(edge.folder, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(kit.PATIENCE_S)
            with edge_started(edge, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}):
                expect(s.recv(100) == b"READY=1", "it did not say that it is ready")
                expect(s.recv(100) == b"WATCHDOG=1", "it does not feed the watchdog")
                expect(s.recv(100) == b"WATCHDOG=1", "it feeds the watchdog only once")
                edge.process.send_signal(signal.SIGTERM)
                said = b"WATCHDOG=1"
                while said == b"WATCHDOG=1":
                    said = s.recv(100)
                expect(said == b"STOPPING=1", f"it said {said!r}")
                edge.ended()


@case
def stopping_finishes_what_runs():
    def slow(_, stream, request):
        time.sleep(1)
        stream.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    with Instance(slow) as instance, Edge(yaml([instance])) as edge:
        c = connect(edge.http)
        c.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        wait_for("the request is under way", lambda: edge.metric("evenkeel_instance_in_flight{service=\"app\",instance=\"" + instance.address + "\"}") == 1)
        edge.process.send_signal(signal.SIGTERM)
        status, fields, body = c.answer()
        expect((status, body, fields.get("connection")) == (200, b"done", "close"), f"{status} {fields} {body}")
        edge.ended()


@case
def last_call():
    """A request that was on its way when it began to stop is served, on a kept connection and on a new one; then they end."""
    with Instance() as instance, Edge(yaml([instance])) as edge:
        kept, new, silent = connect(edge.http), connect(edge.http), connect(edge.http)
        expect(kept.get()[0] == 200, "it does not serve")
        edge.process.send_signal(signal.SIGTERM)
        edge.says("stopping: no new connections")
        for c in (kept, new):
            status, fields, _ = c.get()
            expect((status, fields.get("connection")) == (200, "close"), f"{status} {fields}")
        expect(silent.sock.recv(1) == b"", "who says nothing is not let go")
        edge.ended()


@case
def stopping_has_an_end():
    def never(_, stream, request):
        stream.more()

    with Instance(never) as instance, Edge(yaml([instance])) as edge:
        c = connect(edge.http)
        c.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        wait_for("the request is under way", lambda: edge.metric("evenkeel_instance_in_flight{service=\"app\",instance=\"" + instance.address + "\"}") == 1)
        begun = time.monotonic()
        edge.process.send_signal(signal.SIGTERM)
        edge.ended(seconds=80)
        took = time.monotonic() - begun
        expect(25 < took < 75, f"it took {took:.1f} s; what runs has 30")
