# SPDX-License-Identifier: Apache-2.0
# calls : the system calls of one thread, counted with strace while a block runs, and what is wrong with them.
# Always: counts, never time, for strace slows what it watches. Used by gates.
import re
import shutil
import signal
import subprocess
import time

RECEIVES = ("recvfrom", "recvmsg", "recvmmsg", "read", "readv")
SENDS = ("sendto", "sendmsg", "sendmmsg", "write", "writev", "sendfile", "splice")
WAITS = ("epoll_wait", "epoll_pwait", "epoll_pwait2")
# a wait that attaching or detaching cut in two appears twice, the second time under this name
CUT = ("restart_syscall",)
CUT_WAITS_MAX = 5
TIMER, TIMER_MAX = "timerfd_settime", 8  # set when a nearer deadline comes, a few times however many exchanges there are


class NotAllowed(Exception):
    """This machine does not let us trace: nothing was counted."""


class Calls:
    def __init__(self, tid, out):
        self.tid, self.out = tid, out
        self.counts = {}

    def __enter__(self):
        if not shutil.which("strace"):
            raise NotAllowed("strace is not installed; `make deps` installs it")
        self.process = subprocess.Popen(["strace", "-qq", "-o", self.out, "-p", str(self.tid)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with open(f"/proc/{self.tid}/status") as f:
                if not re.search(r"TracerPid:\s+0\n", f.read()):
                    return self
            time.sleep(0.01)
        self.process.kill()
        raise NotAllowed(self.process.communicate()[1].decode().strip() or "strace did not attach in 30 s")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        with open(self.out) as f:
            for line in f:
                # "name(..." or "<... name resumed>": a call that was cut counts once, when it is whole
                name = re.match(r"(?:<\.\.\. )?([a-z_0-9]+)[( ]", line)
                if name and "<unfinished" not in line:
                    self.counts[name[1]] = self.counts.get(name[1], 0) + 1


def judge(counts, exchanges):
    """What is wrong with these calls for so many exchanges; "" when nothing is."""
    of = lambda names: sum(counts.get(n, 0) for n in names)
    others = {n: k for n, k in counts.items() if n not in RECEIVES + SENDS + WAITS + CUT and (n != TIMER or k > TIMER_MAX)}
    wrong = []
    if of(RECEIVES) != 2 * exchanges:
        wrong.append(f"{of(RECEIVES)} receives in {exchanges} exchanges, {2 * exchanges} are allowed")
    if of(SENDS) != 2 * exchanges:
        wrong.append(f"{of(SENDS)} sends in {exchanges} exchanges, {2 * exchanges} are allowed")
    if of(WAITS) > exchanges + CUT_WAITS_MAX:
        wrong.append(f"{of(WAITS)} waits in {exchanges} exchanges, {exchanges} are allowed")
    if others:
        wrong.append(f"other calls in {exchanges} exchanges: {others}")
    return "; ".join(wrong)
