"""Organizations and people: names for those who may have them, contacts apart, every read of them on record."""

import uuid

import pytest

from harness import libraries, programs
from harness.client import problem

CONTACT = {"phone": "0812-3456-7890", "email": "siti.rahasia@example.id", "address": "Jalan Rahasia 1", "purpose": "Pendampingan"}


def path_of(one):
    return ("/v1/organizations/" if "sector" in one else "/v1/people/") + one["id"]


def set_contact(api, one, **fields):
    answer = api.put(path_of(one) + "/contact", json={**CONTACT, **fields}, token="national_admin")
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


@pytest.fixture(params=["organization", "person"])
def make(request, api):
    return lambda **fields: getattr(programs, request.param)(api, **fields)


def audited(database, what, one):
    with database.cursor() as cursor:
        cursor.execute("SELECT actor, client_id, operation, request_id FROM audit WHERE action = 'read' AND table_name = %s "
                       "AND row_key ->> 'id' = %s ORDER BY id", (what, one["id"]))
        return cursor.fetchall()


class TestContacts:
    def test_apart(self, api, make):
        """In no list, no single, no CSV; only at the contact itself."""
        one = make()
        name = one["name"]
        assert {field: set_contact(api, one)[field] for field in CONTACT} == CONTACT
        for answer in (api.get(path_of(one), token="national_admin"),
                       api.get(path_of(one).rsplit("/", 1)[0] + f"?q={name}", token="national_admin"),
                       api.get(path_of(one).rsplit("/", 1)[0] + f"?q={name}&format=csv", token="national_admin")):
            assert answer.status_code == 200 and name in answer.text
            assert not any(value in answer.text for value in CONTACT.values())

    def test_every_read_is_on_record(self, api, database, make):
        one = make()
        set_contact(api, one)
        table = "organization_contact" if "sector" in one else "person_contact"
        assert audited(database, table, one) == []
        answer = api.get(path_of(one) + "/contact", token="regency_facilitator")
        assert answer.status_code == 200 and answer.json()["phone"] == CONTACT["phone"]
        [(_, client, operation, request)] = audited(database, table, one)
        assert client == api.client("regency_facilitator")["client_id"]
        assert (operation, request) == (f"get_{table}", answer.headers["X-Request-Id"])
        again = api.get(path_of(one) + "/contact", token="regency_facilitator", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304 and len(audited(database, table, one)) == 2
        problem(api.get(path_of(one) + "/contact", token="portal"), 403, "insufficient_scope")
        assert len(audited(database, table, one)) == 2

    def test_not_in_the_audit_in_the_clear(self, api, database, make):
        one = make()
        set_contact(api, one)
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit WHERE (coalesce(before, '{}') || coalesce(after, '{}'))::text ~ %s",
                           ("siti.rahasia|3456-7890|Jalan Rahasia",))
            assert cursor.fetchone()[0] == 0

    def test_not_in_the_log(self, api, make):
        set_contact(api, make())
        assert "siti.rahasia" not in api.service.log_text()

    def test_replaced_and_removed(self, api, make):
        one = make()
        empty = api.get(path_of(one) + "/contact", token="national_admin").json()
        assert empty["phone"] is None and empty["purpose"] is None
        set_contact(api, one)
        assert set_contact(api, one, phone=None)["phone"] is None
        assert api.delete(path_of(one) + "/contact", token="national_admin").status_code == 204
        assert api.get(path_of(one) + "/contact", token="national_admin").json()["email"] is None

    def test_it_says_what_it_is_for(self, api, make):
        answer = api.put(path_of(make()) + "/contact", json={"phone": "1"}, token="national_admin")
        assert problem(answer, 422, "invalid_body")["errors"][0]["pointer"] == "/purpose"


