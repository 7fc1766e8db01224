"""Several processes on one database: none of them serves what another one has changed.

Rule: nothing is remembered longer than the watch vouches for it; two seconds are the bound."""

import time

import pytest
from harness.client import Api, problem
from harness.service import Service

PAGES = ["/v1/regions/19", "/v1/libraries?within=19&kind=village", "/v1/libraries?within=19&format=csv",
         "/v1/regions?parent=19", "/v1/enumerations"]
BOUND_SECONDS = 2
LIST = PAGES[1]


@pytest.fixture
def pair(fresh, cluster, contract, directory):
    """Two services with one database, one issuer and one key, as behind a balancer."""
    first = fresh()
    service = Service(cluster, first.service.database, directory / (first.service.database + "-second"),
                      keys=first.keys_dir, base_url=first.base_url)
    yield first, Api(service, cluster.clients, contract)
    assert service.stop() == 0


def sql(api, text, *values):
    with api.service.owner.cursor() as cursor:
        cursor.execute(text, values)
        assert cursor.rowcount > 0


def tag_of(api, path, token):
    answer = api.get(path, token=token)
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def status_with(api, path, tag, token):
    return api.get(path, token=token, headers={"If-None-Match": tag}).status_code


def test_tags_are_equal_and_hold_in_both(pair):
    one, two = pair
    token = one.token("portal")
    for path in PAGES:
        tags = {tag_of(api, path, token) for api in (one, two, one)}
        assert len(tags) == 1, path
        for api in (two, one):
            assert status_with(api, path, *tags, token) == 304, path


def test_a_write_through_either_ends_the_304_of_both(pair, eventually):
    one, two = pair
    reader, writer = one.token("portal"), one.token("national_admin")
    for writing, other in ((one, two), (two, one)):
        tag = tag_of(one, LIST, reader)
        assert [status_with(api, LIST, tag, reader) for api in pair] == [304, 304]
        library = next(item for item in writing.get(LIST, token=reader).json()["items"])
        path = f"/v1/libraries/{library['id']}"
        single = tag_of(other, path, reader)
        name = library["name"] + " Baru"
        changed = writing.patch(path, {"name": name}, etag=single, token=writer)
        assert changed.status_code == 200, changed.text

        # Where it was written it is seen at once, elsewhere as soon as the watch has looked.
        assert status_with(writing, LIST, tag, reader) == 200
        eventually(lambda: status_with(other, LIST, tag, reader) == 200, BOUND_SECONDS)
        assert tag_of(one, LIST, reader) == tag_of(two, LIST, reader) != tag
        for api in pair:
            assert api.get(path, token=reader).json()["name"] == name
            assert status_with(api, path, changed.headers["ETag"], reader) == 304
            problem(api.patch(path, {"name": "x"}, etag=single, token=writer), 412, "precondition_failed")


def test_a_change_by_hand_ends_the_304_of_both(pair, eventually):
    one, two = pair
    reader = one.token("portal")
    tag = tag_of(one, LIST, reader)
    assert [status_with(api, LIST, tag, reader) for api in pair] == [304, 304]
    sql(one, "UPDATE library SET name = name || ' Jaya' WHERE region_code = '19.01.06.2002'")
    for api in pair:
        eventually(lambda api=api: status_with(api, LIST, tag, reader) == 200, BOUND_SECONDS)
    assert tag_of(one, LIST, reader) == tag_of(two, LIST, reader)


def test_a_suspended_client_is_refused_by_both(pair, eventually):
    one, two = pair
    token, client = one.token("portal"), one.client("portal")
    assert [api.get("/v1/regions/19", token=token).status_code for api in pair] == [200, 200]
    sql(one, "UPDATE client SET status = 'suspended' WHERE id = %s", client["client_id"])
    for api in pair:
        eventually(lambda api=api: api.get("/v1/regions/19", token=token).status_code == 401, BOUND_SECONDS)
        problem(api.get("/v1/regions/19", token=token), 401, "invalid_token")
        answer = api.post("/oauth2/token", token=None, data={"grant_type": "client_credentials"},
                          auth=(client["client_id"], client["client_secret"]))
        assert answer.status_code == 401
    sql(one, "UPDATE client SET status = 'active' WHERE id = %s", client["client_id"])
    for api in pair:
        eventually(lambda api=api: api.get("/v1/regions/19", token=token).status_code == 200, BOUND_SECONDS)


def test_an_assignment_that_ends_takes_its_rights_along_in_both(pair, eventually):
    one, two = pair
    token, client = one.token("provincial_coordinator"), one.client("provincial_coordinator")
    path = "/v1/regions/19"
    assert [api.get(path, token=token).status_code for api in pair] == [200, 200]
    sql(one, "UPDATE assignment SET starts_on = today() - 10, ends_on = today() - 1 WHERE client_id = %s",
        client["client_id"])
    for api in pair:
        eventually(lambda api=api: api.get(path, token=token).status_code == 403, BOUND_SECONDS)
        problem(api.get(path, token=token), 403, "insufficient_scope")
    sql(one, "UPDATE assignment SET ends_on = today() WHERE client_id = %s", client["client_id"])  # the last day counts
    for api in pair:
        eventually(lambda api=api: api.get(path, token=token).status_code == 200, BOUND_SECONDS)


def test_a_transaction_that_runs_for_long_costs_nothing(fresh, eventually):
    """What was seen once is not read again with every look, whatever is still running."""
    api = fresh(watch_interval_ms=50)
    rows, reader = 20000, api.token("portal")
    with api.service.cluster.connect(api.service.database) as long, long.cursor() as running:
        long.autocommit = False
        running.execute("UPDATE region SET name = name || ' Baru' WHERE code = '19'")
        sql(api, "INSERT INTO audit (actor, table_name, action)"
                 f" SELECT 'x', 'assignment', 'update' FROM generate_series(1, {rows})")
        with api.service.cluster.connect(api.service.database) as other, other.cursor() as cursor:
            def read():
                cursor.execute("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'audit'")
                return int(cursor.fetchone()[0])

            eventually(lambda: read() >= rows)  # the look that saw them
            time.sleep(1.5)  # sessions report once a second
            before = read()
            time.sleep(2.5)
            assert read() - before < rows
        # It is still seen when it ends, behind those that were faster.
        tag = tag_of(api, PAGES[0], reader)
        long.commit()
    eventually(lambda: status_with(api, PAGES[0], tag, reader) == 200, BOUND_SECONDS)
