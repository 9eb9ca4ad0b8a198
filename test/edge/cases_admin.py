# SPDX-License-Identifier: Apache-2.0
# cases_admin.py - the admin API against its description: src/control/openapi.json tells of every row of api_table.h, and real
# answers are what it says, without a field that it does not know.
import json
import os
import re
import sys
import urllib.parse

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian puts it, whichever python3 this is
import jsonschema  # noqa: E402
from kit import ROOT, Edge, Instance, case, connect, expect, free_port, wait_for, yaml  # noqa: E402

JOURNEY = ("identity: { user: 'cookie:uid' }\njourneys: { flow: { steps: [GET /x, GET /y], objectives: { done: { target: 90% } } }, browse: { owner: shop, runbook: 'https://wiki.test/browse', routes: [GET /*], objectives: "
           "{ available: { target: 99.9% }, fast: { target: 95%, under: 300ms } } } }")
ADVICE = "describe it in src/control/openapi.json"


def rows():
    """Method, path with stars, right: as api_table.h has them."""
    with open(os.path.join(ROOT, "src", "control", "api_table.h")) as f:
        found = re.findall(r'X\("([A-Z]+)",\s*"([^"]+)",\s*(OPEN|VIEW|CHANGE)', f.read())
    expect(len(found) > 10, "the rows of api_table.h are not understood")
    return found


def description():
    with open(os.path.join(ROOT, "src", "control", "openapi.json")) as f:
        return json.load(f)


def operations(doc):
    """By method and path with stars."""
    return {(method.upper(), re.sub(r"\{[^}]*\}", "*", path)): (path, op)
            for path, ops in doc["paths"].items() for method, op in ops.items()}


def strict(node):
    """OpenAPI's words in those of JSON Schema; and no field that is not described."""
    if isinstance(node, list):
        return [strict(n) for n in node]
    if not isinstance(node, dict):
        return node
    out = {k: strict(v) for k, v in node.items() if k != "nullable"}
    if node.get("nullable"):
        out["type"] = [node["type"], "null"]
        if "enum" in node:
            out["enum"] = node["enum"] + [None]
    if node.get("type") == "object" and "properties" in node:
        out["additionalProperties"] = False
    return out