class TestPerson:
    def test_unpublished_is_unknown_outside(self, api):
        here, there = programs.person(api), programs.person(api, region_code="73.08")
        for one, role, seen in ((here, "portal", False), (here, "public_app", False), (here, "integration", False), (here, "team_member", False),
                                (here, "national_analyst", False), (here, "regency_facilitator", True), (here, "provincial_coordinator", True),
                                (there, "provincial_coordinator", False), (there, "national_admin", True)):
            answer = api.get(path_of(one), token=role)
            assert answer.status_code == (200 if seen else 404), role
            listed = [item["id"] for item in api.pages(f"/v1/people?q={one['name']}", token=role)]
            assert listed == ([one["id"]] if seen else []), role
            count = api.get(f"/v1/people?q={one['name']}&count=exact", token=role).json()["total"]
            assert count == (1 if seen else 0), role

    def test_the_own_librarys_people(self, api, cluster, service):
        own = cluster.library_at(service.database, "19.01.06.2002")
        one = programs.person(api, library_id=own, region_code=None)
        assert one["region_code"] == "19.01.06.2002"
        assert api.get(path_of(one), token="library_manager").status_code == 200
        set_contact(api, one)
        assert api.get(path_of(one) + "/contact", token="library_manager").json()["phone"] == CONTACT["phone"]
        problem(api.get(path_of(programs.person(api)) + "/contact", token="library_manager"), 404, "not_found")

    def test_of_the_own_team(self, api):
        """A member of a team reads the contacts of the team's people, of nobody else."""
        outside = programs.organization(api, region_code=None)["id"]
        one, gone = (programs.person(api, organization_id=outside, region_code=None) for _ in range(2))
        teams = list(api.pages("/v1/tim-sinergi?within=19&level=province"))
        team = teams[0]["id"] if teams else programs.post(api, "/v1/tim-sinergi", {"region_code": "19", "formed_on": "2020-01-01"})["id"]
        for person, ends_on in ((one, None), (gone, "2020-12-31")):
            set_contact(api, person)
            fields = {"ends_on": ends_on, "end_reason": "resigned"} if ends_on else {}
            programs.post(api, f"/v1/tim-sinergi/{team}/members", {"person_id": person["id"], "organization_id": outside,
                                                                  "starts_on": "2020-01-01", "role": "anggota", **fields})
        assert api.get(path_of(one) + "/contact", token="team_member").json()["phone"] == CONTACT["phone"]
        assert api.get(path_of(gone) + "/contact", token="team_member").status_code in (403, 404)
        assert api.get(path_of(programs.person(api)) + "/contact", token="team_member").status_code == 404
        assert api.get(path_of(one), token="public_app").json()["name"] == one["name"]

    def test_where_the_person_works(self, api):
        office = programs.organization(api, region_code="19.02")
        assert programs.person(api, organization_id=office["id"], region_code=None)["region_code"] == "19.02"
        library = programs.library(api, place="73.08")
        one = programs.person(api, organization_id=office["id"], library_id=library["id"], region_code=None)
        assert one["region_code"] == library["region_code"]
        for field in ("library_id", "organization_id"):
            body = {"name": "X", "region_code": "19.01", field: str(uuid.uuid4())}
            problem(api.post("/v1/people", json=body, token="national_admin"), 422, "reference_unknown")
            problem(programs.change(api, path_of(one), **{field: body[field]}), 422, "reference_unknown")
        problem(api.post("/v1/people", json={"name": "X", "region_code": "99"}, token="national_admin"), 422, "reference_unknown")

    def test_a_change(self, api):
        one = programs.person(api, "regency_facilitator", position="Staf")
        answer = programs.change(api, path_of(one), "regency_facilitator", position=None, name="Siti")
        assert answer.status_code == 200, answer.text
        assert answer.json() == {**one, "position": None, "name": "Siti", "updated_at": answer.json()["updated_at"]}

    def test_filters(self, api):
        office, library = programs.organization(api), programs.library(api)
        first = programs.person(api, organization_id=office["id"], position="Kepala")
        second = programs.person(api, library_id=library["id"], organization_id=office["id"])

        def found(query):
            return [item["id"] for item in api.pages(f"/v1/people?limit=1{query and '&' + query}", token="national_admin")]
        assert found(f"organization={office['id']}") == [first["id"], second["id"]]
        assert found(f"organization={office['id']}&sort=updated_at") == [first["id"], second["id"]]
        assert found(f"library={library['id']}") == [second["id"]]
        assert found(f"organization={office['id']}&within=73") == []
        body = api.get(f"/v1/people?organization={office['id']}&expand=organization,library&limit=2", token="national_admin").json()["items"]
        assert body[0]["organization"]["name"] == office["name"] and body[0]["library"] is None
        assert body[1]["library"]["id"] == library["id"]

    def test_erased(self, api, database):
        """Name, position and contact go; what was counted stays."""
        one = programs.person(api, position="Kepala seksi")
        training = programs.training(api)
        seat = programs.participant(api, training, person_id=one["id"])
        set_contact(api, one)
        gone = api.delete(path_of(one), token="provincial_coordinator", headers={"If-Match": programs.tag_of(api, path_of(one))})
        assert gone.status_code == 204
        problem(api.get(path_of(one), token="national_admin"), 404, "not_found")
        problem(api.get(path_of(one) + "/contact", token="national_admin"), 404, "not_found")
        assert api.get(f"/v1/trainings/{training['id']}").json()["attended_count"] == 1
        left = api.get(f"/v1/trainings/{training['id']}/participants/{seat['id']}", token="national_admin").json()
        assert left["name"] is None and left["attended"] is True
        with database.cursor() as cursor:
            cursor.execute("SELECT name, position, (SELECT count(*) FROM person_contact c WHERE c.person_id = p.id) FROM person p WHERE id = %s",
                           (one["id"],))
            assert cursor.fetchone() == (None, None, 0)
            cursor.execute("SELECT count(*) FROM audit WHERE (coalesce(before, '{}') || coalesce(after, '{}'))::text LIKE %s",
                           (f"%{one['name']}%",))
            assert cursor.fetchone()[0] == 0
        tombs = [item for item in api.pages("/v1/people?deleted=include&limit=500", token="national_admin") if item["id"] == one["id"]]
        assert set(tombs[0]) == {"id", "deleted_at"}
        problem(api.post(f"/v1/trainings/{programs.training(api)['id']}/participants", json={"role": "staf", "person_id": one["id"]},
                         token="national_admin"), 422, "reference_unknown")

    def test_an_own_id_and_again(self, api):
        body = {"id": str(uuid.uuid4()), "name": "Uji", "region_code": "19.01"}
        assert api.post("/v1/people", json=body, token="regency_facilitator").status_code == 201
        assert api.post("/v1/people", json=body, token="regency_facilitator").status_code == 200
        problem(api.post("/v1/people", json=body, token="national_admin"), 409, "id_taken")  # somebody else's


