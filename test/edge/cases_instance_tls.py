# SPDX-License-Identifier: Apache-2.0
# cases_instance_tls.py - services.*.tls: whom evenkeel believes, and what it does when it does not.
import json
import os
import ssl
import tempfile

import kit
from kit import wait_for, Edge, Instance, case, connect, expect, reason_of, yaml

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def ca(name="ca", more=""):
    return f"ca: {kit.certs.pem(name)}{', ' + more if more else ''}"


def context(name, version=None, names=None, **more):
    """`names`: a list that takes the names that were asked for."""
    c = kit.server_context(name, **more)
    if version:
        c.minimum_version = c.maximum_version = version
    if names is not None:
        c.sni_callback = lambda _, asked, __: names.append(asked)
    return c


def refused(instance, tls, *reasons, good=None):
    """Alone it gives 502; beside a good one nobody notices."""
    with Edge(yaml([instance], tls=tls)) as edge:
        got = connect(edge.http).get("/alone")
        expect(got[0] == 502 and reason_of(got) in reasons, f"{got[0]} {reason_of(got)}, not {' or '.join(reasons)}")
        expect(instance.address.encode() not in got[2], "the answer names the instance")
        wait_for("it is counted", lambda: edge.metric(f'evenkeel_http_endings_total{{reason="{reason_of(got)}"}}') == 1)
    expect(not instance.requests, "a request reached it")
    if good:
        with Edge(yaml([instance, good], tls=tls, workers=1)) as edge:
            c = connect(edge.http)
            for i in range(8):
                expect(c.get(f"/{i}")[0] == 200, f"request {i} did not get the good instance")
        expect(not instance.requests, "a request reached it")


@case
def instance_verified():
    for version in (V12, V13):
        asked = []
        with Instance(context=context("address", version, asked)) as i, Edge(yaml([i], tls=ca())) as edge:
            c = connect(edge.http)
            for _ in range(3):
                expect(c.get()[0] == 200, f"{version.name}: it is not believed")
            expect(asked == [None], f"asked for {asked}: once, for an address is no name")
            expect(i.connections == 1, f"{i.connections} connections for three requests")
            body = kit.pattern(3 << 20)
            c.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            expect(json.loads(c.answer()[2])["length"] == len(body), "a large body upwards")
            expect(c.get(f"/size/{len(body)}")[2] == body, "a large body downwards")


@case
def instance_by_host_name():
    asked = []
    with Instance(context=context("localhost", names=asked)) as i, Edge(yaml([f"localhost:{i.port}"], tls=ca())) as edge:
        got = connect(edge.http).get()
        expect(got[0] == 200, f"{got[0]} {reason_of(got)}")
        expect(asked == ["localhost"], f"asked for {asked}")


@case
def instance_server_name():
    asked = []
    with Instance(context=context("instance", names=asked)) as i:
        with Edge(yaml([i], tls=ca(more="server-name: instance.test"))) as edge:
            expect(connect(edge.http).get()[0] == 200, "server-name is not used")
            expect(asked == ["instance.test"], f"asked for {asked}")
        with Edge(yaml([i], tls=ca(more="server-name: other.test"))) as edge:
            got = connect(edge.http).get()
            expect(got[0] == 502 and reason_of(got) == "instance_tls", f"other.test: {got[0]} {reason_of(got)}")


@case
def instance_wrong_ca():
    with Instance(context=context("stranger")) as i, Instance(context=context("address")) as good:
        refused(i, ca(), "instance_tls", good=good)


@case
def instance_system_cas():
    """Without `ca` those of the system count, which do not know ours."""
    with Instance(context=context("address")) as i:
        refused(i, f"server-name: instance.test", "instance_tls")


@case
def instance_wrong_name():
    for version in (V12, V13):
        with Instance(context=context("instance", version)) as i, Instance(context=context("address")) as good:
            refused(i, ca(), "instance_tls", good=good)


@case
def instance_name_instead_of_address():
    """An address is proved by an IP entry, not by a name that looks like it."""
    kit.certs.make("looks", "DNS:127.0.0.1")
    with Instance(context=context("looks")) as i:
        refused(i, ca(), "instance_tls")


@case
def instance_expired():
    with Instance(context=context("expired")) as i, Instance(context=context("address")) as good:
        refused(i, ca(), "instance_tls", good=good)


