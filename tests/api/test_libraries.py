"""Libraries as they are written: create, change, close, reopen, identifiers, contact, and ids that a client brings."""

import json
import threading
import uuid

import pytest

from harness.client import problem
from harness.libraries import BANGKA, KAPUK, change, close, create, ids, made, move, path_of, rows_of, tag_of


def together(count, work):
    """Runs work(n) in so many threads at once; the answers in no order."""
    answers, start = [], threading.Barrier(count)

    def run(n):
        start.wait()
        answers.append(work(n))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers


def codes(answers):
    return sorted(answer.status_code for answer in answers)


def new_id():
    """As a client without a network makes it."""
    hexadecimal = uuid.uuid4().hex
    return str(uuid.UUID(hexadecimal[:12] + "7" + hexadecimal[13:]))


# ---- create -----------------------------------------------------------------------------------------------

def test_created(own_api):
    body = {"npp": "1901062A2000001", "name": "Perpustakaan Lengkap", "kind": "village", "status": "planned", "region_code": "19.01.06.2003",
            "supervisor_id": BANGKA, "address": "Jl. Raya 1", "postal_code": "33173", "latitude": -1.85, "longitude": 106.11, "phone": "0717 1",
            "email": "desa@example.id", "contact_public": True, "website": "https://desa.example.id", "founded_on": "2015-03-01", "computers": 3,
            "servers": 1, "internet_mbps": 20.5, "staff_count": 2, "titles": 700, "copies": 1400, "digital_titles": 0,
            "applications": [{"name": "Inlislite", "version": "3.2"}, {"name": "Kunang-kunang", "version": None}]}
    answer = own_api.post("/v1/libraries", json=body, token="national_admin")
    assert answer.status_code == 201, answer.text
    library = answer.json()
    assert {name: library[name] for name in body} == body
    assert library["identifiers"] == [] and library["closed_on"] is None and uuid.UUID(library["id"]).version == 7
    assert answer.headers["Location"] == path_of(library) and own_api.get(answer.headers["Location"]).json() == library
    assert library["created_at"] == library["updated_at"]
    [placement] = own_api.get(path_of(library) + "/placements").json()["items"]
    assert (placement["region_code"], placement["supervisor_id"], placement["starts_on"], placement["ends_on"]) == ("19.01.06.2003", BANGKA, "2015-03-01", None)


def test_what_is_absent_is_null_and_defaults_are_said(own_api):
    library = made(own_api, name="Kosong")
    given = {"id", "name", "kind", "region_code", "created_at", "updated_at"}
    assert {name: value for name, value in library.items() if name not in given} == {
        "npp": None, "status": "active", "supervisor_id": None, "address": None, "postal_code": None, "latitude": None, "longitude": None, "phone": None,
        "email": None, "contact_public": False, "website": None, "founded_on": None, "computers": None, "servers": None, "internet_mbps": None,
        "staff_count": None, "titles": None, "copies": None, "digital_titles": None, "applications": [], "identifiers": [], "closed_on": None}
    [placement] = own_api.get(path_of(library) + "/placements").json()["items"]
    assert placement["starts_on"] is None


@pytest.mark.parametrize("npp", ["0", "-", None])
def test_what_forms_write_for_no_npp(own_api, npp):
    library = made(own_api, npp=npp)
    assert library["npp"] is None and made(own_api, npp=npp)["npp"] is None
    numbered = made(own_api, npp=f"19{uuid.uuid4().int % 10**5:05}Z{uuid.uuid4().int % 10**7:07}")
    assert change(own_api, numbered, npp=npp).json()["npp"] is None


