# SPDX-License-Identifier: Apache-2.0
"""Ports for what a test starts: below those the system gives to others by itself, and none given twice, by no test that runs
beside this one either: between choosing a port and listening on it may lie minutes. Each process claims them by the hundred, with
a name in the kernel that goes with the process."""
import random
import socket
import threading

CLAIMED_AT_ONCE = 100

with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    SYSTEM_FROM = int(f.read().split()[0])
FIRST, LAST = (10000, SYSTEM_FROM) if SYSTEM_FROM > 12000 else (20000, 65536)
lock = threading.Lock()
claims, left, low = [], [], set()


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def claim():
    """A hundred that nobody has."""
    firsts = range(FIRST, LAST - CLAIMED_AT_ONCE + 1, CLAIMED_AT_ONCE)
    for first in random.SystemRandom().sample(firsts, len(firsts)):
        s = socket.socket(socket.AF_UNIX)
        try:
            s.bind(f"\0evenkeel-ports-{first}")
        except OSError:
            s.close()
            continue
        claims.append(s)
        return list(range(first, first + CLAIMED_AT_ONCE))
    raise OSError("all ports are claimed by tests that run")


def free_port():
    """One that nobody listens on."""
    with lock:
        while True:
            if not left:
                left.extend(claim())
            port = left.pop()
            if is_free(port):
                return port


def free_low_port():
    """One below 1024, which takes a right to listen on."""
    with lock:
        for port in range(700, 1023):
            if port not in low and is_free(port):
                low.add(port)
                return port
    raise OSError("no port below 1024 is free")