def ask(edge, method, path, body=None):
    """status, media type, body"""
    s = connect(edge.admin)
    try:
        fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body is not None else ""
        s.send(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Connection: close\r\n\r\n{body or ''}")
        status, head, answer = s.answer()
    finally:
        s.close()
    return status, head.get("content-type", ""), answer.decode()


class Judge:
    """Holds answers against the description."""

    def __init__(self, edge):
        self.edge, self.doc, self.faults = edge, description(), []
        self.schemas = strict(self.doc["components"]["schemas"])
        self.operations = operations(self.doc)

    def fault(self, words):
        self.faults.append(words)

    def path_of(self, path, op):
        """With the examples of its parameters in place."""
        query = {}
        for p in op.get("parameters", []):
            if p["in"] == "path":
                path = path.replace("{%s}" % p["name"], urllib.parse.quote(str(p["example"]), safe=""))
            else:
                query[p["name"]] = p["example"]
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def check(self, method, row, path=None, body=None, expected=None):
        """Asks, and compares; the JSON of the answer, or None."""
        if (method, row) not in self.operations:
            self.fault(f"{method} {row} is not described; {ADVICE}")
            return None
        described, op = self.operations[(method, row)]
        path = path or self.path_of(described, op)
        status, media, text = ask(self.edge, method, path, body)
        name = f"{method} {path}"
        if expected and status != expected:
            self.fault(f"{name} answered {status}, not {expected}: {text[:200]}")
        answer = op["responses"].get(str(status))
        if not answer:
            self.fault(f"{name} answered {status}, which is not described: {text[:200]}; {ADVICE}")
            return None
        kind = media.split(";")[0]
        if kind not in answer["content"]:
            self.fault(f"{name} answered {status} as {kind}; described is {' '.join(answer['content'])}; {ADVICE}")
            return None
        if kind != "application/json":
            return None
        parsed = json.loads(text)
        schema = strict(answer["content"][kind]["schema"])
        validator = jsonschema.Draft202012Validator({**schema, "components": {"schemas": self.schemas}})
        for e in sorted(validator.iter_errors(parsed), key=lambda e: list(map(str, e.absolute_path)))[:5]:
            where = "/".join(map(str, e.absolute_path)) or "the whole"
            self.fault(f"{name} answered {status}; at {where}: {e.message[:200]}; {ADVICE}")
        return parsed

    def end(self):
        expect(not self.faults, "\n  ".join(["answers are not as described:", *self.faults]))


@case
def every_address_is_described():
    described = operations(description())
    have = {(method, path): right for method, path, right in rows()}
    missing = [f"{m} {p}" for m, p in have if (m, p) not in described]
    stale = [f"{m} {p}" for m, p in described if (m, p) not in have]
    expect(not missing, f"rows of api_table.h without a description: {', '.join(missing)}; {ADVICE}")
    expect(not stale, f"described, but no row of api_table.h: {', '.join(stale)}")
    for key, right in have.items():
        path, op = described[key]
        expect(op["tags"] == [right.lower()], f"{key}: its tag is {op['tags']}, its right {right}")
        stars = [p["name"] for p in op.get("parameters", []) if p["in"] == "path"]
        expect(stars == re.findall(r"\{([^}]*)\}", path), f"{key}: its path's parameters are described as {stars}")
        for p in op.get("parameters", []):
            jsonschema.Draft202012Validator(strict(p["schema"])).validate(p["example"])


@case
def the_description_holds_together():
    """Every schema is one, every reference leads to one, and none is left over."""
    doc = description()
    schemas = doc["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(doc)))
    expect(used == set(schemas), f"referred to or defined only: {sorted(used ^ set(schemas))}")
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(strict(schema))
        for field in schema.get("required", []):
            expect(field in schema["properties"], f"{name} needs {field}, which it does not describe")


@case
def answers_are_as_described():
    """With traffic, a peer that is silent, an instance that is down, a change and a reload: most of what can be null is not."""
    dead = f"127.0.0.1:{free_port()}"
    more = f"peers: [\"127.0.0.1:{free_port()}\"]\n{JOURNEY}"
    with Instance() as good, Edge(yaml([good, dead], checks="health: { interval: 200ms }, ", more=more)) as edge:
        judge = Judge(edge)
        for _ in range(20):
            s = connect(edge.http)
            s.get("/x")
            s.close()
        wait_for("the store has counts", lambda: json.loads(ask(edge, "GET", "/api/v1/journeys")[2])["stored_at"])
        wish = json.dumps({"change": "weight", "instance": good.address, "weight": 3, "who": "me", "why": "try", "for_s": 600})
        made = judge.check("POST", "/api/v1/changes", body=wish, expected=202)
        judge.check("POST", "/api/v1/reload", body="{}", expected=202)
        wait_for("the reload is over", lambda: json.loads(ask(edge, "GET", "/api/v1/reload")[2])["last"])
        judge.check("POST", "/api/v1/backup", body=json.dumps({"path": os.path.join(edge.folder, "copy.db")}), expected=202)
        wait_for("the backup is over", lambda: json.loads(ask(edge, "GET", "/api/v1/backup")[2])["state"] == "done")
        for method, row, _ in rows():
            if method == "GET" and row != "/api/v1/events":  # which has no end
                judge.check("GET", row, expected=303 if row == "/login" else 200)  # no token is asked for here
        # of all nodes, without the one that is silent
        for what in ("history", "what-if?under_s=0.25"):
            row = "/api/v1/journeys/*/" + what.split("?")[0]
            told = judge.check("GET", row, "/api/v1/journeys/browse/" + what, expected=200)
            expect(told["nodes"] == 2 and len(told["nodes_missing"]) == 1 and told["nodes_missing"][0]["why"], told["nodes_missing"])
        known = judge.check("GET", "/api/v1/journeys")
        expect([j["name"] for j in known["journeys"]][:2] == ["flow", "browse"], "the journey is not there")
        judge.check("DELETE", "/api/v1/changes/*", f"/api/v1/changes/{made['id']}", body="{}", expected=202)
        judge.end()


@case
def refusals_are_as_described():
    with Instance() as good, Edge(yaml([good], more=JOURNEY)) as edge:
        judge = Judge(edge)
        history, what_if = "/api/v1/journeys/*/history", "/api/v1/journeys/*/what-if"
        judge.check("GET", history, "/api/v1/journeys/nobody/history", expected=404)
        judge.check("GET", history, "/api/v1/journeys/browse/history?points=1", expected=400)
        judge.check("GET", history, "/api/v1/journeys/browse/history?what=1", expected=400)
        judge.check("GET", what_if, "/api/v1/journeys/browse/what-if", expected=400)
        judge.check("GET", "/api/v1/events", "/api/v1/events?kinds=everything", expected=400)
        judge.check("GET", "/api/v1/changes/history", "/api/v1/changes/history?limit=0", expected=400)
        judge.check("POST", "/api/v1/reload", body='{"how": "fast"}', expected=400)
        dimensions = "/api/v1/journeys/*/dimensions"
        judge.check("GET", dimensions, "/api/v1/journeys/nobody/dimensions", expected=404)
        judge.check("GET", dimensions, "/api/v1/journeys/browse/dimensions?window=2h", expected=400)
        judge.check("GET", dimensions, "/api/v1/journeys/browse/dimensions?dimension=colour", expected=400)
        judge.check("POST", "/api/v1/changes", body="no JSON", expected=400)
        judge.check("POST", "/api/v1/changes", body='{"change": "explode", "instance": "a"}', expected=400)
        judge.check("POST", "/api/v1/changes", body='{"change": "drain", "instance": "127.0.0.9:9"}', expected=404)
        judge.check("POST", "/api/v1/changes", body=json.dumps({"change": "drain", "instance": good.address}), expected=409)
        judge.check("POST", "/api/v1/backup", body='{"path": "here"}', expected=400)
        judge.check("POST", "/api/v1/reload", expected=403)
        judge.check("DELETE", "/api/v1/changes/*", "/api/v1/changes/77", body="{}", expected=404)
        judge.end()


@case
def the_description_is_served():
    with Instance() as good, Edge(yaml([good])) as edge:
        status, media, text = ask(edge, "GET", "/api/v1/openapi.json")
        expect((status, media) == (200, "application/json"), f"it answered {status} as {media}")
        expect(json.loads(text) == description(), "another description is served than the one in the tree")


@case
def pages_of_other_sites_change_nothing():
    with Instance() as instance, Edge(yaml([instance])) as edge:
        def ask(fields):
            s = connect(edge.admin)
            try:
                s.send(f"POST /api/v1/reload HTTP/1.1\r\nHost: 127.0.0.1:{edge.admin}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                       f"Connection: close\r\n{fields}\r\n{{}}")
                status, _, body = s.answer()
                return status, body.decode()
            finally:
                s.close()

        for fields in ("Origin: http://evil.test\r\n", "Origin: null\r\n", "Origin: http://127.0.0.1:1\r\n", "Origin: http://\r\n",
                       f"Origin: ftp://127.0.0.1:{edge.admin}\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"):
            status, body = ask(fields)
            expect(status == 403 and "another site" in body, f"{fields!r}: {status} {body}")
        for fields in ("", f"Origin: http://127.0.0.1:{edge.admin}\r\nSec-Fetch-Site: same-origin\r\n", "Sec-Fetch-Site: none\r\n"):
            status, body = ask(fields)
            expect(status == 202, f"{fields!r}: {status} {body}")
