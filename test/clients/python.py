# SPDX-License-Identifier: Apache-2.0
# python.py : Python as a client: http.client, urllib, and a WebSocket client by hand (RFC 6455).
# Always: nothing but the standard library. http.client takes a 103 for the answer, so there is no case for it here.
#   python3 python.py BASE [CA-FILE]
import base64
import concurrent.futures
import hashlib
import http.client
import http.cookiejar
import json
import os
import socket
import ssl
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BASE = sys.argv[1]
ORIGIN = urllib.parse.urlsplit(BASE)
TLS = ssl.create_default_context(cafile=sys.argv[2]) if ORIGIN.scheme == "https" else None
BOUND_S = 20
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what} is {got!r}, not {want!r}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def connection():
    if TLS:
        return http.client.HTTPSConnection(ORIGIN.hostname, ORIGIN.port, timeout=BOUND_S, context=TLS)
    return http.client.HTTPConnection(ORIGIN.hostname, ORIGIN.port, timeout=BOUND_S)


def ask(conn, method, path, body=None, headers={}, **more):
    conn.request(method, path, body=body, headers=headers, **more)
    answer = conn.getresponse()
    return answer, answer.read()


def opener(*handlers):
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=TLS), *handlers)


def whole(path, length):
    with opener().open(BASE + path, timeout=BOUND_S) as answer:
        body = answer.read()
        same(len(body), length, "the length")
        same(sha256(body), answer.headers["X-Sha256"], "the sum")


@case
def http_client_keep_alive():
    conn = connection()
    ports = set()
    for i in range(20):
        answer, body = ask(conn, "GET", f"/echo?i={i}")
        same(json.loads(body)["url"], f"/echo?i={i}", "the path")
        ports.add(conn.sock.getsockname()[1] if conn.sock else None)
    same(len(ports), 1, "the number of connections")


@case
def http_client_headers():
    sent = {"X-Custom-Range": "bytes=0-9,20-29", "If-Range": '"v1"', "X-Latin": "caf\xe9", "X-Long": "x" * 6000, "X-Empty": ""}
    got = json.loads(ask(connection(), "GET", "/echo", headers=sent)[1])["headers"]
    for name, value in sent.items():
        same(got.get(name.lower()), value, name)


@case
def http_client_head():
    conn = connection()
    answer, body = ask(conn, "HEAD", "/big?n=12345")
    same((answer.headers["Content-Length"], body), ("12345", b""), "the answer")
    same(ask(conn, "GET", "/echo")[0].status, 200, "the next status")


@case
def http_client_204_304():
    conn = connection()
    answer, body = ask(conn, "GET", "/204")
    same((answer.status, body), (204, b""), "the answer")
    answer, body = ask(conn, "GET", "/304", headers={"If-None-Match": '"v1"'})
    same((answer.status, body, answer.headers["ETag"]), (304, b"", '"v1"'), "the answer")
    same(ask(conn, "GET", "/304")[1], b"version", "the next answer")


@case
def http_client_upload_1MiB():
    body = os.urandom(2**20)
    got = json.loads(ask(connection(), "POST", "/upload", body)[1])
    same((got["bytes"], got["sha256"], got["length"]), (len(body), sha256(body), str(len(body))), "the body")


@case
def http_client_chunked_upload():
    parts = [os.urandom(1 + i * 997) for i in range(50)]
    got = json.loads(ask(connection(), "POST", "/upload", iter(parts), {"Transfer-Encoding": "chunked"}, encode_chunked=True)[1])
    same(got["sha256"], sha256(b"".join(parts)), "the sum")


@case
def http_client_gzip_untouched():
    answer, body = ask(connection(), "GET", "/gzip", headers={"Accept-Encoding": "gzip"})
    same((answer.headers["Content-Encoding"], answer.headers["Vary"]), ("gzip", "Accept-Encoding"), "the headers")
    same(sha256(body), answer.headers["X-Sha256"], "the sum")


@case
def http_client_two_cookies():
    answer, _ = ask(connection(), "GET", "/cookie")
    same(answer.headers.get_all("Set-Cookie"), ["a=1; Path=/", "b=2; Path=/; SameSite=Lax"], "Set-Cookie")


@case
def http_client_app_hangs_up():
    for _ in range(5):  # the app closes a connection that is kept; nobody may be sent into it
        same(ask(connection(), "GET", "/hang-up")[0].status, 200, "the status")
        time.sleep(0.2)
        same(ask(connection(), "GET", "/echo")[0].status, 200, "the next status")


