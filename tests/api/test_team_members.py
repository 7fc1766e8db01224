"""Who is in a Tim Sinergi, on any day: members, substitutions, positions, the coordinator."""

import threading
import uuid

import pytest

from harness.client import Api, problem
from harness.libraries import rows_of
from harness.teams import PATH, add, change, join, made, member_body, members, show, team

HEAD = {"organization": {"name": "Dinas Perpustakaan Uji", "sector": "library_agency"}}


@pytest.fixture(scope="module")
def regions(own_api):
    """Codes of kabupaten and provinces without a team, one after the other."""
    taken = {one["region_code"] for one in own_api.pages(PATH)}
    provinces = [r["code"] for r in own_api.pages("/v1/regions?level=province") if r["code"] not in taken]
    regencies = [r["code"] for r in own_api.pages("/v1/regions?level=regency&within=33") if r["code"] not in taken]
    return {"province": iter(provinces), "regency": iter(regencies)}


@pytest.fixture
def province(own_api, regions):
    return team(own_api, next(regions["province"]), formed_on="2018-11-28")["id"]


@pytest.fixture
def regency(own_api, regions):
    return team(own_api, next(regions["regency"]), formed_on="2018-11-28")["id"]


def path_of(team_id, member):
    return f"{PATH}/{team_id}/members/{member['id']}"


def person(api, **fields):
    body = {"name": f"Orang {uuid.uuid4().hex[:8]}", "region_code": "33", **fields}
    return made(api.post("/v1/people", token="national_admin", json=body))


# ---- members -----------------------------------------------------------------------------------------------

def test_a_new_member(own_api, regency):
    answer = add(own_api, regency, "members", name="Rina", position="Kepala Bidang", role="sekretaris", starts_on="2019-01-01",
                 organization={"name": "Bappeda Uji", "sector": "planning_agency"})
    body = made(answer)
    assert answer.headers["Location"] == path_of(regency, body) and own_api.get(answer.headers["Location"]).json() == body
    assert (body["name"], body["position"], body["role"], body["organization"]["sector"]) == ("Rina", "Kepala Bidang", "sekretaris", "planning_agency")
    assert (body["ends_on"], body["person_id"], body["coordinator"], body["replaces_id"]) == (None, None, False, None)
    again = join(own_api, regency)
    assert again["organization"]["id"] == body["organization"]["id"]  # the same name and sector in the same region
    by_id = join(own_api, regency, organization_id=body["organization"]["id"])
    assert by_id["organization"] == body["organization"]
    assert members(own_api, regency)[0] == body  # the roles' order
    one = {"id": str(uuid.uuid4()), **member_body()}
    first, second = (add(own_api, regency, "members", **one) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200) and first.json() == second.json()


@pytest.mark.parametrize("body,status,code", [
    ({"organization": {"name": "B", "sector": "bank"}}, 422, "invalid_body"),
    ({"name": "X"}, 422, "invalid_body"),
    ({"name": "X", "organization_id": str(uuid.uuid4()), "organization": {"name": "B", "sector": "bank"}}, 422, "invalid_body"),
    ({"name": "X", "organization": {"name": "B", "sector": "cooks"}}, 422, "invalid_body"),
    ({"name": "X", "organization": {"name": "B"}}, 422, "invalid_body"),
    ({"name": "X", "role": "coordinator", **HEAD}, 422, "invalid_body"),
    ({"name": "X", "phone": "0812", **HEAD}, 422, "invalid_body"),
    ({"name": "X", "organization_id": str(uuid.uuid4())}, 422, "reference_unknown"),
    ({"person_id": str(uuid.uuid4()), **HEAD}, 422, "reference_unknown"),
    ({"name": None, **HEAD}, 409, "member_nobody"),
    ({"name": "X", "starts_on": "2018-11-27", **HEAD}, 409, "team_not_live"),
    ({"name": "X", "starts_on": "2020-01-02", "ends_on": "2020-01-01", **HEAD}, 409, "period_reversed"),
    ({"name": "X", "end_reason": "resigned", **HEAD}, 409, "member_not_ended"),
    ({"name": "X", "starts_on_precision": "unknown", "starts_on": "2019-07-01", **HEAD}, 409, "source_required"),
    ({"name": "X", "decree_id": str(uuid.uuid4()), **HEAD}, 422, "reference_unknown"),
])
def test_what_no_member_can_be(own_api, regency, body, status, code):
    problem(add(own_api, regency, "members", **body), status, code)