FAULTS = [
    ({"name": ...}, "/name", "required"), ({"kind": ...}, "/kind", "required"), ({"name": ""}, "/name", "min_length"), ({"name": "  "}, "/name", "pattern"),
    ({"name": "x" * 301}, "/name", "max_length"), ({"name": None}, "/name", "type"), ({"name": 5}, "/name", "type"), ({"name": "a\0b"}, "/name", "null_character"),
    ({"kind": "desa"}, "/kind", "enum"), ({"status": "closed"}, "/status", "enum"), ({"npp": "123"}, "/npp", "pattern"), ({"npp": ""}, "/npp", "pattern"),
    ({"npp": "1901062a2000001"}, "/npp", "pattern"), ({"npp": "1901062A20000011"}, "/npp", "max_length"), ({"region_code": "1901062002"}, "/region_code", "undotted_code"),
    ({"region_code": "19.1"}, "/region_code", None), ({"supervisor_id": "x"}, "/supervisor_id", "format"), ({"id": "1"}, "/id", "format"), ({"id": None}, "/id", "type"),
    ({"latitude": 90.0001, "longitude": 0}, "/latitude", "maximum"), ({"latitude": 0, "longitude": -181}, "/longitude", "minimum"),
    ({"latitude": "1", "longitude": 1}, "/latitude", "type"), ({"computers": -1}, "/computers", "minimum"), ({"computers": 1.5}, "/computers", "type"),
    ({"computers": 2147483648}, "/computers", "maximum"), ({"computers": True}, "/computers", "type"), ({"internet_mbps": -0.1}, "/internet_mbps", "minimum"),
    ({"postal_code": "3317"}, "/postal_code", "pattern"), ({"postal_code": 33173}, "/postal_code", "type"), ({"email": "a"}, "/email", "format"), ({"email": "a@@b"}, "/email", "format"),
    ({"website": "tidak"}, "/website", "format"), ({"founded_on": "2015-02-29"}, "/founded_on", "format"), ({"founded_on": "2015"}, "/founded_on", "format"),
    ({"contact_public": "ya"}, "/contact_public", "type"), ({"contact_public": None}, "/contact_public", "type"), ({"address": " "}, "/address", "pattern"),
    ({"applications": {}}, "/applications", "type"), ({"applications": [{"name": "A"}]}, "/applications/0/version", "required"),
    ({"applications": [{"name": "A", "version": "1", "x": 1}]}, "/applications/0/x", "unknown_field"), ({"applications": [1]}, "/applications/0", "type"),
    ({"applications": [{"name": "A", "version": "1"}] * 51}, "/applications", "max_items"), ({"colour": "red"}, "/colour", "unknown_field"),
    ({"identifiers": []}, "/identifiers", "unknown_field"), ({"closed_on": "2020-01-01"}, "/closed_on", "unknown_field"), ({"a/b~c": 1}, "/a~1b~0c", "unknown_field"),
    ({"row_version": 1}, "/row_version", "unknown_field"), ({"created_at": None}, "/created_at", "unknown_field"), ({"": 1}, "/", "unknown_field"),
]


@pytest.mark.parametrize("fields,pointer,code", FAULTS, ids=[f"{pointer} {code} {n}" for n, (_, pointer, code) in enumerate(FAULTS)])
def test_a_fault_of_the_body_is_pointed_at(own_api, fields, pointer, code):
    faults = problem(create(own_api, **fields), 422, "invalid_body")["errors"]
    assert [fault["pointer"] for fault in faults] == [pointer] * len(faults) and (code is None or code in {fault["code"] for fault in faults}), faults


def post_raw(api, raw, content_type="application/json"):
    return api.post("/v1/libraries", data=raw, token="national_admin", headers={"Content-Type": content_type} if content_type else {})


@pytest.mark.parametrize("raw", ["", "{", "nul", '{"name": }', "{'name': 'x'}", '{"a":1}{"a":1}', '{"a":1,}', "\ufeff{}", '{"name": "\t"}', '{"a": NaN}', '{"a": 01}'])
def test_what_is_no_json(own_api, raw):
    assert post_raw(own_api, raw.encode()).json()["code"] in ("invalid_json", "invalid_body")
    assert post_raw(own_api, raw.encode()).status_code in (400, 422)


@pytest.mark.parametrize("raw", ["[]", "null", '"x"', "5", "[{}]"])
def test_what_is_no_object(own_api, raw):
    [fault] = problem(post_raw(own_api, raw), 422, "invalid_body")["errors"]
    assert (fault["pointer"], fault["code"]) == ("", "type")


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/json; charset=utf-16",
                                          "application/merge-patch+json", "application/problem+json", "multipart/form-data; boundary=x"])
