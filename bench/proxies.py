# SPDX-License-Identifier: Apache-2.0
# proxies : what bench and slow_clients measure: relay, nginx, HAProxy and evenkeel before one origin, each with one
# worker, kept upstream connections and limits that are not reached. A TLS proxy is the same one with the other listener.
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "test"))
from ports import free_port  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
BUILD = os.path.join(ROOT, "build")
TOOLS = os.path.join(BUILD, "bench")
EVENKEEL_PROGRAM = os.environ.get("EVENKEEL", os.path.join(BUILD, "release", "evenkeel"))
PROXY_CORE, OTHER_CORE = 0, 1
DESCRIPTORS = 100000  # enough for everything here, where it may be had

# Buffers such that no body touches a file, and answers of 64 KiB cost nginx half of what its own defaults do.
NGINX = """worker_processes 1; daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/nginx.log;
events {{ worker_connections {twice}; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  client_max_body_size 1m; client_body_buffer_size 64k; proxy_max_temp_file_size 0;
  proxy_buffer_size 4k; proxy_buffers 8 16k; proxy_busy_buffers_size 64k;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
  server {{ {listen}
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}
"""
NGINX_LISTEN = {False: "listen 127.0.0.1:{port} backlog=4096;",
                True: """listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {dir}/cert.pem;
    ssl_certificate_key {dir}/key.pem; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off;"""}

HAPROXY = """global
  nbthread 1
  maxconn {haproxy_most}
  tune.ssl.cachesize 0
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:{port} backlog 4096{listen}
  maxconn {haproxy_most}
  default_backend b
backend b
  server origin 127.0.0.1:{origin}
"""
HAPROXY_LISTEN = {False: "", True: " ssl crt {dir}/both.pem"}

EVENKEEL = """listen: {{ {listen}, admin: "127.0.0.1:{admin}" }}
store: {dir}/evenkeel-{port}.db
workers: 1
log: {{ level: warn{access} }}
limits: {{ connections: {connections}{limits} }}
services: {{ app: {{ instances: ["127.0.0.1:{origin}"] }} }}
{more}routes:
  - {{ path: /export/*, service: app, timeout: {{ head: 2m }} }}
  - {{ method: POST, path: /checkout, service: app }}
  - {{ path: "/product/{{id}}", service: app }}
  - {{ path: /static/*, service: app }}
  - {{ path: /*, service: app }}
journeys:
  account: {{ routes: [POST /login, POST /signup], objectives: {{ available: {{ target: 99.9% }}, fast: {{ target: 95%, under: 300ms }} }} }}
  checkout: {{ routes: [POST /cart, POST /checkout], objectives: {{ available: {{ target: 99.9% }}, fast: {{ target: 95%, under: 300ms }} }} }}
  product: {{ routes: ["GET /product/{{id}}"], objectives: {{ available: {{ target: 99.9% }}, fast: {{ target: 95%, under: 300ms }} }} }}
{journeys}  browse: {{ routes: ["/*"], objectives: {{ available: {{ target: 99.9% }}, fast: {{ target: 95%, under: 300ms }} }} }}
"""
# This program may be older than a key here; then the next is tried.
EVENKEEL_TLS = 'https: {{ address: "127.0.0.1:{port}", certificate: {dir}/cert.pem, key: {dir}/key.pem }}'
EVENKEEL_LISTEN = {False: ['http: "127.0.0.1:{port}"'],
                   True: [EVENKEEL_TLS, 'http: "127.0.0.1:{http}", ' + EVENKEEL_TLS]}
EVENKEEL_ACCESS = {False: [""], True: [", access: {dir}/access.jsonl", ""]}


class Refused(Exception):
    """This evenkeel does not take the configuration; the message is its own."""