def test_who_was_in_the_team(own_api, province):
    """Eight by office on 2019-06-17, nobody the day before the team was formed, and the substitution seen from both sides."""
    offices = [("Kepala Dinas", "library_agency", "penanggung_jawab"), ("Sekretaris Dinas", "library_agency", "ketua"), ("PIC Program", "library_agency", "sekretaris"),
               ("DPMD", "village_empowerment", "anggota"), ("Bappeda", "planning_agency", "anggota"), ("Dosen", "university", "anggota"),
               ("Pegiat", "reading_community", "anggota"), ("Redaktur", "media", "anggota")]
    made_of = {office: join(own_api, province, name=..., position=office, role=role, organization={"name": f"Lembaga {sector}", "sector": sector},
                            starts_on="2018-11-28", source="S3") for office, sector, role in offices}
    substitution = made(add(own_api, province, "substitutions", leaving_member_id=made_of["Bappeda"]["id"], on="2019-07-01", reason="moved_office",
                            member={"position": "Bappeda, pengganti", "organization": {"name": "Lembaga planning_agency", "sector": "planning_agency"}}))
    as_of = lambda day: {m["position"] for m in members(own_api, province, f"?as_of={day}")}  # noqa: E731
    assert len(as_of("2019-06-17")) == 8 and as_of("2018-11-27") == set()
    assert as_of("2019-06-30") - as_of("2019-07-01") == {"Bappeda"} and as_of("2019-07-01") - as_of("2019-06-30") == {"Bappeda, pengganti"}
    assert show(own_api, province, "?as_of=2019-06-17")["member_count"] == 8
    assert show(own_api, province)["sectors"]["missing"] == ["private_sector"]
    left = own_api.get(path_of(province, made_of["Bappeda"])).json()
    assert (left["ends_on"], left["end_reason"]) == ("2019-06-30", "moved_office")
    came = own_api.get(path_of(province, {"id": substitution["member_id"]})).json()
    assert (came["starts_on"], came["replaces_id"], came["role"]) == ("2019-07-01", left["id"], "anggota")
    assert len(members(own_api, province, "?history=include")) == 9 and left["id"] not in {m["id"] for m in members(own_api, province)}


def test_the_eleventh(own_api, province):
    for _ in range(9):
        join(own_api, province)
    tenth = join(own_api, province, ends_on="2019-12-31", end_reason="term_ended")
    for period in ({"starts_on": "2019-12-31"}, {"starts_on": "2019-06-01", "ends_on": "2019-06-01"}, {"starts_on": "2019-01-01"}):
        said = problem(add(own_api, province, "members", **member_body(**period)), 409, "team_full")
        assert "10" in said["detail"] and "11" in said["detail"]
    later = join(own_api, province, starts_on="2020-01-01")
    problem(add(own_api, province, "members", **member_body(starts_on="2999-01-01")), 409, "team_full")
    problem(change(own_api, path_of(province, tenth), ends_on="2020-01-01"), 409, "team_full")
    problem(change(own_api, path_of(province, later), starts_on="2019-12-31"), 409, "team_full")
    made(add(own_api, province, "decrees", kind="sk_gubernur", number="1", signed_on="2021-01-01", valid_until="2021-12-31", max_members=11))
    extra = join(own_api, province, starts_on="2021-01-01", ends_on="2021-12-31")
    problem(change(own_api, path_of(province, extra), ends_on=None, end_reason=None), 409, "team_full")
    decree = members(own_api, province) and list(own_api.pages(f"{PATH}/{province}/decrees"))[0]
    problem(change(own_api, f"{PATH}/{province}/decrees/{decree['id']}", valid_until="2021-12-30"), 409, "team_full")
    # in Indonesian, unless asked otherwise
    answer = own_api.post(f"{PATH}/{province}/members", token="national_admin", json=member_body(), headers={"Accept-Language": "id"})
    assert "anggota" in problem(answer, 409, "team_full")["detail"]


