"""Who may do what, where, with programmes, participations, trainings, organizations and people.

Written from the programme's table: programmes, phases, confirming and graduating are the nation's; a province nominates, trains and
certifies; a kabupaten's facilitator trains but never certifies; a library's manager plans for the own library. Contacts and what is
no library are written by whoever writes the lowest library there."""

import pytest

from harness import programs
from harness.client import problem
from harness.rights import (BANGKA, BELITUNG, EVERYBODY, NATION, OWN_LIBRARY, OWN_VILLAGE, SULSEL, WRITERS_BY_KIND, WRITES_PROVINCES,
                            WRITES_REGENCIES, WRITES_VILLAGES, assert_refused, reaches, stage, try_row, who)  # noqa: F401

READS = {"list_programs", "get_program", "list_program_phases", "list_phases", "get_phase", "get_phase_progress",
         "list_participations", "get_participation", "list_participation_history", "list_participation_plan",
         "get_participation_plan", "list_trainings", "get_training", "list_training_participants", "get_training_participant",
         "list_facilitators", "list_organizations", "get_organization", "list_people", "get_person"}
OF_THE_NATION = {"create_program", "update_program", "create_phase", "update_phase"}
OF_A_LIBRARY = {"create_participation", "update_participation", "move_participation", "create_participation_plan",
                "update_participation_plan", "delete_participation_plan", "put_certification", "delete_certification"}
OF_A_REGION = {"create_training", "update_training", "create_training_participant", "update_training_participant",
               "delete_training_participant", "create_organization", "update_organization", "put_organization_contact",
               "delete_organization_contact", "get_organization_contact", "create_person", "update_person", "delete_person",
               "put_person_contact", "delete_person_contact", "get_person_contact"}
WRITES = OF_THE_NATION | OF_A_LIBRARY | OF_A_REGION
# Of the region's writers, those who may do it; a province nominates, certifies and no kabupaten does.
NOMINATES = {"create_participation", "update_participation", "move_participation", "put_certification", "delete_certification"}
PLANS = {"create_participation_plan", "update_participation_plan", "delete_participation_plan"}


def allowed(operation, role, kind, place):
    if operation in OF_THE_NATION:
        return role in WRITES_PROVINCES
    if operation in PLANS and place == OWN_LIBRARY and role == "library_manager":
        return True
    if operation == "get_person_contact" and place == OWN_LIBRARY and role == "library_manager":
        return True  # somebody of the own library
    writers = WRITERS_BY_KIND[kind] if operation in OF_A_LIBRARY else WRITES_VILLAGES
    if operation in NOMINATES:
        writers = writers & WRITES_REGENCIES
    return role in writers and reaches(role, place)


