"""Who may do what with personal data: everybody reads what is kept and why; whole documents, the register, accounts and purges are the
national administrators'; a region's writers restrict and erase whom they may write; users ask about themselves, clients are nobody."""

import uuid

import pytest

from harness import programs
from harness.people import People
from harness.rights import BANGKA, BELITUNG, EVERYBODY, NATION, SULSEL, WRITES_VILLAGES, assert_refused, reaches, stage, try_row, who  # noqa: F401

PUBLISHED = {"list_personal_data_categories"}
OWN = {"get_my_personal_data", "list_my_personal_data_requests", "create_my_personal_data_request", "get_my_personal_data_request"}
ADMINISTRATION = {"get_person_personal_data", "get_user_personal_data", "list_personal_data_requests", "get_personal_data_request",
                  "answer_personal_data_request", "list_personal_data_purges", "erase_user_data"}
OF_A_REGION = {"restrict_person", "lift_person_restriction", "erase_person_data"}
READS = PUBLISHED | {name for name in OWN | ADMINISTRATION if name.startswith(("get_", "list_"))}
WRITES = (OWN | ADMINISTRATION | OF_A_REGION) - READS
BODY = {"reason": "uji hak"}


class Attempt:
    """Does one operation with everything about the request right except, perhaps, the caller."""

    def __init__(self, api, stage, role, place=BANGKA):
        self.api, self.stage, self.role, self.place = api, stage, role, place or None

    def get(self, path):
        return self.api.get(path, token=self.role)

    def post(self, path, body=None):
        return self.api.post(path, json=body or BODY, token=self.role)

    def person(self):
        one = self.stage.get(("person", self.place), lambda: programs.person(self.api, region_code=self.place))
        return "/v1/people/" + one["id"]

    def user(self):
        return "/v1/users/" + self.stage.get("user", lambda: People(self.api).user())["id"]

    def request(self):
        """Somebody else's, open."""
        def make():
            people = People(self.api)
            return programs.post(self.api, "/v1/me/personal-data/requests", {"kind": "access", **BODY},
                                 people.token(people.user("team_member")))["id"]
        return self.stage.get("request", make)

    def list_personal_data_categories(self):
        return self.get("/v1/personal-data/categories")

    def get_my_personal_data(self):
        return self.get("/v1/me/personal-data")

    def list_my_personal_data_requests(self):
        return self.get("/v1/me/personal-data/requests")

    def create_my_personal_data_request(self):
        return self.post("/v1/me/personal-data/requests", {"kind": "access", **BODY})

    def get_my_personal_data_request(self):
        made = self.create_my_personal_data_request()
        return self.get(f"/v1/me/personal-data/requests/{made.json().get('id', uuid.uuid4())}")

    def get_person_personal_data(self):
        return self.get(self.person() + "/personal-data")

    def get_user_personal_data(self):
        return self.get(self.user() + "/personal-data")

    def list_personal_data_requests(self):
        return self.get("/v1/personal-data/requests")

    def get_personal_data_request(self):
        return self.get("/v1/personal-data/requests/" + self.request())

    def answer_personal_data_request(self):
        path = "/v1/personal-data/requests/" + self.request()
        return self.api.patch(path, {"status": "done"}, etag=programs.tag_of(self.api, path), token=self.role)

    def list_personal_data_purges(self):
        return self.get("/v1/personal-data/purges")

    def erase_user_data(self):
        return self.post(self.user() + "/erasure")

    def restrict_person(self):
        return self.post(self.person() + "/restriction")

    def lift_person_restriction(self):
        path = self.person() + "/restriction"
        assert self.api.post(path, json=BODY, token="national_admin").status_code == 200
        return self.api.delete(path, token=self.role)

    def erase_person_data(self):
        return self.post(self.person() + "/erasure")


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(PUBLISHED | ADMINISTRATION))
def test_of_the_nation(api, stage, operation, role):  # noqa: F811
    answer = getattr(Attempt(api, stage, role), operation)()
    if operation in PUBLISHED or role == "national_admin":
        assert answer.status_code == 200, answer.text
        if operation in WRITES:
            stage.spend()
    else:
        assert_refused(answer)
    stage.keep()


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(OWN))
def test_of_oneself(api, stage, who, operation, role):  # noqa: F811
    answer = getattr(Attempt(api, stage, role), operation)()
    if who == "people":
        assert answer.status_code in (200, 201), answer.text
    else:
        assert answer.status_code == 403 and answer.json()["code"] == "person_needed", answer.text


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(OF_A_REGION))
def test_of_a_region(api, stage, operation, role):  # noqa: F811
    def attempt(place):
        return getattr(Attempt(api, stage, role, place), operation)()

    def allowed(place):
        return role in WRITES_VILLAGES and reaches(role, place)

    def judge(answer, place):
        if allowed(place):
            assert answer.status_code in (200, 204), answer.text
            stage.spend()
        elif answer.status_code != 404:  # somebody who is not published is not known to those outside
            assert_refused(answer)
        stage.keep()

    try_row([(place,) for place in (NATION, "19", BANGKA, BELITUNG, SULSEL)], attempt, judge, allowed)
