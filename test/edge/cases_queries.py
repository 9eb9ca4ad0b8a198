# SPDX-License-Identifier: Apache-2.0
# cases_queries.py - jobs that a real PostgreSQL knows of: each is counted once, when it ended, over runs, restarts and kills; how old
# what waits is; and queries that fail, in each way that we could think of, stop nothing.
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import kit
from cases_admin import ask
from kit import ROOT, Edge, Instance, Wrong, case, connect, expect, wait_for, yaml

SQL = ("SELECT id, CASE state WHEN 'ok' THEN 'good' WHEN 'bad' THEN 'failed' END AS outcome, "
       "extract(epoch FROM finished - started) AS seconds, finished AS at FROM jobs WHERE finished > now() - interval '5 hours' OR finished IS NULL")
OLDEST = "SELECT extract(epoch FROM now() - min(since)) FROM queue"


class Database:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="evenkeel-pg-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.start()
        self.run("CREATE TABLE jobs(id serial PRIMARY KEY, state text, started timestamptz, finished timestamptz);"
                 "CREATE TABLE queue(since timestamptz)")
        return self

    def start(self):
        said = subprocess.run([os.path.join(ROOT, "tools", "postgres"), "start", os.path.join(self.folder, "pg")], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        expect(said.returncode == 0, said.stdout + said.stderr)
        self.host = dict(line.split("=", 1) for line in said.stdout.split())["PGHOST"]
        self.text = f"host={self.host} dbname=postgres user=shop"

    def stop(self):
        subprocess.run([os.path.join(ROOT, "tools", "postgres"), "stop", os.path.join(self.folder, "pg")], check=True)

    def run(self, sql):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.text, "-c", sql], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        expect(done.returncode == 0, done.stderr)

    def job(self, state, seconds=1, ago=0, finished=True):
        at = f"now() - interval '{ago} seconds'"
        self.run(f"INSERT INTO jobs(state, started, finished) VALUES({state!r}, {at} - interval '{seconds} seconds', "
                 f"{at if finished else 'NULL'})")

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def journeys(db, sql=SQL, oldest=OLDEST, more="", database=None):
    query = f"database: \"{database or db.text}\", every: 1s"
    query += f", sql: \"{sql}\"" if sql else ""
    query += f", oldest: \"{oldest}\"" if oldest else ""
    fresh = ", fresh: { target: 50%, age-under: 60s }" if oldest else ""
    return (f"journeys: {{ mail: {{ kind: job, query: {{ {query}{more} }}, objectives: {{ done: {{ target: 90% }}, "
            f"soon: {{ target: 50%, under: 10s }}{fresh} }} }} }}")


def mail(edge):
    return json.loads(ask(edge, "GET", "/api/v1/journeys")[2])["journeys"][0]


def wait_counts(edge, **wanted):
    try:
        wait_for("counts", lambda: all(mail(edge)["counts"][k] == n for k, n in wanted.items()), 15)
    except Wrong:
        raise Wrong(f"wanted {wanted}; it says {mail(edge)['counts']}, {mail(edge)['query']}: {edge.said()[-500:]}")


def runs_on(edge, times=2):
    """Some more runs, all of them good."""
    before = mail(edge)["query"]["runs"]
    wait_for("it is asked again", lambda: mail(edge)["query"]["runs"] >= before + times)
    expect(mail(edge)["query"]["error"] is None, mail(edge)["query"])


@case
def jobs_are_read_from_a_database():
    with Database() as db, Instance() as app:
        db.job("bad", ago=120)  # before there was a journey
        with Edge(yaml([app], more=journeys(db))) as edge:
            runs_on(edge)
            wait_counts(edge, good=0, failed=0)
            db.job("ok"), db.job("ok", seconds=20), db.job("bad"), db.job("ok", finished=False), db.job("going on")
            wait_counts(edge, good=1, slow=1, failed=1, excluded=0)
            runs_on(edge)
            wait_counts(edge, good=1, slow=1, failed=1, excluded=0)
            db.run("UPDATE jobs SET finished = now() WHERE finished IS NULL")
            wait_counts(edge, good=2, slow=1, failed=1)
            expect(mail(edge)["query"]["counted"] == 4, mail(edge)["query"])
            wait_for("all of it is stored", lambda: time.sleep(2.1) or True)
            edge.stop()
            time.sleep(1.5)
            db.job("ok"), db.job("bad", ago=1)  # while nobody looks
            time.sleep(1)
            edge.start()
            wait_counts(edge, good=3, slow=1, failed=2)
            runs_on(edge)
            wait_counts(edge, good=3, slow=1, failed=2)
            time.sleep(2.1)  # seconds in which it is stored
            edge.process.kill()
            edge.process.wait()
            edge.start()
            runs_on(edge)
            wait_counts(edge, good=3, slow=1, failed=2)
            # a reload that lets the journey be keeps what is known
            edge.process.send_signal(signal.SIGHUP)
            runs_on(edge)
            wait_counts(edge, good=3, slow=1, failed=2)
            windows = {w["window"]: w["bad"] for w in mail(edge)["objectives"][0]["windows"]}
            expect(windows["5m"] == 2 and windows["28d"] == 2, windows)


