# SPDX-License-Identifier: Apache-2.0
# relay_bytes : bench/relay, the yardstick, loses nothing: bytes, ends and resets pass it in both directions, and
# a slow reader stops the sender. Plain TCP with made-up bytes, so a byte too few, too many or swapped is seen.
# Each gate returns "" or what is wrong. Used by gates.
import os
import random
import select
import socket
import struct
import subprocess
import threading
import time

LIMIT = 30                # seconds until something that must happen has not
HELD_MAX = 64 * 1024 * 1024  # more than all socket buffers on the way together; only a relay that never stops takes it
BODY = random.Random(1).randbytes(64 * 1024)
SMALL_BUFFER = 4096       # so that a reader who waits is felt at once


class Relay:
    """A relay and what it leads to: open() gives both ends of a new connection through it."""

    def __init__(self, program, free_port):
        self.target = socket.socket()
        self.target.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its port is listened on again later
        self.target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)  # both inherited when accepted
        self.target.bind(("127.0.0.1", 0))
        self.target.listen(64)
        self.target.settimeout(LIMIT)
        self.port = free_port()
        self.process = subprocess.Popen([program, str(self.port), str(self.target.getsockname()[1])],
                                        stdin=subprocess.DEVNULL)
        self.wait_listening()

    def wait_listening(self):
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                for s in self.open():
                    s.close()
                return
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def connect(self):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        client.settimeout(LIMIT)
        client.connect(("127.0.0.1", self.port))
        return client

    def open(self):
        client = self.connect()
        server, _ = self.target.accept()
        server.settimeout(LIMIT)
        return client, server

    def wait_idle(self):
        """Until it has done all that it can do for now: asleep, and no CPU time used between two looks."""
        before, deadline = None, time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            with open(f"/proc/{self.process.pid}/schedstat") as f:
                used = f.read()
            with open(f"/proc/{self.process.pid}/stat") as f:
                asleep = f.read().rsplit(")", 1)[1].split()[0] == "S"
            if asleep and used == before:
                return
            before = used
            time.sleep(0.001)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.target.close()


def read_to_end(s):
    pieces = []
    while piece := s.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def difference(what, got, sent):
    if got == sent:
        return ""
    at = next((i for i, (a, b) in enumerate(zip(got, sent)) if a != b), min(len(got), len(sent)))
    return f"{what}: {len(got)} bytes of {len(sent)} came, the first difference is at {at}"


def both_orders(relay):
    """Each end of a connection once as the one that speaks and ends first."""
    client, server = relay.open()
    yield "client first", client, server
    client, server = relay.open()
    yield "target first", server, client


def bodies_and_ends(relay):
    for order, first, second in both_orders(relay):
        with first, second:
            for sender, reader in ((first, second), (second, first)):
                thread = threading.Thread(target=lambda s=sender: (s.sendall(BODY), s.shutdown(socket.SHUT_WR)))
                thread.start()
                wrong = difference(order, read_to_end(reader), BODY)
                thread.join()
                if wrong:
                    return wrong
    return ""


def push(relay, sender, most):
    """Sends until nothing more is taken although the relay is idle; how much was taken."""
    sender.setblocking(False)
    taken = 0
    while taken < most:
        try:
            taken += sender.send(BODY[:min(len(BODY), most - taken)])
        except BlockingIOError:
            relay.wait_idle()
            if not select.select([], [sender], [], 0)[1]:
                break
    sender.settimeout(LIMIT)
    return taken


def slow_reader_stops_the_sender(relay):
    for order, sender, reader in both_orders(relay):
        with sender, reader:
            taken = push(relay, sender, HELD_MAX)
            if taken >= HELD_MAX:
                return f"{order}: {taken} bytes were taken that nobody read"
            sender.shutdown(socket.SHUT_WR)
            got = read_to_end(reader)
            if len(got) != taken:
                return f"{order}: {len(got)} bytes of {taken} came"
    return ""


def end_behind_a_full_socket(relay):
    """Bytes and end are all with the relay before the reader reads: whatever share of them waits where."""
    shares = 48
    client, server = relay.open()
    with client, server:
        most = push(relay, server, HELD_MAX)
    for share in range(1, shares + 1):
        for order, sender, reader in both_orders(relay):
            with sender, reader:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD_MAX)
                size = most * share // shares
                sender.sendall((BODY * (size // len(BODY) + 1))[:size])
                sender.shutdown(socket.SHUT_WR)
                relay.wait_idle()
                try:
                    got = read_to_end(reader)
                except TimeoutError:
                    return f"{order}: the end after {size} bytes never came"
                if len(got) != size:
                    return f"{order}: {len(got)} bytes of {size} came"
    return ""


def mixed_traffic(relay):
    """Some connections at once, both directions at once, pieces of every size."""
    wrong, threads, pairs = [], [], [relay.open() for _ in range(4)]

    def send(s, data, seed):
        r = random.Random(seed)
        at = 0
        while at < len(data):
            n = r.choice((1, 100, 5000, 70000))
            s.sendall(data[at:at + n])
            at += n
        s.shutdown(socket.SHUT_WR)

    def read(s, data, seed):
        r = random.Random(seed)
        got = bytearray()
        while piece := s.recv(r.choice((100, 3000, 65536, 200000))):
            got += piece
        wrong.append(difference(f"connection {seed}", bytes(got), data))

    for i, pair in enumerate(pairs):
        for sender, reader in (pair, pair[::-1]):
            data = random.Random(len(threads)).randbytes(1024 * 1024)
            threads += [threading.Thread(target=send, args=(sender, data, i)),
                        threading.Thread(target=read, args=(reader, data, i))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for pair in pairs:
        for s in pair:
            s.close()
    if len(wrong) != 2 * len(pairs):
        return f"{2 * len(pairs) - len(wrong)} readers never saw the end"
    return "; ".join(filter(None, wrong))


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def resets_pass(relay):
    relay.wait_idle()  # what earlier gates opened is closed
    before = relay.descriptors()
    for order, one, other in both_orders(relay):
        reset(one)
        with other:
            try:
                if other.recv(1):
                    return f"{order}: bytes came out of a reset"
            except ConnectionResetError:
                pass
    for _, one, other in both_orders(relay):
        one.shutdown(socket.SHUT_WR)
        other.recv(1)
        relay.wait_idle()
        reset(one)  # after its end
        deadline = time.monotonic() + LIMIT
        while relay.descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.001)
        left = relay.descriptors() - before
        other.close()
        if left > 0:
            return f"{left} descriptors are still open after a reset"
    return ""


def bind_again(s, address):
    """A client's own end may have been given the free port meanwhile: it goes away by itself."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            s.bind(address)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def target_that_is_away(relay):
    address = relay.target.getsockname()
    relay.target.close()
    with relay.connect() as client:
        try:
            if client.recv(1):
                return "bytes came from nowhere"
        except ConnectionResetError:
            pass
    relay.target = socket.socket()
    relay.target.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bind_again(relay.target, address)
    relay.target.listen(64)
    relay.target.settimeout(LIMIT)
    return bodies_and_ends(relay)


GATES = [
    ("64 KiB pass the relay whole both ways, and the ends", bodies_and_ends),
    ("the relay stops reading for a slow reader and loses nothing", slow_reader_stops_the_sender),
    ("an end behind a full socket passes the relay", end_behind_a_full_socket),
    ("mixed traffic passes the relay unchanged", mixed_traffic),
    ("resets pass the relay and leave nothing open", resets_pass),
    ("the relay outlives a target that is away", target_that_is_away),
]
