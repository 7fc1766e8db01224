"""One quota for all processes: they settle by the database, and without it each counts alone."""

import collections
import re
import threading
import time

import pytest
from harness.client import Api
from harness.proxy import Proxy
from harness.service import Service
from harness.waiting import until

PATH = "/v1/regions/19"


@pytest.fixture
def pair(cluster, directory, contract, request):
    """Two processes as behind a balancer, each with a proxy to the database of its own."""
    quota = getattr(request, "param", 60)
    database = cluster.make_database()
    with Proxy(cluster, database) as proxy:
        first = Service(cluster, database, directory / database, database_url=proxy.url, rate_client_per_minute=quota, purge_interval_s=1)
        second = Service(cluster, database, directory / (database + "b"), keys=first.keys_dir, base_url=first.base_url,
                         database_url=proxy.url, rate_client_per_minute=quota)
        apis = [Api(service, cluster.clients, contract) for service in (first, second)]
        for api in apis:
            api.proxy, api.database = proxy, database
        yield apis
        assert first.stop() == 0 and second.stop() == 0
    cluster.drop_database(database)


def remaining(answer):
    return int(re.search(r"r=(\d+)", answer.headers["RateLimit"])[1])


def sql(api, text):
    with api.service.cluster.connect(api.database) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def test_what_one_lets_through_the_other_knows(pair):
    one, two = pair
    token, begun = one.token("portal"), time.monotonic()
    for _ in range(40):
        assert one.get(PATH, token=token).status_code == 200
    assert two.get(PATH, token=token).status_code == 200  # it asks nobody
    time.sleep(1)
    for api in (two, one):  # of its own the second has spent two; one a second flows in
        assert remaining(api.get(PATH, token=token)) < 30 + (time.monotonic() - begun)