@case
def jobs_count_when_they_ended():
    with Database() as db, Instance() as app, Edge(yaml([app], more=journeys(db, oldest=None))) as edge:
        runs_on(edge)
        # rows that come late, of jobs that ended within our time, and one that nobody can place any more
        time.sleep(12)
        db.job("ok", ago=10)
        wait_counts(edge, good=1)
        expect(mail(edge)["objectives"][0]["windows"][0]["good"] == 1, "it is in no window")


@case
def what_waits_has_an_age():
    with Database() as db, Instance() as app, Edge(yaml([app], more=journeys(db, sql=None))) as edge:
        def fresh():
            return next(o for o in mail(edge)["objectives"] if o["name"] == "fresh")
        wait_for("an empty queue is fresh", lambda: fresh()["good"] >= 2 and fresh()["bad"] == 0)
        expect(mail(edge)["query"]["oldest_s"] == 0 and fresh()["age_under_s"] == 60 and fresh()["under_s"] is None, mail(edge))
        db.run("INSERT INTO queue VALUES(now() - interval '30 seconds'), (now())")
        wait_for("it is 30 s old", lambda: 30 <= mail(edge)["query"]["oldest_s"] < 45)
        expect(fresh()["bad"] == 0, fresh())
        db.run("UPDATE queue SET since = now() - interval '1 hour'")
        wait_for("it is too old", lambda: fresh()["bad"] >= 2)
        expect(mail(edge)["counts"] == {"good": 0, "slow": 0, "failed": 0, "excluded": 0}, "an age is no job")
        expect(next(o for o in mail(edge)["objectives"] if o["name"] == "done")["met"] is None, "done counts ages")
        metrics = ask(edge, "GET", "/metrics")[2]
        expect('evenkeel_journey_oldest_job_age_seconds{journey="mail"' in metrics, "no metric of the age")
        expect('evenkeel_journey_query_up{journey="mail"' in metrics, "no metric of the query")
        told = subprocess.run([kit.binary, "status", "--admin", f"127.0.0.1:{edge.admin}"], capture_output=True, text=True).stdout
        expect("younger than 60 s" in told and "the oldest job waits for" in told, told)
        expect("the oldest job waits for" in ask(edge, "GET", "/")[2], "the page does not tell it")


def failing(edge, text):
    try:
        wait_for("it fails", lambda: text in (mail(edge)["query"]["error"] or ""), 15)
    except Wrong:
        raise Wrong(f"it does not say '{text}': {mail(edge)['query']}")


@case
def a_query_that_fails_stops_nothing():
    with Database() as db, Instance() as app, Edge(yaml([app], more=journeys(db))) as edge:
        db.job("ok")
        wait_counts(edge, good=1)
        db.run("ALTER TABLE jobs RENAME TO other")
        failing(edge, 'sql: ERROR:  relation "jobs" does not exist')
        expect('evenkeel_journey_query_up{journey="mail"' in ask(edge, "GET", "/metrics")[2], "no metric")
        told = subprocess.run([kit.binary, "status", "--admin", f"127.0.0.1:{edge.admin}"], capture_output=True, text=True).stdout
        expect("fails: sql: ERROR:  relation" in told, told)
        s = connect(edge.http)
        expect(s.get("/")[0] == 200, "serving has stopped")
        s.close()

        def measured():
            return next(w for w in mail(edge)["objectives"][0]["windows"] if w["window"] == "5m")["measured_s"]

        def grows():
            before = measured()
            time.sleep(3)
            return measured() - before > 1.5
        wait_for("time in which nothing is known is not measured", lambda: not grows())
        db.run("ALTER TABLE other RENAME TO jobs")
        db.job("ok")
        wait_counts(edge, good=2)
        runs_on(edge)
        wait_for("it is measured again", grows)
        db.stop()
        failing(edge, "cannot connect")
        db.start()
        db.job("bad")
        wait_counts(edge, good=2, failed=1)


