# SPDX-License-Identifier: Apache-2.0
# world.py - a machine of its own for the steps: namespaces of mounts, network and processes in which docs/adopt.md can be
# followed to the letter (/etc/nginx, port 443, useradd, iptables) and nothing of it reaches the machine that runs the test.
# Two network namespaces: the server at 10.99.0.1, its clients at 10.99.0.2. `systemctl` is ours (Units below), for systemd itself
# cannot run here: it starts what the unit files of deploy/ and of the guide say. Next: guide.py, then steps.
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
SERVER, CLIENT = "10.99.0.1", "10.99.0.2"
PATIENCE_S = 60
LAYERS = ("etc", "var", "usr/local", "run")  # what may be changed; the changes are gone with the namespace


class Wrong(Exception):
    pass


def wait_for(what, condition, seconds=PATIENCE_S):
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Wrong(f"not within {seconds} s: {what}")
        time.sleep(0.05)  # between two looks


def run(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        raise Wrong(f"{command}: {done.stdout[-2000:]}")
    return done.stdout


def enter(work):
    """Starts this script again as process 1 of the new namespaces and ends with it; returns when we are that process."""
    if os.environ.get("ADOPT_INSIDE") == work:
        return
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
               "env", f"ADOPT_INSIDE={work}", sys.executable, "-B", *sys.argv]
    if os.geteuid() != 0:
        command = ["sudo", "-n", *command]
    sys.exit(subprocess.run(command, stdin=subprocess.DEVNULL).returncode)


