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
import threading
import time

import kit
from cases_access import OTHER, Guarded
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
                                        env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **(env or {})})
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
def watch_is_readable_when_narrow():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge, watch(edge, columns=60) as t:
        t.wait_for("browse")
        ask(edge)
        wait_for("the missed one is first", lambda: "MISSED" in row_of(t.screen(), "pay"))
        for columns, wanted in (
                (60, ["RATE/S", "GOOD", "BUDGET", "BURN1H", "STATE"]), (45, ["GOOD", "BUDGET", "STATE"]), (25, ["STATE"]),
                (140, ["TARGET", "WINDOW", "RATE/S", "P95", "ms", "GOOD", "BUDGET", "BURN1H", "DAYS", "COVER", "STATE"])):
            t.size(columns, 24)
            wait_for(f"it is drawn anew, with {wanted}", lambda: row_of(t.screen(), "JOURNEY").split()[2:] == wanted
                     and "MISSED" in row_of(t.screen(), "pay"))
            time.sleep(0.3)  # some frames more
            screen = t.screen()
            expect(max(map(len, screen)) <= columns, f"wider than {columns}:\n" + "\n".join(screen))
            expect("met" in row_of(screen, "browse"), "\n".join(screen))
        os.write(t.main, b"q")
        expect(t.ends() == 1, "an objective is missed, and the exit code does not say it")