class Attempt:
    """Does one operation at one place, with everything about the request right except, perhaps, the caller."""

    def __init__(self, api, role, kind, place, own_library, stage):
        self.api, self.role, self.place, self.stage = api, role, place, stage
        self.own = own_library if place == OWN_LIBRARY else None
        self.kind = kind
        self.region = {NATION: None, OWN_LIBRARY: OWN_VILLAGE}.get(place, place)

    def shared(self, what, make):
        return self.stage.get((what, self.kind, self.place), make)

    def library(self):
        return self.own or self.stage.get((self.kind, self.place), lambda: programs.library(self.api, self.kind, self.place)["id"])

    def phase(self):
        return self.shared("phase", lambda: programs.phase(self.api))

    def participation(self):
        return self.shared("participation", lambda: programs.participation(self.api, library_id=self.library()))

    def send(self, method, path, body=None, tagged=None):
        headers = {"If-Match": programs.tag_of(self.api, tagged)} if tagged else {}
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        return self.api.request(method, path, token=self.role, headers=headers, **({"json": body} if body is not None else {}))

    def change(self, path, body):
        return self.send("PATCH", path, body, path)

    def create_program(self):
        return self.send("POST", "/v1/programs", {"slug": f"uji-{programs.word()}", "name": "Uji"})

    def update_program(self):
        return self.change("/v1/programs/" + self.phase()["program"], {"name": programs.word()})

    def create_phase(self):
        return self.send("POST", "/v1/phases", {"slug": f"uji-{programs.word()}", "name": "Uji",
                                               "program": self.phase()["program"]})

    def update_phase(self):
        return self.change("/v1/phases/" + self.phase()["id"], {"name": programs.word()})

    def create_participation(self):
        return self.send("POST", "/v1/participations", {"support": "full", "phase_id": self.phase()["id"],
                                                       "library_id": self.library()})

    def update_participation(self):
        return self.change("/v1/participations/" + self.participation()["id"], {"note": programs.word()})

    def move_participation(self):
        return self.send("POST", f"/v1/participations/{self.participation()['id']}/transitions", {"to": "withdrawn"})

    def create_participation_plan(self):
        return self.send("POST", f"/v1/participations/{self.participation()['id']}/work-plan", {"title": "Uji", "kind": "network"})

    def plan(self):
        def make():
            path = f"/v1/participations/{self.participation()['id']}/work-plan"
            return f"{path}/{programs.post(self.api, path, {'title': 'Uji', 'kind': 'network'})['id']}"
        return self.shared("plan", make)

    def update_participation_plan(self):
        return self.change(self.plan(), {"title": programs.word()})

    def delete_participation_plan(self):
        path = self.plan()
        return self.send("DELETE", path, tagged=path)

    def certified(self):
        one = self.shared("participant of the library", lambda: programs.participant(
            self.api, programs.training(self.api, region_code=None), role="fasilitator", library_id=self.library()))
        return one, f"/v1/trainings/{one['training_id']}/participants/{one['id']}/certification"

    def put_certification(self):
        return self.send("PUT", self.certified()[1], {"certified_on": "2024-05-06"})

    def delete_certification(self):
        one, path = self.certified()
        assert programs.certify(self.api, one).status_code < 300
        return self.send("DELETE", path)

    def create_training(self):
        return self.send("POST", "/v1/trainings", {"kind": "tik", "title": "Uji", "starts_on": "2024-01-01",
                                                  "region_code": self.region})

    def training(self):
        return self.shared("training", lambda: programs.training(self.api, region_code=self.region))

    def update_training(self):
        return self.change("/v1/trainings/" + self.training()["id"], {"place": programs.word()})

    def create_training_participant(self):
        return self.send("POST", f"/v1/trainings/{self.training()['id']}/participants", {"name": "Uji", "role": "staf"})

    def participant(self):
        one = self.shared("participant", lambda: programs.participant(self.api, self.training()))
        return f"/v1/trainings/{one['training_id']}/participants/{one['id']}"

    def update_training_participant(self):
        return self.change(self.participant(), {"role": "staf"})

    def delete_training_participant(self):
        path = self.participant()
        return self.send("DELETE", path, tagged=path)

    def create_organization(self):
        return self.send("POST", "/v1/organizations", {"name": "Uji", "sector": "media", "region_code": self.region})

    def organization(self):
        one = self.shared("organization", lambda: programs.organization(self.api, region_code=self.region))
        return "/v1/organizations/" + one["id"]

    def update_organization(self):
        return self.change(self.organization(), {"name": programs.word()})

    def put_organization_contact(self):
        return self.send("PUT", self.organization() + "/contact", {"phone": "0717", "purpose": "uji"})

    def delete_organization_contact(self):
        return self.send("DELETE", self.organization() + "/contact")

    def get_organization_contact(self):
        return self.send("GET", self.organization() + "/contact")

    def create_person(self):
        return self.send("POST", "/v1/people", {"name": "Uji", "region_code": self.region})

    def person(self):
        fields = {"library_id": self.own} if self.own else {"region_code": self.region}
        return "/v1/people/" + self.shared("person", lambda: programs.person(self.api, **fields))["id"]

    def update_person(self):
        return self.change(self.person(), {"position": programs.word()})

    def delete_person(self):
        path = self.person()
        return self.send("DELETE", path, tagged=path)

    def put_person_contact(self):
        return self.send("PUT", self.person() + "/contact", {"phone": "0812", "purpose": "uji"})

    def delete_person_contact(self):
        return self.send("DELETE", self.person() + "/contact")

    def get_person_contact(self):
        return self.send("GET", self.person() + "/contact")


@pytest.fixture(scope="module")
def own_library(cluster, service):
    return cluster.library_at(service.database, OWN_VILLAGE)


@pytest.fixture(scope="module")
def paths(api):
    one = programs.participation(api)
    plan = programs.post(api, f"/v1/participations/{one['id']}/work-plan", {"title": "Uji", "kind": "network"})
    certified = programs.facilitator(api)
    phase = f"/v1/phases/{one['phase_id']}"
    training = f"/v1/trainings/{certified['training_id']}"
    slug = api.get(phase).json()["program"]
    return {
        "list_programs": "/v1/programs", "get_program": f"/v1/programs/{slug}", "list_program_phases": f"/v1/programs/{slug}/phases",
        "list_phases": "/v1/phases", "get_phase": phase, "get_phase_progress": phase + "/progress",
        "list_participations": "/v1/participations", "get_participation": f"/v1/participations/{one['id']}",
        "list_participation_history": f"/v1/participations/{one['id']}/history",
        "list_participation_plan": f"/v1/participations/{one['id']}/work-plan",
        "get_participation_plan": f"/v1/participations/{one['id']}/work-plan/{plan['id']}",
        "list_trainings": "/v1/trainings", "get_training": training, "list_training_participants": training + "/participants",
        "get_training_participant": f"{training}/participants/{certified['id']}", "list_facilitators": "/v1/facilitators",
        "list_organizations": "/v1/organizations",
        "get_organization": "/v1/organizations/" + programs.organization(api)["id"], "list_people": "/v1/people",
        "get_person": "/v1/people/" + certified["person_id"],
    }


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(READS))
def test_published_data_know_no_reach(api, paths, operation, role):
    assert api.get(paths[operation], token=role).status_code == 200


