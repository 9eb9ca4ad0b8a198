# SPDX-License-Identifier: Apache-2.0
# kit.py - what the drills are made of: instances that can be told to fail, callers that count, the three proxies before
# them, each with the configuration that a careful person would write for the drill. Everything waits for a condition and is
# bounded in time; every child dies with us.  Next: storm, slow, soak; walk drives the shop instead.
import ctypes
import json
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
from proxies import ROOT, free_port, program, raise_descriptors  # noqa: E402, F401  (bench/proxies.py)

TOOLS = os.path.join(ROOT, "build", "bench", "drills")
# Real-time priorities, where we may: all parts of a drill go before the machine's other work, and who measures before what is measured.
MEASURES, SERVES, MEASURED = 3, 2, 1
PATIENCE_S = 30
PROXIES = ("evenkeel", "nginx", "haproxy")


class Invalid(Exception):
    """The machine, not the proxy, decided what was measured."""


def binary():
    return os.environ.get("BINARY") or os.path.join(ROOT, "build", "evenkeel")


def end_with_us(priority=0):
    """In a child (prctl(2), PR_SET_PDEATHSIG; sched(7): a nice value would only count within one session)."""
    def prepare():
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        try:
            if priority:
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
        except OSError:
            pass
    return prepare


def wait_until(what, condition, process=None, seconds=PATIENCE_S):
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if process and process.poll() is not None:
            sys.exit(f"{what}: the program ended with {process.returncode}")
        if time.monotonic() > deadline:
            sys.exit(f"not within {seconds} s: {what}")
        time.sleep(0.02)  # between two looks


def sleep_until_ns(at_ns):
    """An instant of CLOCK_MONOTONIC: a drill's timetable, not a hope."""
    while (left := at_ns - time.monotonic_ns()) > 0:
        time.sleep(left / 1e9)


def get(port, path, seconds=5):
    """The body of an answer with status 200; anything else is None."""
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        c.request("GET", path)
        answer = c.getresponse()
        text = answer.read()
        return text if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        c.close()


def quartiles(values):
    values = sorted(values)
    if len(values) < 2:
        return (values[0],) * 3
    q = statistics.quantiles(values, n=4, method="inclusive")
    return q[0], q[1], q[2]


def in_words(values, form="{:.2f}"):
    """median (quartiles)"""
    low, middle, high = quartiles(values)
    return f"{form.format(middle)} ({form.format(low)}-{form.format(high)})"


# ---- instances and callers


class Instances:
    """instances.c with so many instances; `tell` gives commands."""

    def __init__(self, count, *options, ports=None):
        self.ports = ports or [free_port() for _ in range(count)]
        self.process = subprocess.Popen([os.path.join(TOOLS, "instances"), *map(str, options), *map(str, self.ports)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_us(SERVES))
        self.tell("* mode ok")  # answered: they listen

    def tell(self, command):
        """Returns what was said, with the instant of it."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the instances ended with {self.process.wait()}")
        said = json.loads(line)
        if said.get("ok") is False:
            sys.exit(f"the instances do not understand '{command}'")
        return said

    def each(self, numbers, command):
        for n in numbers:
            said = self.tell(f"{n} {command}")
        return said

    def counts(self):
        """{count: {second: sum over the instances}}, and for each instance {count: {second: n}}"""
        report = self.tell("report")
        first = report["first_second"]
        each = [{name: {first + s: n for s, n in enumerate(row)} for name, row in i.items() if name != "port"}
                for i in report["instances"]]
        total = {name: {s: sum(i[name][s] for i in each) for s in each[0][name]} for name in each[0]}
        return total, each

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Callers:
    """callers.c; `begin_ns` is known when this is made, `result()` waits for its end."""

    def __init__(self, port, rate, seconds, *options):
        self.seconds = seconds
        self.process = subprocess.Popen([os.path.join(TOOLS, "callers"), *map(str, options), str(port), str(rate), str(seconds)],
                                        stdout=subprocess.PIPE, text=True, preexec_fn=end_with_us(MEASURES))
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the callers ended with {self.process.wait()}")
        self.begin_ns = json.loads(line)["begin_ns"]

    def result(self):
        out, _ = self.process.communicate(timeout=self.seconds + 60)
        if self.process.returncode:
            sys.exit(f"the callers ended with {self.process.returncode}")
        return json.loads(out)


# ---- the proxies

# Two workers each, as is the default of each on two cores. Connections to instances are kept. What differs from a proxy's own
# defaults is said beside it.
EVENKEEL = """listen: {{ http: "127.0.0.1:{port}", admin: "127.0.0.1:{admin}" }}
store: {folder}/evenkeel.db
workers: 2
log: {{ level: warn }}
services:
  app:
    instances: [{instances}]
{service}
journeys:
  all: {{ routes: ["/*"], objectives: {{ available: {{ target: 99.9% }} }} }}
"""

# `keepalive`: else each request to an instance is a connection of its own; `zone`: else workers do not share what they know.
NGINX = """worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 1000000;
  upstream app {{ zone app 256k; {balance} {instances} keepalive 64; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_connect_timeout 500ms; proxy_read_timeout {head}; proxy_send_timeout 60s; {more} }} }} }}
