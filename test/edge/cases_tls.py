# SPDX-License-Identifier: Apache-2.0
# cases_tls.py - listen.https: versions, names, tickets, files, limits, bytes.
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import kit
from kit import Edge, Instance, Wrong, case, client_context, connect, expect, handshake_error, https, tls, wait_for, yaml

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@contextlib.contextmanager
def serving(certificate="a", more="", handle=None, **rest):
    """An instance and evenkeel with TLS before it."""
    with Instance(handle) as instance, Edge(yaml([instance], https(certificate, more), **rest)) as edge:
        yield edge, instance


def weak_context(version, ciphers):
    """A client that wants what nobody should give."""
    c = client_context(verify=False)
    c.set_ciphers(ciphers + ":@SECLEVEL=0")
    c.minimum_version = c.maximum_version = version
    return c


def some_server_takes(context, version, ciphers):
    """That a server that allows it would take what this client offers: else a refusal shows nothing."""
    server = kit.server_context("rsa")
    server.set_ciphers(ciphers + ":@SECLEVEL=0")
    server.minimum_version = server.maximum_version = version
    with Instance(context=server) as instance:
        return handshake_error(instance.port, context) == ""


@case
def tls_versions():
    with serving() as (edge, instance):
        for version, name in ((V12, "TLSv1.2"), (V13, "TLSv1.3")):
            c = tls(edge.https, version=version)
            expect(c.sock.version() == name, f"{c.sock.version()} was chosen")
            expect(c.get()[0] == 200, "it did not answer")
            c.close()
        c = tls(edge.https)
        expect(c.sock.version() == "TLSv1.3", f"of both {c.sock.version()} was chosen")


@case
def tls_1_1_refused():
    old = ssl.TLSVersion.TLSv1_1
    with serving("rsa") as (edge, instance):
        context = weak_context(old, "ALL")
        expect(some_server_takes(context, old, "ALL"), "this client cannot speak TLS 1.1 at all")
        why = handshake_error(edge.https, context)
        expect("PROTOCOL_VERSION" in why.upper(), f"TLS 1.1: '{why}'")
        expect(tls(edge.https).get()[0] == 200, "it serves no more")


@case
def tls_weak_suites_refused():
    for certificate in ("a", "rsa"):
        with serving(certificate) as (edge, instance):
            for ciphers in ("ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA",
                            "AES128-GCM-SHA256:AES256-GCM-SHA384", "AES128-SHA"):
                context = weak_context(V12, ciphers)
                expect(some_server_takes(context, V12, ciphers), f"this client cannot use {ciphers}")
                why = handshake_error(edge.https, context)
                expect("HANDSHAKE_FAILURE" in why.upper().replace(" ", "_"), f"{ciphers}: '{why}'")
            for suite in ("AES128-GCM-SHA256", "CHACHA20-POLY1305"):
                kind = "RSA" if certificate == "rsa" else "ECDSA"
                why = handshake_error(edge.https, weak_context(V12, f"ECDHE-{kind}-{suite}"))
                expect(why == "", f"ECDHE-{kind}-{suite}: {why}")


def names_of(stream):
    return [v for k, v in stream.sock.getpeercert()["subjectAltName"] if k == "DNS"]


def common_name(edge, name):
    """Of the certificate that is shown for this name, whether it fits or not."""
    c = client_context()
    c.check_hostname = False
    stream = connect(edge.https, context=c, name=name)
    try:
        return dict(pair[0] for pair in stream.sock.getpeercert()["subject"])["commonName"]
    finally:
        stream.close()


def second():
    return f"certificates: [{{ certificate: {kit.certs.pem('b')}, key: {kit.certs.key('b')} }}]"


@case
def tls_certificate_by_name():
    with serving("a", second()) as (edge, instance):
        for name, wanted in (("a.test", "a"), ("b.test", "b"), ("B.Test", "b"), ("x.b.test", "b"), ("x.y.b.test", "a"),
                             ("nobody.test", "a"), (None, "a")):
            got = common_name(edge, name)
            expect(got == wanted, f"for {name} the certificate of {got}")


