# SPDX-License-Identifier: Apache-2.0
# cases_terminal.py - commands as people meet them: on a terminal of a size, in a pipe, with an evenkeel that goes away.
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import kit
from kit import Edge, Instance, case, connect, expect, wait_for

CONFIG = """
listen: { http: "127.0.0.1:${http}", admin: "127.0.0.1:${admin}" }
store: ${dir}/evenkeel.db
workers: 1
services: { shop: { instances: ["%s"] } }
journeys:
  browse: { routes: [GET /b], objectives: { available: { target: 99%% }, fast: { target: 90%%, under: 300ms } } }
  pay: { routes: [GET /pay], objectives: { available: { target: 99.9%%, window: 7d } } }
  idle: { routes: [GET /idle], objectives: { available: { target: 99%% } } }
"""


def refuse_pay(_, stream, request):
    status = b"500 No" if request["target"] == "/pay" else b"200 OK"
    stream.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")


def ask(edge, browse=20, pay=2):
    client = connect(edge.http)
    for _ in range(browse):
        expect(client.get("/b")[0] == 200, "browse is not served")
    for _ in range(pay):
        expect(client.get("/pay")[0] == 500, "pay is not refused")
    client.close()


def tell(edge, *arguments, env=None):
    done = subprocess.run([kit.binary, *arguments, "--admin", f"127.0.0.1:{edge.admin}"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=kit.PATIENCE_S, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


class Terminal:
    """A program on a terminal of its own. `screen` is what stands there: the few things that we write are understood."""

    def __init__(self, arguments, columns=80, rows=24, env=None):
        self.columns, self.rows, self.said = columns, rows, b""
        self.main, side = pty.openpty()
        self.size(columns, rows, tell_it=False)
        self.modes = termios.tcgetattr(self.main)
        self.process = subprocess.Popen(arguments, stdin=side, stdout=side, stderr=side, close_fds=True, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                        env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **(env or {})})
        os.close(side)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.main)

    def size(self, columns, rows, tell_it=True):
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell_it:
            self.process.send_signal(signal.SIGWINCH)

    def hear(self):
        while select.select([self.main], [], [], 0)[0]:
            try:
                piece = os.read(self.main, 65536)
            except OSError:
                return
            if not piece:
                return
            self.said += piece

    def screen(self):
        self.hear()
        lines, y, x = [""], 0, 0
        for part in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", self.said.decode()):
            if part == "\r":
                x = 0
            elif part == "\n":
                y += 1
                lines += [""] * (y + 1 - len(lines))
            elif part.startswith("\x1b"):
                number, act = part[2:-1], part[-1]
                if act == "A":
                    y -= int(number)
                    expect(y >= 0, "the cursor went above the screen")
                elif act == "K":
                    lines[y] = lines[y][:x]
                elif act == "J" and number == "2":
                    lines = [""] * (y + 1)
                elif act == "J":
                    lines[y:] = [lines[y][:x]]
                elif act == "H":
                    y = x = 0
                else:
                    expect(act in "mhl", f"{part!r} is not expected")
            else:
                lines[y] = lines[y][:x].ljust(x) + part + lines[y][x + len(part):]
                x += len(part)
        return [line.rstrip() for line in lines]

    def wait_for(self, text):
        return wait_for(f"{text!r} on the screen, which is\n" + "\n".join(self.screen()),
                        lambda: any(text in line for line in self.screen()) and self.screen())

    def ends(self):
        self.process.wait(kit.PATIENCE_S)
        self.hear()
        expect(self.said.rindex(b"\x1b[?25h") > self.said.rindex(b"\x1b[?25l"), "the cursor stays hidden")
        now = termios.tcgetattr(self.main)
        expect(now[3] == self.modes[3], "the terminal is not as it was")
        return self.process.returncode


def watch(edge, *more, **how):
    return Terminal([kit.binary, "status", "--watch=0.1", "--admin", f"127.0.0.1:{edge.admin}", *more], **how)


def row_of(screen, name):
    return next((line for line in screen if line.startswith(name)), "")


