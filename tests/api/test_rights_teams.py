"""Who may write what of which Tim Sinergi: every writing operation as every role, at the team of its own region, of one above,
one below and one elsewhere. The cells are written from the programme's table of rights, not from the contract."""

import uuid

import pytest

from harness.client import problem
from harness.rights import assert_refused, try_row, who  # noqa: F401
from harness.teams import PATH, add, change, join, made, member_body, team

NATION, BABEL, BANGKA, BELITUNG, SULSEL = "", "19", "19.01", "19.02", "73"
CHARGED = {"national_admin": NATION, "national_analyst": NATION, "provincial_coordinator": BABEL, "team_member": BABEL, "regency_facilitator": BANGKA,
           "library_manager": None, "integration": None, "portal": NATION, "public_app": NATION}
PLACES = (BABEL, BANGKA, BELITUNG, SULSEL)

TEAM = {"create_team", "update_team", "create_team_member", "update_team_member", "create_position_change", "create_substitution", "put_team_coordinator"}
BASIS = {"create_team_decree", "update_team_decree", "create_team_funding", "update_team_funding"}
WORK = {"create_team_meeting", "update_team_meeting", "create_team_task", "update_team_task"}
CONTACT = {"get_team_member_contact"}
NATIONAL = {"create_team_policy"}
WRITES = TEAM | BASIS | WORK | CONTACT | NATIONAL
READS = {"list_teams": "", "get_team": "/{team}", "list_team_members": "/{team}/members", "get_team_member": "/{team}/members/{member}",
         "list_position_changes": "/{team}/members/{member}/position-changes", "get_position_change": "/{team}/members/{member}/position-changes/{position}",
         "list_substitutions": "/{team}/substitutions", "get_substitution": "/{team}/substitutions/{substitution}", "get_team_coordinator": "/{team}/coordinator",
         "list_team_decrees": "/{team}/decrees", "get_team_decree": "/{team}/decrees/{decree}", "list_team_meetings": "/{team}/meetings",
         "get_team_meeting": "/{team}/meetings/{meeting}", "list_team_work_plan": "/{team}/work-plan", "get_team_task": "/{team}/work-plan/{task}",
         "list_team_funding": "/{team}/funding", "get_team_funding": "/{team}/funding/{funding}", "list_team_policies": None, "get_team_policy": None}


def allowed(operation, role, place):
    if role == "national_admin":
        return True
    if operation in NATIONAL:
        return False
    if role == "provincial_coordinator":  # the province and its kabupaten, decrees, funding
        return place in (BABEL, BANGKA, BELITUNG)
    if role == "regency_facilitator":  # its kabupaten's own team
        return place == BANGKA and operation not in BASIS
    if role == "team_member":  # its team's meetings, visits, work plan; contacts of its team
        return place == BABEL and operation in WORK | CONTACT
    return False


def test_every_operation_has_its_row(contract):
    operations = {operation["operationId"] for _, operation in contract.operations() if "teams" in operation["tags"]}
    assert operations == WRITES | set(READS)


@pytest.fixture(scope="module")
def teams(own_api):
    """A live team at each place with one of everything; what stands there already is dissolved first."""
    made_ = {}
    for place in PLACES:
        for old in own_api.pages(f"{PATH}?region={place}&status=active"):
            assert change(own_api, f"{PATH}/{old['id']}", dissolved_on="2023-12-31").status_code == 200
        one = team(own_api, place, formed_on="2024-01-01")["id"]
        member = join(own_api, one, starts_on="2024-01-01")
        with own_api.service.owner.cursor() as cursor:
            cursor.execute("INSERT INTO person (name) VALUES (%s) RETURNING id", (f"Orang {place}",))
            known = cursor.fetchone()[0]
            cursor.execute("INSERT INTO person_contact (person_id, phone, purpose) VALUES (%s, '0812', 'rapat')", (known,))
        leaving = join(own_api, one, starts_on="2024-01-01")
        substitution = made(add(own_api, one, "substitutions", leaving_member_id=leaving["id"], on="2024-06-01", reason="resigned",
                                member={"person_id": known, "organization_id": leaving["organization"]["id"]}))
        assert own_api.put(f"{PATH}/{one}/coordinator", token="national_admin", json={"member_id": member["id"], "from": "2024-01-01"}).status_code == 201
        part = {"team": one, "member": member["id"], "known": substitution["member_id"], "substitution": substitution["id"],
                "position": next(own_api.pages(f"{PATH}/{one}/members/{member['id']}/position-changes"))["id"]}
        for name, path, body in (("decree", "decrees", {"kind": "sk_kepala_dinas", "number": "1", "signed_on": "2024-01-01", "max_members": 900}),
                                 ("meeting", "meetings", {"kind": "internal", "planned_for": "2024-02-01"}),
                                 ("task", "work-plan", {"title": "Uji", "kind": "policy"}), ("funding", "funding", {"year": 2024, "source": "csr", "amount": 1})):
            part[name] = made(add(own_api, one, path, **body))["id"]
        made_[place] = part
    return made_


