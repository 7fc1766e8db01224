"""What a person may do through an app: the user's assignments of today, within the app's own limits, at once when they change."""

import time

import pytest

from harness.client import problem
from harness.people import People
from harness.waiting import PATIENCE_SECONDS

WAIT_SECONDS = PATIENCE_SECONDS  # a change of rights counts within two, everywhere; the rest is a slow machine
ELSEWHERE = "73.08"


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


def new_library(api, token, region="19.01.07.2004"):
    return api.post("/v1/libraries", token=token, json={
        "name": "Perpustakaan Uji", "kind": "village", "region_code": region, "status": "active"})


def within(check, seconds=WAIT_SECONDS):
    """The check holds before the time is over."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def status(api, token):
    return api.get("/v1/regions/19", token=token).status_code


class TestRights:
    def test_scopes_and_reach_are_the_assignments(self, own_api, people):
        token = people.token(people.user("regency_facilitator"))
        made = new_library(own_api, token)
        assert made.status_code == 201, made.text
        problem(new_library(own_api, token, "73.08.01.1001"), 403, "out_of_reach")
        problem(own_api.post("/v1/programs", token=token, json={"slug": "x-y", "name": "X"}), 403, "insufficient_scope")

    def test_the_audit_names_the_person_and_the_app(self, own_api, people, own_database):
        user = people.user("regency_facilitator")
        made = new_library(own_api, people.token(user)).json()
        with own_database.cursor() as cursor:
            cursor.execute("SELECT actor, client_id FROM audit WHERE table_name = 'library' AND row_key ->> 'id' = %s", (made["id"],))
            assert cursor.fetchall() == [(user["id"], people.default_app["client_id"])]

    def test_a_narrower_token_does_less(self, own_api, people):
        token = people.token(people.user("regency_facilitator"), scope="published:read")
        assert status(own_api, token) == 200
        problem(new_library(own_api, token), 403, "insufficient_scope")

    def test_the_apps_scopes_are_a_limit(self, own_api, people):
        app = people.app(allowed_scopes=["published:read"])
        token = people.token(people.user("national_admin"), app)
        assert status(own_api, token) == 200
        problem(new_library(own_api, token), 403, "insufficient_scope")

    def test_without_an_assignment_nothing(self, own_api, people):
        problem(own_api.get("/v1/regions/19", token=people.token(people.user())), 403, "insufficient_scope")

    @pytest.mark.parametrize("charged,allowed,inside,outside", [
        ({}, "19.01", "19.01.07.2004", "19.02.01.1001"),  # Indonesia narrowed to the app's regency
        ({"region": "19"}, "19.01", "19.01.07.2004", "19.02.01.1001"),
        ({"region": "19.01"}, "19", "19.01.07.2004", "73.08.01.1001"),  # the narrower of the two is the person's
        ({"region": "19.01"}, "19.01", "19.01.07.2004", "19.02.01.1001"),
    ])
    def test_the_apps_region_is_a_limit(self, own_api, people, charged, allowed, inside, outside):
        role = {None: "national_admin", "19": "provincial_coordinator", "19.01": "regency_facilitator"}[charged.get("region")]
        token = people.token(people.user(role, **charged), people.app(allowed_region=allowed))
        assert new_library(own_api, token, inside).status_code == 201
        problem(new_library(own_api, token, outside), 403, "out_of_reach")

    def test_an_app_of_elsewhere_reaches_nothing(self, own_api, people):
        token = people.token(people.user("regency_facilitator"), people.app(allowed_region=ELSEWHERE))
        assert status(own_api, token) == 200  # what is published knows no reach
        problem(new_library(own_api, token), 403, "out_of_reach")
        problem(new_library(own_api, token, "73.08.01.1001"), 403, "out_of_reach")

    @pytest.mark.parametrize("allowed,expected", [("19.01", 200), ("19", 200), (ELSEWHERE, 403), (None, 200)])
    def test_of_libraries_only_those_within_the_apps_region(self, own_api, people, allowed, expected):
        user = people.user("library_manager")
        library = people.cluster.library_at(people.database, "19.01.06.2002")
        token = people.token(user, people.app(allowed_region=allowed))
        etag = own_api.get(f"/v1/libraries/{library}", token=token).headers["ETag"]
        answer = own_api.patch(f"/v1/libraries/{library}", {"staff_count": 3}, etag, token=token)
        assert answer.status_code == expected, answer.text


@pytest.mark.one_process
class TestChanges:
    """What the administration changes counts within two seconds, whatever a token says."""

    @pytest.fixture(autouse=True)
    def warm(self, own_api, people):
        self.app = people.app()
        self.user = people.user("regency_facilitator")
        self.token = people.token(self.user, self.app)
        assert status(own_api, self.token) == 200

    def test_a_disabled_user(self, own_api, people):
        people.sql("UPDATE app_user SET status = 'disabled', disabled_reason = 'moved' WHERE id = %s", self.user["id"])
        within(lambda: status(own_api, self.token) == 401)
        problem(own_api.get("/v1/regions/19", token=self.token), 401, "invalid_token")
        people.sql("UPDATE app_user SET status = 'active', disabled_reason = NULL WHERE id = %s", self.user["id"])
        within(lambda: status(own_api, people.token(self.user, self.app)) == 200)

    def test_a_suspended_client(self, own_api, people):
        people.sql("UPDATE client SET status = 'suspended' WHERE id = %s", self.app["client_id"])
        within(lambda: status(own_api, self.token) == 401)

    def test_an_ended_assignment(self, own_api, people):
        people.sql("UPDATE assignment SET starts_on = today() - 9, ends_on = today() - 1 WHERE user_id = %s", self.user["id"])
        within(lambda: status(own_api, self.token) == 403)

    def test_a_new_assignment(self, own_api, people):
        problem(new_library(own_api, self.token, "19.02.01.1001"), 403, "out_of_reach")
        people.assign(self.user["id"], "provincial_coordinator", region="19")
        within(lambda: new_library(own_api, self.token, "19.02.01.1001").status_code == 201)

    @pytest.mark.parametrize("starts,ends,expected", [(1, None, 403), (-9, -1, 403), (0, 0, 200), (-9, 0, 200)])
    def test_dates(self, own_api, people, starts, ends, expected):
        user = people.user()
        people.assign(user["id"], "portal", starts, ends)
        assert status(own_api, people.token(user)) == expected

    def test_an_invited_user_has_no_token(self, own_api, people):
        assert status(own_api, people.forged_token(people.user("portal", status="invited"))) == 401

    def test_an_unknown_user(self, own_api, people):
        nobody = {"id": "0190d6e0-0000-7000-8000-000000000000"}
        assert status(own_api, people.forged_token(nobody)) == 401

    def test_a_subject_that_is_no_user(self, own_api, people):
        assert status(own_api, people.forged_token({"id": "somebody"})) == 401