@case
def urllib_get():
    with opener().open(BASE + "/echo?x=1", timeout=BOUND_S) as answer:
        got = json.load(answer)
    same((got["method"], got["url"], got["headers"]["host"]), ("GET", "/echo?x=1", ORIGIN.netloc), "the request")


@case
def urllib_post_json():
    body = json.dumps({"words": "Grüße"}).encode()
    request = urllib.request.Request(BASE + "/echo", body, {"Content-Type": "application/json"})
    with opener().open(request, timeout=BOUND_S) as answer:
        got = json.load(answer)
    same((got["method"], got["headers"]["content-type"], got["sha256"]), ("POST", "application/json", sha256(body)), "the request")


@case
def urllib_redirect_with_cookies():
    jar = http.cookiejar.CookieJar()
    with_jar = opener(urllib.request.HTTPCookieProcessor(jar))
    with_jar.open(BASE + "/cookie", timeout=BOUND_S).close()
    with with_jar.open(BASE + "/redirect", timeout=BOUND_S) as answer:
        got = json.load(answer)
    same((got["url"], sorted(got["headers"]["cookie"].split("; "))), ("/echo?redirected", ["a=1", "b=2"]), "the request")


@case
def urllib_not_found():
    try:
        opener().open(BASE + "/nowhere", timeout=BOUND_S)
    except urllib.error.HTTPError as e:
        same((e.code, json.load(e)["why"]), (404, "there is no such page"), "the answer")
    else:
        raise AssertionError("no error")


@case
def urllib_download_20MiB():
    whole("/big?n=20971520", 20971520)


@case
def urllib_chunked_download():
    whole("/chunked?n=3000000", 3000000)


@case
def urllib_until_close():
    whole("/until-close", 100000)


@case
def urllib_http_1_0_app():
    whole("/1.0", 100000)


@case
def urllib_trailers_body():
    with opener().open(BASE + "/trailers", timeout=BOUND_S) as answer:
        same(len(answer.read()), 10000, "the length")


@case
def urllib_slow_2s():
    begun = time.monotonic()
    with opener().open(BASE + "/slow?ms=2000", timeout=BOUND_S) as answer:
        same(json.load(answer), {"slow": True}, "the answer")
    same(time.monotonic() - begun >= 1.9, True, "that it took so long")


@case
def urllib_concurrent_50():
    def one(i):
        with opener().open(f"{BASE}/echo?i={i}", timeout=BOUND_S) as answer:
            return json.load(answer)["url"]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        same(list(pool.map(one, range(50))), [f"/echo?i={i}" for i in range(50)], "the list of paths")


