"""Two processes on one database: what one acknowledges the other shows, and what one is told the other obeys.

A read that asks the database is right at once everywhere. What a process remembers (a 304, a standing) follows the other's
commits within a second (the watch looks every 250 ms)."""

import threading
import time

import pytest

from harness.client import Api, problem
from harness.libraries import KAPUK, change, made, path_of
from harness.waiting import PATIENCE_SECONDS

WITHIN_SECONDS = PATIENCE_SECONDS  # the watch looks four times a second; the rest is a slow machine
RIGHTS_SECONDS = PATIENCE_SECONDS


@pytest.fixture
def pair(fresh):
    """One client that speaks to the first process, one that speaks to the second."""
    both = fresh(twins=1)
    sides = []
    for address in both.service.addresses:
        side = Api(both.service, both.clients, both.contract)
        side.address, side.turn = address, lambda address=address: address
        sides.append(side)
    return sides


def until(deadline_seconds, holds):
    """Waits until it holds; how long that took."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < deadline_seconds, "too late"
        time.sleep(0.02)
    return time.monotonic() - start


def tag_of(api, path):
    """The tag once the process knows all there is."""
    answers = []
    until(PATIENCE_SECONDS, lambda: "ETag" in (answers.append(api.get(path)) or answers[-1].headers))
    return answers[-1].headers["ETag"]


@pytest.mark.parametrize("path", [path_of(KAPUK), "/v1/libraries?within=19", "/v1/libraries?within=19&format=csv"])
def test_a_tag_of_one_is_a_304_at_the_other_and_ends_there(pair, path):
    one, other = pair
    tag = tag_of(one, path)
    assert tag_of(other, path) == tag
    for side in pair:
        assert side.get(path, headers={"If-None-Match": tag}).status_code == 304
    library = one.get(path_of(KAPUK))
    change(one, KAPUK, titles=(library.json()["titles"] or 0) + 17)
    assert one.get(path, headers={"If-None-Match": tag}).status_code == 200, "its own commit counts at once"
    until(WITHIN_SECONDS, lambda: other.get(path, headers={"If-None-Match": tag}).status_code == 200)
    assert tag_of(other, path) == tag_of(one, path) != tag


def test_what_one_acknowledged_the_other_reads_at_once(pair):
    one, other = pair
    for turn in range(20):
        library = made(one, titles=turn)
        assert other.get(path_of(library)).json()["titles"] == turn
        answer = other.patch(path_of(library), {"titles": turn + 100}, etag=other.get(path_of(library)).headers["ETag"],
                             token="national_admin")
        assert answer.status_code == 200, answer.text
        assert one.get(path_of(library)).json()["titles"] == turn + 100
        one, other = other, one


def test_one_of_two_writers_with_the_same_tag_wins(pair):
    library = made(pair[0], titles=0)
    tag = pair[0].get(path_of(library)).headers["ETag"]
    answers = []

    def write(side, titles):
        answers.append(side.patch(path_of(library), {"titles": titles}, etag=tag, token="national_admin"))

    for side in pair:
        side.token("national_admin")
    threads = [threading.Thread(target=write, args=(side, titles)) for titles, side in enumerate(pair, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 412], [answer.text for answer in answers]


def test_a_change_of_rights_works_everywhere(pair, cluster):
    one, other = pair
    client = cluster.make_client(one.service.database, "regency_facilitator", region="19.01")
    token = one.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client["client_id"], client["client_secret"]),
                     token=None).json()["access_token"]
    for side in pair:
        assert side.get("/v1/regions/19", token=token).status_code == 200
    with cluster.connect(one.service.database) as owner, owner.cursor() as cursor:
        cursor.execute("UPDATE assignment SET starts_on = today() - 9, ends_on = today() - 1 WHERE client_id = %s", [client["client_id"]])
        owner.commit()
        for side in pair:
            until(RIGHTS_SECONDS, lambda side=side: side.get("/v1/regions/19", token=token).status_code == 403)
        cursor.execute("UPDATE assignment SET ends_on = NULL WHERE client_id = %s", [client["client_id"]])
        owner.commit()
        for side in pair:
            until(RIGHTS_SECONDS, lambda side=side: side.get("/v1/regions/19", token=token).status_code == 200)
        cursor.execute("UPDATE client SET status = 'suspended' WHERE id = %s", [client["client_id"]])
        owner.commit()
    for side in pair:
        until(RIGHTS_SECONDS, lambda side=side: side.get("/v1/regions/19", token=token).status_code == 401)
        problem(side.get("/v1/regions/19", token=token), 401, "invalid_token")


def test_a_login_ends_everywhere(pair):
    """A person who is logged in at one is so at the other; revoked, disabled or robbed of a charge at one, nowhere."""
    one, other = pair
    for end in ("revoke", "disable", "charge"):
        user = one.people.user("regency_facilitator")
        granted = one.people.log_in(user)
        token = granted["access_token"]
        for side in pair:
            assert side.get("/v1/regions/19", token=token).status_code == 200
        if end == "revoke":
            app = one.people.default_app
            assert one.post("/oauth2/revoke", token=None, data={"token": granted["refresh_token"], "client_id": app["client_id"]}).status_code == 200
        elif end == "disable":
            assert one.post(f"/v1/users/{user['id']}/disable", token="national_admin", json={"reason": "uji"}).status_code == 200
        else:
            [charge] = one.get(f"/v1/assignments?user={user['id']}", token="national_admin").json()["items"]
            assert one.post(f"/v1/assignments/{charge['id']}/end", token="national_admin", json={}).status_code == 200
        for side in pair:
            until(RIGHTS_SECONDS, lambda side=side: side.get("/v1/regions/19", token=token).status_code == (403 if end == "charge" else 401))