class TestOrganization:
    def test_what_was_sent_comes_back(self, api):
        sent = {"name": "Bappeda Uji", "sector": "planning_agency", "region_code": "19", "website": "https://bappeda.example.id"}
        made = programs.post(api, "/v1/organizations", sent, "provincial_coordinator")
        assert {name: made[name] for name in sent} == sent
        seen = api.get(path_of(made) + "?expand=region", token="public_app").json()
        assert seen["region"]["province"]["code"] == "19"
        answer = programs.change(api, path_of(made), website=None, sector="other_regional_agency")
        assert (answer.json()["website"], answer.json()["sector"]) == (None, "other_regional_agency")

    def test_filters(self, api):
        word = programs.word()
        made = [programs.organization(api, name=f"{name} {word}", sector=sector, region_code=place)
                for name, sector, place in (("B", "media", "19.01"), ("A", "bank", "19"), ("C", "media", "73.08"))]

        def found(query):
            return [made.index(next(m for m in made if m["id"] == item["id"]))
                    for item in api.pages(f"/v1/organizations?q={word}&limit=1{query and '&' + query}")]
        assert found("") == [1, 0, 2] and found("sort=updated_at") == [0, 1, 2] and found("within=19") == [1, 0]
        assert found("sector=media") == [0, 2] and found("updated_since=2999-01-01T00:00:00Z") == []
        assert len(libraries.rows_of(api.get(f"/v1/organizations?q={word}&format=csv").text)) == 3

    def test_its_region_is_there(self, api):
        body = {"name": "X", "sector": "media", "region_code": "99"}
        problem(api.post("/v1/organizations", json=body, token="national_admin"), 422, "reference_unknown")
        problem(programs.change(api, path_of(programs.organization(api)), region_code="19.99"), 422, "reference_unknown")

    def test_an_own_id_and_again(self, api):
        body = {"id": str(uuid.uuid4()), "name": "Uji", "sector": "media", "region_code": "19.01"}
        assert api.post("/v1/organizations", json=body, token="regency_facilitator").status_code == 201
        assert api.post("/v1/organizations", json=body, token="regency_facilitator").status_code == 200
        problem(api.post("/v1/organizations", json={**body, "name": "Lain"}, token="regency_facilitator"), 409, "id_taken")