@case
def queries_that_are_wrong():
    rows = "SELECT g AS id, 'good' AS outcome, 1 AS seconds, now() AS at FROM generate_series(1, 10001) g"
    with Database() as db, Instance() as app:
        for sql, text in [
                ("INSERT INTO jobs(state) VALUES('x') RETURNING id, state AS outcome, 1 AS seconds, now() AS at", "read-only transaction"),
                ("SELECT 1 AS id", "it has no column 'outcome'"),
                ("SELECT 1 AS id, 'fine' AS outcome, 1 AS seconds, now() AS at", "its outcome is 'fine'"),
                ("SELECT 1 AS id, 'good' AS outcome, NULL AS seconds, now() AS at", "needs seconds"),
                ("SELECT 1 AS id, 'good' AS outcome, interval '1 minute' AS seconds, now() AS at", "extract(epoch from"),
                ("SELECT 1 AS id, 'good' AS outcome, 1 AS seconds, localtimestamp AS at", "timestamp with time zone"),
                (rows, "more than 10000 rows"),
                ("SELECT 1 AS id, 'good' AS outcome, 1 AS seconds, now() AS at FROM pg_sleep(4)", "statement timeout"),
                ("SELECT 1; SELECT 2", "cannot insert multiple commands"),
                ("nonsense", "syntax error")]:
            with Edge(yaml([app], more=journeys(db, sql, oldest=None, more=", timeout: 500ms"))) as edge:
                failing(edge, text)
                expect(mail(edge)["counts"]["good"] == 0, mail(edge))


@case
def a_database_that_says_nothing():
    """It takes connections and is silent: a deadline ends that, and stopping does not wait for it."""
    silent = socket.create_server(("127.0.0.1", 0))
    database = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=a user=a"
    with Instance() as app, Edge(yaml([app], more=journeys(None, database=database, more=", timeout: 1s"))) as edge:
        failing(edge, "connecting takes longer than 1 s")
        expect("evenkeel" in ask(edge, "GET", "/")[2], "the page does not come")
        edge.stop()
        with open(edge.file) as f:
            text = f.read()
        with open(edge.file, "w") as f:
            f.write(text.replace("timeout: 1s", "timeout: 60s"))
        edge.start()
        time.sleep(1.5)  # it is being asked
        began = time.monotonic()
        edge.stop()
        expect(time.monotonic() - began < 10, "stopping waits for the database")
    silent.close()


@case
def files_that_say_queries_wrongly():
    head = "listen: { http: 127.0.0.1:8080 }\nservices: { app: { instances: [127.0.0.1:1] } }\n"
    for text, said in [
            ("journeys: { j: { kind: job, query: { database: 'dbname=a' } } }", "a query needs `sql`"),
            ("journeys: { j: { kind: job, query: { sql: 'SELECT 1' } } }", "'database' is missing"),
            ("journeys: { j: { kind: job, query: { database: 'dbname a', sql: 'SELECT 1' } } }", "no connection string of PostgreSQL"),
            ("journeys: { j: { kind: job, query: { database: 'colour=a', sql: 'SELECT 1' } } }", "colour"),
            ("journeys: { j: { routes: [/a], query: { database: 'dbname=a', sql: 'SELECT 1' } } }", "'query' is about jobs"),
            ("journeys: { j: { kind: job, objectives: { o: { target: 9%, age-under: 5m } } } }", "'age-under' needs query.oldest"),
            ("journeys: { j: { kind: job, query: { database: 'dbname=a', oldest: 'SELECT 1' }, objectives: { o: { target: 9%, under: 1s, age-under: 5m } } } }",
             "make two objectives of it"),
            ("journeys: { j: { kind: job, query: { database: 'dbname=a', sql: 'SELECT 1', password: { file: a, env: b } } } }", "one of them"),
            ("journeys: { j: { kind: job, query: { database: 'dbname=a', sql: 'SELECT 1', every: 10ms } } }", "1s")]:
        done = subprocess.run([kit.binary, "validate", "-c", "/dev/stdin"], input=head + text + "\n", capture_output=True, text=True)
        expect(done.returncode == 1 and said in done.stdout + done.stderr, f"{text}: {done.returncode} {done.stdout}{done.stderr}")
    good = "journeys: { j: { kind: job, query: { database: 'dbname=a password=b', sql: 'SELECT 1' } } }"
    done = subprocess.run([kit.binary, "validate", "-c", "/dev/stdin"], input=head + good + "\n", capture_output=True, text=True)
    expect(done.returncode == 0 and "everybody who may read the file" in done.stdout + done.stderr, f"{done.stdout}{done.stderr}")