class World:
    def __init__(self, work):
        self.work = work
        self.started, self.outside = [], None
        os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", work])
        for layer in LAYERS:
            parts = [os.path.join(work, "layers", layer.replace("/", "-"), part) for part in ("upper", "work")]
            for part in parts:
                os.makedirs(part)
            run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/{layer},upperdir={parts[0]},workdir={parts[1]}", f"/{layer}"])
        run(["ip", "link", "set", "lo", "up"])
        self.log = open(os.path.join(work, "log"), "ab")
        self.outside = self.spawn(["unshare", "--net", "sleep", "infinity"])
        wait_for("the clients' namespace", lambda: os.readlink(f"/proc/{self.outside.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        run(["ip", "link", "add", "inner", "type", "veth", "peer", "name", "outer", "netns", str(self.outside.pid)])
        run(["ip", "addr", "add", f"{SERVER}/24", "dev", "inner"])
        run(["ip", "link", "set", "inner", "up"])
        for words in (["addr", "add", f"{CLIENT}/24", "dev", "outer"], ["link", "set", "outer", "up"], ["link", "set", "lo", "up"]):
            run([*self.at_clients(), "ip", *words])

    def at_clients(self):
        return ["nsenter", "-t", str(self.outside.pid), "--net"]

    def spawn(self, command, **more):
        more.setdefault("stdout", self.log)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self.log, cwd=ROOT, **more)
        self.started.append(process)
        return process

    def certificates(self):
        """A certificate for shop.test where the guide has it."""
        folder = "/etc/ssl/shop"
        os.makedirs(folder)
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"])
        return f"{folder}/cert.pem"

    def postgres(self):
        for line in run([os.path.join(ROOT, "tools", "postgres"), "start", os.path.join(self.work, "pg")]).split():
            key, _, value = line.partition("=")
            os.environ[key] = value

    def stop_postgres(self):
        subprocess.run([os.path.join(ROOT, "tools", "postgres"), "stop", os.path.join(self.work, "pg")])

    def said(self):
        self.log.flush()
        with open(self.log.name, errors="replace") as f:
            return f.read()


def listens(port, address="127.0.0.1"):
    try:
        socket.create_connection((address, port), 1).close()
        return True
    except OSError:
        return False


class Units:
    """What `systemctl` does with evenkeel.service and evenkeel.socket: sockets are opened first and stay open over restarts of the
    service (sd_listen_fds), its user, its folders, READY=1. nginx is started as itself and reloaded by signal."""
    SHIM = """#!/usr/bin/env python3
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect("/run/units.sock"); s.sendall(" ".join(sys.argv[1:]).encode()); s.shutdown(1)
said = b"".join(iter(lambda: s.recv(4096), b"")).decode(); sys.stdout.write(said); sys.exit(1 if said else 0)
"""
    # the sockets at 3, 4, ..., by way of numbers that are nobody's
    HAND_OVER = """
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",") if fd]
for i, fd in enumerate(fds): os.dup2(fd, 200 + i)
for i in range(len(fds)): os.dup2(200 + i, 3 + i)
os.setgroups([])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[2]))
os.environ.update(LISTEN_FDS=str(len(fds)), LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[4], sys.argv[4:])
"""

    def __init__(self, world):
        self.world, self.process, self.sockets = world, None, []
        with open("/usr/local/bin/systemctl", "w") as f:
            f.write(self.SHIM)
        os.chmod("/usr/local/bin/systemctl", 0o755)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind("/run/units.sock")
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            s, _ = self.listener.accept()
            words = b"".join(iter(lambda: s.recv(4096), b"")).decode().split()
            try:
                self.act([w for w in words if not w.startswith("-")], "--now" in words)
            except Exception as e:  # told to whoever called systemctl
                s.sendall(f"systemctl {' '.join(words)}: {e}\n".encode())
            s.close()

    def act(self, words, now):
        action, names = words[0], [w.removesuffix(".service") for w in words[1:]]
        if action == "enable":
            action = "start" if now else "daemon-reload"
        if action == "daemon-reload":
            return
        for name in sorted(names, key=lambda n: n != "evenkeel.socket", reverse=action == "stop"):
            if name == "evenkeel.socket":
                {"start": self.open, "stop": self.close}[action]()
            elif name == "evenkeel":
                {"start": self.start, "stop": self.stop, "restart": self.restart}[action]()
            else:
                raise Wrong(f"there is no unit {name} here")

    @staticmethod
    def unit(name):
        keys = {}
        with open(f"/etc/systemd/system/{name}") as f:
            for line in f:
                key, is_one, value = line.strip().partition("=")
                if is_one and not line.startswith("#"):
                    keys.setdefault(key, []).append(value)
        return keys

    def open(self):
        if self.sockets:
            return
        for where in self.unit("evenkeel.socket")["ListenStream"]:
            host, _, port = where.rpartition(":")
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((host, int(port)))
            s.listen(4096)
            self.sockets.append(s)

    def close(self):
        self.stop()
        for s in self.sockets:
            s.close()
        self.sockets = []

    def start(self):
        if self.process and self.process.poll() is None:
            return
        self.open()
        keys = self.unit("evenkeel.service")
        user = pwd.getpwnam(keys["User"][0])
        for key, parent in (("StateDirectory", "/var/lib"), ("LogsDirectory", "/var/log")):
            folder = os.path.join(parent, keys[key][0])
            os.makedirs(folder, exist_ok=True)
            os.chown(folder, user.pw_uid, user.pw_gid)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(f"\0units-{time.monotonic_ns()}")
        notify.settimeout(PATIENCE_S)
        for command in keys.get("ExecStartPre", []):
            run(command.split())
        self.process = self.launch(keys["ExecStart"][0].split(), user, keys, notify.getsockname().decode().replace("\0", "@"))
        while b"READY=1" not in notify.recv(4096):
            pass
        notify.close()

    def launch(self, command, user, keys, notify):
        fds = [s.fileno() for s in self.sockets]
        env = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": notify, **SANITIZERS}
        return subprocess.Popen([sys.executable, "-c", self.HAND_OVER, ",".join(map(str, fds)), str(user.pw_uid), str(user.pw_gid),
                                 *command], stdin=subprocess.DEVNULL, stdout=self.world.log, stderr=self.world.log, env=env,
                                cwd=keys["WorkingDirectory"][0], pass_fds=fds)

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.process = None
        if code:
            raise Wrong(f"evenkeel ended with {code}")

    def restart(self):
        self.stop()
        self.start()


SANITIZERS = {k: v for k, v in os.environ.items() if re.match(r"(A|UB|T|L)SAN_OPTIONS$", k)}
