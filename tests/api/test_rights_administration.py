"""Who administers what, where: every operation as every role, inside and outside its reach. The cells are written from the
programme's words: a coordinator appoints facilitators of the province, who appoint library managers; the nation everybody."""

import pytest

from harness.assignments import PATH, appointed, change, end, invited
from harness.rights import BANGKA, BELITUNG, EVERYBODY, PROVINCE, SULSEL, Stage, assert_refused, reaches, try_row

READS = {"list_assignments", "get_assignment", "list_audit", "list_audit_seals", "get_me", "get_me_can"}
WRITES = {"create_assignment", "update_assignment", "end_assignment"}
APPOINTERS = {"national_admin", "provincial_coordinator", "regency_facilitator"}
# role -> whom it appoints of these
GIVES = {"national_admin": {"provincial_coordinator", "regency_facilitator", "team_member"},
         "provincial_coordinator": {"regency_facilitator", "team_member"}, "regency_facilitator": {"team_member"}}
PLACES = {"provincial_coordinator": (PROVINCE, "73"), "regency_facilitator": (BANGKA, BELITUNG, SULSEL), "team_member": (PROVINCE, BANGKA, BELITUNG, SULSEL)}
CELLS = [(given, place) for given in sorted(PLACES) for place in PLACES[given]]


@pytest.fixture(scope="module")
def stage():
    return Stage()


def allowed(operation, role, given, place):
    if role not in APPOINTERS:
        return False
    if operation == "list_assignments":
        return True
    if not reaches(role, place):
        return False
    return operation == "get_assignment" or given in GIVES[role]


class Attempt:
    """One operation on somebody's role in a place, everything about the request right except, perhaps, the caller."""

    def __init__(self, api, stage, role, given, place):
        self.api, self.stage, self.role, self.given, self.place = api, stage, role, given, place

    def made(self):
        return self.stage.get((self.given, self.place), lambda: appointed(self.api, self.given, region_code=self.place)["id"])

    def create_assignment(self):
        return self.api.post(PATH, token=self.role, json={"role": self.given, "region_code": self.place, "user_id": invited(self.api, self.role)})

    def list_assignments(self):
        one = self.made()
        answer = self.api.get(f"{PATH}?limit=500&within={self.place}", token=self.role)
        if answer.status_code == 200:
            assert (one in [found["id"] for found in answer.json()["items"]]) == reaches(self.role, self.place)
        return answer

    def get_assignment(self):
        return self.api.get(f"{PATH}/{self.made()}", token=self.role)

    def update_assignment(self):
        return change(self.api, self.made(), token=self.role, note="Uji")

    def end_assignment(self):
        return end(self.api, self.made(), token=self.role)


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(WRITES | {"list_assignments", "get_assignment"}))
def test_row(own_api, stage, operation, role):
    def attempt(given, place):
        return getattr(Attempt(own_api, stage, role, given, place), operation)()

    def judge(answer, given, place):
        if allowed(operation, role, given, place):
            assert answer.status_code < 300, answer.text
            if operation == "end_assignment":
                stage.spend()
        elif role in APPOINTERS and operation != "create_assignment" and not reaches(role, place):
            assert answer.status_code == 404, answer.text  # what lies elsewhere is not to be known
        else:
            assert_refused(answer, "delegation_missing")
        stage.keep()

    try_row(CELLS, attempt, judge, lambda given, place: allowed(operation, role, given, place))


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_the_audit_is_the_nations(own_api, role):
    answer = own_api.get("/v1/audit?limit=1", token=role)
    assert own_api.get("/v1/audit/seals?limit=1", token=role).status_code == 200  # a seal tells nothing, and anybody may keep it
    if role == "national_admin":
        assert answer.status_code == 200 and answer.json()["items"]
    else:
        assert_refused(answer)


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_everybody_may_know_who_they_are(own_api, role):
    answer = own_api.get("/v1/me", token=role)
    assert answer.status_code == 200 and [one["role"] for one in answer.json()["assignments"]] == [role]
