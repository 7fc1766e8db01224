"""Rate limits: whose bucket, what a request costs, what an answer tells, and that nothing sent is lost."""

import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.client import problem
from harness.machines import api_key, assign, checksum, client

pytestmark = pytest.mark.one_process  # what several let through together: tests/io/test_limits_shared.py

QUIET = "/v1/regions/19"


def left(answer):
    """(policy, remaining, seconds until full, quota) as the headers tell."""
    policy, quota = re.fullmatch(r'"(\w+)";q=(\d+);w=60', answer.headers["RateLimit-Policy"]).groups()
    name, remaining, full = re.fullmatch(r'"(\w+)";r=(\d+);t=(\d+)', answer.headers["RateLimit"]).groups()
    assert policy == name
    return policy, int(remaining), int(full), int(quota)


def spend(api, path=QUIET, **options):
    """Asks until refused: how many were let through, and the refusal."""
    for count in range(10000):
        answer = api.get(path, **options)
        if answer.status_code == 429:
            return count, answer
    raise AssertionError("never refused")


def sql(api, text, *values):
    with api.service.owner.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def test_a_client_has_its_quota_and_is_told(fresh):
    api = fresh(rate_client_per_minute=20)
    first = api.get(QUIET)
    assert left(first) == ("client", 19, 3, 20)
    assert left(api.get(QUIET))[1] == 18
    count, refused = spend(api)
    assert count in (18, 19)
    body = problem(refused, 429, "rate_limited")
    assert "20" in body["detail"] and refused.headers["Cache-Control"] == "no-store"
    assert 1 <= int(refused.headers["Retry-After"]) <= 4
    assert left(refused)[:2] == ("client", 0) and 57 <= left(refused)[2] <= 60
    assert api.get(QUIET, token="national_admin").status_code == 200  # another client has its own
    assert api.get(QUIET, token=None).status_code == 401
    time.sleep(int(refused.headers["Retry-After"]))
    assert api.get(QUIET).status_code == 200  # as it was told
    assert api.figure("tpbis_rate_limited_total") == 1


def test_what_is_refused_is_not_done_and_can_be_sent_again(fresh):
    api = fresh(rate_client_per_minute=12)
    token = "national_admin"
    spend(api, token=token)
    body = {"name": "Sesudah batas", "kind": "tbm", "region_code": "19.01.06.2002"}
    headers = {"Idempotency-Key": "sesudah-batas"}
    refused = api.post("/v1/libraries", json=body, token=token, headers=headers)
    problem(refused, 429, "rate_limited")
    assert sql(api, "SELECT count(*) FROM library WHERE name = %s", body["name"])[0][0] == 0
    time.sleep(int(refused.headers["Retry-After"]) + 0.1)
    assert api.post("/v1/libraries", json=body, token=token, headers=headers).status_code == 201


RATE = 100


def test_costs(fresh):
    """A 304 a tenth, a whole list as much as twenty pages, an answer that is our fault nothing."""
    api = fresh(rate_client_per_minute=RATE)

    def spent(times, path, **options):
        """How many requests the bucket lost; and how many flowed in meanwhile."""
        began, before = time.monotonic(), left(api.get(QUIET))[1]
        answers = [api.get(path, **options) for _ in range(times)]
        return answers, before - left(answers[-1])[1], (time.monotonic() - began) * RATE / 60 + 1

    tag = api.get(QUIET).headers["ETag"]
    same, lost, meanwhile = spent(10, QUIET, headers={"If-None-Match": tag})
    assert {answer.status_code for answer in same} == {304} and 1 - meanwhile <= lost <= 2
    [export], lost, meanwhile = spent(1, "/v1/regions?within=19&format=csv")
    assert export.status_code == 200 and 20 - meanwhile <= lost <= 20
    [page], lost, meanwhile = spent(1, "/v1/regions?within=19&format=csv&limit=5")
    assert page.status_code == 200 and 1 - meanwhile <= lost <= 1
    [again], lost, meanwhile = spent(1, "/v1/regions?within=19&format=csv", headers={"If-None-Match": export.headers["ETag"]})
    assert again.status_code == 304 and -meanwhile <= lost <= 1


@pytest.mark.parametrize("more", ["&q=desa", "&count=exact"])
def test_what_takes_long_costs_more(fresh, more):
    """Four requests, known before the database is asked; of a page without them one."""
    api = fresh(rate_client_per_minute=8)
    path = "/v1/regions?within=19&limit=5"
    assert left(api.get(path))[1] == 7
    first = api.get(path + more)
    assert first.status_code == 200 and left(first)[1] in (3, 4, 5)  # and what flows in meanwhile


