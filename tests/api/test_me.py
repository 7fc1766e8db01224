"""Who am I, what may I do, where and until when: as it is now, not as it was when the token was made."""

import time

import pytest

from harness.assignments import appointed, end
from harness.client import problem
from harness.people import People

PATH = "/v1/me"


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


def me(api, token, **options):
    answer = api.get(PATH, token=token, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_client_that_acts_for_itself(own_api):
    one = me(own_api, "provincial_coordinator")
    client = own_api.client("provincial_coordinator")["client_id"]
    assert (one["subject"], one["kind"], one["user"]) == (client, "client", None)
    assert one["client"] == {"id": client, "name": "test provincial_coordinator", "allowed_region": None}
    assert "assignments:write" in one["scopes"] and "admin" not in one["scopes"]
    charge, = one["assignments"]
    assert (charge["role"], charge["region_code"], charge["region_name"], charge["in_force"]) == (
        "provincial_coordinator", "19", "Kepulauan Bangka Belitung", True)
    assert sorted(charge["scopes"]) == sorted(one["scopes"])


def test_a_person_through_an_app(own_api, people):
    person = people.user("library_manager", name="Bu Ani")
    people.assign(person["id"], "regency_facilitator", region="19.02", starts_on=5, ends_on=9)
    people.assign(person["id"], "portal", starts_on=-9, ends_on=-1)
    app = people.app(name="Aplikasi pustakawan", allowed_region="19.01", allowed_scopes=["published:read", "libraries:write"])
    one = me(own_api, people.token(person, app))
    assert one["subject"] == one["user"]["id"] == person["id"] and one["kind"] == "user"
    assert one["user"]["name"] == "Bu Ani" and one["user"]["username"] == person["username"] and one["user"]["language"] == "id"
    assert one["client"] == {"id": app["client_id"], "name": "Aplikasi pustakawan", "allowed_region": "19.01"}
    assert sorted(one["scopes"]) == ["libraries:write", "published:read"]
    now, later = one["assignments"]
    assert (now["role"], now["in_force"], now["library_name"] is None) == ("library_manager", True, False)
    assert sorted(now["scopes"]) == ["libraries:write", "published:read"]
    assert (later["role"], later["in_force"], later["region_code"]) == ("regency_facilitator", False, "19.02") and later["ends_on"]
    other = me(own_api, people.token(person))
    assert other["client"]["id"] != app["client_id"] and "figures:write" in other["scopes"], "another app, another answer"
    narrow = me(own_api, people.token(person, scope="published:read"))
    assert narrow["scopes"] == ["published:read"] == narrow["assignments"][0]["scopes"]


def test_somebody_without_any_right(own_api, people):
    """No scope is needed to learn that one has none."""
    token = people.token(people.user())
    one = me(own_api, token)
    assert one["scopes"] == [] == one["assignments"]
    problem(own_api.get("/v1/regions/19", token=token), 403, "insufficient_scope")


def test_what_is_given_and_taken_shows_at_once(own_api, people):
    person = people.user()
    token = people.token(person)
    before = own_api.get(PATH, token=token)
    assert own_api.get(PATH, token=token, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    given = appointed(own_api, "team_member", holder=person["id"], region_code="19.01")
    deadline = time.monotonic() + 10
    while not me(own_api, token)["scopes"] and time.monotonic() < deadline:
        time.sleep(0.05)
    after = own_api.get(PATH, token=token, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and [one["id"] for one in after.json()["assignments"]] == [given["id"]]
    assert "teams:write" in after.json()["scopes"]
    assert end(own_api, given["id"]).status_code == 200
    while me(own_api, token)["scopes"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert me(own_api, token)["assignments"] == []


def test_nobody(own_api, people):
    problem(own_api.get(PATH, token=None), 401, "unauthorized")
    person = people.user("portal")
    token = people.token(person)
    assert own_api.get(PATH, token=token).status_code == 200
    people.sql("UPDATE app_user SET status = 'disabled', disabled_reason = 'uji' WHERE id = %s", person["id"])
    deadline = time.monotonic() + 10
    while (answer := own_api.get(PATH, token=token)).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    problem(answer, 401, "invalid_token")
    problem(own_api.get(PATH + "?user=x", token="portal"), 400, "invalid_parameter")