def test_media_types_that_are_not_taken(own_api, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    for answer in (post_raw(own_api, "{}", content_type), own_api.post(path_of(KAPUK) + "/moves", data="{}", headers=headers, token="national_admin"),
                   own_api.put(path_of(KAPUK) + "/identifiers/npsn", data="{}", headers=headers, token="national_admin")):
        assert "application/json" in problem(answer, 415, "unsupported_media_type")["detail"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="UTF-8"'])
def test_media_types_that_are(own_api, content_type):
    problem(post_raw(own_api, "{}", content_type), 422, "invalid_body")


@pytest.mark.parametrize("method,path", [("POST", "/v1/libraries"), ("PATCH", path_of(KAPUK)), ("POST", path_of(KAPUK) + "/moves"), ("PUT", path_of(KAPUK) + "/identifiers/npsn"),
                                         ("POST", "/oauth2/token")])
def test_the_body_has_a_bound(own_api, method, path):
    headers = {"Content-Type": "application/x-www-form-urlencoded" if "token" in path else "application/json", "If-Match": "*"}
    token = None if "token" in path else "national_admin"
    limit = 8192 if "token" in path else 65536
    answer = own_api.request(method, path, data=b" " * (limit + 1), headers=headers, token=token)
    assert str(limit) in problem(answer, 413, "body_too_large")["detail"]
    answer = own_api.request(method, path, data=b" " * limit, headers=headers, token=token)
    assert answer.status_code in (400, 422)


# ---- ids that a client brings -----------------------------------------------------------------------------

def test_an_id_of_the_clients_own(own_api):
    fields = {"id": new_id(), "name": "Luring", "founded_on": "2020-01-01"}
    first = create(own_api, **fields)
    assert first.status_code == 201 and first.json()["id"] == fields["id"]
    again = create(own_api, **fields)
    assert again.status_code == 200 and again.json() == first.json() and again.headers["ETag"] == first.headers["ETag"]
    assert change(own_api, fields["id"], name="Berubah").status_code == 200
    assert close(own_api, fields["id"]).status_code == 204
    later = create(own_api, **fields)
    assert later.status_code == 200 and (later.json()["name"], later.json()["status"]) == ("Berubah", "closed"), "as it is now"
    assert len(ids(own_api.pages(f"/v1/libraries?q=berubah&deleted=include"))) == 1
    problem(create(own_api, **{**fields, "name": "Lain"}), 409, "id_taken")
    problem(create(own_api, token="provincial_coordinator", **fields), 409, "id_taken")


def test_an_id_that_the_service_made_is_taken(own_api):
    for taken in (made(own_api)["id"], KAPUK):
        problem(create(own_api, id=taken), 409, "id_taken")
        problem(create(own_api, id=taken.upper()), 409, "id_taken")


def test_a_refused_body_does_not_use_up_its_id(own_api):
    fields = {"id": new_id(), "name": "Dua kali"}
    problem(create(own_api, **fields, region_code="19.01.06.2999"), 422, "reference_unknown")
    assert create(own_api, **fields).status_code == 201


def test_a_retry_of_somebody_who_may_no_more_is_refused(own_api):
    problem(create(own_api, id=new_id(), token="portal"), 403, "insufficient_scope")
    problem(create(own_api, id=new_id(), region_code="73.08.01.1001", token="regency_facilitator"), 403, "out_of_reach")


# ---- change -----------------------------------------------------------------------------------------------

def test_merge_patch(own_api):
    library = made(own_api, address="Jl. 1", website="https://a.example.id", computers=3, latitude=-1.0, longitude=106.0,
                   applications=[{"name": "A", "version": "1"}, {"name": "B", "version": None}])
    changed = change(own_api, library, website=None, computers=4, applications=[{"name": "C", "version": "2"}]).json()
    untouched = set(library) - {"website", "computers", "applications", "updated_at"}
    assert {name: changed[name] for name in untouched} == {name: library[name] for name in untouched}
    assert (changed["website"], changed["computers"], changed["applications"]) == (None, 4, [{"name": "C", "version": "2"}])
    assert changed["updated_at"] > library["updated_at"]
    assert change(own_api, library, applications=[]).json()["applications"] == []
    cleared = change(own_api, library, address=None, computers=None, latitude=None, longitude=None).json()
    assert (cleared["address"], cleared["computers"], cleared["latitude"], cleared["longitude"]) == (None, None, None, None)
    assert own_api.get(path_of(library)).json() == cleared


@pytest.mark.parametrize("field,values", [
    ("npp", ["1901062B2000001", None]), ("name", ["Nama Baru"]), ("status", ["planned", "inactive", "active"]), ("address", ["Jl. 2", None]), ("postal_code", ["00001", None]),
    ("website", ["https://c.example.id/x?y=z", None]), ("founded_on", ["1950-01-01", "2020-12-31", None]), ("computers", [0, 2147483647, None]), ("servers", [1, None]),
    ("internet_mbps", [0.1, 1e9, 0, None]), ("staff_count", [3, None]), ("titles", [1, None]), ("copies", [2, None]), ("digital_titles", [3, None]), ("contact_public", [True, False])])
def test_each_field_is_written_and_read_back(own_api, field, values):
    library = made(own_api)
    for value in values:
        answer = change(own_api, library, **{field: value})
        assert answer.status_code == 200 and answer.json()[field] == value, answer.text
        assert own_api.get(path_of(library)).json()[field] == value


@pytest.mark.parametrize("body,pointer,code", [
    ({}, "", "min_properties"), ({"kind": "village"}, "/kind", "unknown_field"), ({"id": KAPUK}, "/id", "unknown_field"), ({"region_code": "19.01.06.2001"}, "/region_code", "unknown_field"),
    ({"supervisor_id": BANGKA}, "/supervisor_id", "unknown_field"), ({"name": None}, "/name", "type"), ({"status": None}, "/status", "type"), ({"status": "closed"}, "/status", "enum"),
    ({"contact_public": None}, "/contact_public", "type"), ({"applications": None}, "/applications", "type"), ({"identifiers": []}, "/identifiers", "unknown_field"),
    ({"version": "3"}, "/version", "misplaced_field"), ({"closed_on": None}, "/closed_on", "unknown_field"), ({"applications": [{"name": "A", "version": 3}]}, "/applications/0/version", "type")])
def test_what_a_patch_may_not_say(own_api, body, pointer, code):
    library = made(own_api)
    [fault] = problem(own_api.patch(path_of(library), body, etag=tag_of(own_api, library), token="national_admin"), 422, "invalid_body")["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert own_api.get(path_of(library)).json() == library


def test_media_types_of_a_patch(own_api):
    library = made(own_api)
    for content_type, status in (("application/merge-patch+json", 200), ("application/json", 200), ("application/json-patch+json", 415), ("text/plain", 415)):
        answer = own_api.patch(path_of(library), {"servers": 1}, etag=tag_of(own_api, library), token="national_admin", headers={"Content-Type": content_type})
        assert answer.status_code == status


def test_unknown_and_malformed_ids(own_api):
    unknown = path_of(new_id())
    for answer in (own_api.get(unknown), own_api.patch(unknown, {"servers": 1}, etag="*", token="national_admin"), own_api.get(unknown + "/contact", token="national_admin"),
                   own_api.delete(unknown, headers={"If-Match": "*"}, token="national_admin"), own_api.post(unknown + "/moves", json={"reason": "x"}, token="national_admin"),
                   own_api.put(unknown + "/identifiers/npsn", json={"value": "1"}, token="national_admin"), own_api.delete(unknown + "/identifiers/npsn", token="national_admin")):
        problem(answer, 404, "not_found")
    for wrong in ("1", "19.01", KAPUK + "0", KAPUK.replace("-", ""), "{" + KAPUK + "}", "%00", KAPUK[:-1] + "g"):
        assert own_api.get(f"/v1/libraries/{wrong}").status_code == 400, wrong
    assert own_api.get(path_of(KAPUK.upper())).json()["id"] == KAPUK


def test_facts_are_dated(own_api, own_database):
    library = made(own_api, computers=3, titles=10)
    assert change(own_api, library, computers=5).status_code == 200
    assert change(own_api, library, computers=5, titles=None).status_code == 200
    with own_database.cursor() as cursor:
        cursor.execute("SELECT fact, recorded_on = today(), value FROM library_fact WHERE library_id = %s ORDER BY fact", (library["id"],))
        assert cursor.fetchall() == [("computers", True, 5.0), ("titles", True, None)]
        cursor.execute("INSERT INTO library_fact (library_id, fact, recorded_on, value) VALUES (%s, 'computers', today() - 30, 9), (%s, 'servers', today() - 30, 2)",
                       (library["id"], library["id"]))
    now = own_api.get(path_of(library)).json()
    assert (now["computers"], now["servers"], now["titles"]) == (5, 2, None), "the latest is shown"


# ---- contact ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind,region,public", [("tbm", "19.01.06.2002", False), ("village", "19.01.06.2001", False), ("district", "19.01.06", True), ("regency", "19.03", True)])
def test_contacts_are_public_by_kind_unless_told(own_api, kind, region, public):
    contact = {"phone": "0717 42", "email": "kantor@example.id"}
    library = made(own_api, kind=kind, region_code=region, **contact)
    shown = contact if public else {"phone": None, "email": None}
    name = library["name"].split()[-1]

    def assert_shown(expected, is_public):
        expected = {**expected, "contact_public": is_public}
        row = rows_of(own_api.get(f"/v1/libraries?q={name}&format=csv").text)[0]
        assert {key: row[key] or None for key in ("phone", "email")} == {key: expected[key] for key in ("phone", "email")}
        for item in (own_api.get(path_of(library)).json(), own_api.get(f"/v1/libraries?q={name}").json()["items"][0],
                     own_api.get(f"/v1/libraries?q={name}&format=geojson").json()["features"][0]["properties"], own_api.get(path_of(library), token="national_admin").json()):
            assert {key: item[key] for key in expected} == expected
        assert own_api.get(path_of(library) + "/contact", token="national_admin").json() == {**contact, "contact_public": is_public}

    assert_shown(shown, public)
    assert change(own_api, library, contact_public=not public).status_code == 200
    assert_shown({"phone": None, "email": None} if public else contact, not public)


def test_the_contact_of_a_supervisor_is_not_shown_below(own_api):
    village = made(own_api, kind="village", region_code="19.01.06.2004", phone="0717 99")
    below = made(own_api, region_code="19.01.06.2004", supervisor_id=village["id"])
    above = own_api.get(path_of(below) + "/ancestors").json()["items"][0]
    assert above["id"] == village["id"] and above["phone"] is None
    assert "0717 99" not in own_api.get(path_of(below) + "?expand=supervisor").text


def test_who_reads_a_contact(own_api):
    library = made(own_api, phone="0717 1")
    for role, status in (("national_admin", 200), ("provincial_coordinator", 200), ("regency_facilitator", 200), ("portal", 403), ("public_app", 403), ("library_manager", 403)):
        assert own_api.get(path_of(library) + "/contact", token=role).status_code == status, role


# ---- identifiers ------------------------------------------------------------------------------------------

def put(api, library, scheme, value, token="national_admin"):
    return api.put(f"{path_of(library)}/identifiers/{scheme}", json={"value": value}, token=token)


def test_identifiers(own_api):
    library, value = made(own_api), uuid.uuid4().hex
    first = put(own_api, library, "onesearch", value)
    assert first.status_code == 201 and first.json()["value"] == value
    again = put(own_api, library, "onesearch", value)
    assert again.json() == first.json() and again.headers["ETag"] == first.headers["ETag"], "the same again changes nothing"
    assert put(own_api, library, "npsn", value).status_code == 201, "unique within a scheme"
    changed = put(own_api, library, "onesearch", value + "x")
    assert changed.headers["ETag"] != first.headers["ETag"] and changed.json()["updated_at"] > first.json()["updated_at"]
    assert own_api.get(path_of(library)).json()["identifiers"] == [{"scheme": "npsn", "value": value}, {"scheme": "onesearch", "value": value + "x"}]
    items = own_api.get(path_of(library) + "/identifiers").json()
    assert [(i["scheme"], i["value"]) for i in items["items"]] == [("npsn", value), ("onesearch", value + "x")] and items["next"] is None
    other = made(own_api)
    fault = problem(put(own_api, other, "npsn", value), 409, "identifier_taken")
    assert fault["errors"][0]["pointer"] == "/value" and own_api.get(path_of(other)).json() == other
    assert own_api.delete(f"{path_of(library)}/identifiers/npsn", token="national_admin").status_code == 204
    problem(own_api.delete(f"{path_of(library)}/identifiers/npsn", token="national_admin"), 404, "not_found")
    assert put(own_api, other, "npsn", value).status_code == 201
    assert own_api.get(path_of(library)).json()["identifiers"] == [{"scheme": "onesearch", "value": value + "x"}]


@pytest.mark.parametrize("scheme,body,status", [("bogus", {"value": "1"}, 400), ("NPSN", {"value": "1"}, 400), ("npsn", {}, 422), ("npsn", {"value": ""}, 422), ("npsn", {"value": " "}, 422),
                                                ("npsn", {"value": None}, 422), ("npsn", {"value": 5}, 422), ("npsn", {"value": "x" * 201}, 422), ("npsn", {"value": "1", "scheme": "npsn"}, 422)])
def test_identifiers_that_are_none(own_api, scheme, body, status):
    assert own_api.put(f"{path_of(KAPUK)}/identifiers/{scheme}", json=body, token="national_admin").status_code == status


# ---- many at once -----------------------------------------------------------------------------------------

def test_eight_with_the_same_id(own_api):
    own_api.token("national_admin")
    fields = {"id": new_id(), "name": "Serentak"}
    answers = together(8, lambda _: create(own_api, **fields))
    assert codes(answers) == [200] * 7 + [201] and len({answer.text for answer in answers}) == 1
    fields = {"id": new_id()}
    answers = together(8, lambda n: create(own_api, **fields, name=f"Serentak {n}"))
    assert codes(answers) == [201] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"id_taken"}


def test_eight_with_the_same_npp(own_api):
    answers = together(8, lambda n: create(own_api, npp="1901062N2000008"))
    assert codes(answers) == [201] + [409] * 7 and {a.json()["code"] for a in answers if a.status_code == 409} == {"npp_taken"}
    libraries = [made(own_api) for _ in range(8)]
    answers = together(8, lambda n: change(own_api, libraries[n], npp="1901062N2000009"))
    assert codes(answers) == [200] + [409] * 7


def test_eight_with_the_same_identifier(own_api):
    libraries = [made(own_api) for _ in range(8)]
    answers = together(8, lambda n: put(own_api, libraries[n], "sim_tpbis", "SAMA-8"))
    assert codes(answers) == [201] + [409] * 7
    answers = together(8, lambda n: put(own_api, libraries[0], "inlislite_kii", f"KII-{n}"))
    assert codes(answers) == [200] * 7 + [201] and len(own_api.get(path_of(libraries[0]) + "/identifiers").json()["items"]) in (1, 2)


def test_eight_movers_and_eight_closers(own_api):
    library = made(own_api, founded_on="2020-01-01")
    answers = together(8, lambda n: move(own_api, library, region_code=f"19.01.06.200{n % 4 + 1}", effective_on="2021-01-01"))
    assert codes(answers) == [200] + [409] * 7 and {a.json()["code"] for a in answers if a.status_code == 409} == {"date_before_previous"}
    assert len(own_api.get(path_of(library) + "/placements").json()["items"]) == 2
    answers = together(8, lambda _: own_api.delete(path_of(library), token="national_admin", headers={"If-Match": "*"}))
    assert codes(answers) == [204] + [409] * 7 and {a.json()["code"] for a in answers if a.status_code == 409} == {"library_closed"}


def test_a_supervisor_closes_while_seven_come_under_it(own_api):
    """Whoever was first: no open library is left under a closed one."""
    for turn in range(3):
        above = made(own_api, kind="village", region_code=f"19.01.06.200{turn + 1}")
        answers = together(8, lambda n: close(own_api, above) if n == 0 else create(own_api, region_code=above["region_code"], supervisor_id=above["id"]))
        assert {answer.json()["code"] for answer in answers if answer.status_code >= 400} <= {
            "library_has_dependents", "supervisor_absent", "conflict_retry", "precondition_failed"}, [a.text for a in answers]
        below = list(own_api.pages(f"/v1/libraries?supervisor={above['id']}"))
        assert own_api.get(path_of(above)).json()["status"] == ("active" if below else "closed")


def test_json_numbers_keep_their_value(own_api):
    raw = json.dumps({"name": "Angka", "kind": "tbm", "region_code": "19.01.06.2002", "latitude": "LAT", "longitude": "LON", "internet_mbps": "NET"})
    raw = raw.replace('"LAT"', "-1.8500000000000001e0").replace('"LON"', "1.0611e2").replace('"NET"', "0.30000000000000004")
    library = post_raw(own_api, raw).json()
    assert (library["latitude"], library["longitude"], library["internet_mbps"]) == (-1.85, 106.11, 0.30000000000000004)
