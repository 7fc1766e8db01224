"""The rules of the hierarchy as a client meets them: each refusal has its code, names what is wrong, and leaves nothing behind.
And what is written is audited: who, in which request, and nothing private in the clear."""

import uuid
from datetime import date, datetime, timedelta, timezone

import pytest

from harness.client import problem
from harness.libraries import BANGKA, BANGKA_BELITUNG, BELITUNG, KAPUK, NATIONAL, change, close, create, made, move, path_of, tag_of

TABLES = ("library", "library_placement", "library_fact", "library_identifier", "library_lock", "creation", "audit", "region", "assignment", "client")
TODAY = (datetime.now(timezone.utc) + timedelta(hours=7)).date()
TOMORROW = str(TODAY + timedelta(days=1))


@pytest.fixture
def refused(own_database):
    """Runs the request; asserts the problem, and that every table is as it was."""
    def state():
        with own_database.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(f"(SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {t} t)" if t not in ("audit", "region")
                                                 else f"(SELECT count(*)::text FROM {t})" for t in TABLES))
            return cursor.fetchone()

    def run(request, problem_code, status=409, **words):
        before = state()
        body = problem(request(), status, problem_code)
        assert state() == before, "a refused write leaves nothing behind"
        for word in words.values():
            assert str(word) in body["detail"], body["detail"]
        return body
    return run


# ---- where a library stands -------------------------------------------------------------------------------

LEVELS = {"province": "19", "regency": "19.04", "district": "19.01.05", "village": "19.01.05.2001"}
FITTING = {"provincial": {"province"}, "regency": {"regency"}, "district": {"district"}, "village": {"village"}, "tbm": {"district", "village"}}


@pytest.mark.parametrize("kind", FITTING)
@pytest.mark.parametrize("level", LEVELS)
def test_a_library_stands_in_a_region_of_its_level(own_api, refused, kind, level):
    if level in FITTING[kind]:
        assert made(own_api, kind=kind, region_code=LEVELS[level])["region_code"] == LEVELS[level]
    else:
        refused(lambda: create(own_api, kind=kind, region_code=LEVELS[level]), "region_level_mismatch", kind=kind, level=level)


@pytest.mark.parametrize("kind", FITTING)
def test_only_the_national_library_stands_in_no_region(own_api, refused, kind):
    refused(lambda: create(own_api, kind=kind, region_code=None), "region_required", kind=kind)
    refused(lambda: create(own_api, kind=kind, region_code=...), "region_required", kind=kind)
    assert own_api.get(path_of(NATIONAL)).json()["region_code"] is None


def test_there_is_one_national_library(own_api, refused):
    body = refused(lambda: create(own_api, kind="national", region_code=None), "national_library_exists")
    assert body["errors"][0]["pointer"] == "/kind"
    assert create(own_api, kind="national", region_code="19").status_code == 409


def test_a_region_that_is_not_in_force(own_api, own_database, refused):
    problem(create(own_api, region_code="19.01.06.2999"), 422, "reference_unknown")
    library = made(own_api)
    problem(move(own_api, library, region_code="99.01.01.2001"), 422, "reference_unknown")
    with own_database.cursor() as cursor:
        cursor.execute("SELECT code FROM region WHERE valid_to < today() AND level = 'village' ORDER BY code LIMIT 1")
        [retired] = cursor.fetchone()
    refused(lambda: create(own_api, region_code=retired), "region_unknown", code=retired, on=TODAY)
    refused(lambda: move(own_api, library, region_code=retired), "region_unknown", code=retired)


# ---- who supervises it ------------------------------------------------------------------------------------

def test_the_supervisor_exists(own_api, refused):
    unknown = str(uuid.uuid4())
    problem(create(own_api, supervisor_id=unknown), 422, "reference_unknown")
    library = made(own_api)
    problem(move(own_api, library, supervisor_id=unknown), 422, "reference_unknown")


def test_the_supervisor_is_of_a_higher_level(own_api, refused):
    tbm = made(own_api)
    refused(lambda: create(own_api, supervisor_id=tbm["id"]), "supervisor_rank", kind="tbm")
    refused(lambda: create(own_api, kind="village", supervisor_id=KAPUK), "supervisor_rank", kind="village")
    refused(lambda: create(own_api, kind="village", supervisor_id=tbm["id"]), "supervisor_rank")
    refused(lambda: create(own_api, kind="provincial", region_code="11", supervisor_id=BANGKA_BELITUNG), "supervisor_rank")
    refused(lambda: move(own_api, tbm, supervisor_id=tbm["id"]), "supervisor_rank")
    refused(lambda: move(own_api, NATIONAL, supervisor_id=BANGKA), "supervisor_rank")
    for supervisor in (KAPUK, BANGKA, BANGKA_BELITUNG, NATIONAL):  # levels may be skipped
        assert made(own_api, supervisor_id=supervisor, founded_on="2020-01-01")["supervisor_id"] == supervisor