def test_the_last_seat_is_taken_once(own_api, province):
    """Sixteen at once; each of the fifteen is told why."""
    for _ in range(9):
        join(own_api, province)
    token, answers = own_api.token("national_admin"), []

    def writer():
        api = Api(own_api.service, own_api.clients, own_api.contract)
        answers.append(add(api, province, "members", token=token, **member_body()))

    threads = [threading.Thread(target=writer) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15, [answer.text for answer in answers]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"team_full"}
    assert show(own_api, province)["member_count"] == 10


def test_single_offices_and_nobody_twice(own_api, regency):
    chair = join(own_api, regency, role="ketua", name="Siti Aminah")
    problem(add(own_api, regency, "members", **member_body(role="ketua", starts_on="2025-01-01")), 409, "office_taken")
    assert "2019-01-01/.." in problem(add(own_api, regency, "members", **member_body(name="siti  AMINAH")), 409, "member_twice")["detail"]
    other = join(own_api, regency)
    problem(change(own_api, path_of(regency, other), role="ketua"), 409, "office_taken")
    problem(change(own_api, path_of(regency, other), name="Siti Aminah"), 409, "member_twice")
    ended = change(own_api, path_of(regency, chair), ends_on="2020-12-31", end_reason="term_ended").json()
    assert (ended["ends_on"], ended["end_reason"]) == ("2020-12-31", "term_ended")
    join(own_api, regency, role="ketua", name="Siti Aminah", starts_on="2021-01-01")
    problem(change(own_api, path_of(regency, chair), ends_on=None, end_reason=None), 409, "member_twice")
    problem(own_api.patch(path_of(regency, chair), {"role": "anggota"}, token="national_admin"), 428, "precondition_required")
    problem(own_api.patch(path_of(regency, chair), {"role": "anggota"}, etag='"99.x"', token="national_admin"), 412, "precondition_failed")
    problem(change(own_api, path_of(regency, chair), position="Kepala"), 422, "invalid_body")