class Attempt:
    """One operation at one team, everything about the request right except, perhaps, the caller."""

    def __init__(self, api, role, part, place):
        self.api, self.role, self.part, self.place = api, role, part, place

    def post(self, path, **body):
        return add(self.api, self.part["team"], path, token=self.role, **body)

    def patch(self, path, **body):
        return change(self.api, f"{PATH}/{self.part['team']}{path}", token=self.role, **body)

    def create_team(self):
        """A second team of the region: who may, learns that there is one."""
        return self.api.post(PATH, token=self.role, json={"region_code": self.place})

    def update_team(self):
        return self.patch("", name=f"Tim {uuid.uuid4().hex[:6]}")

    def create_team_member(self):
        return self.post("members", **member_body(starts_on="2024-03-01", ends_on="2024-03-02"))

    def update_team_member(self):
        return self.patch(f"/members/{self.part['member']}", source=f"S{uuid.uuid4().hex[:6]}")

    def create_position_change(self):
        one = join(self.api, self.part["team"], starts_on="2024-04-01", ends_on="2024-05-01")
        return self.post(f"members/{one['id']}/position-changes", on="2024-04-10", position="Lain")

    def create_substitution(self):
        one = join(self.api, self.part["team"], starts_on="2024-04-01", ends_on="2024-05-01")
        body = member_body(starts_on=...)
        return self.post("substitutions", leaving_member_id=one["id"], on="2024-04-10", reason="resigned", member=body)

    def put_team_coordinator(self):
        return self.api.put(f"{PATH}/{self.part['team']}/coordinator", token=self.role, json={"member_id": self.part["member"], "from": "2024-01-01"})

    def create_team_decree(self):
        return self.post("decrees", kind="sk_kepala_dinas", number=uuid.uuid4().hex, signed_on="2024-02-01")

    def update_team_decree(self):
        return self.patch(f"/decrees/{self.part['decree']}", issued_by=uuid.uuid4().hex)

    def create_team_funding(self):
        return self.post("funding", year=2025, source="csr", amount=5)

    def update_team_funding(self):
        return self.patch(f"/funding/{self.part['funding']}", note=uuid.uuid4().hex)

    def create_team_meeting(self):
        return self.post("meetings", kind="audience", planned_for="2024-07-01")

    def update_team_meeting(self):
        return self.patch(f"/meetings/{self.part['meeting']}", place=uuid.uuid4().hex)

    def create_team_task(self):
        return self.post("work-plan", title="Uji", kind="policy")

    def update_team_task(self):
        return self.patch(f"/work-plan/{self.part['task']}", result=uuid.uuid4().hex)

    def get_team_member_contact(self):
        return self.api.get(f"{PATH}/{self.part['team']}/members/{self.part['known']}/contact", token=self.role)

    def create_team_policy(self):
        """An earlier day than the policy's before: who may, learns that."""
        return self.api.post("/v1/team-policies", token=self.role, json={
            "level": "province", "starts_on": "2020-01-01", "max_members": 900, "wanted_sectors": [], "meeting_interval_months": None})


@pytest.mark.parametrize("role", sorted(CHARGED))
@pytest.mark.parametrize("operation", sorted(WRITES))
def test_row(own_api, teams, operation, role):
    def attempt(place):
        return getattr(Attempt(own_api, role, teams[place], place), operation)()

    def judge(answer, place):
        if allowed(operation, role, place):
            assert answer.status_code < 300 or answer.json()["code"] in ("team_exists", "date_before_previous"), answer.text
        else:
            assert_refused(answer)

    try_row([(place,) for place in PLACES], attempt, judge, lambda place: allowed(operation, role, place))


@pytest.mark.parametrize("role", sorted(CHARGED))
@pytest.mark.parametrize("operation", sorted(READS))
def test_published_data_know_no_reach(own_api, teams, operation, role):
    policy = next(own_api.pages("/v1/team-policies"))["id"]
    path = {"list_team_policies": "/v1/team-policies", "get_team_policy": f"/v1/team-policies/{policy}"}.get(operation)
    answer = own_api.get(path or PATH + READS[operation].format(**teams[SULSEL]), token=role)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("role", ["provincial_coordinator", "regency_facilitator", "team_member"])
def test_records_of_the_past_are_the_nations(own_api, teams, role):
    place = BANGKA if role == "regency_facilitator" else BABEL
    one = teams[place]["team"]
    problem(add(own_api, one, "meetings", token=role, kind="internal", origin="historical", source="S3"), 403, "historical_needs_nation")
    if role == "team_member":
        return
    problem(own_api.post(PATH, token=role, json={"region_code": place, "origin": "historical", "source": "S3"}), 403, "historical_needs_nation")
    problem(add(own_api, one, "members", token=role, **member_body(starts_on_precision="unknown", source="S3")), 403, "historical_needs_nation")
    problem(add(own_api, one, "members", token=role, **member_body(ends_on="2024-02-01", ends_on_precision="month", source="S3")), 403, "historical_needs_nation")
    if role == "provincial_coordinator":
        problem(add(own_api, one, "decrees", token=role, kind="sk_gubernur", origin="historical", source="S3"), 403, "historical_needs_nation")
    past = made(add(own_api, one, "meetings", kind="internal", origin="historical", source="S3"))
    problem(change(own_api, f"{PATH}/{one}/meetings/{past['id']}", token=role, place="Aula"), 403, "historical_needs_nation")


def test_funding_notes_are_for_the_reach(own_api, teams):
    path = f"{PATH}/{teams[BABEL]['team']}/funding/{teams[BABEL]['funding']}"
    change(own_api, path, note="rahasia")
    seen = {role: own_api.get(path, token=role).json()["note"] for role in ("national_admin", "provincial_coordinator", "team_member", "regency_facilitator", "portal")}
    assert seen == {"national_admin": "rahasia", "provincial_coordinator": "rahasia", "team_member": "rahasia", "regency_facilitator": None, "portal": None}
