# SPDX-License-Identifier: Apache-2.0
# cases_access.py - who may use the admin address: Host, tokens, sessions of browsers, TLS; and how the commands show theirs.
import json
import os
import re
import signal
import ssl
import subprocess

import kit
from cases_admin import JOURNEY, Judge
from kit import Edge, Instance, case, client_context, connect, expect, wait_for, yaml

VIEW, OPERATE, OTHER = "view-0123456789abcdef", "operate-0123456789abcdef", "other-0123456789abcdef"
TOKENS = "admin: { view-token: { file: view }, operate-token: { env: TEST_OPERATE } }\n"
REACHABLE = "admin: { view-token: { file: view }, operate-token: { env: TEST_OPERATE }, hosts: [ek.test] }\n"


def tls_admin(certificate="a", address="0.0.0.0"):
    return f"{{ address: \"{address}:${{admin}}\", certificate: {certificate}.pem, key: {certificate}.key }}"


class Guarded(Edge):
    """Asks for tokens; with tls=True its admin address speaks TLS to all the world."""

    def __init__(self, instance, tls=False, rules=None, more="", **rest):
        self.secure, self.instance, self.rest = tls, instance, rest
        super().__init__(self.text(rules, more))
        self.write("view", VIEW + "\n")
        for name in ("a", "b"):
            for path in (kit.certs.pem(name), kit.certs.key(name)):
                with open(path) as f:
                    self.write(os.path.basename(path), f.read())

    def text(self, rules=None, more=""):
        rules = rules if rules is not None else REACHABLE if self.secure else TOKENS
        return yaml([self.instance], admin=tls_admin() if self.secure else '"127.0.0.1:${admin}"', more=rules + more, **self.rest)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text)

    def launch(self, **more):
        return super().launch(**{"env": {"TEST_OPERATE": OPERATE}, **more})

    def context(self):
        return client_context() if self.secure else None

    def ask(self, method, path, token=None, fields="", body=None, host="localhost", source=None):
        """status, fields, body"""
        s = connect(self.admin, context=self.context(), name="localhost", source=source)
        try:
            if token:
                fields += f"Authorization: Bearer {token}\r\n"
            if body is not None:
                fields += f"Content-Length: {len(body)}\r\n"
                if "Content-Type" not in fields:
                    fields += "Content-Type: application/json\r\n"
            s.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n{body or ''}")
            status, head, answer = s.answer()
        finally:
            s.close()
        return status, head, answer.decode()

    def reason(self, *args, **more):
        status, _, body = self.ask(*args, **more)
        return status, json.loads(body).get("reason")

    def admin_get(self, path):
        status, _, body = self.ask("GET", path, token=VIEW)
        return status, body

    def reload(self, text=None):
        if text:
            self.put(text)
        before = self.said().count("reload")
        self.process.send_signal(signal.SIGHUP)
        wait_for("the file was read again", lambda: self.said().count("reload") > before)

    def command(self, *args, admin=None, env=None):
        """exit code, output"""
        scheme = "https://localhost" if self.secure else "127.0.0.1"
        done = subprocess.run([kit.binary, *args, "--admin", admin or f"{scheme}:{self.admin}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              env={**{k: v for k, v in os.environ.items() if k != "EVENKEEL_TOKEN"}, **(env or {})})
        return done.returncode, done.stdout


# ---- Host


@case
def a_host_that_is_no_name_of_ours_is_refused():
    """A page that was pointed at this machine's address under its own name reads nothing (DNS rebinding)."""
    with Instance() as instance, Edge(yaml([instance], more="admin: { hosts: [ek.test] }")) as edge:
        def ask(host, path="/api/v1/journeys"):
            s = connect(edge.admin)
            try:
                s.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                status, _, body = s.answer()
            finally:
                s.close()
            return status, body.decode()

        for host in ("evil.test", f"evil.test:{edge.admin}", "10.0.0.1", "localhost.evil.test"):
            for path in ("/", "/metrics", "/api/v1/journeys", "/style.css", "/login", "/nothing"):
                status, body = ask(host, path)
                expect(status == 403 and json.loads(body)["reason"] == "host_not_known", f"{host} {path}: {status} {body}")
            for path in ("/healthz", "/readyz"):
                expect(ask(host, path)[0] == 200, f"{host} {path}")
        for host in ("localhost", f"127.0.0.1:{edge.admin}", "[::1]:1", "ek.test", f"EK.test:{edge.admin}"):
            expect(ask(host)[0] == 200, host)


# ---- tokens


@case
def tokens_say_who_may():
    with Instance() as instance, Guarded(instance, more=JOURNEY) as edge:
        judge = Judge(edge)
        for path in ("/api/v1/journeys", "/metrics", "/api/v1/openapi.json", "/api/v1/reload"):
            status, head, body = edge.ask("GET", path)
            expect(status == 401 and json.loads(body)["reason"] == "token_missing", f"{path}: {status} {body}")
            expect(head["www-authenticate"] == 'Bearer realm="evenkeel"', head)
            for token in (VIEW, OPERATE):
                expect(edge.ask("GET", path, token)[0] == 200, f"{path} with {token}")
        status, head, body = edge.ask("GET", "/metrics", "wrong-0123456789abcdef")
        expect(status == 401 and 'error="invalid_token"' in head["www-authenticate"], f"{status} {head}")
        expect(edge.reason("POST", "/api/v1/reload", body="{}") == (401, "token_missing"), "a change without a token")
        expect(edge.reason("POST", "/api/v1/reload", VIEW, body="{}") == (403, "operate_token_needed"), "a change with the view token")
        expect(edge.ask("POST", "/api/v1/reload", OPERATE, body="{}")[0] == 202, "a change with the operate token")
        expect(edge.reason("POST", "/api/v1/reload", OPERATE, body="{}", host="evil.test") == (403, "host_not_known"), "another host")
        for path in ("/healthz", "/readyz", "/style.css", "/icon.svg"):
            expect(edge.ask("GET", path)[0] == 200, f"{path} asks for a token")
        expect(edge.ask("GET", "/metrics", fields="Authorization: Basic dTpw\r\n")[0] == 401, "Basic is taken")
        judge.check("GET", "/", expected=401)
        judge.check("GET", "/api/v1/services", expected=401)
        judge.check("POST", "/api/v1/changes", body="{}", expected=401)
        judge.check("GET", "/login", expected=200)
        judge.end()
        told = edge.said() + "".join(edge.admin_get(p)[1] for p in ("/", "/metrics", "/api/v1/changes", "/api/v1/reload", "/api/v1/services"))
        for token in (VIEW, OPERATE, "wrong-0123456789abcdef"):
            expect(token not in told, "a token is told")


@case
def guessing_ends_soon():
    with Instance() as instance, Guarded(instance) as edge:
        for i in range(10):
            expect(edge.reason("GET", "/metrics", f"guess-number-{i:010}") == (401, "token_wrong"), i)
        for token in (VIEW, "another-guess-0123456789"):
            status, head, body = edge.ask("GET", "/metrics", token)
            expect(status == 429 and 0 < int(head["retry-after"]) <= 60, f"{status} {head} {body}")
            expect(json.loads(body)["reason"] == "too_many_tokens", body)
        status, head, body = edge.ask("POST", "/login", fields="Content-Type: application/x-www-form-urlencoded\r\n", body=f"token={VIEW}")
        expect(status == 429 and "set-cookie" not in head and "retry-after" in head, f"{status} {head}")
        expect(edge.ask("GET", "/healthz")[0] == 200, "it is not well any more")
        elsewhere = ("127.0.0.2", 0)
        status, _, text = edge.ask("GET", "/metrics", VIEW, source=elsewhere)
        expect(status == 200, f"another address suffers from it: {status}")
        expect(re.search(r"^evenkeel_admin_tokens_refused_total\{.*\} 10$", text, re.M), "the metric does not count them")
        expect(edge.said().count("tokens from 127.0.0.1 were not right") == 1, edge.said())


@case
def tokens_are_read_again():
    with Instance() as instance, Guarded(instance) as edge:
        edge.write("view", OTHER)
        expect(edge.ask("GET", "/metrics", VIEW)[0] == 200, "it changed without a reload")
        edge.reload()
        expect(edge.ask("GET", "/metrics", OTHER)[0] == 200 and edge.ask("GET", "/metrics", VIEW)[0] == 401, "the token is the old one")
        edge.write("view", "short")
        edge.reload()
        edge.says("reload refused")
        edge.says("admin.view-token: a token of at least 16 bytes")
        expect(edge.ask("GET", "/metrics", OTHER)[0] == 200, "a refused reload changed the token")
        expect(edge.ask("POST", "/api/v1/changes", OPERATE, body=json.dumps({"change": "weight", "instance": instance.address, "weight": 2}))[0]
               == 202, "a change does not work while the token's file is wrong")
        wait_for("it is in force", lambda: '"weight":2' in edge.ask("GET", "/api/v1/services", OTHER)[2])
        expect(edge.ask("GET", "/metrics", OTHER)[0] == 200, "a change at run time lost the token")


@case
def bad_tokens_do_not_start():
    with Instance() as instance:
        for text, env, words in ((VIEW, {}, "TEST_OPERATE is not set"), (VIEW, {"TEST_OPERATE": VIEW}, "are the same"),
                                 ("short", {"TEST_OPERATE": OPERATE}, "at least 16 bytes"),
                                 (None, {"TEST_OPERATE": OPERATE}, "admin.view-token: cannot read")):
            edge = Guarded(instance)
            if text is None:
                os.unlink(os.path.join(edge.folder, "view"))
            else:
                edge.write("view", text)
            try:
                edge.launch(env=env).ended(1, 60)
                expect(words in edge.said(), f"'{words}' is not in {edge.said()}")
            finally:
                edge.__exit__(kit.Wrong)


@case
def what_others_reach_needs_tls_and_tokens():
    with Instance() as instance:
        for admin, rules, words in (('"0.0.0.0:${admin}"', "", "needs TLS and tokens: listen.admin as { address"),
                                    (tls_admin(), "", "needs TLS and tokens: admin.view-token and admin.operate-token"),
                                    ('"0.0.0.0:${admin}"', TOKENS, "needs TLS and tokens: listen.admin as { address")):
            edge = Edge(yaml([instance], admin=admin, more=rules))
            code, said = edge.validate()
            expect(code == 1 and words in said, f"{code} {said}")
            edge.fails(words)
        edge = Guarded(instance, tls=True)
        code, said = edge.validate()  # TEST_OPERATE is not set here
        expect(code == 0, said)
        edge.write("a.key", "no key")
        code, said = edge.validate()
        expect(code == 1 and "a.key" in said, said)
        edge.write("view", "short")
        code, said = edge.validate()
        expect(code == 1 and "admin.view-token" in said, said)
        edge.fails("a.key")


# ---- TLS


@case
def the_admin_address_with_tls():
    with Instance() as instance, Guarded(instance, tls=True) as edge:
        edge.says(f"dashboard and API on https://0.0.0.0:{edge.admin}/")
        expect(edge.ask("GET", "/metrics")[0] == 401, "no token is asked for")
        expect(edge.ask("GET", "/metrics", VIEW)[0] == 200, "it does not answer")
        for host in ("127.0.0.1:1", "10.1.2.3", "ek.test"):
            expect(edge.ask("GET", "/metrics", VIEW, host=host)[0] == 200, f"{host} is not known")
        expect(edge.reason("GET", "/metrics", VIEW, host="evil.test") == (403, "host_not_known"), "any host is known")
        plain = connect(edge.admin)
        plain.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        expect(b"200" not in plain.rest(), "it answers without TLS")
        text = edge.admin_get("/metrics")[1]
        expect(re.search(r"^evenkeel_tls_certificate_valid_until_seconds\{.*\} 1[0-9.e+]+$", text, re.M), "its certificate is not told of")

        def shown():
            s = connect(edge.admin, context=insecure, name="localhost")
            try:
                return ssl.DER_cert_to_PEM_cert(s.sock.getpeercert(binary_form=True))
            finally:
                s.close()
        insecure = client_context(verify=False)
        before = shown()
        for kind in ("pem", "key"):
            with open(os.path.join(kit.certs.folder, f"b.{kind}")) as f:
                edge.write(f"a.{kind}", f.read())
        wait_for("the new certificate is shown", lambda: shown() != before)
        edge.says("the certificates of listen.admin changed")
        for kind in ("pem", "key"):
            with open(os.path.join(kit.certs.folder, f"a.{kind}")) as f:
                edge.write(f"a.{kind}", f.read())
        wait_for("the first certificate is shown again", lambda: shown() == before)


@case
def as_long_as_others_reach_it_it_asks():
    """A file without tokens is fine for a loopback address, which takes a restart: until then the tokens stay."""
    with Instance() as instance, Guarded(instance, tls=True) as edge:
        edge.reload(yaml([instance]))
        edge.says("these keys take a restart and stay as they were: listen.admin")
        expect(edge.ask("GET", "/metrics")[0] == 401, "nobody is asked for a token any more")
        expect(edge.ask("GET", "/metrics", VIEW)[0] == 200, "the token is forgotten")
        expect(edge.ask("GET", "/metrics", VIEW, host="10.1.2.3")[0] == 200, "its address is forgotten")


@case
def a_node_is_pulled_with_its_token_over_tls():
    with Instance() as instance, Guarded(instance, tls=True, more=JOURNEY) as one:
        peer = f"peers: [{{ address: \"https://localhost:{one.admin}\", ca: {kit.certs.pem('ca')}, token: {{ file: view }} }}]\n{JOURNEY}"
        with Guarded(instance, more=peer) as other:
            def state():
                return json.loads(other.admin_get("/api/v1/peers")[1])["peers"][0]
            wait_for("the peer is heard", lambda: state()["state"] == "heard")
            s = connect(one.http)
            s.get("/x")
            s.close()
            wait_for("what it counted is here", lambda: any(
                j["name"] == "browse" and j["counts"]["good"] == 1 for j in json.loads(other.admin_get("/api/v1/journeys")[1])["journeys"]))
            other.write("view", OTHER)
            wait_for("a wrong token is told", lambda: "401: it asks for another token" in (state()["error"] or ""))
            expect(OTHER not in other.said(), "the token is told")


# ---- browsers


def curl(edge, *args):
    """Follows nothing; status, head, body."""
    scheme = "https" if edge.secure else "http"
    done = subprocess.run(["curl", "-sS", "-i", "--cacert", kit.certs.pem("ca"), "-c", f"{edge.folder}/jar", "-b", f"{edge.folder}/jar",
                           *args[1:], f"{scheme}://localhost:{edge.admin}{args[0]}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    expect(done.returncode == 0, done.stdout)
    head, _, body = done.stdout.partition("\r\n\r\n" if "\r\n\r\n" in done.stdout else "\n\n")
    return int(head.split()[1]), head, body


def log_in_and_out(edge):
    status, head, body = curl(edge, "/")
    expect(status == 401 and 'action="/login"' in body and "<script" not in body, f"{status} {body}")
    expect('name="viewport"' in body and 'type="password"' in body, body)
    for field in ("Content-Security-Policy: default-src 'none'", "X-Frame-Options: DENY", "X-Content-Type-Options: nosniff",
                  "Cache-Control: no-store"):
        expect(field in head, f"{field} is not in {head}")
    status, head, body = curl(edge, "/login", "--data-urlencode", "token=not-this-0123456789&<b>")
    expect(status == 401 and "the token is not right" in body and "Set-Cookie" not in head, f"{status} {head} {body}")
    status, head, _ = curl(edge, "/login", "--data-urlencode", f"token= {VIEW} ")
    expect(status == 303 and "Location: /" in head, f"{status} {head}")
    cookie = re.search(r"Set-Cookie: (.*)", head)[1].strip()
    expect(re.fullmatch(r"__Host-evenkeel=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure" if edge.secure else
                        r"evenkeel=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200", cookie), cookie)
    status, head, body = curl(edge, "/")
    expect(status == 200 and 'action="/logout"' in body and "X-Frame-Options: DENY" in head, f"{status} {body[:300]}")
    expect(curl(edge, "/api/v1/journeys")[0] == 200, "the session is not for the API")
    status, _, body = curl(edge, "/api/v1/reload", "-H", "Content-Type: application/json", "-d", "{}")
    expect(status == 403 and "operate_token_needed" in body, f"{status} {body}")
    kept = re.search(r"(\S*evenkeel)\t(\w+)", open(f"{edge.folder}/jar").read())
    status, head, _ = curl(edge, "/logout", "-X", "POST")
    expect(status == 303 and "Max-Age=0" in head, f"{status} {head}")
    expect(curl(edge, "/")[0] == 401, "it is still in")
    expect(edge.ask("GET", "/", fields=f"Cookie: {kept[1]}={kept[2]}\r\n")[0] == 401, "the session lives on without its cookie")


@case
def a_browser_logs_in_and_out():
    with Instance() as instance, Guarded(instance) as edge:
        log_in_and_out(edge)


@case
def a_browser_logs_in_and_out_over_tls():
    with Instance() as instance, Guarded(instance, tls=True) as edge:
        log_in_and_out(edge)


@case
def a_session_that_operates():
    with Instance() as instance, Guarded(instance) as edge:
        form = "Content-Type: application/x-www-form-urlencoded\r\n"
        origin = f"Origin: http://localhost:{edge.admin}\r\n"
        host = f"localhost:{edge.admin}"
        for fields in (form + "Origin: http://evil.test\r\n", form + "Sec-Fetch-Site: cross-site\r\n", form + "Origin: null\r\n",
                       "Content-Type: text/plain\r\n"):
            expect(edge.reason("POST", "/login", fields=fields, body=f"token={OPERATE}", host=host) == (403, "not_this_page"), fields)
        status, head, _ = edge.ask("POST", "/login", fields=form + origin + "Sec-Fetch-Site: same-origin\r\n", body=f"x=1&token={OPERATE}", host=host)
        expect(status == 303, status)
        cookie = "Cookie: " + head["set-cookie"].split(";")[0] + "\r\n"
        expect(edge.ask("POST", "/api/v1/reload", fields=cookie + origin, body="{}", host=host)[0] == 202, "it changes nothing")
        expect(edge.ask("POST", "/api/v1/reload", fields=cookie + "Origin: http://evil.test\r\n", body="{}", host=host)[0] == 403,
               "a page of another site uses the session")
        expect(edge.ask("POST", "/logout", fields=cookie + "Origin: http://evil.test\r\n", body="", host=host)[0] == 403,
               "a page of another site logs out")
        edge.reload()
        expect(edge.ask("GET", "/metrics", fields=cookie)[0] == 200, "a reload ends the session though its token is the same")
        edge.write("view", OTHER)
        edge.reload()
        expect(edge.ask("GET", "/metrics", fields=cookie)[0] == 200, "another view token ends sessions of the operate token")
        edge.reload(edge.text(rules="admin: { view-token: { file: view }, operate-token: { file: operate } }\n"))
        edge.write("operate", "new-operate-0123456789")
        edge.reload()
        wait_for("the session ends with its token", lambda: edge.ask("GET", "/metrics", fields=cookie)[0] == 401)


# ---- the commands


@case
def commands_show_a_token():
    with Instance() as instance, Guarded(instance, tls=True) as edge:
        ca = ("--ca", kit.certs.pem("ca"))
        token = ("--token-file", os.path.join(edge.folder, "view"))
        code, said = edge.command("status", *ca, *token)
        expect(code == 0 and instance.address in said, f"{code} {said}")
        code, said = edge.command("status", *ca, env={"EVENKEEL_TOKEN": OPERATE}, admin=f"localhost:{edge.admin}")  # --ca means https
        expect(code == 0, said)
        code, said = edge.command("status", *ca)
        expect(code == 1 and "a token is needed" in said and "--token-file FILE or EVENKEEL_TOKEN" in said, said)
        code, said = edge.command("status", *ca, env={"EVENKEEL_TOKEN": OTHER})
        expect(code == 1 and "the token is not right" in said and OTHER not in said, said)
        code, said = edge.command("drain", instance.address, "--force", *ca, *token)
        expect(code == 1 and "it takes the operate token" in said, said)
        code, said = edge.command("reload", *ca, *token)
        expect(code == 1 and "it takes the operate token" in said, said)
        code, said = edge.command("drain", instance.address, "--force", *ca, env={"EVENKEEL_TOKEN": OPERATE})
        expect(code == 0, said)
        code, said = edge.command("status", *token)
        expect(code == 1 and "the certificate of https://localhost" in said and "--ca FILE" in said, said)
        code, said = edge.command("status", "--ca", "/nowhere.pem", *token)
        expect(code == 1 and "--ca /nowhere.pem cannot be used" in said, said)
        code, said = edge.command("status", admin=f"localhost:{edge.admin}")
        expect(code == 1 and "--admin https://HOST:PORT" in said, said)
        code, said = edge.command("status", *token, admin="192.0.2.1:9900")
        expect(code == 1 and "in the clear" in said, said)
        code, said = edge.command("status", *ca, "--token-file", "/nowhere")
        expect(code == 1 and "cannot read the token /nowhere" in said, said)
        code, said = edge.command("status", *ca, admin=f"https://b.test@localhost:{edge.admin}")
        expect(code == 1 and "--admin" in said, said)
        code, said = edge.command("status", "--token", OPERATE)
        expect(code != 0 and "'--token' requires" not in said, f"--token takes a token: {said}")


@case
def commands_use_a_unix_socket():
    with Instance() as instance:
        path = f"{os.path.join(kit.certs.folder, 'ek.sock')}"
        edge = Edge(yaml([instance], admin=f"\"unix:{path}\""))

        def status():
            done = subprocess.run([kit.binary, "status", "--admin", f"unix:{path}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=60)
            return done.returncode == 0 and instance.address in done.stdout
        try:
            edge.launch()
            wait_for("the command shows it", status)
            edge.stop()
        finally:
            edge.__exit__(kit.Wrong)