def test_our_own_faults_cost_nothing(fresh):
    api = fresh(rate_client_per_minute=100)
    before = left(api.get(QUIET))[1]
    sql(api, "ALTER TABLE region RENAME TO elsewhere")
    broken = api.get(QUIET)
    assert broken.status_code == 500 and before - left(broken)[1] <= 0
    sql(api, "ALTER TABLE elsewhere RENAME TO region")
    wrong = api.get("/v1/regions?colour=blue")
    assert wrong.status_code == 400 and left(wrong)[1] < 100  # the client's do


def test_an_export_that_is_not_paid_for_is_not_begun(fresh):
    api = fresh(rate_client_per_minute=30)
    for _ in range(12):
        api.get(QUIET)
    problem(api.get("/v1/regions?within=19&format=csv"), 429, "rate_limited")
    assert api.get(QUIET).status_code == 200


def test_an_export_beyond_the_quota_takes_a_full_bucket(fresh):
    """Who may ask less often than an export costs gets one for all that there is, and is told truly when that will be."""
    api = fresh()
    sql(api, "UPDATE client SET rate_per_minute = 15 WHERE id = %s", api.client("portal")["client_id"])
    end = time.monotonic() + 5
    while "RateLimit" not in api.get(QUIET).headers and time.monotonic() < end:
        time.sleep(0.1)
    refused = api.get("/v1/regions?within=19&format=csv")
    problem(refused, 429, "rate_limited")
    wait = int(refused.headers["Retry-After"])
    assert 4 <= wait <= 60 and left(refused)[3] == 15
    time.sleep(wait)
    answer = api.get("/v1/regions?within=19&format=csv")
    assert answer.status_code == 200 and left(answer)[1] == 0


def test_a_rate_of_its_own_at_once(fresh, eventually_soon):
    api = fresh(rate_client_per_minute=50)
    assert left(api.get(QUIET))[3] == 50
    sql(api, "UPDATE client SET rate_per_minute = 7 WHERE id = %s", api.client("portal")["client_id"])
    eventually_soon(lambda: left(api.get(QUIET))[3] == 7)
    assert left(api.get(QUIET, token="national_admin"))[3] == 50
    count, _ = spend(api)
    assert count <= 7


@pytest.fixture
def eventually_soon():
    def wait(question, seconds=3):
        end = time.monotonic() + seconds
        while not question():
            assert time.monotonic() < end
            time.sleep(0.1)
    return wait


def test_addresses_of_those_without_a_token(fresh):
    api = fresh(rate_address_per_minute=15, trusted_proxies="127.0.0.1")
    one, two = ({"X-Forwarded-For": address} for address in ("192.0.2.7", "192.0.2.8"))
    answer = api.get("/openapi.json", token=None, headers=one)
    assert left(answer) == ("address", 14, 4, 15)
    count, refused = spend(api, "/problems", token=None, headers=one)
    assert 14 <= count <= 15 and problem(refused, 429, "rate_limited")
    assert api.get("/problems", token=None, headers=two).status_code == 200
    # the client writes what it likes: only what the proxy adds behind it counts
    forged = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
    assert spend(api, "/problems", token=None, headers=forged)[0] <= 2  # what has flowed in meanwhile
    refused = api.post("/oauth2/token", token=None, headers=one, data={"grant_type": "client_credentials"})
    assert refused.status_code == 429
    six = [{"X-Forwarded-For": f"2001:db8:1:2:{n:x}::1"} for n in range(1, 30)]
    begun = time.monotonic()
    let = [api.get("/problems", token=None, headers=header).status_code for header in six].count(200)
    assert 15 <= let <= 16 + (time.monotonic() - begun) / 4  # one /64
    problem(spend(api, "/metrics", token=None, headers=one)[1], 429, "rate_limited")
    for path in ("/health/live", "/health/ready"):
        answer = api.get(path, token=None, headers=one)
        assert answer.status_code == 200 and "RateLimit" not in answer.headers


def test_what_there_is_not_counts_for_its_address(fresh):
    """Unknown paths and methods as any request, OPTIONS a tenth; who has a token is not kept from what there is."""
    api = fresh(rate_address_per_minute=20)
    token = api.token()
    one, two = ({"X-Forwarded-For": address} for address in ("192.0.2.17", "192.0.2.18"))
    for _ in range(20):
        assert api.get("/v1/nothing", token=token, headers=one).status_code == 404
    problem(api.get("/v1/nothing", token=token, headers=one), 429, "rate_limited")
    problem(api.request("DELETE", "/v1/regions", token=token, headers=one), 429, "rate_limited")
    assert api.get(QUIET, token=token, headers=one).status_code == 200
    for _ in range(100):
        assert api.request("OPTIONS", QUIET, token=None, headers=two).status_code == 204
    assert left(api.request("OPTIONS", QUIET, token=None, headers=two))[1] in (9, 10)