PLACES = {**{operation: [("provincial", NATION)] for operation in OF_THE_NATION},
          **{operation: [("village", BANGKA), ("village", BELITUNG), ("village", SULSEL), ("regency", BANGKA), ("regency", SULSEL),
                         ("provincial", "19.01"), ("village", OWN_LIBRARY)] for operation in OF_A_LIBRARY},
          **{operation: [("village", NATION), ("village", "19"), ("village", BANGKA), ("village", BELITUNG), ("village", SULSEL)]
             for operation in OF_A_REGION}}
PLACES["get_person_contact"] = PLACES["get_person_contact"] + [("village", OWN_LIBRARY)]
# After whose success the objects are not as they were.
SPENDS = {operation for operation in WRITES if operation.startswith("delete_")} | {"create_participation", "move_participation"}


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(WRITES))
def test_row(api, own_library, stage, operation, role):  # noqa: F811
    def may(kind, place):
        if kind == "provincial" and operation not in OF_THE_NATION:
            place = "19"  # where a provincial library stands
        return allowed(operation, role, kind, place)

    def attempt(kind, place):
        return getattr(Attempt(api, role, kind, place, own_library, stage), operation)()

    def judge(answer, kind, place):
        if may(kind, place):
            assert answer.status_code < 300, answer.text
            if operation in SPENDS:
                stage.spend()
        elif answer.status_code == 404:  # a person who is not published is not known to those outside
            assert operation in OF_A_REGION and operation.endswith(("person", "person_contact")), answer.text
        else:
            assert_refused(answer)
        stage.keep()

    try_row(PLACES[operation], attempt, judge, may)


@pytest.mark.parametrize("role", sorted(WRITES_REGENCIES))
@pytest.mark.parametrize("to", ["confirmed", "graduated"])
def test_confirming_and_graduating_are_the_nations(api, role, to):
    one = programs.participation(api)
    if to == "graduated":
        for step in ("confirmed", "active"):
            assert programs.transit(api, one, step).status_code == 200
    answer = programs.transit(api, one, to, token=role)
    if role == "national_admin":
        assert answer.status_code == 200, answer.text
    else:
        problem(answer, 403, "participation_needs_nation")
        assert api.get(f"/v1/participations/{one['id']}").json()["status"] != to


def test_records_of_the_past_are_the_nations(api):
    past = {"origin": "historical", "source": "uji"}
    body = {"support": "full", "phase_id": programs.phase(api)["id"], "library_id": programs.library(api)["id"], **past}
    problem(api.post("/v1/participations", json=body, token="provincial_coordinator"), 403, "historical_needs_nation")
    assert api.post("/v1/participations", json=body, token="national_admin").status_code == 201
    body = {"kind": "tik", "title": "Uji", "region_code": "19.01", **past}
    for role in ("provincial_coordinator", "regency_facilitator"):
        problem(api.post("/v1/trainings", json=body, token=role), 403, "historical_needs_nation")
    assert api.post("/v1/trainings", json=body, token="national_admin").status_code == 201


@pytest.mark.parametrize("path,body", [("organizations", {"name": "Uji", "sector": "media"}), ("people", {"name": "Uji"}),
                                       ("trainings", {"kind": "tik", "title": "Uji", "starts_on": "2024-01-01"})])
def test_what_moves_needs_both_places(api, path, body):
    """Neither pushed out of the kabupaten nor pulled in."""
    for start, end, answers in ((BANGKA, BELITUNG, 403), (BELITUNG, BANGKA, 403)):
        one = f"/v1/{path}/" + programs.post(api, f"/v1/{path}", {**body, "region_code": start})["id"]
        answer = api.patch(one, {"region_code": end}, etag=programs.tag_of(api, one), token="regency_facilitator")
        assert answer.status_code in (answers, 404) and "2" != str(answer.status_code)[0]
        assert api.get(one, token="national_admin").json()["region_code"] == start