def raise_descriptors():
    """As far as we may, for us and whom we start. Returns the limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for most in (max(hard, DESCRIPTORS), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            return most
        except (ValueError, OSError):
            pass
    return hard


def pin(core):
    return (lambda: os.sched_setaffinity(0, {core})) if os.cpu_count() > 1 else None


def wait_listening(port, process, what):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{what} ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"{what} does not listen on port {port}")


def program(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def make_certificate(folder):
    """cert.pem, key.pem and, for HAProxy, both.pem."""
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                           "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"openssl could not make a certificate: {done.stdout}")
    with open(f"{folder}/both.pem", "w") as both:
        for name in ("cert", "key"):
            with open(f"{folder}/{name}.pem") as part:
                both.write(part.read())


def start_origin(awake=False):
    port = free_port()
    process = subprocess.Popen([os.path.join(TOOLS, "origin"), *(["--awake"] if awake else []), str(port)], preexec_fn=pin(OTHER_CORE))
    wait_listening(port, process, "origin")
    return process, port


def end_origin(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


class Proxy:
    def __init__(self, name, folder, origin, tls=False, everything=False, connections=4096, limits="", more="", journeys=""):
        self.name, self.port, self.folder = name, free_port(), folder
        self.access = None
        self.names = dict(dir=folder, port=self.port, origin=origin, admin=free_port(), http=free_port(), access="",
                          connections=connections, limits=limits, more=more, journeys=journeys, twice=2 * connections,
                          haproxy_most=min(connections, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100))
        self.path = os.path.join(folder, f"{name}-{self.port}.conf")
        if name == "nginx":
            self.write(NGINX, NGINX_LISTEN[tls])
        elif name == "haproxy":
            self.write(HAPROXY, HAPROXY_LISTEN[tls])
        elif name == "evenkeel":
            self.configure_evenkeel(tls, everything)
        self.start()

    def write(self, text, listen):
        with open(self.path, "w") as f:
            f.write(text.format(**dict(self.names, listen=listen.format(**self.names))))

    def configure_evenkeel(self, tls, everything):
        """The fullest configuration that this evenkeel takes."""
        for access in EVENKEEL_ACCESS[everything]:
            for listen in EVENKEEL_LISTEN[tls]:
                self.names["access"] = access.format(**self.names)
                self.write(EVENKEEL, listen)
                done = subprocess.run([EVENKEEL_PROGRAM, "validate", "-c", self.path], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                if done.returncode == 0:
                    self.access = os.path.join(self.folder, "access.jsonl") if access else None
                    if everything and not access:
                        print("  evenkeel without access log: this one does not take log.access")
                    return
        raise Refused(done.stdout.strip())

    def start(self):
        origin = str(self.names["origin"])
        command = {"relay": [os.path.join(TOOLS, "relay"), str(self.port), origin],
                   "nginx": [program("nginx"), "-c", self.path, "-p", self.folder],
                   "haproxy": [program("haproxy"), "-q", "-f", self.path],
                   "evenkeel": [EVENKEEL_PROGRAM, "run", "-c", self.path]}[self.name]
        if command[0] is None:
            sys.exit(f"{self.name} is not installed; `make deps` installs it")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL if self.name != "evenkeel" else None,
                                        preexec_fn=pin(PROXY_CORE))
        wait_listening(self.port, self.process, self.name)

    def cpu_ns(self):
        total = 0
        tasks = f"/proc/{self.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        return total

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def forget_log(self):
        """Written lines have cost what they cost; the disk need not keep them."""
        if self.access and os.path.exists(self.access):
            os.truncate(self.access, 0)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def load_command(port, connections, seconds, rate, path, options):
    return [os.path.join(TOOLS, "load"), *options, str(port), str(connections), str(seconds), str(rate), path]


def result_of(line, port):
    if not line.startswith("{"):
        sys.exit(f"the load generator failed on port {port}")
    result = json.loads(line)
    if result["errors"]:
        sys.exit(f"{result['errors']} wrong answers through port {port}")
    return result


def load(port, connections, seconds, rate, path="/", options=()):
    done = subprocess.run(load_command(port, connections, seconds, rate, path, options), stdout=subprocess.PIPE, text=True,
                          preexec_fn=pin(OTHER_CORE))
    return result_of(done.stdout, port)


def load_awake(proxy, connections, seconds, rate, path="/", options=()):
    """The same by who never sleeps, and what the proxy's CPU time was meanwhile: of the exchanges alone, not of connecting and closing."""
    process = subprocess.Popen(load_command(proxy.port, connections, seconds, rate, path, ["--awake", "--told", *options]),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin(OTHER_CORE))
    process.stdout.readline()
    before = proxy.cpu_ns()
    process.stdin.write("begin\n")
    process.stdin.flush()
    line = process.stdout.readline()
    used = proxy.cpu_ns() - before
    process.communicate()
    result = result_of(line, proxy.port)
    result["cpu_us"] = used / 1000 / max(1, result["done"])
    return result