@case
def terminals_that_only_append_and_colors():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        ask(edge)
        with watch(edge, env={"TERM": "dumb"}) as t:
            wait_for("lines are appended", lambda: sum(" pay " in line for line in t.screen()) > 2)
            expect(b"\x1b" not in t.said, "a terminal that only appends is given codes")
        for env, painted in (({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({}, True)):
            for command in (("status",), ("slo", "pay")):
                with Terminal([kit.binary, *command, "--admin", f"127.0.0.1:{edge.admin}"], columns=60, env=env) as t:
                    t.wait_for("MISSED")
                    t.process.wait(kit.PATIENCE_S)
                    t.hear()
                    expect((b"\x1b[31m" in t.said) == painted, f"{command} with {env}: {t.said}")


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


# ---- one journey


def history(edge, what):
    status, _, body = connect(edge.admin).get(f"/api/v1/journeys/{what}", host="localhost")
    return status, json.loads(body)


def stored(edge):
    """What was counted has reached the store."""
    wait_for("latencies are stored", lambda: history(edge, "browse/what-if?under_s=1000")[1]["answers"] == 20)


@case
def history_of_a_budget_ends_with_what_is_now():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        ask(edge, browse=20, pay=3)
        stored(edge)
        status, h = history(edge, "pay/history?points=7&objective=available")
        expect(status == 200 and h["journey"] == "pay" and h["objective"]["window_s"] == 7 * 86400, h)
        points = h["points"]
        ends = [h["from"] + (i + 1) * 86400 for i in range(6)] + [h["to"]]
        expect([p["at"] for p in points] == ends and h["from"] % 86400 == 0 and h["step_s"] == 86400, "a point per day of seven")
        expect(h["nodes"] == 1 and h["nodes_missing"] == [], h)
        expect(sum(p["bad"] for p in points) == 3 and sum(p["good"] for p in points) == 0, points)
        expect(points[-1]["bad"] == 3 and points[-1]["budget_left"] == h["objective"]["budget_left"], points[-1])
        expect(abs(points[-1]["budget_left"] + 999) < 1e-6 and abs(points[-1]["burn"] - 1000) < 1e-6, points[-1])
        expect(points[0]["budget_left"] is None and points[0]["coverage"] == 0, "a time before the journey is known")
        expect(0 < points[-1]["window_coverage"] < 0.001, points[-1])
        expect(history(edge, "br%6Fwse/history?objective=1&points=2")[1]["objective"]["name"] == "fast", "by number, and encoded")
        for wrong, status, why in (
                ("pay/history?points=1", 400, "from 2 to 400"), ("pay/history?points=401", 400, "from 2 to 400"),
                ("pay/history?points=2&points=2", 400, "twice"), ("pay/history?objective=fast", 400, "name of one of its"),
                ("pay/history?node=other", 400, "node is this"), ("pay/history?to=9999999999", 400, "a time that has come"),
                ("pay/history?to=99", 400, "a time that has come"), ("pay/history?objective=1", 400, "name of one of its"), ("pay/history?hours=1", 400, "objective, points"),
                ("unclaimed/history", 404, "no objectives"), ("none/history", 404, "no such journey"),
                ("%zz/history", 404, "no such journey"), ("pay/what-if", 400, "0.25"), ("pay/what-if?under_s=-1", 400, "0.25"),
                ("pay/what-if?under_s=0", 400, "0.25"), ("pay/what-if?under_s=1000.1", 400, "0.25"),
                ("pay/what-if?under_s=1&window_s=299", 400, "3024000"), ("pay/what-if?under_s=1&window_s=3024001", 400, "3024000")):
            expect(history(edge, wrong)[0] == status and why in history(edge, wrong)[1]["error"], f"{wrong}: {history(edge, wrong)}")


@case
def what_if_knows_every_threshold():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        ask(edge, browse=20, pay=3)
        stored(edge)
        for _ in range(2):  # and after a restart the same
            _, all_ = history(edge, "browse/what-if?under_s=1000&window_s=3024000")
            expect((all_["answers"], all_["least"], all_["most"], all_["exact"]) == (20, 20, 20, True), all_)
            expect(all_["coverage"] > 0 and all_["share_least"] == 1, all_)
            _, none = history(edge, "browse/what-if?under_s=0.000001")
            expect((none["least"], none["most"]) == (0, 0), none)
            p50 = all_["latency_s"]["p50"]
            _, half = history(edge, f"browse/what-if?under_s={p50:.9f}")
            expect(half["least"] <= 10 <= half["most"] + 1 and not half["exact"], f"{half} at {p50}")
            _, failed = history(edge, "pay/what-if?under_s=1")
            expect(failed["answers"] == 0 and failed["share_most"] is None and failed["latency_s"]["p50"] is None, failed)
            edge.stop()
            edge.start()


@case
def clients_that_do_not_wait_for_the_store():
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        for n in range(300):
            c = connect(edge.admin)
            c.send("GET /api/v1/journeys/pay/history?points=400 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if n % 3:
                c.cut()
            else:
                expect(c.answer()[0] in (200, 503), "it is not answered")
                c.send("HEAD /api/v1/journeys/pay/what-if?under_s=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                expect(c.head()[0].split()[1] in ("200", "503"), "HEAD is not answered")
                c.close()
        wait_for("the store answers again", lambda: history(edge, "pay/history")[0] == 200)


def dimension(edge, journey, which, window="1h", requests=None):
    """Its values by name, once so many requests are counted: an answer may be read before it is."""
    def look():
        status, told = history(edge, f"{journey}/dimensions?window={window}&dimension={which}")
        expect(status == 200 and [d["dimension"] for d in told["dimensions"]] == [which], told)
        return told if requests is None or sum(told["counts"].values()) == requests else None

    told = wait_for(f"{requests} requests are counted", look)
    values = told["dimensions"][0]["values"]
    for outcome in ("good", "slow", "failed", "excluded"):
        expect(sum(v[outcome] for v in values) == told["counts"][outcome], f"{which} does not add up: {told}")
    return {v["value"]: v for v in values}


@case
def dimensions_tell_where_it_fails():
    breaks = []

    def fail(_, stream, request):
        stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" if breaks else b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok")
        if breaks:
            stream.cut()

    config = CONFIG.replace('"%s"', '{ address: "%s", release: "41" }, { address: "%s", release: "42" }').replace(
        "services: { shop: { ", "services: { shop: { health: { interval: 0s }, eject: { failures: 0 }, balance: round-robin, retry: { attempts: 1 }, ")
    config += "  receipts: { kind: job, objectives: { sent: { target: 99%% } } }\n"
    with Instance(refuse_pay) as good, Instance(fail) as bad, Edge(config % (good.address, bad.address)) as edge:
        client = connect(edge.http)
        for _ in range(20):
            client.get("/b")
        for window in ("5m", "1h", "start"):
            by = dimension(edge, "browse", "instance", window, 20)
            expect((by[good.address]["good"], by[bad.address]["failed"]) == (10, 10), by)
            expect(by[bad.address]["part"] == 1 and by[bad.address]["bad_share"] == 1 and by[good.address]["part"] == 0, by)
            expect(by[good.address]["service"] == "shop" and not by[good.address]["gone"], by)
        by = dimension(edge, "browse", "release")
        expect((by["41"]["good"], by["42"]["failed"]) == (10, 10), by)
        by = dimension(edge, "browse", "status")
        expect((by["2xx"]["good"], by["5xx"]["failed"]) == (10, 10), by)
        expect(list(dimension(edge, "browse", "reason")) == ["answered"], "reasons")
        # the second goes on to the next release: what the last one did stays its own
        with open(edge.file) as f:
            rewrite(edge, f.read().replace('"42"', '"43"'))
        for _ in range(20):
            client.get("/b")
        wait_for("the release is seen to be gone", lambda: dimension(edge, "browse", "release")["42"]["gone"])
        by = dimension(edge, "browse", "release", requests=40)
        expect((by["42"]["failed"], by["42"]["gone"], by["43"]["failed"], by["43"]["gone"]) == (10, True, 10, False), by)
        expect(dimension(edge, "browse", "instance")[bad.address]["failed"] == 20, "the instance's own counts")
        code, text, _ = tell(edge, "slo", "browse")
        expect(re.search(r"(?m)^where it fails: 20 failed and 0 slow in the last \d+ \w+$", text), text)
        expect(re.search(rf"(?m)^instance  shop {bad.address} +20 +100.0% +50.0% +100.0%$", text), text)
        expect(re.search(r"(?m)^release   4[23].* +10 +50.0% +25.0% +100.0%$", text) and re.search(r"(?m)^reason    answered +20 ", text), text)
        told = json.loads(tell(edge, "slo", "browse", "--json")[1])
        expect(told["dimensions"]["counts"]["failed"] == 20, told["dimensions"])
        expect("where it fails" not in tell(edge, "slo", "idle")[1], "nothing failed there")
        expect(json.loads(tell(edge, "slo", "receipts", "--json")[1])["dimensions"] is None, "jobs have dimensions")
        page = connect(edge.admin).get("/", host="localhost")[2].decode()
        expect(f"where it fails</b> <span>instance {bad.address} <small>100 %</small></span>" in page, "the page does not say where it fails")
        expect("belong to no journey" not in tell(edge, "status")[1], "nothing is unclaimed")
        client.get("/nobody")
        wait_for("it is told", lambda: re.search(r"(?m)^1 requests since the start belong to no journey; /api/v1/unclaimed", tell(edge, "status")[1]))
        breaks.append(True)
        client.close()
        others = [connect(edge.http) for _ in range(2)]  # one of each instance
        for client in others:
            client.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("an answer that breaks off is counted", lambda: sum(v["failed"] for v in dimension(edge, "browse", "reason").values()) == 21)
        expect(dimension(edge, "browse", "reason")["answer_broken"]["failed"] == 1, dimension(edge, "browse", "reason"))
        for wrong, status, why in (("browse/dimensions?dimension=colour", 400, "one of: instance"), ("browse/dimensions?window=2h", 400, "5m, 1h, start"),
                                   ("browse/dimensions?x=1", 400, "dimension, window"),
                                   ("browse/dimensions?to=1700000000", 400, "dimension, window"), ("browse/dimensions?node=other", 400, "node is this"), ("none/dimensions", 404, "no such journey"),
                                   ("receipts/dimensions", 404, "jobs")):
            expect(history(edge, wrong)[0] == status and why in history(edge, wrong)[1]["error"], f"{wrong}: {history(edge, wrong)}")
        for client in others:
            client.cut()


@case
def where_it_failed_is_known_after_a_restart():
    def fail(_, stream, request):
        stream.send(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok")

    config = CONFIG.replace('"%s"', '{ address: "%s", release: "41" }, { address: "%s", release: "42" }').replace(
        "services: { shop: { ", "services: { shop: { health: { interval: 0s }, eject: { failures: 0 }, balance: round-robin, retry: { attempts: 1 }, ")
    with Instance(refuse_pay) as good, Instance(fail) as bad, Edge(config % (good.address, bad.address)) as edge:
        def visit(count):
            client = connect(edge.http)
            for _ in range(count):
                client.get("/b")
            client.close()

        def known(requests):
            for window in ("5m", "1h"):
                for which, values in (("instance", (good.address, bad.address)), ("release", ("41", "42")), ("status", ("2xx", "5xx"))):
                    by = dimension(edge, "browse", which, window, requests)
                    expect((by[values[0]]["good"], by[values[1]]["failed"]) == (requests // 2, requests // 2), f"{which} {window}: {by}")
                    expect(not by[values[1]]["gone"], by)
        visit(20)
        edge.stop()  # at once: all of it is kept
        edge.start()
        known(20)
        expect(dimension(edge, "browse", "instance", "start") == {}, "another process counted that")
        page = edge.admin_get("/")[1]
        expect(f"where it fails</b> <span>instance {bad.address} <small>100 %</small></span>" in page, "the page does not know it")
        code, text, _ = tell(edge, "slo", "browse")
        expect(re.search(r"(?m)^where it fails: 10 failed and 0 slow in the last ", text), text)
        visit(10)
        known(30)

        # killed: what was counted since it was last written is lost; few journeys are written each second in which they change
        visit(10)
        time.sleep(3)
        edge.process.kill()
        edge.process.wait()
        edge.start()
        known(40)
        # the instance goes
        edge.stop()
        with open(edge.file) as f:
            text = f.read().replace(f', {{ address: "{bad.address}", release: "42" }}', "")
        with open(edge.file, "w") as f:
            f.write(text)
        edge.start()
        by = dimension(edge, "browse", "instance", requests=40)
        expect((by[bad.address]["failed"], by[bad.address]["gone"], by[good.address]["gone"]) == (20, True, False), by)


def rewrite(edge, text):
    edge.put(text)
    code, _, said = tell(edge, "reload")
    expect(code == 0, said)


@case
def newcomers_get_the_values_of_those_that_went():
    """A deployment that replaces 40 instances by 40 others, of which the last one found no room at first."""
    def config(first, count, last):
        gone = "".join(f"{{ address: '127.0.0.9:{first + i}', drain: true }}, " for i in range(count))
        return CONFIG.replace('"%s"', gone + f'"{last}"').replace("services: { shop: { ", "services: { shop: { health: { interval: 0s }, ")

    with Instance(refuse_pay) as old, Instance(refuse_pay) as new, Edge(config(1000, 39, old.address).replace("%%", "%")) as edge:
        client = connect(edge.http)
        for _ in range(5):
            client.get("/b")
        expect(dimension(edge, "browse", "instance", requests=5)[old.address]["good"] == 5, "the old one")
        with open(edge.file) as f:
            text = f.read()
        services = re.search(r"(?m)^services:.*$", text)[0]
        others = re.search(r"(?m)^services:.*$", config(2000, 39, new.address).replace("%%", "%"))[0]
        rewrite(edge, text.replace(services, others))

        def has_a_value():
            client.get("/b")
            return dimension(edge, "browse", "instance").get(new.address)

        wait_for("the new one has a value", has_a_value)
        by = dimension(edge, "browse", "instance")
        expect(sum(v["good"] for v in by.values() if v["value"] != new.address) >= 5, by)
        client.close()


@case
def dimensions_add_up_under_load():
    """Threads that ask, with tenants, while configurations come and go: in the end each dimension has every request."""
    config = TENANTS.replace("workers: 1", "workers: 2").replace('"%s"] }', '%s] }')
    with Instance(refuse_pay) as one, Instance(refuse_pay) as two, \
            Edge(config % ("", "header:X-Tenant", f'"{one.address}"')) as edge:
        stopped, wrong, asked = threading.Event(), [], [0] * 4

        def load(n):
            client = connect(edge.http)
            try:
                while not stopped.is_set():
                    client.get("/b", fields=f"X-Tenant: customer-{asked[n] % 90}\r\n")
                    asked[n] += 1
            except (kit.Wrong, OSError) as e:
                wrong.append(repr(e))
            client.close()

        threads = [threading.Thread(target=load, args=(n,)) for n in range(len(asked))]
        for t in threads:
            t.start()
        with open(edge.file) as f:
            text = f.read()
        try:
            for i in range(12):
                instances = (f'"{one.address}", {{ address: "{two.address}", release: "r{i}" }}', f'{{ address: "{two.address}", release: "r{i}" }}')[i % 2]
                rewrite(edge, re.sub(r"instances: \[.*\] }", f"instances: [{instances}] }}", text))
                dimension(edge, "browse", ("instance", "release", "tenant")[i % 3])  # while they count
                time.sleep(0.3)
        finally:
            stopped.set()
            for t in threads:
                t.join(kit.PATIENCE_S)
        expect(not wrong, wrong[:3])
        total = sum(asked)
        expect(total > 200, f"only {total} requests")
        for which in ("instance", "release", "status", "reason", "tenant"):
            dimension(edge, "browse", which, "start", total)
            dimension(edge, "browse", which, "5m", total)
        by = dimension(edge, "browse", "tenant", "start")
        expect(len(by) == 65 and by["other"]["good"] > 0, f"{len(by)} tenants")


TENANTS = CONFIG.replace("workers: 1", "workers: 1\ntrusted: [127.0.0.1]\nlog: { access: \"${dir}/access.jsonl\"%s }\nidentity: { tenant: \"%s\" }")


def tenants_of(edge, journey="browse", requests=None):
    return dimension(edge, journey, "tenant", "start", requests)


@case
def tenants_have_values():
    with Instance(refuse_pay) as instance, Edge(TENANTS % ("", "header:X-Tenant", instance.address)) as edge:
        client = connect(edge.http)
        long = "x" * 300
        client.get("/b")

        def all_have_values():
            for name in ("acme", "globex", long):
                client.get("/b", fields=f"X-Tenant: {name}\r\n")
            by = tenants_of(edge)
            expect("none" not in by or by["none"]["good"] == 1, by)
            return sum(v["kind"] == "value" for v in by.values()) == 3

        wait_for("all have values", all_have_values)
        for _ in range(5):
            client.get("/pay", fields="X-Tenant: acme\r\n")
            client.get("/pay", fields="X-Tenant: globex\r\n")
            client.get("/pay", fields=f"X-Tenant: {long}\r\n")
        by = tenants_of(edge, "pay", 15)
        hashed = [v for v in by if re.fullmatch(r"h:[0-9a-f]{16}", v)]
        expect(set(by) == {"acme", "globex", *hashed} and len(hashed) == 1, by)
        expect(all(v["failed"] == 5 and v["kind"] == "value" and 0.3 < v["part"] < 0.4 for v in by.values()), by)
        expect(by["acme"]["since"] >= tenants_of(edge)["none"]["since"], by)
        with open(edge.file) as f:
            rewrite(edge, f.read().replace("log: { access:", "log: { redact: [tenant], access:"))
        by = tenants_of(edge, "pay")
        expect(len(by) == 3 and all(re.fullmatch(r"h:[0-9a-f]{16}", v) for v in by) and hashed[0] in by, by)
        client.close()


@case
def tenants_are_told_as_the_log_tells_them():
    with Instance(refuse_pay) as instance, Edge(TENANTS % ("", "cookie:customer", instance.address)) as edge:
        client = connect(edge.http)

        def named():
            client.get("/b", fields="Cookie: customer=secret\r\n")
            return [v for v, row in tenants_of(edge).items() if row["kind"] == "value"]

        named = wait_for("he has a value", named)
        client.close()
        log = os.path.join(edge.folder, "access.jsonl")
        wait_for("the log is written", lambda: os.path.exists(log) and open(log).read().endswith("\n"))
        told = {json.loads(line)["tenant"] for line in open(log)}
        expect(len(named) == 1 and set(named) == told and named[0].startswith("h:"), f"{named} {told}")


@case
def slo_of_a_journey_in_a_terminal():
    utf8 = {"LC_ALL": "C.UTF-8"}
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        ask(edge, browse=20, pay=3)
        stored(edge)
        with Terminal([kit.binary, "slo", "pay", "--admin", f"127.0.0.1:{edge.admin}"], columns=60, env=utf8) as t:
            screen = t.wait_for("objective")
            expect(t.process.wait(kit.PATIENCE_S) == 1, "a missed objective is exit code 1")
        text = "\n".join(screen)
        expect(re.search(r"pay available: MISSED, 99.9% over 7 days; budget left -99900.0%", text), text)
        expect(re.search(r"(?m)^ -100% ·+▁$", text), text)
        expect(max(len(line) for line in screen[1:8]) <= 60, text)
        expect(re.search(r"(?m)^objective +0 +3 +0.000% +1000 ", text), text)
        code, text, _ = tell(edge, "slo", "browse", "--objective", "fast", "--under", "1s", env={"LC_ALL": "C"})
        expect(code == 0 and text.isascii() and re.search(r"(?m)^  100% +#$", text), text)
        expect(re.search(r"(?m)^28d +20 +100.000% .* fast 90%: met, budget left 100.0%$", text), text)
        code, text, _ = tell(edge, "slo", "browse", "--json", "--under", "1s")
        told = json.loads(text)
        expect(code == 0 and [h["objective"]["name"] for h in told["histories"]] == ["available", "fast"], text)
        expect([w["window_s"] for w in told["what_if"]] == [3600, 86400, 604800, 2419200], text)
        for arguments, code, why in ((("slo", "none"), 1, "there is no journey 'none'"), (("slo", "pay", "--objective", "x"), 1, "no objective 'x'"),
                                     (("slo", "pay", "--under", "5"), 2, "250ms"), (("slo", "x" * 65), 2, "so long a name"), (("slo",), 2, "which journey")):
            done = tell(edge, *arguments)
            expect(done[0] == code and why in done[2], f"{arguments}: {done}")


# ---- for programs


def described_fields():
    """Fields of the objects by command, as docs/terminal.md lists them; those within others are left out."""
    with open(os.path.join(kit.ROOT, "docs", "terminal.md")) as f:
        table = f.read().split("## For programs")[1].split("## ")[0]
    fields = {}
    for commands_, text in re.findall(r"(?m)^\| (`.*?`) \| (.*) \|$", table):
        while re.search(r"\([^()]*\)", text):
            text = re.sub(r"\([^()]*\)", "", text)
        for command in re.findall(r"`([^`]+)`", commands_):
            fields[command] = {w for w in re.findall(r"`([^`]+)`", text) if re.fullmatch(r"[a-z_]+", w)}
    return fields


@case
def every_object_is_described():
    """--json of every command that has it: what docs/terminal.md lists is what comes, no more and no less."""
    described = described_fields()
    with_json = {c for c in commands() if "--json" in options_of(c)}
    expect(with_json == {c.split()[0] for c in described}, f"{with_json} have --json, described are {set(described)}")
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        ask(edge)
        log, admin = os.path.join(edge.folder, "log"), ("--admin", f"127.0.0.1:{edge.admin}")
        with open(log, "w") as f:
            f.write('1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "GET /browse HTTP/1.1" 200 5 "-" "-"\n')
        lines = {"status": (*admin,), "status --changes": admin, "backup": (os.path.join(edge.folder, "copy.db"), *admin),
                 "backup --check": (os.path.join(edge.folder, "copy.db"),), "reload": admin,
                 "drain": (instance.address, "--force", *admin), "undrain": (instance.address, *admin), "validate": ("-c", edge.file),
                 "init": ("--log", log), "slo --from": (log, "-c", edge.file), "slo JOURNEY": ("browse", *admin), "version": ()}
        expect(set(lines) == set(described), set(described) ^ set(lines))
        for command, arguments in lines.items():
            words = command.replace(" JOURNEY", "").split()
            done = run(kit.binary, *words, *arguments, "--json", cwd=edge.folder)
            got = set(json.loads(done.stdout))
            expect(got <= described[command], f"{command}: not described: {got - described[command]}")
            missing = described[command] - got - {"error", "holds"}  # one or the other
            expect(not missing, f"{command}: described, and not there: {missing} in {done.stdout[:300]}")
        for command in ("status", "reload", "slo"):
            done = run(kit.binary, command, *["browse"] * (command == "slo"), "--json", "--admin", "127.0.0.1:1")
            expect((done.returncode, done.stdout) == (1, "") and "no evenkeel answers" in done.stderr, done)


# ---- help, the manual page, completion: all of one table


def run(*command, **how):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=kit.PATIENCE_S, **how)


def commands():
    lines = run(kit.binary, "--help").stdout.splitlines()
    return [m[1] for line in lines if (m := re.match(r"  ([a-z]+) +\S", line))]


def options_of(command):
    return re.findall(r"(?m)^  (?:-\w, |    )(--[a-z-]+)", run(kit.binary, command, "--help").stdout)


@case
def every_command_has_help_and_a_place_in_the_manual():
    page = run(kit.binary, "help", "--man").stdout
    expect(len(commands()) > 10, commands())
    for command in commands():
        done = run(kit.binary, command, "--help")
        expect(done.returncode == 0 and done.stdout.startswith(f"usage: evenkeel {command}"), f"{command}: {done}")
        expect("Exit codes:" in done.stdout and options_of(command)[-1] == "--help", done.stdout)
        expect(run(kit.binary, "help", command).stdout == done.stdout, f"help {command} says something else")
        long = [line for line in done.stdout.splitlines() if len(line) > 80]
        expect(not long, f"{command} --help: {long}")
        expect(f".SS {command}\n" in page, f"{command} is not in the manual")
        wrong = run(kit.binary, command, "--no-such-option")
        expect(wrong.returncode == 2 and "usage:" in wrong.stderr and not wrong.stdout, f"{command}: {wrong}")
        for option in options_of(command)[:-1]:
            expect(option.replace("-", "\\-") in page, f"{command} {option} is not in the manual")
    expect(run(kit.binary, "help", "nonsense").returncode == 2, "help of what is no command")
    expect(run(kit.binary, "reload", "--watch").returncode == 2, "an option of another command is taken")


@case
def manual_page_is_read_without_a_complaint():
    with Instance() as instance, Edge(CONFIG % instance.address) as edge:
        page = os.path.join(edge.folder, "evenkeel.1")
        with open(page, "w") as f:
            f.write(run(kit.binary, "help", "--man").stdout)
        done = run("man", "--warnings=w", "-l", page, env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        expect(done.returncode == 0 and not done.stderr, done.stderr)
        expect("--watch[=SECONDS]" in done.stdout and "EXIT STATUS" in done.stdout, done.stdout[:400])
        done = run("mandoc", "-T", "lint", "-W", "style", page)
        # it wants a date, which a page that is built anew each time has none of
        left = [line for line in done.stdout.splitlines() if "missing date" not in line]
        expect(not left, left)


def complete_in_bash(edge, line, path):
    script = """eval "$(evenkeel completion bash)"
COMP_LINE=$1 COMP_POINT=${#1}
_evenkeel
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = run("bash", "-c", script, "bash", line, cwd=edge.folder, env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"})
    expect(done.returncode == 0 and not done.stderr, f"{line!r}: {done.stderr}")
    return done.stdout.split()


@case
def shells_complete_commands_and_options():
    with Instance() as instance, Edge(CONFIG % instance.address) as edge:
        path = os.path.join(edge.folder, "bin")
        os.mkdir(path)
        with open(os.path.join(path, "evenkeel"), "w") as f:  # the names of what runs are asked for at the usual address
            f.write(f'#!/bin/sh\ncase $2 in instances) echo 10.0.0.1:9101; echo 10.0.0.2:9101 ;; journeys) echo browse; echo pay ;;\n'
                    f'*) exec {kit.binary} "$@" ;; esac\n')
        os.chmod(os.path.join(path, "evenkeel"), 0o755)

        def completed(line):
            return complete_in_bash(edge, line, path)
        expect(completed("evenkeel ") == commands(), completed("evenkeel "))
        expect(completed("evenkeel st") == ["status"], completed("evenkeel st"))
        expect(completed("evenkeel status --w") == ["--watch"], "an option")
        for command in commands():
            expect(completed(f"evenkeel {command} --") == options_of(command), command)
        expect(completed("evenkeel run -c evenkeel.y") == ["evenkeel.yaml"], completed("evenkeel run -c evenkeel.y"))
        expect(completed("evenkeel run --edge ") == ["http"], "what stands behind an option")
        expect(completed("evenkeel slo p") == ["pay"], "journeys")
        expect(completed("evenkeel drain 10.0.0.2:9") == ["9101"], "an address in pieces")
        expect(completed("evenkeel drain --why x 10.0.0") == ["10.0.0.1:9101", "10.0.0.2:9101"], "instances")
        for shell in ("bash", "zsh", "fish"):
            script = os.path.join(edge.folder, shell)
            with open(script, "w") as f:
                f.write(run(kit.binary, "completion", shell).stdout)
            done = run(shell, "-n", script)
            expect(done.returncode == 0 and not done.stderr, f"{shell}: {done.stderr}")
        done = run("fish", "-c", f"source {edge.folder}/fish; complete -C 'evenkeel status --wa'", env={**os.environ, "HOME": edge.folder})
        expect(done.stdout.startswith("--watch"), f"fish: {done}")
        expect(run(kit.binary, "completion", "tcsh").returncode == 2, "a shell that is not known")
        expect(run(kit.binary, "completion", "bash", "--", "x").returncode == 2, "words behind a shell")


@case
def names_are_asked_where_the_line_says():
    """--admin on the line, or else the admin address of the configuration that -c names."""
    with Instance(refuse_pay) as instance, Edge(CONFIG % instance.address) as edge:
        path = os.path.join(edge.folder, "bin")
        os.mkdir(path)
        os.symlink(kit.binary, os.path.join(path, "evenkeel"))
        admin = f"127.0.0.1:{edge.admin}"

        def completed(line):
            return complete_in_bash(edge, line, path)
        journeys = ["browse", "idle", "pay", "unclaimed"]
        for line in (f"slo --admin {admin} ", f"slo --admin={admin} ", f"slo -c {edge.file} ", f"slo -c{edge.file} ",
                     f"slo --config {edge.file} ", f"slo --config={edge.file} ", f"slo --admin 127.0.0.1:1 --admin {admin} ",
                     f"slo -c {edge.file} --admin {admin} "):
            expect(sorted(completed("evenkeel " + line)) == journeys, f"{line}: {completed('evenkeel ' + line)}")
        expect(completed(f"evenkeel slo --admin {admin} p") == ["pay"], "what was begun")
        expect(completed(f"evenkeel drain --admin {admin} 127") == [instance.address], "instances")
        expect(completed(f"evenkeel slo -c {edge.file} --admin 127.0.0.1:1 ") == [], "the address counts more than the file")
        expect(completed(f"evenkeel slo --admin 127.0.0.1:1 ") == [], "nobody is there")
        env = {**os.environ, "HOME": edge.folder, "PATH": f"{path}:{os.environ['PATH']}"}
        done = run("fish", "-c", f"evenkeel completion fish | source; complete -C 'evenkeel slo --admin {admin} b'", env=env)
        expect(done.stdout.split() == ["browse"], f"fish: {done}")


@case
def names_are_asked_for_with_the_token_and_the_authority_of_the_line():
    with Instance() as instance, Guarded(instance, tls=True, more="journeys: { browse: { routes: [GET /*] } }\n") as edge:
        path = os.path.join(edge.folder, "bin")
        os.mkdir(path)
        os.symlink(kit.binary, os.path.join(path, "evenkeel"))
        edge.write("wrong", OTHER)
        admin, ca, other_ca = f"https://localhost:{edge.admin}", kit.certs.pem("ca"), kit.certs.pem("other-ca")

        def completed(line):
            return complete_in_bash(edge, "evenkeel " + line, path)
        for line in (f"--admin {admin} --token-file view --ca {ca}", f"--token-file=view --ca={ca} --admin={admin}",
                     f"--token-file wrong --token-file view --ca {ca} --admin {admin}"):
            expect(completed(f"slo {line} b") == ["browse"], f"{line}: {completed(f'slo {line} b')}")
            expect(completed(f"drain {line} 127") == [instance.address], f"{line}: {completed(f'drain {line} 127')}")
        for line in (f"--admin {admin} --ca {ca}", f"--admin {admin} --token-file wrong --ca {ca}", f"--admin {admin} --token-file view",
                     f"--admin {admin} --token-file view --ca {other_ca}", f"--admin {admin} --token-file nothing --ca {ca}"):
            expect(completed(f"slo {line} b") == [], f"{line}: {completed(f'slo {line} b')}")
        expect(completed(f"slo --admin {admin} --token-file vi") == ["view"], "a file is completed where one stands")
        env = {**os.environ, "HOME": edge.folder, "PATH": f"{path}:{os.environ['PATH']}"}
        line = f"evenkeel drain --admin {admin} --token-file view --ca {ca} 127"
        done = run("fish", "-c", f"evenkeel completion fish | source; complete -C '{line}'", env=env, cwd=edge.folder)
        expect(done.stdout.split() == [instance.address], f"fish: {done}")
