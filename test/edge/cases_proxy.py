# SPDX-License-Identifier: Apache-2.0
# cases_proxy.py - the PROXY protocol before plain connections and before TLS, who may speak it, whose address counts.
import contextlib
import json
import socket
import struct
import time

import kit
from kit import Edge, Instance, case, connect, expect, https, wait_for, yaml

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TRUSTED = "trusted: [127.0.0.0/8]"
REQUEST = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
LISTEN = 'http: { address: "127.0.0.1:${http}", proxy-protocol: true }'


def v2(command, family, addresses, tlvs=b""):
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family, len(addresses) + len(tlvs)) + addresses + tlvs


def tcp4(source, port=4711):
    return socket.inet_aton(source) + socket.inet_aton("192.0.2.1") + struct.pack("!HH", port, 443)


def tcp6(source, port=4711):
    return socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "2001:db8::1") + struct.pack("!HH", port, 443)


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


TLVS = tlv(0x01, b"http/1.1") + tlv(0x02, b"a.test") + tlv(0x04, b"\0" * 40) + tlv(0x20, b"\x01\0\0\0\0" + tlv(0x21, b"TLSv1.3"))
SELF = "127.0.0.1"  # who the balancer is

GOOD = [  # what, header, the client's address then
    ("v1 TCP4", b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n", "203.0.113.7"),
    ("v1 TCP6", b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", "2001:db8::7"),
    ("v1 UNKNOWN", b"PROXY UNKNOWN\r\n", SELF),
    ("v1 UNKNOWN with addresses", b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", SELF),
    ("v1 longest", b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", SELF),
    ("v2 TCP4", v2(1, 0x11, tcp4("203.0.113.8")), "203.0.113.8"),
    ("v2 TCP6", v2(1, 0x21, tcp6("2001:db8::8")), "2001:db8::8"),
    ("v2 TCP4 with TLVs", v2(1, 0x11, tcp4("203.0.113.9"), TLVS), "203.0.113.9"),
    ("v2 TCP6 with TLVs", v2(1, 0x21, tcp6("2001:db8::9"), TLVS), "2001:db8::9"),
    ("v2 LOCAL", v2(0, 0, b""), SELF),
    ("v2 LOCAL with addresses", v2(0, 0x11, tcp4("203.0.113.10"), TLVS), SELF),
    ("v2 UNSPEC", v2(1, 0, b""), SELF),
    ("v2 UNSPEC with TLVs", v2(1, 0, b"", TLVS), SELF),
    ("v2 unix", v2(1, 0x31, b"\0" * 216), SELF),
]

BAD = [
    ("no header", REQUEST),
    ("a blank line", b"\r\n" + REQUEST),
    ("lower case", b"proxy TCP4 203.0.113.7 192.0.2.1 4711 443\r\n"),
    ("no such protocol", b"PROXY UDP4 203.0.113.7 192.0.2.1 4711 443\r\n"),
    ("a name", b"PROXY TCP4 localhost 192.0.2.1 4711 443\r\n"),
    ("IPv6 as TCP4", b"PROXY TCP4 2001:db8::7 192.0.2.1 4711 443\r\n"),
    ("port too large", b"PROXY TCP4 203.0.113.7 192.0.2.1 65536 443\r\n"),
    ("port with zero", b"PROXY TCP4 203.0.113.7 192.0.2.1 04711 443\r\n"),
    ("port with sign", b"PROXY TCP4 203.0.113.7 192.0.2.1 +4711 443\r\n"),
    ("no ports", b"PROXY TCP4 203.0.113.7 192.0.2.1\r\n"),
    ("one port", b"PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n"),
    ("a word too many", b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443 x\r\n"),
    ("a blank too many", b"PROXY TCP4  203.0.113.7 192.0.2.1 4711 443\r\n"),
    ("a blank at the end", b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443 \r\n"),
    ("no CR", b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\n"),
    ("CR within", b"PROXY TCP4 203.0.113.7\r192.0.2.1 4711 443\r\n"),
    ("too long", b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n"),
    ("endless", b"PROXY UNKNOWN " + b"x" * 4000),
    ("v2 wrong signature", b"\r\n\r\n\0\r\nQUIT\r" + v2(1, 0x11, tcp4("203.0.113.7"))[12:]),
    ("v2 version 3", SIGNATURE + b"\x31\x11\0\x0c" + tcp4("203.0.113.7")),
    ("v2 command 2", v2(2, 0x11, tcp4("203.0.113.7"))),
    ("v2 too short for IPv4", v2(1, 0x11, tcp4("203.0.113.7")[:-1])),
    ("v2 too short for IPv6", v2(1, 0x21, tcp4("203.0.113.7"))),
    ("v2 TLV cut", v2(1, 0x11, tcp4("203.0.113.7"), b"\x01\0\x05abc")),
    ("v2 TLV head cut", v2(1, 0x11, tcp4("203.0.113.7"), b"\x01\0")),
    ("v2 too long", v2(1, 0x11, tcp4("203.0.113.7"), tlv(4, b"\0" * 60000))),
    ("two headers", b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n" * 2),
]


@contextlib.contextmanager
def serving(limits="header-time: 30s", listen=LISTEN, more=TRUSTED, workers=2):
    with Instance() as instance, Edge(yaml([instance], listen, limits=limits, more=more, workers=workers)) as edge:
        yield edge, instance


def client_of(answer):
    expect(answer[0] == 200, f"{answer[0]} {answer[2][:200]!r}")
    return json.loads(answer[2])["fields"].get("x-forwarded-for")


def check_client(what, stream, wanted):
    got = client_of(stream.get(fields="X-Forwarded-For: 198.51.100.1\r\n") if wanted != SELF else stream.get())
    # a client that is not trusted is not believed what it says of itself
    expect(got == wanted, f"{what}: X-Forwarded-For is {got}, not {wanted}")


@case
def proxy_good_headers():
    with serving() as (edge, instance):
        for what, header, client in GOOD:
            c = connect(edge.http, header)
            check_client(what, c, client)
            check_client(what + ", next request", c, client)
            c.close()


@case
def proxy_request_in_same_segment():
    with serving() as (edge, instance):
        for what, header, client in GOOD:
            c = connect(edge.http, header + REQUEST + REQUEST)
            for _ in range(2):
                got = client_of(c.answer())
                expect(got == client, f"{what}: X-Forwarded-For is {got}, not {client}")
            c.close()


@case
def proxy_byte_by_byte():
    with serving() as (edge, instance):
        for what, header, client in GOOD:
            c = connect(edge.http)
            for i in range(len(header)):
                c.send(header[i:i + 1])
                time.sleep(0.0005)  # a segment each: nothing depends on it
            check_client(what, c, client)
            c.close()
        for what, header, client in GOOD[:7]:
            for cut in (1, 5, 6, 11, 12, 13, 15, 16, 17, len(header) - 1):
                if cut >= len(header):
                    continue
                c = connect(edge.http, header[:cut])
                time.sleep(0.002)  # two segments: nothing depends on it
                c.send(header[cut:] + REQUEST)
                got = client_of(c.answer())
                expect(got == client, f"{what} cut at {cut}: X-Forwarded-For is {got}")
                c.close()


@case
def proxy_before_tls():
    with serving(listen=https(proxy=True)) as (edge, instance):
        for what, header, client in GOOD:
            c = connect(edge.https, header, kit.client_context())
            check_client(what + " and TLS", c, client)
            got = json.loads(c.get()[2])["fields"].get("x-forwarded-proto")
            expect(got == "https", f"X-Forwarded-Proto {got}")
            c.close()
        hello = tls_hello()
        c = connect(edge.https, GOOD[0][1] + hello)  # in one segment: TLS gets all of its bytes
        expect(c.take(3)[:2] == b"\x16\x03", "no greeting came back")
        c.close()
        for what, header in BAD[:2]:
            expect(b"HTTP/" not in connect(edge.https, header).rest(), f"{what} was answered")
        expect(kit.handshake_error(edge.https, kit.client_context()), "TLS without a header")


def tls_hello():
    from cases_tls import client_hello
    return client_hello()


@case
def proxy_malformed():
    with serving(limits="header-time: 1s, connections-per-address: 100") as (edge, instance):
        other = connect(edge.http, GOOD[0][1])
        other.get()
        for what, header in BAD:
            c = connect(edge.http)
            try:
                c.send(header)
                if b"HTTP" not in header and what != "two headers":
                    c.send(REQUEST)
            except ConnectionError:
                pass
            got = c.rest()
            if what == "two headers":  # the second is no request
                expect(got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 ")), f"{what}: {got[:100]!r}")
            else:
                expect(got == b"", f"{what}: it answered {got[:100]!r}")
        expect(len(instance.requests) == 1, f"it reached the instance: {instance.requests[1:]}")
        expect(other.get()[0] == 200, "another connection suffered")
        wait_for("they are counted", lambda: edge.metric("evenkeel_http_handshakes_failed_total") >= len(BAD) - 1)


@case
def proxy_too_slow():
    with serving(limits="header-time: 1s") as (edge, instance):
        for what, header in (("nothing", b""), ("half of v1", b"PROXY TCP4 203.0.113.7 "), ("half of v2", v2(1, 0x11, tcp4("203.0.113.7"))[:20]),
                             ("one byte", b"P"), ("the signature", SIGNATURE)):
            c = connect(edge.http, header)
            begin = time.monotonic()
            got = c.rest()
            took = time.monotonic() - begin
            expect(got == b"" and took > 0.7, f"{what}: {got!r} after {took:.2f} s")
        slow = connect(edge.http)
        ended = 0
        for i in range(300):  # a byte from time to time does not prolong it
            try:
                slow.send(b"PROXY UNKNOWN "[i:i + 1] or b"x")
                slow.sock.settimeout(0.1)
                ended = slow.sock.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
            if ended:
                break
        expect(ended and 4 < i < 100, f"byte by byte it lasted for {i} bytes")
        half = connect(edge.http, b"PROXY TCP4 203.0.113.7 ")
        half.sock.shutdown(socket.SHUT_WR)
        expect(half.rest() == b"", "half a header and the end")
        expect(not instance.requests and not instance.connections, "something reached the instance")


@case
def proxy_untrusted_peer():
    for listen, port in ((LISTEN, "http"), (https(proxy=True), "https")):
        with serving(listen=listen, more="trusted: [192.0.2.0/24]") as (edge, instance):
            for header in (GOOD[0][1], GOOD[5][1], b"PROXY UNKNOWN\r\n", b""):
                c = connect(getattr(edge, port))
                try:
                    c.send(header + REQUEST)
                except ConnectionError:
                    pass
                expect(c.rest() == b"", "an untrusted peer was answered")
            expect(not instance.connections, "something reached the instance")


@case
def proxy_source_matters():
    """Of two local peers only one is trusted."""
    with serving(more="trusted: [127.0.0.2]") as (edge, instance):
        c = connect(edge.http, GOOD[0][1], source=("127.0.0.2", 0))
        check_client("the trusted one", c, "203.0.113.7")
        try:
            got = connect(edge.http, GOOD[0][1] + REQUEST).rest()
        except ConnectionError:
            got = b""
        expect(got == b"", "the other one was answered")


@case
def proxy_needs_trusted():
    with Instance() as instance:
        for listen in (LISTEN, https(proxy=True)):
            edge = Edge(yaml([instance], listen))
            code, text = edge.validate()
            expect(code == 1 and "trusted" in text and "proxy-protocol" in text, f"validate: {code} {text}")
            expect("evenkeel.yaml:1:" in text, f"it does not say where: {text}")
            edge.fails("trusted")


def over_limit(edge, header):
    c = connect(edge.http)
    try:
        c.send(header + REQUEST)
    except ConnectionError:
        pass
    return c.rest() == b""


@case
def proxy_address_counts():
    """limits.connections-per-address is about the client that the balancer names; an IPv6 /64 is one."""
    with serving(limits="header-time: 30s, connections-per-address: 2") as (edge, instance):
        def header(address):
            return v2(1, 0x21, tcp6(address)) if ":" in address else v2(1, 0x11, tcp4(address))
        for one, same, other in (("203.0.113.7", "203.0.113.7", "203.0.113.8"), ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1")):
            open_ = [connect(edge.http, header(a)) for a in (one, same)]
            for c in open_:
                expect(c.get()[0] == 200, "one of two")
            expect(over_limit(edge, header(one)), f"a third of {one} was served")
            expect(over_limit(edge, header(same)), f"a third of {same} was served")
            expect(connect(edge.http, header(other)).get()[0] == 200, f"{other} pays for {one}")
            open_[0].close()
            wait_for(f"there is room for {one} again", lambda: not closes(edge, header(one)))
        own = [connect(edge.http, b"PROXY UNKNOWN\r\n") for _ in range(6)]
        for c in own:  # the balancer's own, which is trusted, are not counted
            expect(c.get()[0] == 200, "the balancer itself is limited")
        expect(edge.metric("evenkeel_http_connections_over_address_limit_total") >= 4, "they are not counted")


def closes(edge, header):
    c = connect(edge.http, header + REQUEST)
    try:
        return not c.more()
    finally:
        c.close()


@case
def proxy_client_in_access_log():
    with serving(more=TRUSTED + "\nlog: { access: ${dir}/access.log }") as (edge, instance):
        connect(edge.http, GOOD[0][1]).get()
        path = edge.folder + "/access.log"
        line = wait_for("a line is logged", lambda: open(path).read())
        expect(json.loads(line.splitlines()[0]).get("client") == "203.0.113.7", line)