def test_the_supervisor_s_region_contains_the_library_s(own_api, refused):
    refused(lambda: create(own_api, supervisor_id=BELITUNG), "supervisor_elsewhere", region="19.01.06.2002", supervisor="19.02")
    refused(lambda: create(own_api, kind="village", region_code="73.08.01.1001", supervisor_id=BANGKA_BELITUNG), "supervisor_elsewhere")
    library = made(own_api, supervisor_id=BANGKA, founded_on="2020-01-01")
    refused(lambda: move(own_api, library, region_code="19.02.05.2003"), "supervisor_elsewhere", region="19.02.05.2003")
    refused(lambda: move(own_api, library, supervisor_id=BELITUNG), "supervisor_elsewhere")
    assert move(own_api, library, region_code="19.02.05.2003", supervisor_id=BELITUNG).status_code == 200, "both at once"
    assert move(own_api, made(own_api, supervisor_id=BANGKA), region_code="19.01.05.2001").status_code == 200, "inside it, all is well"


def test_the_supervisor_is_there_on_every_day(own_api, refused):
    young = made(own_api, kind="district", region_code="19.01.06", founded_on="2020-01-01")
    assert close(own_api, young, on="2022-12-31").status_code == 204
    refused(lambda: create(own_api, supervisor_id=young["id"], founded_on="2021-01-01"), "supervisor_absent", period="2021-01-01/..")
    refused(lambda: create(own_api, supervisor_id=young["id"]), "supervisor_absent")
    library = made(own_api, founded_on="2019-01-01")
    refused(lambda: move(own_api, library, supervisor_id=young["id"], effective_on="2021-06-01"), "supervisor_absent")


def test_a_supervisor_does_not_leave_its_libraries(own_api, refused):
    above = made(own_api, kind="district", region_code="19.01.07", founded_on="2019-01-01")
    below = [made(own_api, region_code="19.01.07.2004", supervisor_id=above["id"], name=f"TBM Bawahan {n}", founded_on="2020-01-01") for n in range(7)]
    tag = tag_of(own_api, above)
    body = refused(lambda: own_api.delete(path_of(above), headers={"If-Match": tag}, token="national_admin"), "library_has_dependents", first="TBM Bawahan 0")
    assert "(+2)" in body["detail"] and body["detail"].count("TBM Bawahan") == 5
    refused(lambda: move(own_api, above, region_code="19.01.08"), "library_has_dependents", first="TBM Bawahan 0")
    refused(lambda: close(own_api, above, on="2021-01-01"), "library_has_dependents")
    for library in below[:4]:
        assert move(own_api, library, supervisor_id=None, effective_on="2022-01-01").status_code == 200
    refused(lambda: close(own_api, above), "library_has_dependents", left="TBM Bawahan 4")
    for library in below[4:]:
        assert close(own_api, library, on="2022-06-30").status_code == 204
    refused(lambda: close(own_api, above, on="2022-06-29"), "library_has_dependents")
    assert close(own_api, above, on="2022-06-30").status_code == 204, "the last day of its last library"


# ---- days -------------------------------------------------------------------------------------------------

def test_nothing_happens_tomorrow(own_api, refused):
    library = made(own_api)
    refused(lambda: create(own_api, founded_on=TOMORROW), "date_in_future", on=TOMORROW)
    refused(lambda: change(own_api, library, founded_on=TOMORROW), "date_in_future", on=TOMORROW)
    refused(lambda: move(own_api, library, effective_on=TOMORROW, reason="x"), "date_in_future", on=TOMORROW)
    refused(lambda: close(own_api, library, on=TOMORROW), "date_in_future", on=TOMORROW)
    assert made(own_api, founded_on=str(TODAY))["founded_on"] == str(TODAY), "today has come, in Jakarta"