def test_made_up_keys_cost_no_look_for_long(fresh):
    """An address that has no tries left is refused before the database is asked; a key that is known is let in from there."""
    api = fresh(rate_address_per_minute=20)
    one = client(api)
    with api.service.cluster.connect(api.service.database) as database:
        assign(database, one, "portal")
    key = api_key(api, one).json()["api_key"]

    def send(text):
        return api.get(QUIET, token=None, headers={"X-Forwarded-For": "192.0.2.19", "Authorization": "Bearer " + text})

    def made_up():
        whole = "tpbis_k_" + secrets.token_hex(22)[:43]
        return whole + checksum(whole)

    assert send(key).status_code == 200
    for _ in range(60):
        assert send(made_up()).status_code in (401, 429)
    problem(send(made_up()), 429, "rate_limited")
    looks = [line for line in api.service.log_lines() if line["event"] == "api_key_refused" and line["reason"] == "unknown"]
    assert 20 <= len(looks) <= 40  # and what flowed in meanwhile
    assert send(key).status_code == 200


def test_bad_tokens_count_for_their_address(fresh):
    api = fresh(rate_address_per_minute=10, rate_client_per_minute=1000)
    good = api.token("portal")
    statuses = [api.get(QUIET, token="x.y.z").status_code for _ in range(20)]
    assert statuses.count(401) in (9, 10, 11) and statuses[-1] == 429
    assert api.get(QUIET, token=None).status_code == 429
    answer = api.get(QUIET, token=good)
    assert answer.status_code == 200 and left(answer)[0] == "client"  # a good one from there is not shut out


def test_a_public_app_is_known_by_its_addresses(fresh):
    api = fresh(rate_address_per_minute=10, rate_client_per_minute=1000, trusted_proxies="127.0.0.1")
    token = api.token("public_app")
    one, two = ({"X-Forwarded-For": address} for address in ("192.0.2.7", "192.0.2.8"))
    count, refused = spend(api, token=token, headers=one)
    assert count in (10, 11) and left(refused)[0] == "address"
    assert api.get(QUIET, token=token, headers=two).status_code == 200
    assert api.get("/problems", token=None, headers=one).status_code == 200  # not the strangers' bucket


def test_users_have_their_own(fresh):
    api = fresh(rate_user_per_minute=9, rate_client_per_minute=1000)
    one, two = (api.people.token(api.people.user("library_manager")) for _ in range(2))  # by the same app
    count, refused = spend(api, token=one)
    assert 9 <= count <= 10 and left(refused)[::3] == ("user", 9)
    assert left(api.get(QUIET, token=two))[1] == 8


def test_an_administrator_gives_a_rate(fresh, eventually_soon):
    api = fresh(rate_client_per_minute=500)
    path = "/v1/clients/" + api.client("portal")["client_id"]
    shown = api.get(path, token="national_admin")
    assert shown.json()["rate_per_minute"] is None
    changed = api.patch(path, {"rate_per_minute": 40}, etag=shown.headers["ETag"], token="national_admin")
    assert changed.status_code == 200 and changed.json()["rate_per_minute"] == 40
    eventually_soon(lambda: left(api.get(QUIET))[3] == 40)
    for wrong in (0, -1, 10**7 + 1, 1.5, "9"):
        problem(api.patch(path, {"rate_per_minute": wrong}, etag="*", token="national_admin"), 422, "invalid_body")
    assert api.patch(path, {"rate_per_minute": None}, etag="*", token="national_admin").json()["rate_per_minute"] is None
    eventually_soon(lambda: left(api.get(QUIET))[3] == 500)


def test_no_limit(fresh):
    api = fresh()
    answer = api.get(QUIET)
    assert "RateLimit" not in answer.headers and "RateLimit-Policy" not in answer.headers


def test_racing_requests_share_one_bucket(fresh):
    api = fresh(rate_client_per_minute=60)
    token = api.token("portal")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: api.get(QUIET, token=token).status_code, range(120)))
    assert statuses.count(200) + statuses.count(429) == 120
    assert 60 <= statuses.count(200) <= 70  # and what came in meanwhile