def test_a_person_on_record(own_api, regency):
    one = person(own_api)
    body = join(own_api, regency, name=..., person_id=one["id"])
    assert (body["person_id"], body["name"]) == (one["id"], one["name"])
    problem(add(own_api, regency, "members", **member_body(name=..., person_id=one["id"], starts_on="2024-01-01")), 409, "member_twice")
    problem(add(own_api, regency, "members", **member_body(name=one["name"].upper(), starts_on="2024-01-01")), 409, "member_twice")
    contact = path_of(regency, body) + "/contact"
    problem(own_api.get(contact, token="national_admin"), 404, "not_found")
    with own_api.service.owner.cursor() as cursor:
        cursor.execute("INSERT INTO person_contact (person_id, phone, purpose) VALUES (%s, '0812000000', 'rapat tim')", (one["id"],))
        answer = own_api.get(contact, token="national_admin")
        assert answer.json() == {"phone": "0812000000", "email": None, "address": None}
        assert own_api.get(contact, token="national_admin", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        cursor.execute("SELECT count(*) FROM audit WHERE action = 'read' AND table_name = 'person_contact' AND row_key ->> 'id' = %s", (one["id"],))
        assert cursor.fetchone()[0] == 2
    problem(own_api.get(contact, token="portal"), 403, "insufficient_scope")
    problem(own_api.get(contact, token="provincial_coordinator"), 403, "out_of_reach")
    problem(own_api.get(contact + "?x=1", token="national_admin"), 400, "invalid_parameter")
    problem(own_api.get(contact, token="national_admin", headers={"Accept": "text/csv"}), 406, "not_acceptable")
    assert "0812000000" not in own_api.get(f"{PATH}/{regency}/members").text


def test_the_list(own_api, regency):
    for n, role in enumerate(("ketua", "anggota", "anggota", "sekretaris")):
        join(own_api, regency, role=role, starts_on=f"2019-0{4 - n}-01", organization={"name": f"L{n % 2}", "sector": ("bank", "media")[n % 2]})
    path = f"{PATH}/{regency}/members"
    assert [m["role"] for m in own_api.pages(path)] == ["ketua", "sekretaris", "anggota", "anggota"]
    for query, key in (("", lambda m: (["penanggung_jawab", "ketua", "sekretaris", "anggota"].index(m["role"]), m["id"])),
                       ("?sort=starts_on", lambda m: (m["starts_on"], m["id"])), ("?sort=updated_at", lambda m: (m["updated_at"], m["id"]))):
        whole = list(own_api.pages(path + query))
        assert whole == sorted(whole, key=key) and list(own_api.pages(path + (query + "&" if query else "?") + "limit=1")) == whole
    assert {m["role"] for m in own_api.pages(path + "?role=ketua,sekretaris")} == {"ketua", "sekretaris"}
    assert len(list(own_api.pages(path + "?sector=bank"))) == 2
    assert own_api.get(path + "?count=exact&limit=1").json()["total"] == 4
    assert list(own_api.pages(path + "?updated_since=2999-01-01T00:00:00Z")) == []
    rows = rows_of(own_api.get(path + "?format=csv").text)
    assert len(rows) == 4 and rows[0]["organization.sector"] == "bank"
    tag = own_api.get(path).headers["ETag"]
    assert own_api.get(path, headers={"If-None-Match": tag}).status_code == 304
    problem(own_api.get(f"{PATH}/{uuid.uuid4()}/members"), 404, "not_found")
    problem(own_api.get(path + "?role=boss"), 400, "invalid_parameter")
    problem(own_api.get(path, headers={"Accept": "text/html"}), 406, "not_acceptable")
    problem(own_api.get(f"{path}/{uuid.uuid4()}"), 404, "not_found")


# ---- substitutions -----------------------------------------------------------------------------------------

def test_a_substitution_is_one_step(own_api, province):
    for _ in range(9):
        join(own_api, province)
    chair = join(own_api, province, role="ketua")  # the tenth: the team is full
    path = f"{PATH}/{province}/substitutions"
    body = {"leaving_member_id": chair["id"], "on": "2020-05-01", "reason": "moved_office", "member": {"name": "Pengganti", **HEAD}}
    answer = add(own_api, province, "substitutions", **body)
    one = made(answer)
    assert own_api.get(answer.headers["Location"]).json() == one and own_api.get(answer.headers["Location"], headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert (one["leaving_member_id"], one["reason"], one["on"], one["role"], one["name"]) == (chair["id"], "moved_office", "2020-05-01", "ketua", "Pengganti")
    assert list(own_api.pages(path)) == [one] == list(own_api.pages(path + "?updated_since=2020-01-01T00:00:00Z&limit=1"))
    assert own_api.get(path + "?format=csv").text.startswith("\ufeffon,id,reason")
    problem(add(own_api, province, "substitutions", **body), 409, "member_left")
    problem(add(own_api, province, "substitutions", **{**body, "leaving_member_id": str(uuid.uuid4())}), 422, "reference_unknown")
    problem(add(own_api, province, "substitutions", **{**body, "leaving_member_id": one["member_id"]}), 409, "date_before_previous")
    problem(add(own_api, province, "substitutions", **{**body, "member": {"name": "X"}}), 422, "invalid_body")
    problem(add(own_api, province, "substitutions", **{**body, "reason": "tired"}), 422, "invalid_body")
    problem(add(own_api, uuid.uuid4(), "substitutions", **body), 404, "not_found")
    mine = {**body, "id": str(uuid.uuid4()), "leaving_member_id": one["member_id"], "on": "2021-01-01", "member": {"name": "Ketiga", "role": "ketua", **HEAD}}
    first, second = (add(own_api, province, "substitutions", **mine) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200) and first.json() == second.json()
    assert show(own_api, province)["member_count"] == 10
    change(own_api, path_of(province, {"id": one["member_id"]}), role="anggota")
    made(add(own_api, province, "decrees", kind="sk_gubernur", number="1", signed_on="2018-11-28", max_members=20))
    problem(change(own_api, path_of(province, {"id": one["member_id"]}), starts_on="2018-12-01"), 409, "substitution_order")
    problem(own_api.get(f"{path}/{chair['id']}"), 404, "not_found")
    problem(own_api.get(f"{PATH}/{uuid.uuid4()}/substitutions"), 404, "not_found")
    rest(own_api, path, f"{path}/{one['id']}", body)


# ---- positions ---------------------------------------------------------------------------------------------

def test_a_change_of_position_keeps_the_old(own_api, regency):
    one = join(own_api, regency, position="Kepala Seksi")
    path = path_of(regency, one) + "/position-changes"
    answer = own_api.post(path, token="national_admin", json={"on": "2021-03-01", "position": "Kepala Bidang"})
    assert made(answer)["organization"] == one["organization"] and own_api.get(answer.headers["Location"]).json() == answer.json()
    moved = made(own_api.post(path, token="national_admin", json={"on": "2022-01-01", "organization": {"name": "Kampus", "sector": "university"}}))
    assert (moved["position"], moved["organization"]["sector"]) == ("Kepala Bidang", "university")
    assert [(p["position"], p["starts_on"], p["ends_on"]) for p in own_api.pages(path)] == [
        ("Kepala Seksi", "2019-01-01", "2021-02-28"), ("Kepala Bidang", "2021-03-01", "2021-12-31"), ("Kepala Bidang", "2022-01-01", None)]
    assert len(list(own_api.pages(path + "?limit=1"))) == 3
    for day, position, sector in (("2021-02-28", "Kepala Seksi", "planning_agency"), ("2021-03-01", "Kepala Bidang", "planning_agency"), ("2022-01-01", "Kepala Bidang", "university")):
        seen = own_api.get(path_of(regency, one) + f"?as_of={day}").json()
        assert (seen["position"], seen["organization"]["sector"]) == (position, sector)
        assert members(own_api, regency, f"?as_of={day}")[0]["position"] == position
        assert show(own_api, regency, f"?as_of={day}")["sectors"]["present"] == [sector]
    problem(own_api.post(path, token="national_admin", json={"on": "2021-06-01", "position": "X"}), 409, "date_before_previous")
    problem(own_api.post(path, token="national_admin", json={"on": "2999-06-01", "position": "X"}), 409, "date_in_future")
    problem(own_api.post(path, token="national_admin", json={"on": "2022-06-01"}), 422, "invalid_body")
    problem(own_api.post(path, token="national_admin", json={"on": "2022-06-01", "organization_id": str(uuid.uuid4())}), 422, "reference_unknown")
    problem(change(own_api, path_of(regency, one), ends_on="2021-12-31"), 409, "position_outside")
    nobody = f"{PATH}/{regency}/members/{uuid.uuid4()}/position-changes"
    problem(own_api.get(nobody), 404, "not_found")
    problem(own_api.post(nobody, token="national_admin", json={"position": "X"}), 404, "not_found")
    mine = {"id": str(uuid.uuid4()), "on": "2023-01-01", "position": "Sekretaris"}
    assert [own_api.post(path, token="national_admin", json=mine).status_code for _ in range(2)] == [201, 200]
    assert own_api.get(path + "?format=csv").text.startswith("\ufeffid,position,")
    problem(own_api.get(f"{path}/{uuid.uuid4()}"), 404, "not_found")
    rest(own_api, path, f"{path}/{moved['id']}", {"position": "X"})


# ---- the coordinator -----------------------------------------------------------------------------------------

def test_the_coordinator(own_api, regency, province):
    path = f"{PATH}/{regency}/coordinator"
    first, second = join(own_api, regency), join(own_api, regency, organization={"name": "Kampus", "sector": "university"}, ends_on="2024-12-31")
    problem(own_api.get(path), 404, "not_found")
    put = lambda **body: own_api.put(path, token="national_admin", json=body)  # noqa: E731
    body = made(put(member_id=first["id"], **{"from": "2020-01-01"}), 201)
    assert (body["member_id"], body["name"], body["from"], body["until"]) == (first["id"], first["name"], "2020-01-01", None)
    assert own_api.get(path).json() == body and show(own_api, regency)["coordinator"] == body
    assert made(put(member_id=second["id"], **{"from": "2022-01-01"}), 200)["until"] == "2024-12-31"
    assert own_api.get(path + "?as_of=2021-12-31").json()["until"] == "2021-12-31"
    assert own_api.get(path + "?as_of=2022-01-01").json()["organization"]["sector"] == "university"
    problem(own_api.get(path + "?as_of=2025-01-01"), 404, "not_found")
    flags = {m["id"]: m["coordinator"] for m in members(own_api, regency, "?as_of=2022-01-01")}
    assert flags == {first["id"]: False, second["id"]: True}
    problem(put(member_id=first["id"], **{"from": "2021-01-01"}), 409, "date_before_previous")
    problem(put(member_id=str(uuid.uuid4())), 422, "reference_unknown")
    problem(put(member_id=join(own_api, province)["id"]), 409, "member_unknown")
    problem(put(member_id=second["id"], **{"from": "2025-01-01"}), 409, "coordinator_no_member")
    problem(put(member_id="x"), 422, "invalid_body")
    change(own_api, path_of(regency, second), ends_on="2023-06-30", end_reason="resigned")
    assert own_api.get(path + "?as_of=2023-01-01").json()["until"] == "2023-06-30"
    tag = own_api.get(path + "?as_of=2021-01-01").headers["ETag"]
    assert own_api.get(path + "?as_of=2021-01-01", headers={"If-None-Match": tag}).status_code == 304
    problem(own_api.get(f"{PATH}/x/coordinator"), 400, "invalid_parameter")
    problem(own_api.get(path + "?as_of=2021-01-01", headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(own_api.put(f"{PATH}/x/coordinator", token="national_admin", json={"member_id": first["id"]}), 400, "invalid_parameter")
    problem(own_api.put(f"{PATH}/{uuid.uuid4()}/coordinator", token="national_admin", json={"member_id": first["id"]}), 404, "not_found")
    problem(own_api.put(path, token="national_admin", json={"member_id": first["id"]}, headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(own_api.put(path, token="national_admin", data=b"x" * 70000, headers={"Content-Type": "application/json"}), 413, "body_too_large")
    problem(own_api.put(path, token="national_admin", data=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")


def rest(api, collection, single, body):
    """The manners every collection shares."""
    tag = api.get(single).headers["ETag"]
    assert api.get(single, headers={"If-None-Match": tag}).status_code == 304
    tag = api.get(collection).headers["ETag"]
    assert api.get(collection, headers={"If-None-Match": tag}).status_code == 304
    problem(api.get(single, headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(api.get(collection, headers={"Accept": "text/html"}), 406, "not_acceptable")
    problem(api.get(single + "?x=1"), 400, "invalid_parameter")
    problem(api.get(collection + "?x=1"), 400, "invalid_parameter")
    problem(api.post(collection, token="national_admin", json=body, headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(api.post(collection, token="national_admin", data=b"{", headers={"Content-Type": "application/json"}), 400, "invalid_json")
    problem(api.post(collection, token="national_admin", data=b"x" * 70000, headers={"Content-Type": "application/json"}), 413, "body_too_large")
    problem(api.post(collection, token="national_admin", data=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