def test_days_are_in_order(own_api, refused):
    library = made(own_api, founded_on="2020-01-01")
    refused(lambda: move(own_api, library, region_code="19.01.06.2001", effective_on="2020-01-01"), "date_before_previous", on="2020-01-01", previous="2020-01-01")
    refused(lambda: move(own_api, library, region_code="19.01.06.2001", effective_on="2019-05-01"), "date_before_previous", previous="2020-01-01")
    refused(lambda: close(own_api, library, on="2019-12-31"), "date_before_previous", on="2019-12-31")
    assert move(own_api, library, region_code="19.01.06.2001", effective_on="2020-01-02").status_code == 200
    refused(lambda: close(own_api, library, on="2020-01-01"), "date_before_previous", previous="2020-01-02")
    refused(lambda: change(own_api, library, founded_on="2020-01-02"), "date_before_previous")
    assert close(own_api, library, on="2020-01-02").status_code == 204


def test_founding_moves_the_first_placement(own_api):
    library = made(own_api, founded_on="2020-01-01")
    assert change(own_api, library, founded_on="2010-05-05").status_code == 200
    assert [p["starts_on"] for p in own_api.get(path_of(library) + "/placements").json()["items"]] == ["2010-05-05"]


# ---- moving, closing, reopening ---------------------------------------------------------------------------

def placements(api, library):
    return [(p["region_code"], p["supervisor_id"], p["starts_on"], p["ends_on"]) for p in api.get(path_of(library) + "/placements").json()["items"]]


def test_a_move_keeps_the_past(own_api):
    library = made(own_api, founded_on="2015-03-01", supervisor_id=BANGKA)
    assert move(own_api, library, region_code="19.02.05.2003", supervisor_id=BELITUNG, effective_on="2022-07-01", reason="pindah").status_code == 200
    assert move(own_api, library, supervisor_id=None, effective_on="2023-01-01").status_code == 200, "what is absent stays"
    answer = move(own_api, library, region_code="19.02.05.2001")
    assert (answer.json()["region_code"], answer.json()["supervisor_id"]) == ("19.02.05.2001", None)
    yesterday = str(TODAY - timedelta(days=1))
    assert placements(own_api, library) == [
        ("19.01.06.2002", BANGKA, "2015-03-01", "2022-06-30"), ("19.02.05.2003", BELITUNG, "2022-07-01", "2022-12-31"),
        ("19.02.05.2003", None, "2023-01-01", yesterday), ("19.02.05.2001", None, str(TODAY), None)]
    items = own_api.get(path_of(library) + "/placements").json()["items"]
    assert [item["reason"] for item in items] == [None, "pindah", None, None]
    assert all(date.fromisoformat(a["ends_on"]) + timedelta(days=1) == date.fromisoformat(b["starts_on"]) for a, b in zip(items, items[1:]))


@pytest.mark.parametrize("body,pointer,code", [({}, "", "min_properties"), ({"region_code": 5}, "/region_code", None), ({"effective_on": None}, "/effective_on", "type"),
                                               ({"effective_on": "1 Juli"}, "/effective_on", "format"), ({"reason": " "}, "/reason", "pattern"), ({"supervisor_id": "x"}, "/supervisor_id", None),
                                               ({"reason": "x" * 1001}, "/reason", "max_length"), ({"name": "x"}, "/name", "unknown_field"), ({"region_code": "190106"}, "/region_code", "undotted_code")])
def test_a_move_that_is_none(own_api, body, pointer, code):
    faults = problem(move(own_api, KAPUK, **body), 422, "invalid_body")["errors"]
    assert {fault["pointer"] for fault in faults} == {pointer} and (code is None or code in {fault["code"] for fault in faults})


def test_a_move_out_of_every_region(own_api, refused):
    refused(lambda: move(own_api, KAPUK, region_code=None), "region_required", kind="village")


def test_closing_and_reopening(own_api, refused):
    library = made(own_api, founded_on="2015-01-01", supervisor_id=BANGKA)
    assert close(own_api, library, on="2020-06-30").status_code == 204
    closed = own_api.get(path_of(library)).json()
    assert (closed["status"], closed["closed_on"]) == ("closed", "2020-06-30")
    assert placements(own_api, library) == [("19.01.06.2002", BANGKA, "2015-01-01", "2020-06-30")]
    refused(lambda: close(own_api, library), "library_closed")
    refused(lambda: move(own_api, library, region_code="19.01.06.2001"), "library_closed")
    assert change(own_api, library, website="https://arsip.example.id").json()["status"] == "closed", "its profile may still be put right"
    reopened = change(own_api, library, status="inactive")
    assert (reopened.json()["status"], reopened.json()["closed_on"], reopened.json()["supervisor_id"]) == ("inactive", None, BANGKA)
    assert placements(own_api, library) == [("19.01.06.2002", BANGKA, "2015-01-01", "2020-06-30"), ("19.01.06.2002", BANGKA, str(TODAY), None)]