@case
def watch_draws_one_table_in_place():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge, watch(edge) as t:
        t.wait_for("browse")
        ask(edge)
        wait_for("the missed one is first", lambda: "MISSED" in row_of(t.screen(), "pay"))
        time.sleep(0.5)  # some frames more
        screen = t.screen()
        expect(sum("JOURNEY" in line for line in screen) == 1, "several tables stand there:\n" + "\n".join(screen))
        expect(max(len(line) for line in screen) <= 80, "a line is longer than the terminal is wide")
        names = [line.split()[0] for line in screen[3:6] if line]
        expect(names[0] == "pay", f"the worst journey is not first: {screen}")
        expect(row_of(screen, "pay").split()[1:2] == ["available"] and "0.000%" in row_of(screen, "pay"), row_of(screen, "pay"))
        expect(re.search(r"fast .* 100.000% +100.0% ", "\n".join(screen)), "the second objective of a journey is not there")
        expect("no data" in row_of(screen, "idle"), "a journey without requests has data")
        expect(any("shop 1 of 1 up" in line for line in screen), "the service is not there")
        expect(b"\x1b[31m" in t.said, "nothing is red")
        os.write(t.main, b"q")
        expect(t.ends() == 1, "an objective is missed, and the exit code does not say it")


@case
def watch_follows_the_size_of_the_window():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge, watch(edge, env={"NO_COLOR": "1"}) as t:
        expect("TARGET" not in "".join(t.wait_for("STATE")), "80 columns hold the target")
        t.size(140, 24)
        wide = t.wait_for("TARGET")
        expect(any("90% < 300 ms" in line for line in wide), "the target of a latency is not said")
        t.size(80, 10)
        low = t.wait_for("in a higher window")
        expect(len(low) <= 10, f"{len(low)} lines on 10")
        expect(any(line.startswith("shop") for line in low), "what is below the table is gone")
        expect(b"\x1b[3" not in t.said, "NO_COLOR is not heeded")
        t.process.send_signal(signal.SIGINT)
        expect(t.ends() == -signal.SIGINT, "it does not end by the signal")


@case
def watch_waits_for_an_evenkeel_that_is_away():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        lines = subprocess.Popen([kit.binary, "status", "--watch=0.1", "--admin", f"127.0.0.1:{edge.admin}"],
                                 stdout=subprocess.PIPE, text=True)
        objects = subprocess.Popen([kit.binary, "status", "--watch=0.1", "--json", "--admin", f"127.0.0.1:{edge.admin}"],
                                   stdout=subprocess.PIPE, text=True)
        with watch(edge) as t:
            t.wait_for("browse")
            edge.stop()
            gone = t.wait_for("no evenkeel answers")
            expect(row_of(gone, "pay"), "what was known is not shown any more")
            edge.start()
            wait_for("it is seen again", lambda: not any("no evenkeel" in line for line in t.screen()))
            time.sleep(0.3)
        for p in (lines, objects):
            p.terminate()
        said = lines.communicate()[0]
        expect("\x1b" not in said, "a pipe is given a terminal's codes")
        expect(said.count("JOURNEY") == 1, "the columns' names come more than once")
        expect(said.count("no evenkeel answers") == 1 and said.count("answers again") == 1, said[-800:])
        expect(re.search(r"(?m)^\S+ pay +available ", said), said[-800:])
        told = [json.loads(line) for line in objects.communicate()[0].splitlines()]
        expect({o["answers"] for o in told} == {True, False}, "objects do not say whether it answers")
        expect(all(len(o["journeys"]) == 4 and o["at"] > 0 for o in told if o["answers"]), "an object lacks journeys")


@case
def watch_refuses_what_is_no_time():
    for wrong in ("0", "x", "1e9", "-1", ""):
        done = subprocess.run([kit.binary, "status", f"--watch={wrong}"], capture_output=True, text=True, timeout=kit.PATIENCE_S)
        expect(done.returncode == 2 and "0.1 to 86400" in done.stderr, f"--watch={wrong}: {done.returncode} {done.stderr}")