class WebSocket:
    def __init__(self, path="/ws", **headers):
        self.sock = socket.create_connection((ORIGIN.hostname, ORIGIN.port), timeout=BOUND_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if TLS:
            self.sock = TLS.wrap_socket(self.sock, server_hostname=ORIGIN.hostname)
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": ORIGIN.netloc, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": key,
                  "Sec-WebSocket-Version": "13", **headers}
        self.sock.sendall((f"GET {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n").encode())
        self.file = self.sock.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = http.client.parse_headers(self.file)
        if self.status == 101:
            want = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
            same(self.headers["Sec-WebSocket-Accept"], want, "Sec-WebSocket-Accept")
            same((self.headers["Upgrade"] or "").lower(), "websocket", "Upgrade")
            same((self.headers["Connection"] or "").lower(), "upgrade", "Connection")

    def __enter__(self):
        same(self.status, 101, "the status")
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    @staticmethod
    def frame(opcode, payload, last=True):
        mask = os.urandom(4)
        n = len(payload)
        length = struct.pack("!B", 128 | n) if n < 126 else struct.pack("!BH", 254, n) if n < 65536 else struct.pack("!BQ", 255, n)
        key = (mask * (n // 4 + 1))[:n]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(n, "big")
        return bytes([(128 if last else 0) | opcode]) + length + mask + masked

    def send(self, opcode, payload, last=True):
        self.sock.sendall(self.frame(opcode, payload, last))

    def exactly(self, n):
        data = self.file.read(n)
        if len(data) < n:
            raise AssertionError(f"the connection ended, {n - len(data)} bytes short")
        return data

    def receive(self):
        first, n = self.exactly(2)
        if n == 126:
            n, = struct.unpack("!H", self.exactly(2))
        elif n == 127:
            n, = struct.unpack("!Q", self.exactly(8))
        return first & 15, self.exactly(n)

    def echo(self, opcode, payload):
        self.send(opcode, payload)
        same(self.receive() == (opcode, payload), True, f"that {len(payload)} bytes came back")


@case
def ws_text():
    with WebSocket(**{"Sec-WebSocket-Protocol": "chat, echo"}) as ws:
        same(ws.headers["Sec-WebSocket-Protocol"], "echo", "the protocol")
        ws.echo(TEXT, "Grüße".encode())


@case
def ws_binary():
    with WebSocket() as ws:
        for n in (0, 1, 125, 126, 65535, 65536, 70000, 4 * 2**20):
            ws.echo(BINARY, os.urandom(n))


@case
def ws_ping():
    with WebSocket() as ws:
        ws.send(PING, b"are you there")
        same(ws.receive(), (PONG, b"are you there"), "the answer")
        ws.send(TEXT, b"ping me")
        same(ws.receive(), (PING, b"are you there"), "what came")
        ws.send(PONG, b"are you there")
        same(ws.receive(), (TEXT, b"pong seen"), "the answer")


@case
def ws_fragments():
    with WebSocket() as ws:
        ws.send(TEXT, b"one ", last=False)
        ws.send(PING, b"between")
        ws.send(0, b"two ", last=False)
        ws.send(0, b"three")
        same(ws.receive(), (PONG, b"between"), "the answer")
        same(ws.receive(), (TEXT, b"one two three"), "the answer")


@case
def ws_byte_by_byte():
    with WebSocket() as ws:
        for byte in ws.frame(TEXT, b"slowly"):
            ws.sock.sendall(bytes([byte]))
            time.sleep(0.01)
        same(ws.receive(), (TEXT, b"slowly"), "the answer")


@case
def ws_1000_messages():
    with WebSocket() as ws:
        ws.sock.sendall(b"".join(ws.frame(TEXT, b"%d" % i) for i in range(1000)))
        same([ws.receive()[1] for _ in range(1000)], [b"%d" % i for i in range(1000)], "the list of answers")


@case
def ws_hello_with_101():
    with WebSocket("/ws?hello") as ws:
        same(ws.receive(), (TEXT, b"hello"), "the first message")
        ws.echo(TEXT, b"and on")


@case
def ws_quiet_for_2s():
    with WebSocket() as ws:
        time.sleep(2)
        ws.echo(TEXT, b"still there")


@case
def ws_close():
    with WebSocket() as ws:
        ws.send(CLOSE, struct.pack("!H", 4000) + b"done")
        same(ws.receive(), (CLOSE, struct.pack("!H", 4000) + b"done"), "the answer")
        same(ws.file.read(1), b"", "what came after the end")


@case
def ws_close_by_app():
    with WebSocket() as ws:
        ws.send(TEXT, b"close me")
        same(ws.receive(), (CLOSE, struct.pack("!H", 4001) + b"as you said"), "the answer")
        ws.send(CLOSE, struct.pack("!H", 4001))
        same(ws.file.read(1), b"", "what came after the end")


def open_sockets():
    return json.loads(ask(connection(), "GET", "/ws-open")[1])["open"]


@case
def ws_client_gone():
    for _ in range(30):
        if open_sockets() == 0:  # those of the cases before are on their way out
            break
        time.sleep(0.1)
    before = open_sockets()
    with WebSocket() as ws:
        ws.echo(TEXT, b"here")
        same(open_sockets(), before + 1, "the number of open sockets")
    for _ in range(30):
        if open_sockets() <= before:
            return
        time.sleep(0.1)
    raise AssertionError("the app was not told within 3 s that its client left")


@case
def ws_concurrent_20():
    def one(i):
        with WebSocket() as ws:
            for n in range(20):
                ws.echo(BINARY, os.urandom(1000 * i + n))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(20)))


@case
def ws_refused_by_app():
    ws = WebSocket("/ws?refuse")
    same((ws.status, ws.file.read(int(ws.headers["Content-Length"]))), (403, b"refused"), "the answer")
    ws.__exit__()


def main():
    failed = 0
    for name, run in CASES.items():
        try:
            run()
            print(f"ok {name}", flush=True)
        except Exception as e:
            failed += 1
            why = str(e) if type(e) is AssertionError else f"{type(e).__name__}: {e}"
            print(f"FAIL {name}: {why}".replace("\n", " "), flush=True)
    sys.exit(1 if failed else 0)


main()
