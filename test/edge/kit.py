# SPDX-License-Identifier: Apache-2.0
# kit.py - what the cases are made of: certificates, instances, the program, clients. Everything waits for a condition and
# gives up after PATIENCE_S with a Wrong that says what did not come. Next: a file of cases.
import datetime
import glob
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
from ports import free_low_port, free_port  # noqa: E402, F401

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
PATIENCE_S = 40
CASES = {}
binary = None  # set by run
certs = None


class Wrong(Exception):
    pass


def case(function):
    CASES[function.__name__] = function
    return function


def expect(good, why):
    if not good:
        raise Wrong(why)


def wait_for(what, condition, seconds=PATIENCE_S):
    """Looks until it is so; returns what the condition returned."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Wrong(f"not within {seconds} s: {what}")
        time.sleep(0.02)  # between two looks


def no_mounts(command=("unshare", "--mount", "true")):
    """Whether a program may not have mounts of its own here, as in many containers and changed roots; says so."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    if done.returncode:
        print(f"skipped: no mounts of one's own here: {done.stdout.strip()[:120]}", flush=True)
    return done.returncode != 0


# ---- certificates


class Certificates:
    """Files NAME.pem and NAME.key in a folder; signed by `ca` unless said."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ca", "other-ca"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                         f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.key(name), "-out",
                         self.pem(name))
        self.make("a", "DNS:a.test,DNS:localhost,IP:127.0.0.1")
        self.make("b", "DNS:b.test,DNS:*.b.test")
        self.make("rsa", "DNS:a.test", rsa=True)
        self.make("instance", "DNS:instance.test")
        self.make("localhost", "DNS:localhost")
        self.make("address", "IP:127.0.0.1")
        self.make("stranger", "DNS:instance.test,IP:127.0.0.1", ca="other-ca")
        self.make("edge", "DNS:edge.test")
        now = datetime.datetime.now(datetime.timezone.utc)
        self.make("expired", "DNS:instance.test,IP:127.0.0.1", begin=now - datetime.timedelta(days=9), end=now - datetime.timedelta(days=2))

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)
        expect(done.returncode == 0, f"openssl {arguments[0]}: {done.stdout}")

    def pem(self, name):
        return os.path.join(self.folder, name + ".pem")

    def key(self, name):
        return os.path.join(self.folder, name + ".key")

    def make(self, name, names, ca="ca", rsa=False, begin=None, end=None):
        kind = ["rsa", "-pkeyopt", "rsa_keygen_bits:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        request = os.path.join(self.folder, name + ".csr")
        self.openssl("req", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout", self.key(name), "-out", request)
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = begin or now - datetime.timedelta(hours=1), end or now + datetime.timedelta(days=20)
        work = tempfile.mkdtemp(dir=self.folder)  # `openssl ca`, for only it takes any dates
        open(os.path.join(work, "index"), "w").close()
        with open(os.path.join(work, "ca.cnf"), "w") as f:
            f.write(f"[ca]\ndefault_ca=it\n[it]\nnew_certs_dir={work}\ndatabase={work}/index\nrand_serial=yes\n"
                    "default_md=sha256\npolicy=any\nx509_extensions=ext\n[any]\ncommonName=supplied\n"
                    f"[ext]\nsubjectAltName={names}\nkeyUsage=digitalSignature,keyEncipherment\n")
        self.openssl("ca", "-batch", "-notext", "-config", f"{work}/ca.cnf", "-cert", self.pem(ca), "-keyfile", self.key(ca),
                     "-in", request, "-out", self.pem(name), "-startdate", begin.strftime("%Y%m%d%H%M%SZ"), "-enddate",
                     end.strftime("%Y%m%d%H%M%SZ"))


def server_context(name, **more):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(certs.pem(name), certs.key(name))
    for key, value in more.items():
        setattr(c, key, value)
    return c


def client_context(version=None, verify=True):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.load_verify_locations(certs.pem("ca"))
    if not verify:
        c.check_hostname = False
        c.verify_mode = ssl.CERT_NONE
    if version:
        c.minimum_version = c.maximum_version = version
    return c


# ---- the two ends of a connection


class Stream:
    """A socket, plain or TLS, with what came and was not yet taken. `ended` is "" while it goes on, then "closed" (in order: with
    close_notify when it is TLS), "cut" (TLS without close_notify) or "reset"."""

    def __init__(self, sock):
        self.sock, self.got, self.ended = sock, b"", ""
        sock.settimeout(PATIENCE_S)

    def more(self):
        try:
            piece = self.sock.recv(65536)
        except TimeoutError:
            raise Wrong(f"nothing came for {PATIENCE_S} s; so far {self.got[-300:]!r}")
        except ssl.SSLEOFError:
            self.ended = "cut"
            return False
        except (ConnectionError, ssl.SSLError):
            self.ended = "reset"
            return False
        if not piece:
            self.ended = "closed"
            return False
        self.got += piece
        return True

    def take_until(self, mark):
        while mark not in self.got:
            if self.ended or not self.more():
                raise Wrong(f"it was {self.ended} before {mark!r} came; so far {self.got[-300:]!r}")
        taken, _, self.got = self.got.partition(mark)
        return taken + mark

    def take(self, n):
        pieces, have = [self.got], len(self.got)
        while have < n:
            self.got = b""
            if self.ended or not self.more():
                raise Wrong(f"it was {self.ended} after {have} of {n} bytes")
            pieces.append(self.got)
            have += len(self.got)
        whole = b"".join(pieces)
        self.got = whole[n:]
        return whole[:n]

    def rest(self):
        while not self.ended:
            self.more()
        taken, self.got = self.got, b""
        return taken

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def head(self):
        lines = self.take_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        return lines[0], {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}

    def chunked(self):
        pieces = []
        while True:
            n = int(self.take_until(b"\r\n").split(b";")[0], 16)
            pieces.append(self.take(n + 2)[:-2])
            if n == 0:
                return b"".join(pieces)

    def body(self, fields):
        if fields.get("transfer-encoding") == "chunked":
            return self.chunked()
        return self.take(int(fields["content-length"]))

    def answer(self):
        """status, fields, body"""
        line, fields = self.head()
        status = int(line.split()[1])
        if "content-length" in fields or "transfer-encoding" in fields:
            return status, fields, self.body(fields)
        return status, fields, self.rest()

    def get(self, path="/", host="a.test", fields=""):
        self.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
        return self.answer()

    def close(self):
        self.sock.close()

    def cut(self):
        """The end of TCP, without a farewell of TLS."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def connect(port, before=b"", context=None, name="a.test", session=None, source=None):
    """A client; `before` is sent in the clear, which is where the PROXY protocol stands."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S, source)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if before:
        sock.sendall(before)
    if context:
        try:
            sock = context.wrap_socket(sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
        except Exception:
            sock.close()
            raise
    return Stream(sock)


def tls(port, name="a.test", version=None, **more):
    return connect(port, context=client_context(version, verify=name is not None), name=name, **more)


def handshake_error(port, context, name="a.test"):
    """How a handshake fails; "" when it does not."""
    try:
        connect(port, context=context, name=name).close()
        return ""
    except (ssl.SSLError, ConnectionError) as e:
        return str(e) or type(e).__name__


# ---- instances


class Instance:
    """Takes connections and serves each in a thread. Without `handle` it tells as JSON what it was asked; /size/N answers N bytes."""

    def __init__(self, handle=None, context=None, path=None, host="127.0.0.1", port=0):
        self.handle, self.context, self.path = handle or tell, context, path
        self.connections, self.requests, self.failed = 0, [], 0
        self.streams = []
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.bind(path or (host, port))
        self.listener.listen(128)
        self.port = None if path else self.listener.getsockname()[1]
        self.address = f"unix:{path}" if path else f"{host}:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for s in self.streams:
            s.close()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        sock.settimeout(PATIENCE_S)
        if self.context:
            try:
                sock = self.context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
            except OSError:
                self.failed += 1
                sock.close()
                return
        stream = Stream(sock)
        self.streams.append(stream)
        try:
            while not stream.ended:
                line, fields = stream.head()
                method, target, _ = line.split()
                body = stream.body(fields) if "content-length" in fields or "transfer-encoding" in fields else b""
                request = {"method": method, "target": target, "fields": fields, "length": len(body),
                           "sha256": hashlib.sha256(body).hexdigest(), "secure": self.context is not None}
                self.requests.append(request)
                self.handle(self, stream, request)
        except (Wrong, OSError, ValueError):
            pass  # a client that leaves
        finally:
            stream.close()


def pattern(n):
    return (bytes(range(256)) * (n // 256 + 1))[:n]


def tell(_, stream, request):
    if request["target"].startswith("/size/"):
        body = pattern(int(request["target"].split("/")[2]))
    else:
        body = json.dumps(request).encode()
    stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


# ---- the program

NORMAL = {"http": "{http}", "trusted": None}


class Edge:
    """One evenkeel in a folder of its own. In the configuration's text ${http}, ${https}, ${admin} and ${dir} are filled in."""

    def __init__(self, config, folder=None, **ports):
        self.folder = tempfile.mkdtemp(prefix="edge-")
        self.ports = {"http": free_port(), "https": free_port(), "admin": free_port(), **ports}
        self.config = self.filled(config)
        self.process = None
        self.file = os.path.join(self.folder, "evenkeel.yaml")
        self.put(config)

    def filled(self, config):
        return re.sub(r"\$\{(\w+)\}", lambda m: str({**self.ports, "dir": self.folder}[m[1]]), config)

    def put(self, config):
        """The file is replaced as editors do it: whole, at once."""
        with open(self.file + ".new", "w") as f:
            f.write(self.filled(config))
        os.rename(self.file + ".new", self.file)

    def __getattr__(self, name):
        try:
            return self.__dict__["ports"][name]
        except KeyError:
            raise AttributeError(name)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            if self.process and kind is None:
                self.stop()
        finally:
            if self.process:
                self.process.kill()
                self.process.wait()
            said = self.said()
            shutil.rmtree(self.folder, ignore_errors=True)
        bad = [line for line in said.splitlines() if re.search(r"Sanitizer|runtime error|this is a bug", line)]
        expect(not bad, "\n".join(bad[:5]))

    def launch(self, command=(), env=None, preexec=None, **more):
        self.out = open(os.path.join(self.folder, "stderr"), "ab")
        self.process = subprocess.Popen([*command, binary, "run", "-c", self.file], stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.out, env={**os.environ, **(env or {})}, preexec_fn=preexec, **more)
        return self

    def ready(self):
        def look():
            if self.process.poll() is not None:
                raise Wrong(f"evenkeel ended with {self.process.returncode}: {self.said()[-600:]}")
            try:
                return self.admin_get("/readyz")[0] == 200
            except (OSError, Wrong):
                return False
        wait_for("evenkeel is ready", look)
        return self

    def start(self, **more):
        return self.launch(**more).ready()

    def stop(self, expected=0):
        self.process.send_signal(signal.SIGTERM)
        self.ended(expected)

    def ended(self, expected=0, seconds=90):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Wrong(f"evenkeel did not end within {seconds} s")
        self.process = None
        expect(code == expected, f"evenkeel ended with {code}, not {expected}: {self.said()[-600:]}")

    def fails(self, *texts, command=()):
        """It does not start: exit 1, and it says why."""
        try:
            self.launch(command=command).ended(1, 60)
            for text in texts:
                expect(text in self.said(), f"'{text}' is not in: {self.said()}")
        finally:
            self.__exit__(Wrong)

    def validate(self):
        done = subprocess.run([binary, "validate", "-c", self.file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        return done.returncode, done.stdout

    def said(self):
        if not os.path.exists(os.path.join(self.folder, "stderr")):
            return ""  # it was never started
        with open(os.path.join(self.folder, "stderr"), errors="replace") as f:
            return f.read()

    def says(self, text):
        wait_for(f"it says '{text}'", lambda: text in self.said())

    def admin_get(self, path):
        s = connect(self.admin)
        try:
            s.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status, _, body = s.answer()
        finally:
            s.close()
        return status, body.decode()

    def metric(self, name):
        text = re.sub(r',?node="[0-9a-f]+"} ', "} ", self.admin_get("/metrics")[1]).replace("{} ", " ")  # its name is drawn by chance
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        expect(found, f"there is no metric {name}")
        return float(found[1])


def yaml(instances, listen="http: \"127.0.0.1:${http}\"", tls="", limits="header-time: 30s", more="", workers=2, timeout="connect: 5s, head: 60s, idle: 60s",
         checks="health: { interval: 0s }, ", admin='"127.0.0.1:${admin}"'):
    """A configuration: what listens, where it goes, and what is special. Without active checks, for most cases count what instances hear of."""
    list_ = ", ".join(f'"{i if isinstance(i, str) else i.address}"' for i in instances)
    return (f"listen: {{ {listen}, admin: {admin} }}\nstore: ${{dir}}/evenkeel.db\nworkers: {workers}\n"
            f"limits: {{ {limits} }}\n{more}\n"
            f"services: {{ app: {{ {checks}instances: [{list_}], timeout: {{ {timeout} }}{', tls: { ' + tls + ' }' if tls else ''} }} }}\n")


def https(certificate="a", more="", proxy=False):
    return (f"https: {{ address: \"127.0.0.1:${{https}}\", certificate: {certs.pem(certificate)}, key: {certs.key(certificate)}"
            f"{', proxy-protocol: true' if proxy else ''}{', ' + more if more else ''} }}")


def reason_of(answer):
    """The reason in an answer of evenkeel's own."""
    found = re.search(rb"reason: (\w+)", answer[2])
    return found[1].decode() if found else f"none, it answered {answer[0]} {answer[2][:200]!r}"
