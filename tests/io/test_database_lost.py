"""PostgreSQL restarts, crashes, hangs and loses connections. Rule: a client gets the right answer or a 503 that says when
to come back, within five seconds; and what a 503 says about a write is true."""

import os
import signal
import threading
import time
import uuid

import pytest
import requests
from harness.client import problem
from harness.load import PAUSE_SECONDS
from harness.proxy import Proxy, Rule
from harness.wire import Wire, statuses

LONGEST_SECONDS = 30  # well before the client gives up
UNAVAILABLE = {"database_unavailable", "busy", "timeout", "conflict_retry", "outcome_unknown"}
LIBRARY = {"name": "Perpustakaan Percobaan", "kind": "village", "region_code": "19.01.06.2001"}


def sql(cluster, database, text, *values):
    with cluster.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def libraries(api, **where):
    ((column, value),) = where.items()
    return sql(api.service.cluster, api.service.database, f"SELECT count(*) FROM library WHERE {column} = %s", value)[0][0]


def works(api):
    return api.get("/v1/regions/19.01").status_code == 200


class Load:
    """Clients that go on asking and note what they got. It notes everything that is not as it may be."""

    def __init__(self, api, readers=3):
        self.api, self.wrong, self.slowest = api, [], 0.0
        self.good, self.unavailable = 0, 0
        self.stored, self.not_stored = set(), set()
        self.done = threading.Event()
        self.tokens = {role: api.token(role) for role in ("portal", "national_admin")}
        self.expected = {path: api.get(path).content for path in ("/v1/regions/19.01", "/v1/regions?parent=19")}
        self.threads = [threading.Thread(target=self.read) for _ in range(readers)] + [threading.Thread(target=self.write)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join(2 * LONGEST_SECONDS)

    def ask(self, session, method, path, token, **options):
        began = time.monotonic()
        try:
            answer = session.request(method, self.api.address + path, timeout=2 * LONGEST_SECONDS,
                                     headers={"Authorization": "Bearer " + self.tokens[token]}, **options)
        except requests.RequestException as error:  # a crash or a hang
            self.wrong.append(repr(error))
            time.sleep(0.05)
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status_code == 503:
            self.unavailable += 1
            if "Retry-After" not in answer.headers or answer.json()["code"] not in UNAVAILABLE:
                self.wrong.append(answer.text)
        return answer

    def read(self):
        session = requests.Session()
        while not self.done.is_set():
            for path, content in self.expected.items():
                answer = self.ask(session, "GET", path, "portal")
                if answer is None or answer.status_code == 503:
                    continue
                self.good += 1
                if answer.status_code != 200 or answer.content != content:
                    self.wrong.append(f"{path}: {answer.status_code} {answer.text[:300]}")
            self.done.wait(PAUSE_SECONDS)

    def write(self):
        session = requests.Session()
        while not self.done.is_set():
            name = "Perpustakaan " + uuid.uuid4().hex
            answer = self.ask(session, "POST", "/v1/libraries", "national_admin", json={**LIBRARY, "name": name})
            if answer is None:
                continue
            if answer.status_code == 201:
                self.stored.add(name)
            elif answer.status_code != 503:
                self.wrong.append(f"{answer.status_code} {answer.text[:300]}")
            elif answer.json()["code"] != "outcome_unknown":
                self.not_stored.add(name)
            self.done.wait(PAUSE_SECONDS)

    def judge(self):
        self.stop()
        assert self.wrong == []
        assert self.good and self.stored and self.slowest < LONGEST_SECONDS
        found = sql(self.api.service.cluster, self.api.service.database, "SELECT name FROM library")
        found = {name for (name,) in found}
        assert self.stored <= found, "a write that was acknowledged is lost"
        assert not self.not_stored & found, "a write that was refused is there"
        assert self.api.service.process.poll() is None


def sessions(api):
    """The pids of the service's sessions."""
    return [pid for (pid,) in sql(api.service.cluster, api.service.database,
                                  "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                                  " AND usename = 'tpbis_api'")]


def test_a_restart_under_load(fresh, cluster, eventually):
    api = fresh()
    with Load(api) as load:
        eventually(lambda: load.good > 20 and load.stored)
        cluster.stop()
        try:
            eventually(lambda: load.unavailable > 20)
            problem(api.get("/health/ready", token=None), 503, "database_unavailable")
            assert api.get("/health/live", token=None).status_code == 200
        finally:
            cluster.start()
        eventually(lambda: api.get("/health/ready", token=None).status_code == 200, LONGEST_SECONDS)
        good, stored = load.good, len(load.stored)
        eventually(lambda: load.good > good + 20 and len(load.stored) > stored)
        load.judge()
    assert works(api)


def test_a_killed_backend(fresh, eventually):
    """PostgreSQL then ends every session and recovers."""
    api = fresh()
    assert api.service.stop() == 0
    sql(api.service.cluster, "postgres", f"ALTER DATABASE {api.service.database} SET synchronous_commit = on")
    api.service.start()  # the tests' cluster forgets what it has just committed, otherwise
    with Load(api) as load:
        eventually(lambda: load.good > 20 and load.stored)
        os.kill(sessions(api)[0], signal.SIGKILL)
        eventually(lambda: load.unavailable or api.service.log_text().count("statement_not_finished"))
        eventually(lambda: works(api), LONGEST_SECONDS)
        good = load.good
        eventually(lambda: load.good > good + 20)
        load.judge()


def test_sessions_ended_while_idle_are_not_noticed(fresh):
    """As by a failover or an administrator: the next request gets a new session, not a 503."""
    api = fresh()
    for _ in range(3):
        assert works(api)
        assert sql(api.service.cluster, api.service.database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE datname = current_database() AND usename = 'tpbis_api'")
        assert works(api)


def test_it_starts_without_a_database_and_waits(fresh, cluster, directory, eventually):
    api = fresh()
    api.token()
    assert api.service.stop() == 0
    with Proxy(cluster, api.service.database) as proxy:
        proxy.down()
        api.service.settings["database_url"] = proxy.url
        api.service.start(wait=False)

        def live():
            with Wire(api.service.port, timeout=2) as wire:
                wire.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return statuses(wire.rest()) == [200]

        def alive():
            try:
                return live()
            except OSError:
                return False

        eventually(alive)
        problem(api.get("/health/ready", token=None), 503, "database_unavailable")
        problem(api.get("/v1/regions/19"), 503, "database_unavailable")
        proxy.up()
        eventually(lambda: works(api), LONGEST_SECONDS)
        assert api.service.stop() == 0


def test_it_is_not_ready_with_another_schema(fresh, cluster, eventually):
    """A database that was away at the start is compared when it comes."""
    api = fresh()
    assert api.service.stop() == 0
    database = api.service.database
    with Proxy(cluster, database) as proxy:
        proxy.down()
        api.service.settings["database_url"] = proxy.url
        api.service.start(wait=False)
        eventually(lambda: "serving" in api.service.log_text().rpartition("drained")[2])
        sql(cluster, database, "UPDATE schema_migration SET checksum = 'x' || checksum")
        proxy.up()
        eventually(lambda: works(api), LONGEST_SECONDS)
        for _ in range(3):
            problem(api.get("/health/ready", token=None), 503, "database_unavailable")
        assert '"schema_is_another"' in api.service.log_text()
        sql(cluster, database, "UPDATE schema_migration SET checksum = substr(checksum, 2)")
        eventually(lambda: api.get("/health/ready", token=None).status_code == 200)
        assert api.service.stop() == 0


def test_an_exhausted_pool_is_busy(fresh, lock, background, eventually):
    api = fresh(pool_size=1, pool_wait_ms=200, statement_timeout_ms=20000)
    assert works(api)
    slow = {"headers": {"Authorization": "Bearer " + api.token()}, "timeout": 30}
    with lock(api.service.cluster, api.service.database, "region") as held:
        waiting = background(requests.get, api.address + "/v1/regions/19", **slow)
        eventually(held.waiting)
        began = time.monotonic()
        busy = api.get("/v1/libraries?within=19")
        assert time.monotonic() - began < LONGEST_SECONDS
        assert problem(busy, 503, "busy") and int(busy.headers["Retry-After"]) > 0
        held.release()
    assert waiting.result().status_code == 200
    assert api.get("/v1/libraries?within=19").status_code == 200


def test_a_statement_that_takes_too_long(fresh, cluster, eventually):
    api = fresh(statement_timeout_ms=400)
    database = api.service.database
    sql(cluster, database, "CREATE OR REPLACE FUNCTION name_query(value text) RETURNS tsquery LANGUAGE plpgsql STABLE"
                           " AS $$BEGIN PERFORM pg_sleep(60); RETURN NULL; END$$")
    for _ in range(3):
        began = time.monotonic()
        answer = api.get("/v1/regions?q=bangka")
        assert time.monotonic() - began < LONGEST_SECONDS  # not the sixty that the statement would take
        assert problem(answer, 503, "timeout") and int(answer.headers["Retry-After"]) > 0
    assert works(api)
    eventually(lambda: sql(cluster, database, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                                              " AND usename = 'tpbis_api' AND query LIKE '%%name_query%%'")[0][0] == 0)


def test_a_server_that_hangs(fresh, eventually):
    """A stopped backend answers nothing, not even a request to cancel."""
    api = fresh(statement_timeout_ms=500, pool_size=1)
    assert works(api)
    stopped = sessions(api)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        problem(api.get("/v1/regions/19.02"), 503, "timeout")
        assert time.monotonic() - began < LONGEST_SECONDS
        eventually(lambda: works(api), LONGEST_SECONDS)  # on a new session
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


class TestWrites:
    """A connection that is lost at a chosen moment of a write, by a proxy that reads along."""

    @pytest.fixture
    def proxied(self, fresh, cluster):
        api = fresh()
        assert api.service.stop() == 0
        with Proxy(cluster, api.service.database) as proxy:
            api.service.settings["database_url"] = proxy.url
            api.service.start()
            api.proxy = proxy
            yield api
            assert api.service.stop() == 0

    def create(self, api, name, **fields):
        # The request id is bound in the transaction's frame: by it the proxy knows the exchange.
        return api.post("/v1/libraries", token="national_admin", json={**LIBRARY, "name": name, **fields},
                        headers={"X-Edge-Request-Id": "lose-this-one"})

    @pytest.fixture(params=["first", "prepared"])
    def api(self, proxied, request):
        """The statements are prepared in the same exchange, or have been before."""
        proxied.token("national_admin")
        if request.param == "prepared":
            for _ in range(2):
                assert self.create(proxied, "Sebelumnya").status_code == 201
        return proxied

    @pytest.mark.parametrize("answer_bytes", [None, 0])
    def test_lost_once_before_anything_was_answered(self, api, answer_bytes):
        """Nothing can have been stored before COMMIT: it is done again on another session."""
        api.proxy.rules = [Rule(b"lose-this-one", answer_bytes)]
        assert self.create(api, "Sekali").status_code == 201
        assert api.proxy.rules[0].used == 1 and libraries(api, name="Sekali") == 1

    @pytest.mark.parametrize("answer_bytes", [None, 0, 40, 200])
    def test_lost_before_commit_leaves_nothing(self, api, answer_bytes):
        api.proxy.rules = [Rule(b"lose-this-one", answer_bytes, times=None)]
        answer = self.create(api, "Hilang")
        assert problem(answer, 503, "database_unavailable") and int(answer.headers["Retry-After"]) > 0
        assert api.proxy.rules[0].used > 0 and libraries(api, name="Hilang") == 0
        api.proxy.rules = []
        assert self.create(api, "Hilang").status_code == 201 and libraries(api, name="Hilang") == 1

    @pytest.mark.parametrize("answer_bytes, stored", [(None, 0), (0, 1)])
    def test_lost_during_commit_is_told(self, api, answer_bytes, stored):
        """Whether PostgreSQL has seen the COMMIT or not, the service cannot know, and says so."""
        api.proxy.rules = [Rule(b"COMMIT\0", answer_bytes)]
        identity = str(uuid.uuid4())
        answer = self.create(api, "Entah", id=identity)
        assert problem(answer, 503, "outcome_unknown") and int(answer.headers["Retry-After"]) > 0
        assert api.proxy.rules[0].used == 1 and libraries(api, name="Entah") == stored
        # What the problem advises: the same again, with the same id, ends with one library in either case.
        again = self.create(api, "Entah", id=identity)
        assert again.status_code == (200 if stored else 201), again.text
        assert again.json()["id"] == identity and libraries(api, name="Entah") == 1
