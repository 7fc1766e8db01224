"""Whole lists on their way: how long one may hold its place, and for whom."""

import time

import pytest
import requests
from harness.exports import open_stream
from harness.machines import api_key, assign, client, path_of
from harness.wire import body_of, unchunk

QUIET = "/v1/regions/19"


def test_a_reader_below_the_least_pace_is_cut(fresh):
    """Some ten KiB a second for more than ten seconds; who reads faster than the least pace is not cut meanwhile."""
    api = fresh(connection_timeout_s=60)
    with open_stream(api) as slow, open_stream(api, api.token("integration"), receive_buffer=None) as steady:
        begun = time.monotonic()
        while api.figure("tpbis_streams") == 2:
            slow.receive(1024)
            steady.receive(32768)
            time.sleep(0.1)
            assert time.monotonic() - begun < 120
        assert time.monotonic() - begun >= 9
        assert not unchunk(body_of(slow.rest()))[1]
        assert unchunk(body_of(steady.rest(60)))[1]


def test_a_place_that_is_held_is_paid_for(fresh):
    """Fast enough never to be cut. A request now and then costs less than a bucket of 30 gets back; the place costs more."""
    api = fresh(connection_timeout_s=60, rate_client_per_minute=30)
    with open_stream(api, receive_buffer=None) as wire:
        end, left = time.monotonic() + 180, None
        while left != 0:
            for _ in range(40):
                wire.receive(16384)
                time.sleep(0.1)
            assert time.monotonic() < end and api.figure("tpbis_streams") == 1
            answer = api.get(QUIET)
            left = int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0])


def suspend(api, one):
    api.people.sql("UPDATE client SET status = 'suspended', suspended_reason = 'uji' WHERE id = %s", one["id"])


def end_charge(api, one):
    api.people.sql("UPDATE assignment SET starts_on = today() - 9, ends_on = today() - 1 WHERE client_id = %s", one["id"])


def revoke_key(api, one):
    assert api.delete(f"{path_of(one)}/api-keys/{one['key']['id']}", token="national_admin").status_code == 204


@pytest.mark.parametrize("change, refused", [(suspend, 401), (end_charge, 403), (revoke_key, 401)])
def test_an_export_ends_with_the_rights_of_its_caller(fresh, eventually, change, refused):
    api = fresh(connection_timeout_s=60)
    one = client(api)
    with api.service.cluster.connect(api.service.database) as database:
        assign(database, one)
    one["key"] = api_key(api, one).json()
    headers = {"Authorization": "Bearer " + one["key"]["api_key"]}
    eventually(lambda: api.get(QUIET, headers=headers).status_code == 200)
    with open_stream(api, one["key"]["api_key"]) as wire:
        change(api, one)
        eventually(lambda: api.get(QUIET, headers=headers).status_code == refused)
        data, complete = unchunk(body_of(wire.rest(60)))
        assert data and not complete
        lines = [line for line in api.service.log_lines() if line["event"] == "export_ended"]
        assert [line["why"] for line in lines] == ["invalid_token"]


def test_readiness_is_asked_of_the_database_once_a_second(fresh):
    api = fresh()
    with api.service.owner.cursor() as cursor:
        def transactions():
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
            return cursor.fetchone()[0]
        before, begun = transactions(), time.monotonic()
        for _ in range(600):
            assert requests.get(api.address + "/health/ready", timeout=10).status_code == 200
        assert transactions() - before < 100 + 60 * (time.monotonic() - begun)