def test_a_closing_of_today_is_taken_back(own_api):
    library = made(own_api, founded_on="2015-01-01", supervisor_id=BANGKA)
    assert close(own_api, library).status_code == 204
    assert own_api.get(path_of(library)).json()["closed_on"] == str(TODAY)
    assert change(own_api, library, status="active").status_code == 200
    assert placements(own_api, library) == [("19.01.06.2002", BANGKA, "2015-01-01", None)]


def test_reopening_under_a_supervisor_that_is_gone(own_api):
    above = made(own_api, kind="district", region_code="19.01.01", founded_on="2010-01-01")
    library = made(own_api, region_code="19.01.01.2007", supervisor_id=above["id"], founded_on="2011-01-01")
    assert close(own_api, library, on="2020-01-01").status_code == 204 and close(own_api, above, on="2020-01-01").status_code == 204
    assert change(own_api, library, status="active").json()["supervisor_id"] is None


@pytest.mark.parametrize("query", ["?closed_on=", "?closed_on=2020-13-01", "?closed_on=kemarin", "?closed_on=2020-01-01&closed_on=2020-01-02", "?reason=x"])
def test_a_closing_day_that_is_none(own_api, query):
    library = made(own_api)
    answer = own_api.delete(path_of(library) + query, headers={"If-Match": "*"}, token="national_admin")
    problem(answer, 400, "invalid_parameter")
    assert own_api.get(path_of(library)).json() == library


# ---- one of a kind ----------------------------------------------------------------------------------------

def test_one_npp_one_library(own_api, refused):
    library = made(own_api, npp="1901062R2000001")
    body = refused(lambda: create(own_api, npp="1901062R2000001"), "npp_taken")
    assert body["errors"] == [{"pointer": "/npp", "code": body["errors"][0]["code"], "detail": body["errors"][0]["detail"]}]
    other = made(own_api)
    refused(lambda: change(own_api, other, npp="1901062R2000001"), "npp_taken")
    assert close(own_api, library).status_code == 204
    refused(lambda: create(own_api, npp="1901062R2000001"), "npp_taken")
    assert change(own_api, library, npp=None).status_code == 200
    assert change(own_api, other, npp="1901062R2000001").status_code == 200


def test_a_location_is_two_numbers(own_api, refused):
    refused(lambda: create(own_api, latitude=-1.8), "location_incomplete")
    library = made(own_api, latitude=-1.8, longitude=106.1)
    refused(lambda: change(own_api, library, latitude=None), "location_incomplete")
    assert change(own_api, library, latitude=-1.9).json()["longitude"] == 106.1


def test_a_refused_identifier_leaves_nothing(own_api, refused):
    first, second, value = made(own_api), made(own_api), uuid.uuid4().hex
    assert own_api.put(path_of(first) + "/identifiers/npsn", json={"value": value}, token="national_admin").status_code == 201
    refused(lambda: own_api.put(path_of(second) + "/identifiers/npsn", json={"value": value}, token="national_admin"), "identifier_taken")
    refused(lambda: own_api.put(path_of(first) + "/identifiers/npsn", json={"value": "x"}, token="library_manager"), "out_of_reach", status=403)
    refused(lambda: own_api.delete(path_of(second) + "/identifiers/npsn", token="national_admin"), "not_found", status=404)


def test_a_refusal_of_rights_leaves_nothing(own_api, refused):
    library = made(own_api, region_code="19.02.05.2003", phone="0717 5")
    for request in (lambda: create(own_api, token="regency_facilitator", region_code="19.02.05.2003"), lambda: change(own_api, library, token="regency_facilitator", servers=1),
                    lambda: close(own_api, library, token="regency_facilitator"), lambda: move(own_api, library, token="regency_facilitator", region_code="19.01.06.2002"),
                    lambda: own_api.get(path_of(library) + "/contact", token="regency_facilitator")):
        refused(request, "out_of_reach", status=403)
    refused(lambda: own_api.patch(path_of(library), {"servers": 1}, etag='"0.x"', token="national_admin"), "precondition_failed", status=412)


