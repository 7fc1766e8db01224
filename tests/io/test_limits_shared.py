"""One quota for all processes: they settle by the database, and without it each counts alone."""

import re
import threading
import time

import pytest
from harness.client import Api
from harness.proxy import Proxy
from harness.service import Service

PATH = "/v1/regions/19"


@pytest.fixture
def pair(cluster, directory, contract):
    """Two processes as behind a balancer, each with a proxy to the database of its own."""
    database = cluster.make_database()
    with Proxy(cluster, database) as proxy:
        first = Service(cluster, database, directory / database, database_url=proxy.url, rate_client_per_minute=60, purge_interval_s=1)
        second = Service(cluster, database, directory / (database + "b"), keys=first.keys_dir, base_url=first.base_url,
                         database_url=proxy.url, rate_client_per_minute=60)
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
    token = one.token("portal")
    for _ in range(40):
        assert one.get(PATH, token=token).status_code == 200
    assert two.get(PATH, token=token).status_code == 200  # it asks nobody
    time.sleep(1)
    assert remaining(two.get(PATH, token=token)) < 30  # of its own it has spent two
    assert remaining(one.get(PATH, token=token)) < 30


def test_together_they_keep_to_the_quota(pair):
    """A minute's quota and what flows in, and what both let through between two settlements, which is paid back."""
    token = pair[0].token("portal")
    good, done = [], time.monotonic() + 6

    def ask(api):
        while time.monotonic() < done:
            if api.get(PATH, token=token).status_code == 200:
                good.append(time.monotonic())
            time.sleep(0.02)

    threads = [threading.Thread(target=ask, args=(api,)) for api in pair for _ in range(2)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.monotonic() - began
    # 200 requests a second come: of them 60, one a second, and at most a settlement's worth more
    assert 55 <= len(good) <= 60 + passed + 60
    late = [at for at in good if at > began + 4]
    assert len(late) <= 6, "after the first seconds no more than what flows in"
    tokens = sql(pair[0], "SELECT min(tokens) FROM rate_bucket")[0][0]
    assert -60000 <= tokens < 5000


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