@case
def tls_misdirected():
    with serving("a", second()) as (edge, instance):
        c = tls(edge.https, "a.test")
        for host, status in (("a.test", 200), ("a.test:443", 200), ("A.TEST", 200), ("localhost", 200), ("b.test", 421)):
            got = c.get(host=host)
            expect(got[0] == status, f"Host: {host} gives {got[0]}")
            if status == 421:
                expect(kit.reason_of(got) == "misdirected", f"reason {kit.reason_of(got)}")
                break
        reached = len(instance.requests)
        c = tls(edge.https, "b.test")
        expect(c.get(host="b.test")[0] == 200 and c.get(host="x.b.test")[0] == 200, "names of one certificate are not together")
        expect(c.get(host="a.test")[0] == 421, "a.test on b.test's connection")
        expect(len(instance.requests) == reached + 2, "a misdirected request reached the instance")


@case
def tls_alpn():
    with serving() as (edge, instance):
        for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (["http/1.0"], "http/1.0"), ([], None)):
            context = client_context()
            if offered:
                context.set_alpn_protocols(offered)
            c = connect(edge.https, context=context)
            expect(c.sock.selected_alpn_protocol() == chosen, f"of {offered} it chose {c.sock.selected_alpn_protocol()}")
            expect(c.get()[0] == 200, "it did not answer")
        for version in (V12, V13):
            context = client_context(version)
            context.set_alpn_protocols(["h2"])
            why = handshake_error(edge.https, context).upper().replace(" ", "_")
            expect("NO_APPLICATION_PROTOCOL" in why, f"only h2: '{why}'")