@case
def instance_old_version():
    c = context("address")
    c.set_ciphers("ALL:@SECLEVEL=0")
    c.minimum_version = c.maximum_version = ssl.TLSVersion.TLSv1_1
    with Instance(context=c) as i, Instance(context=context("address")) as good:
        refused(i, ca(), "instance_tls", good=good)


@case
def instance_plain():
    def handle(_, stream, request):
        raise AssertionError("it understood")

    with Instance(handle) as i, Instance(context=context("address")) as good:
        # its peer sends no HTTP; like many servers it hangs up
        i.serve = lambda sock: (sock.recv(1), sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), sock.close())
        refused(i, ca(), "instance_tls", "connect_failed", good=good)


@case
def instance_silent_handshake():
    """It takes the connection and says nothing: timeout.connect counts until TLS stands."""
    with Instance() as i, Instance(context=context("address")) as good:
        held = []
        i.serve = held.append
        with Edge(yaml([i], tls=ca(), timeout="connect: 500ms")) as edge:
            got = connect(edge.http).get()
            expect(got[0] == 504 and reason_of(got) == "connect_timeout", f"{got[0]} {reason_of(got)}")
        with Edge(yaml([i, good], tls=ca(), workers=1, timeout="connect: 4s")) as edge:  # a machine that stalls is no bad instance
            for n in range(3):
                expect(connect(edge.http).get()[0] == 200, f"request {n} did not get the good instance")
        for s in held:
            s.close()


@case
def instance_asks_for_certificate():
    own = f"certificate: {kit.certs.pem('edge')}, key: {kit.certs.key('edge')}"
    for version in (V12, V13):
        shown = []

        def handle(i, stream, request):
            shown.append(dict(p[0] for p in stream.sock.getpeercert()["subject"])["commonName"])
            kit.tell(i, stream, request)

        c = context("address", version, verify_mode=ssl.CERT_REQUIRED)
        c.load_verify_locations(kit.certs.pem("ca"))
        with Instance(handle, c) as i:
            with Edge(yaml([i], tls=ca(more=own))) as edge:
                got = connect(edge.http).get()
                expect(got[0] == 200 and shown == ["edge"], f"{version.name}: {got[0]} {reason_of(got)}, shown {shown}")
            with Edge(yaml([i], tls=ca())) as edge:
                got = connect(edge.http).get()
                # in TLS 1.3 the instance's refusal comes after the handshake, with the request on its way
                expect(got[0] == 502 and reason_of(got) in ("instance_tls", "instance_closed"), f"without: {got[0]} {reason_of(got)}")
            expect(len(i.requests) == 1, "a request without certificate was served")


@case
def instance_on_unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        asked = []
        with Instance(context=context("instance", names=asked), path=os.path.join(folder, "it.sock")) as i:
            with Edge(yaml([i], tls=ca(more="server-name: instance.test"))) as edge:
                got = connect(edge.http).get()
                expect(got[0] == 200 and asked == ["instance.test"], f"{got[0]} {reason_of(got)}, asked for {asked}")
            i.requests.clear()
            with Edge(yaml([i], tls=ca())) as edge:
                got = connect(edge.http).get()
                expect(got[0] == 502 and reason_of(got) == "instance_tls", f"without a name: {got[0]} {reason_of(got)}")


@case
def instance_bad_files_at_start():
    with Instance() as i:
        for tls, word in ((f"ca: ${{dir}}/missing.pem", "missing.pem"),
                          (ca(more=f"certificate: {kit.certs.pem('edge')}, key: {kit.certs.key('a')}"), kit.certs.key("a")),
                          (ca(more=f"certificate: ${{dir}}/gone.pem, key: {kit.certs.key('a')}"), "gone.pem")):
            Edge(yaml([i], tls=tls)).fails(word, "app")


@case
def instance_stale_tls_connection():
    """A kept connection that the instance closes in order is not used again, and nobody notices."""
    def handle(i, stream, request):
        kit.tell(i, stream, request)
        try:
            stream.sock.unwrap()
        except OSError:
            pass
        stream.ended = "closed"

    with Instance(handle, context("address")) as i, Edge(yaml([i], tls=ca(), workers=1)) as edge:
        c = connect(edge.http)
        for n in range(10):
            got = c.get()
            expect(got[0] == 200, f"request {n}: {got[0]} {reason_of(got)}")