def test_reach_comes_before_the_version(own_api):
    """Who may not write here is not told whether the tag is right."""
    library = made(own_api, region_code="19.02.05.2003")
    problem(own_api.patch(path_of(library), {"servers": 1}, etag='"0.x"', token="regency_facilitator"), 403, "out_of_reach")


# ---- the audit --------------------------------------------------------------------------------------------

def audit_of(database, request_id):
    with database.cursor() as cursor:
        cursor.execute("SELECT actor, client_id, operation, table_name, action, row_key, before, after FROM audit WHERE request_id = %s ORDER BY id", (request_id,))
        return cursor.fetchall()


def test_every_write_is_audited(own_api, own_database):
    client = own_api.client("national_admin")["client_id"]
    private = {"phone": "0717-rahasia-1", "email": "rahasia@example.id"}
    library = own_api.post("/v1/libraries", json={"name": "Audit", "kind": "tbm", "region_code": "19.01.06.2002", "computers": 1, "founded_on": "2020-01-01", **private},
                           token="national_admin", headers={"X-Edge-Request-Id": "audit-create"}).json()
    path, headers = path_of(library), lambda name: {"X-Edge-Request-Id": f"audit-{name}", "If-Match": "*"}
    assert own_api.patch(path, {"phone": "0717-rahasia-2", "name": "Audit Baru", "computers": 2}, token="national_admin", headers=headers("update")).status_code == 200
    assert own_api.post(path + "/moves", json={"region_code": "19.01.06.2001"}, token="national_admin", headers=headers("move")).status_code == 200
    assert own_api.put(path + "/identifiers/npsn", json={"value": uuid.uuid4().hex}, token="national_admin", headers={"X-Edge-Request-Id": "audit-put"}).status_code == 201
    assert own_api.delete(path + "/identifiers/npsn", token="national_admin", headers=headers("remove")).status_code == 204
    assert own_api.get(path + "/contact", token="national_admin", headers=headers("contact")).status_code == 200
    assert own_api.delete(path, token="national_admin", headers=headers("close")).status_code == 204
    expected = {"create": ("create_library", {("library", "insert"), ("library_placement", "insert"), ("library_fact", "insert")}),
                "update": ("update_library", {("library", "update"), ("library_fact", "update")}),
                "move": ("move_library", {("library_placement", "update"), ("library_placement", "insert"), ("library", "update")}),
                "put": ("put_identifier", {("library_identifier", "insert"), ("library", "update")}),
                "remove": ("delete_identifier", {("library_identifier", "delete"), ("library", "update")}),
                "contact": ("get_library_contact", {("library", "read")}),
                "close": ("delete_library", {("library", "update"), ("library_placement", "update")})}
    for name, (operation, changes) in expected.items():
        rows = audit_of(own_database, f"audit-{name}")
        assert {(row[3], row[4]) for row in rows} == changes, name
        assert {row[:3] for row in rows} == {(client, client, operation)}, name
    [update] = [row for row in audit_of(own_database, "audit-update") if row[3] == "library"]
    assert update[5] == {"id": library["id"]} and (update[6]["name"], update[7]["name"]) == ("Audit", "Audit Baru")
    assert set(update[7]) == {"name", "phone", "computers", "contact_collected_at"} and update[6]["phone"] != update[7]["phone"]
    with own_database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit a WHERE a::text LIKE '%rahasia%'")
        assert cursor.fetchone() == (0,), "a contact stands nowhere in the clear"
        cursor.execute("SELECT count(*) FROM audit a, audit_salt s WHERE a.after->'phone'->>'digest' = encode(sha256(convert_to('0717-rahasia-1', 'UTF8')), 'hex')")
        assert cursor.fetchone() == (0,), "nor as a digest that could be tried out"
    assert "rahasia" not in own_api.service.log_text()


def test_what_changes_nothing_is_not_audited(own_api):
    library = made(own_api, servers=1)
    with own_api.service.cluster.connect(own_api.service.database) as database:
        assert own_api.patch(path_of(library), {"servers": 1}, token="national_admin", headers={"X-Edge-Request-Id": "audit-nothing", "If-Match": "*"}).status_code == 200
        assert audit_of(database, "audit-nothing") == []
        assert own_api.get(path_of(library), headers={"X-Edge-Request-Id": "audit-get"}).status_code == 200
        assert audit_of(database, "audit-get") == []
