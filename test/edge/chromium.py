# SPDX-License-Identifier: Apache-2.0
# chromium.py - a real browser without a window, driven by its DevTools protocol over a pipe (messages end with a zero byte), so nothing but
# Debian's chromium is needed.
# Always: what the page's console, or the policy of the page, complained about is kept in `complaints`.
import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import threading

from kit import PATIENCE_S, Wrong, expect, wait_for

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"]


class Browser:
    """One page. `text()` is what a person can read of it."""

    def __init__(self, scripts=True):
        self.profile = tempfile.mkdtemp(prefix="edge-chromium-")
        self.answers, self.complaints, self.ids = {}, [], 0
        ours_in, theirs_out = self.pipe()
        theirs_in, self.to = self.pipe()
        command = f'exec chromium "$@" 3<&{theirs_in} 4>&{theirs_out} {theirs_in}<&- {theirs_out}>&-'
        self.process = subprocess.Popen(["bash", "-c", command, "bash", *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        pass_fds=(theirs_in, theirs_out), start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        threading.Thread(target=self.read, args=(ours_in,), daemon=True).start()
        self.session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        if not scripts:
            self.ask("Emulation.setScriptExecutionDisabled", value=True)

    @staticmethod
    def pipe():
        """Above the numbers that the browser wants."""
        return [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in os.pipe()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.ask("Browser.close")
            self.process.wait(5)
        except (Wrong, OSError, subprocess.TimeoutExpired):
            pass
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        shutil.rmtree(self.profile, ignore_errors=True)

    def read(self, fd):
        got = b""
        while piece := os.read(fd, 1 << 16):
            *messages, got = (got + piece).split(b"\0")
            for m in map(json.loads, messages):
                if "id" in m:
                    self.answers[m["id"]] = m
                elif m["method"] == "Runtime.exceptionThrown":
                    self.complaints.append(json.dumps(m["params"])[:600])
                elif m["method"] == "Log.entryAdded" and m["params"]["entry"]["source"] in ("security", "javascript", "violation"):
                    self.complaints.append(m["params"]["entry"]["text"])
        os.close(fd)

    def ask(self, method, **params):
        self.ids += 1
        mine = self.ids
        of_page = self.session and not method.startswith(("Browser.", "Target."))
        message = {"id": mine, "method": method, "params": params, **({"sessionId": self.session} if of_page else {})}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        answer = wait_for(f"the browser answers {method}", lambda: self.answers.pop(mine, None))
        expect("error" not in answer, f"{method}: {answer}")
        return answer["result"]

    def open(self, url):
        result = self.ask("Page.navigate", url=url)
        expect("errorText" not in result, f"{url}: {result}")
        self.until("the page is there", "document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        expect("exceptionDetails" not in result, f"{expression}: {result}")
        return result["result"].get("value")

    def until(self, what, expression, seconds=PATIENCE_S):
        def look():
            try:
                return self.value(expression)
            except Wrong:
                return None  # between two pages there is nothing to look at
        return wait_for(what, look, seconds)

    def text(self):
        return self.value("document.body.innerText")

    def size(self, width, height, dark=False):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]))
