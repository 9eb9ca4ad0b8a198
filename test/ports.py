# SPDX-License-Identifier: Apache-2.0
"""Ports for what a test starts: below those the system gives to others by itself, and none given twice."""
import random
import socket

with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    SYSTEM_FROM = int(f.read().split()[0])
given = set()


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """One that nobody listens on. Runs beside each other choose by chance among some 20,000."""
    ports = range(10000, SYSTEM_FROM) if SYSTEM_FROM > 12000 else range(20000, 65536)
    for port in random.SystemRandom().sample(ports, 200):
        if port not in given and is_free(port):
            given.add(port)
            return port
    raise OSError("200 ports were tried; none is free")


def free_low_port():
    """One below 1024, which takes a right to listen on."""
    for port in range(700, 1023):
        if port not in given and is_free(port):
            given.add(port)
            return port
    raise OSError("no port below 1024 is free")