def ask_all(pair, token):
    """Both processes are asked without a pause until each has refused thirty times, and for two seconds more. The seconds of all of it and
    of those two, and how many good answers came in each."""
    good, refused, over = [], collections.Counter(), threading.Event()

    def ask(api):
        while not over.is_set():
            if api.get(PATH, token=token).status_code == 200:
                good.append(time.monotonic())
            else:
                refused[api] += 1
            time.sleep(0.02)

    threads = [threading.Thread(target=ask, args=(api,)) for api in pair for _ in range(2)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    until(lambda: min(refused[api] for api in pair) >= 30)
    empty = time.monotonic()
    time.sleep(2)
    over.set()
    for thread in threads:
        thread.join()
    ended = time.monotonic()
    return (ended - began, len(good)), (ended - empty, sum(at > empty for at in good))


def failures(api):
    return float(re.search(r"^tpbis_rate_settle_failures_total (\S+)$", api.get("/metrics", token=None).text, re.MULTILINE)[1])


def test_together_they_keep_to_the_quota(pair):
    """A minute's quota and what flows in, and what both let through between two settlements, which is paid back."""
    (passed, good), (left, late) = ask_all(pair, pair[0].token("portal"))
    # 200 requests a second come: of them 60, one a second, and at most a settlement's worth more
    assert 55 <= good <= 60 + passed + 60
    assert late <= left + 4, "in the end no more than what flows in"
    tokens = sql(pair[0], "SELECT min(tokens) FROM rate_bucket")[0][0]
    assert -60000 <= tokens < 5000


@pytest.mark.parametrize("pair", [240], indirect=True)
def test_what_is_given_back_late_stops_nothing(pair, lock, eventually):
    """A thousand 304s, some of them longer on their way than from one settlement to the next: nine tenths of each are given back
    after the whole was told. The processes go on settling, and the sum stays the policy."""
    token = pair[0].token("portal")

    def unchanged(api, path, tag, count):
        for _ in range(count):
            assert api.get(path, token=token, headers={"If-None-Match": tag}).status_code in (304, 429)

    def at_once(path, tag, count):
        started = [threading.Thread(target=unchanged, args=(pair[i % 2], path, tag, count)) for i in range(4)]
        for thread in started:
            thread.start()
        return started

    for thread in at_once(PATH, pair[0].get(PATH, token=token).headers["ETag"], 250):
        thread.join()
    time.sleep(10)  # it holds forty again
    given_back = 0
    for limit in range(3, 6):
        tag = pair[0].get(f"/v1/regions?parent=19&limit={limit}", token=token).headers["ETag"]
        with lock(pair[0].service.cluster, pair[0].database, "region") as held:
            # the same page under another address: its tag is not remembered, so these ask the database, and wait
            waiting = at_once(f"/v1/regions?limit={limit}&parent=19", tag, 1)
            eventually(lambda: held.waiting() == 4)
            eventually(lambda: sql(pair[0], "SELECT sum(spent) FROM rate_bucket")[0][0] > 0)
            time.sleep(0.6)  # what the four took is told
        for thread in waiting:
            thread.join()
        eventually(lambda: sql(pair[0], "SELECT min(spent) FROM rate_bucket")[0][0] < 0 or any(failures(api) for api in pair))
        given_back += 1
    assert given_back == 3
    before = [failures(api) for api in pair]
    _, (left, late) = ask_all(pair, token)
    assert late <= 4 * left + 5, "in the end no more than what flows in for both"
    assert [failures(api) for api in pair] == before == [0, 0]


@pytest.mark.parametrize("pair", [240], indirect=True)
def test_a_bucket_that_the_database_refuses_is_alone(pair, eventually):
    """Whatever the reason: the others are settled in the same moment, and the one that is refused does not come back."""
    one, two = pair
    sql(one, """CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.quota = 77000 THEN RAISE check_violation USING MESSAGE = 'poison'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON rate_bucket FOR EACH ROW EXECUTE FUNCTION poison()""")
    sql(one, f"UPDATE client SET rate_per_minute = 77 WHERE id = '{one.client('integration')['client_id']}'")
    token = one.token("portal")
    eventually(lambda: one.get(PATH, token=one.token("integration")).headers["RateLimit-Policy"] == '"client";q=77;w=60')
    for _ in range(20):
        assert one.get(PATH, token=one.token("integration")).status_code == 200
        assert one.get(PATH, token=token).status_code == 200
    eventually(lambda: remaining(two.get(PATH, token=token)) < 225)
    eventually(lambda: re.search(r"^tpbis_rate_forgotten_total ([1-9]\d*)$", one.get("/metrics", token=None).text, re.MULTILINE))
    assert failures(one) == 0


def test_settling_that_fails_the_same_way_is_tried_less_often(pair, eventually):
    one, _ = pair
    sql(one, "ALTER FUNCTION settle_rates(text[], bigint[], bigint[]) RENAME TO elsewhere")
    for _ in range(10):
        assert one.get(PATH).status_code == 200
    eventually(lambda: failures(one) >= 3)  # after 0.25, 0.5 and 1 second
    began = failures(one)
    time.sleep(2)
    assert failures(one) - began <= 2
    told = [line for line in one.service.log_lines() if line["event"] in ("rates_not_settled", "statement_failed")]
    assert len(told) == 1 and told[0]["sqlstate"] == "42883", told
    assert "\ntpbis_rate_settle_failing 1\n" in one.get("/metrics", token=None).text
    sql(one, "ALTER FUNCTION elsewhere(text[], bigint[], bigint[]) RENAME TO settle_rates")
    eventually(lambda: "\ntpbis_rate_settle_failing 0\n" in one.get("/metrics", token=None).text)


def test_without_a_database_each_counts_alone(pair, eventually):
    one, _ = pair
    token = one.token("portal")
    tag = one.get(PATH, token=token).headers["ETag"]
    one.proxy.down()
    # answers from memory go on for as long as the watch vouches for them, and then 503s come, which cost nothing
    statuses = [one.get(PATH, token=token, headers={"If-None-Match": tag}).status_code for _ in range(20)]
    assert set(statuses) <= {304, 503}
    eventually(lambda: "\ntpbis_rate_settle_failures_total 0\n" not in one.get("/metrics", token=None).text)
    assert any(line["event"] == "rates_not_settled" for line in one.service.log_lines())
    one.proxy.up()
    eventually(lambda: one.get(PATH, token=token).status_code == 200)


def test_what_is_full_again_is_forgotten(pair, eventually):
    one, _ = pair
    one.get(PATH)
    eventually(lambda: sql(one, "SELECT count(*) FROM rate_bucket")[0][0] == 1)
    assert sql(one, "SELECT encode(key, 'escape') FROM rate_bucket")[0][0].find(one.client("portal")["client_id"]) < 0
    sql(one, "UPDATE rate_bucket SET settled_at = now() - interval '3 minutes'")
    eventually(lambda: sql(one, "SELECT count(*) FROM rate_bucket")[0][0] == 0)


def test_a_bucket_is_settled_as_it_should(cluster, pair):
    """The arithmetic in the database: it fills with time up to the quota, and a debt has a bound."""
    one, _ = pair
    key = "00" * 16
    settle = f"SELECT tokens FROM settle_rates(ARRAY['{key}'], ARRAY[%d]::bigint[], ARRAY[60000]::bigint[])"
    assert sql(one, settle % 1000)[0][0] == 59000
    assert 59000 <= sql(one, settle % 0)[0][0] <= 60000
    assert -60000 <= sql(one, settle % 100000)[0][0] < -39000
    assert sql(one, settle % 1000000)[0][0] == -60000
    sql(one, "UPDATE rate_bucket SET settled_at = settled_at - interval '30 seconds'")
    assert -31000 <= sql(one, settle % 0)[0][0] <= -28000
    sql(one, "UPDATE rate_bucket SET settled_at = settled_at - interval '1 hour'")
    assert sql(one, settle % 500)[0][0] == 59500