class SClient:
    """openssl s_client, talked to step by step."""

    def __init__(self, port, *arguments):
        self.process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "a.test", "-CAfile",
                                         kit.certs.pem("ca"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.text = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                return
            self.text += piece.decode("latin-1")

    def says(self, text):
        try:
            wait_for(f"s_client says '{text}'", lambda: text in self.text.lower())
        except Wrong as e:
            raise Wrong(f"{e}: {self.text[-500:]}")

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.wait()
        return self.text


@case
def tls_renegotiation_refused():
    with serving() as (edge, instance):
        other = tls(edge.https)
        c = SClient(edge.https, "-tls1_2")
        try:
            c.says("verify return code: 0")
            c.send(b"R\n")
            c.says("renegotiating")
            c.says("no renegotiation")
        finally:
            c.end()
        expect(other.get()[0] == 200, "another connection suffered")


@case
def tls_no_compression():
    with serving() as (edge, instance):
        c = SClient(edge.https, "-tls1_2", "-comp")
        c.says("verify return code: 0")
        expect("Compression: NONE" in c.end(), f"compression: {c.text}")
        expect(tls(edge.https, version=V12).sock.compression() is None, "compression")


@case
def tls_no_early_data():
    with serving() as (edge, instance):
        session = os.path.join(edge.folder, "session")
        early = os.path.join(edge.folder, "early")
        with open(early, "w") as f:
            f.write("GET /early HTTP/1.1\r\nHost: a.test\r\n\r\n")
        c = SClient(edge.https, "-tls1_3", "-sess_out", session)
        c.says("verify return code: 0")
        c.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        wait_for("a session is written", lambda: os.path.exists(session) and os.path.getsize(session) > 0)
        c.end()
        c = SClient(edge.https, "-tls1_3", "-sess_in", session, "-early_data", early)
        c.says("verify return code: 0")
        c.says("early data was")
        expect("Early data was not sent" in c.text or "Early data was rejected" in c.text, c.text[-300:])
        expect("Reused, TLSv1.3" in c.end(), "the session was not used, so this shows nothing")
        expect(not [r for r in instance.requests if r["target"] == "/early"], "early data reached the instance")


@case
def tls_tickets_over_threads():
    """The kernel spreads connections by their port: that one of two threads gets none of 40 is one in 2^39."""
    with serving() as (edge, instance):
        for version in (V12, V13):
            context = client_context(version)
            c = connect(edge.https, context=context)
            expect(c.get()[0] == 200 and not c.sock.session_reused, "the first connection")
            session = c.sock.session
            expect(session.has_ticket, "no ticket was given")
            for i in range(40):
                c = connect(edge.https, context=context, session=session)
                expect(c.sock.session_reused, f"{version.name}: connection {i} did not resume")
                expect(c.get()[0] == 200, "a resumed connection does not answer")
                c.close()


@case
def tls_ticket_of_another_name():
    """A session of one certificate does not open the other without showing it."""
    with serving("a", second()) as (edge, instance):
        for version in (V12, V13):
            context = client_context(version)
            context.check_hostname = False
            c = connect(edge.https, context=context, name="a.test")
            c.get()
            d = connect(edge.https, context=context, name="b.test", session=c.sock.session)
            expect(not d.sock.session_reused, f"{version.name}: a.test's session was resumed as b.test")
            expect(d.get(host="b.test")[0] == 200, "it does not answer")


def shown(port):
    c = tls(port)
    try:
        return c.sock.getpeercert()["serialNumber"]
    finally:
        c.close()


@case
def tls_certificate_changes():
    with Instance() as instance:
        edge = Edge(yaml([instance], "https: { address: \"127.0.0.1:${https}\", certificate: ${dir}/it.pem, key: ${dir}/it.key }"))
        pem, key = os.path.join(edge.folder, "it.pem"), os.path.join(edge.folder, "it.key")

        def put(name):
            for source, to in ((kit.certs.key(name), key), (kit.certs.pem(name), pem)):
                shutil.copy(source, to + ".new")
                os.rename(to + ".new", to)

        put("a")
        with edge:
            old = tls(edge.https)
            first = old.sock.getpeercert()["serialNumber"]
            expect(old.get()[0] == 200 and shown(edge.https) == first, "the first certificate")
            put("rsa")
            wait_for("both threads show the new certificate", lambda: all(shown(edge.https) != first for _ in range(24)))
            new = shown(edge.https)
            expect(old.get()[0] == 200, "the old connection does not go on")
            with open(pem, "w") as f:
                f.write("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
            edge.says("stays")
            expect(pem in edge.said(), f"the file is not named: {edge.said()[-300:]}")
            expect(shown(edge.https) == new and old.get()[0] == 200, "a broken file did harm")
            os.unlink(pem)
            for _ in range(5):
                expect(shown(edge.https) == new, "a missing file did harm")
            put("a")
            wait_for("the mended file is shown", lambda: shown(edge.https) == first)
            expect(old.get()[0] == 200, "the old connection does not go on")


@case
def tls_bad_files_at_start():
    with Instance() as instance:
        def with_files(pem, key):
            return Edge(yaml([instance], f"https: {{ address: \"127.0.0.1:${{https}}\", certificate: {pem}, key: {key} }}"))
        c = kit.certs
        with_files(c.pem("a"), c.key("b")).fails(c.key("b"))
        with_files(c.pem("a"), "${dir}/missing.key").fails("missing.key")
        with_files("${dir}/missing.pem", c.key("a")).fails("missing.pem")
        with_files(c.key("a"), c.key("a")).fails(c.key("a"))  # no certificate in it


def closed_after(stream, least, what):
    begin = time.monotonic()
    stream.rest()
    took = time.monotonic() - begin
    expect(took >= least, f"{what} was closed after {took:.2f} s already")


@case
def tls_handshake_too_slow():
    with serving(limits="header-time: 1s") as (edge, instance):
        hello = client_hello()
        for what, bytes_ in (("a silent connection", b""), ("half a greeting", hello[:60]), ("a greeting and no more", hello)):
            closed_after(connect(edge.https, bytes_), 0.7, what)
        trickle = connect(edge.https)
        stop = time.monotonic() + kit.PATIENCE_S
        ended = False
        for i in range(len(hello)):
            try:
                trickle.send(hello[i:i + 1])
                trickle.sock.settimeout(0.1)
                ended = trickle.sock.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
            if ended or time.monotonic() > stop:
                break
        expect(ended, "byte by byte a handshake lasts longer than header-time")
        c = tls(edge.https)
        wait_for("they are counted", lambda: edge.metric("evenkeel_http_handshakes_failed_total") >= 4)
        expect(c.get()[0] == 200, "who is done with the handshake suffers")


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    o = client_context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    try:
        o.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


@case
def tls_plain_request():
    with serving() as (edge, instance):
        other = tls(edge.https)
        for nonsense in (b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", b"\0" * 300, b"\x16\x03\x01\xff\xff" + b"x" * 3000, b"\x80\x2e\x01"):
            c = connect(edge.https, nonsense)
            if len(nonsense) < 5:
                c.sock.shutdown(socket.SHUT_WR)
            got = c.rest()
            expect(b"HTTP/" not in got, f"it answered {got!r}")
            expect(other.get()[0] == 200, "another connection suffered")
        expect(all(r["target"] == "/" for r in instance.requests) and len(instance.requests) == 4, "it reached the instance")


@case
def tls_slow_handshakes_hold_nobody_up():
    with serving(limits="header-time: 10m") as (edge, instance):
        half = client_hello()[:100]
        waiting = [connect(edge.https, half) for _ in range(50)]
        begin = time.monotonic()
        for _ in range(20):
            c = tls(edge.https)
            expect(c.get()[0] == 200, "it did not answer")
            c.close()
        took = time.monotonic() - begin
        expect(took < 15, f"20 connections took {took:.1f} s")
        wait_for("the slow ones are still there", lambda: edge.metric("evenkeel_http_connections") >= 50)
        for w in waiting:
            w.close()
        wait_for("they are gone", lambda: edge.metric("evenkeel_http_connections") < 50)


LARGE = 24 << 20


@case
def tls_large_bodies():
    data = kit.pattern(LARGE)
    digest = hashlib.sha256(data).hexdigest()
    with serving() as (edge, instance):
        for version in (V12, V13):
            c = tls(edge.https, version=version)
            c.send(f"POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: {LARGE}\r\n\r\n")
            c.send(data)
            status, _, body = c.answer()
            expect(status == 200 and json.loads(body)["sha256"] == digest, f"with length: {status} {body[:200]}")
            c.send("POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, LARGE, 100_000):
                piece = data[at:at + 100_000]
                c.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
            c.send(b"0\r\n\r\n")
            status, _, body = c.answer()
            expect(status == 200 and json.loads(body)["sha256"] == digest, f"chunked: {status} {body[:200]}")
            status, _, body = c.get(f"/size/{LARGE}")
            expect(status == 200 and hashlib.sha256(body).hexdigest() == digest, "downwards")


@case
def tls_slow_reader():
    """The socket is full again and again in the middle of records."""
    with serving() as (edge, instance):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", edge.https))
        c = kit.Stream(client_context().wrap_socket(sock, server_hostname="a.test", suppress_ragged_eofs=False))
        c.send("GET /size/3000000 HTTP/1.1\r\nHost: a.test\r\n\r\n")
        wait_for("the instance is asked", lambda: instance.requests)
        _, fields = c.head()
        got = c.take(3000000)
        expect(hashlib.sha256(got).digest() == hashlib.sha256(kit.pattern(3000000)).digest(), "other bytes came")
        expect(c.get()[0] == 200, "the connection does not go on")


@case
def tls_pipelining_and_keep_alive():
    with serving() as (edge, instance):
        c = tls(edge.https)
        for round_ in range(3):
            c.send("".join(f"GET /{round_}/{i} HTTP/1.1\r\nHost: a.test\r\n\r\n" for i in range(30)))
            for i in range(30):
                status, _, body = c.answer()
                expect(status == 200 and json.loads(body)["target"] == f"/{round_}/{i}", f"{status} {body[:100]}")
        for piece in "GET /bytewise HTTP/1.1\r\nHost: a.test\r\n\r\n":
            c.send(piece)  # a record each
        expect(json.loads(c.answer()[2])["target"] == "/bytewise", "byte by byte")
        expect(edge.metric("evenkeel_http_connections_accepted_total") == 1, "more than one connection")


@case
def tls_scheme_forwarded():
    with serving("a", limits="header-time: 30s") as (edge, instance):
        body = json.loads(tls(edge.https).get(fields="X-Forwarded-Proto: http\r\n")[2])
        expect(body["fields"].get("x-forwarded-proto") == "https", f"X-Forwarded-Proto {body['fields'].get('x-forwarded-proto')}")
        expect(body["fields"].get("x-forwarded-for") == "127.0.0.1", f"X-Forwarded-For {body['fields'].get('x-forwarded-for')}")
    with Instance() as instance, Edge(yaml([instance])) as edge:
        body = json.loads(connect(edge.http).get()[2])
        expect(body["fields"].get("x-forwarded-proto") == "http", "without TLS it is not http")


@case
def tls_close_notify():
    with serving() as (edge, instance):
        for version in (V12, V13):
            c = tls(edge.https, version=version)
            expect(c.get(fields="Connection: close\r\n")[0] == 200, "it did not answer")
            c.rest()
            expect(c.ended == "closed", f"after Connection: close it was {c.ended}")
            c = tls(edge.https, version=version)
            c.send("nonsense\r\n\r\n")
            expect(c.answer()[0] == 400, "nonsense")
            c.rest()
            expect(c.ended == "closed", f"after a refused request it was {c.ended}")
            c = tls(edge.https, version=version)
            c.get()
            plain = c.sock.unwrap()  # raises unless our farewell is answered by one
            plain.close()
        idle = tls(edge.https)
        idle.get()
        edge.process.send_signal(signal.SIGTERM)
        idle.rest()
        expect(idle.ended == "closed", f"at the stop it was {idle.ended}")
        edge.ended()


@case
def tls_instance_cuts_off():
    """An answer that ends with its connection is whole only when TLS says so (RFC 8446 section 6.1, RFC 9112 section 9.8)."""
    def handle(_, stream, request):
        stream.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        if request["target"] == "/whole":
            try:
                stream.sock.unwrap()
            except OSError:
                pass
        else:
            stream.cut()
        stream.ended = "closed"

    for version in (V12, V13):
        context = kit.server_context("address", minimum_version=version, maximum_version=version)
        with Instance(handle, context) as instance, Edge(yaml([instance], tls=f"ca: {kit.certs.pem('ca')}")) as edge:
            c = connect(edge.http)
            status, _, body = c.get("/whole")
            expect(status == 200 and body == b"half of it", f"the whole one: {status} {body!r}")
            c = connect(edge.http)
            try:
                got = c.get("/cut")
            except Wrong:
                continue
            raise Wrong(f"{version.name}: the cut answer was passed on as {got}")


@case
def tls_ports_side_by_side():
    """Plain and TLS together, several of each."""
    with Instance() as instance:
        extra = kit.free_port()
        listen = (f"http: \"127.0.0.1:${{http}}\", https: [{https()[7:]}, {{ address: \"127.0.0.1:{extra}\", "
                  f"certificate: {kit.certs.pem('b')}, key: {kit.certs.key('b')} }}]")
        with Edge(yaml([instance], listen)) as edge:
            expect(connect(edge.http).get()[0] == 200, "plain")
            expect(tls(edge.https).get()[0] == 200, "the first with TLS")
            expect(tls(extra, "b.test").get(host="b.test")[0] == 200, "the second with TLS")
