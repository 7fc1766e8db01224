"""The jobs: work that no request asks for, in one process at a time."""

import uuid

import pytest

from harness.client import Api
from harness.service import Service

EXPIRED = """INSERT INTO idempotency (subject, client_id, key_hash, operation, fingerprint, reach, created_at, expires_at)
SELECT 'x', 'x', sha256((%s || n)::bytea), 'x', sha256(''), sha256(''), now() - interval '2 days', now() + %s * interval '1 hour'
FROM generate_series(1, %s) n"""


def figure(api, name, job="purge_idempotency"):
    return api.figure(f"tpbis_job_{name}", job=job)


def left(database):
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM idempotency")
        return cursor.fetchone()[0]


def put(database, count, hours):
    with database.cursor() as cursor:
        cursor.execute(EXPIRED, (str(uuid.uuid4()), hours, count))


@pytest.fixture
def purging(fresh):
    api = fresh(purge_interval_s=1)
    with api.service.cluster.connect(api.service.database) as connection:
        yield api, connection


def test_what_has_expired_goes_and_nothing_else(purging, eventually):
    api, database = purging
    put(database, 3, 1)
    put(database, 2500, -1)  # more than one batch
    eventually(lambda: left(database) == 3)
    assert figure(api, "rows_total") == 2500
    assert figure(api, "failures_total") == 0
    assert figure(api, "succeeded_timestamp_seconds") > 1.7e9
    runs = figure(api, "runs_total")
    eventually(lambda: figure(api, "runs_total") > runs)
    assert left(database) == 3


def test_one_process_at_a_time(purging, eventually):
    api, database = purging
    with api.service.cluster.connect(api.service.database) as other:
        other.autocommit = False
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1953653091, hashtext('purge_idempotency'))")
        runs = figure(api, "runs_total")
        put(database, 5, -1)
        eventually(lambda: figure(api, "runs_total") >= runs + 2)  # both find the lock taken: no work, and no failure
        assert left(database) == 5
        assert figure(api, "failures_total") == 0
        other.rollback()
    eventually(lambda: left(database) == 0)


def test_a_job_that_fails_is_told_and_tried_again(purging, eventually):
    api, database = purging
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE idempotency RENAME TO elsewhere")
    eventually(lambda: figure(api, "failures_total") >= 1)
    told = [line for line in api.service.log_lines() if line["event"] == "job_failed" and line["job"] == "purge_idempotency"]
    assert told[0]["why"].startswith("internal: 42P01") and told[0]["times"] == 1
    assert figure(api, "failing") == 1
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO idempotency")
    put(database, 1, -1)
    eventually(lambda: left(database) == 0)
    eventually(lambda: figure(api, "failing") == 0)


def test_a_job_that_fails_the_same_way_is_tried_less_often(purging, eventually):
    """Its pauses double, and one line tells of it, not one a second; a job beside it goes on as before."""
    api, database = purging
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE idempotency RENAME TO elsewhere")
    eventually(lambda: figure(api, "failures_total") >= 3)  # after 1, 2 and 4 seconds
    others = figure(api, "runs_total", "purge_rates")
    eventually(lambda: figure(api, "runs_total", "purge_rates") >= others + 3)
    assert figure(api, "failures_total") <= 4
    lines = [line for line in api.service.log_lines() if "purge_idempotency" in line.values()]
    assert len(lines) == 1, lines


def test_a_person_who_cannot_be_set_free_does_not_keep_the_others(purging, eventually):
    api, database = purging
    with database.cursor() as cursor:
        ids = [str(uuid.uuid4()) for _ in range(2)]
        for one in ids:
            cursor.execute("INSERT INTO person (id, name) VALUES (%s, 'Orang')", (one,))
            cursor.execute("UPDATE person SET restricted_at = now() - interval '3 days', restricted_until = today() - 2 WHERE id = %s", (one,))
        cursor.execute(f"ALTER TABLE person ADD CONSTRAINT person_stays_check CHECK (id <> '{min(ids)}' OR restricted_at IS NOT NULL) NOT VALID")

    def restricted():
        with database.cursor() as cursor:
            cursor.execute("SELECT id::text FROM person WHERE restricted_at IS NOT NULL")
            return [row[0] for row in cursor.fetchall()]

    eventually(lambda: restricted() == [min(ids)])
    eventually(lambda: figure(api, "failing", "lift_restrictions") == 1)
    assert any(line["event"] == "job_failed" and line["why"] == "1 rows cannot be handled" for line in api.service.log_lines())


def test_a_job_that_needs_more_time_gets_it(fresh, eventually):
    """What must be done in one transaction may take longer than any request: each try has twice the time of the one before."""
    api = fresh(purge_interval_s=1, statement_timeout_ms=500)
    with api.service.cluster.connect(api.service.database) as database, database.cursor() as cursor:
        cursor.execute("ALTER FUNCTION purge_idempotency(integer) RENAME TO purge_idempotency_fast")
        cursor.execute("""CREATE FUNCTION purge_idempotency(most integer, OUT done bigint, OUT more boolean) LANGUAGE sql SECURITY DEFINER
                          SET search_path = public, pg_temp AS 'SELECT p.* FROM pg_sleep(0.8), purge_idempotency_fast($1) p';
                          GRANT EXECUTE ON FUNCTION purge_idempotency(integer) TO tpbis_api""")
        put(database, 1, -1)
        eventually(lambda: left(database) == 0)
        assert figure(api, "failures_total") >= 1


def test_a_stop_does_not_wait_for_a_job(purging, lock, eventually):
    api, database = purging
    put(database, 1, -1)
    with lock(api.service.cluster, api.service.database, "idempotency") as held:
        eventually(lambda: held.waiting() == 1)
        assert api.service.stop(seconds=5) == 0


def test_two_services_share_the_work(purging, cluster, contract, directory, eventually):
    api, database = purging
    second = Service(cluster, api.service.database, directory / (api.service.database + "b"), keys=api.keys_dir,
                     purge_interval_s=1)
    try:
        other = Api(second, cluster.clients, contract)
        put(database, 1500, -1)
        eventually(lambda: left(database) == 0)
        eventually(lambda: figure(api, "rows_total") + figure(other, "rows_total") == 1500)
        assert figure(api, "failures_total") + figure(other, "failures_total") == 0
    finally:
        assert second.stop() == 0