"""

# `check`: TCP connections, as evenkeel's without health.path.
HAPROXY = """global
  nbthread 2
  maxconn 8000
  stats socket {folder}/haproxy.sock
defaults
  mode http
  timeout connect 500ms
  timeout client 60s
  timeout server {head}
  timeout queue {head}
{more}
frontend f
  bind 127.0.0.1:{port} backlog 4096
  default_backend b
backend b
  balance {balance}
  default-server check inter 2s fall 2 rise 2
{instances}
"""

# What each balances by, unless a drill is about that.
BALANCE = {"nginx": "", "haproxy": "roundrobin"}


class Proxy:
    """One proxy before these ports. `more`: lines of its own configuration, by name."""

    def __init__(self, name, folder, ports, more="", balance=None, head="15s"):
        self.name, self.port, self.admin = name, free_port(), free_port()
        self.folder = os.path.join(folder, f"{name}-{self.port}")
        os.makedirs(self.folder)
        balance = balance or BALANCE.get(name)
        lines = {"evenkeel": lambda: ", ".join(f'"127.0.0.1:{p}"' for p in ports),
                 "nginx": lambda: " ".join(f"server 127.0.0.1:{p};" for p in ports),
                 "haproxy": lambda: "\n".join(f"  server i{n} 127.0.0.1:{p}" for n, p in enumerate(ports))}[name]()
        text = {"evenkeel": EVENKEEL, "nginx": NGINX, "haproxy": HAPROXY}[name]
        self.file = os.path.join(self.folder, "conf")
        self.write(text.format(port=self.port, admin=self.admin, folder=self.folder, instances=lines, service=more,
                               more=more, balance=balance, head=head))
        command = {"evenkeel": [binary(), "run", "-c", self.file], "nginx": [program("nginx"), "-c", self.file, "-p", self.folder],
                   "haproxy": [program("haproxy"), "-q", "-W", "-f", self.file]}[name]
        if not command[0] or not os.access(command[0], os.X_OK):
            sys.exit(f"{name} is not there; `tools/deps bench` installs the peers, `make` builds evenkeel")
        self.log = os.path.join(self.folder, "out")
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                                            start_new_session=True, preexec_fn=end_with_us(MEASURED))
        try:
            wait_until(f"{name} answers", lambda: get(self.port, "/") is not None, self.process)
        except SystemExit:
            with open(self.log, errors="replace") as f:
                print(f.read()[-2000:])
            raise

    def write(self, text):
        with open(self.file, "w") as f:
            f.write(text)

    def metric(self, name):
        """Sum over the labels; None where this evenkeel does not have it."""
        text = (get(self.admin, "/metrics") or b"").decode()
        found = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith((name + " ", name + "{"))]
        return sum(found) if found else None

    def pids(self):
        """Of the program and its workers."""
        found = [self.process.pid]
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == self.process.pid:
                        found.append(int(entry))
            except (OSError, ValueError, IndexError):
                pass
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def check_program():
    for tool in ("instances", "callers"):
        if not os.access(os.path.join(TOOLS, tool), os.X_OK):
            sys.exit(f"build/bench/drills/{tool} is not built; type `make`")


def write_results(name, value):
    path = os.path.join(TOOLS, f"{name}.json")
    with open(path, "w") as f:
        json.dump(value, f, indent=1)
    return os.path.relpath(path, ROOT)
