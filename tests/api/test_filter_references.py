"""Filters that name a record: one that names nothing is refused, never answered with an empty list or a zero."""

import pytest

from harness import libraries
from harness.client import problem
from harness.waiting import everywhere

NOBODY = "00000000-0000-7000-8000-000000000000"
# Whom these name is not for everybody to know, so nobody learns whether there is such a one.
PRIVATE = {("list_replications", "facilitator"), ("list_assignments", "user"), ("list_users", "person"),
           ("list_personal_data_requests", "person"), ("list_personal_data_requests", "user")}
SLUG = "^[a-z0-9]+(-[a-z0-9]+)*$"


def naming(contract):
    """(operation, path, parameter, a value of its form that names nothing) of every filter of the contract that names a record."""
    for path, methods in contract.document["paths"].items():
        operation = contract.resolve(methods.get("get", {}))
        for parameter in map(contract.resolve, operation.get("parameters", [])):
            schema = contract.resolve(parameter["schema"])
            value = {"uuid": NOBODY, "dotted-code": "99"}.get(schema.get("format")) or {SLUG: "nope"}.get(schema.get("pattern"))
            if parameter["in"] == "query" and value and path != "/v1/me/can":
                yield operation["operationId"], path, parameter["name"], value


def test_every_filter_that_names_nothing_is_refused(own_api, contract):
    seen = set()
    for operation, path, name, value in naming(contract):
        answer = own_api.get(f"{contract.address(path)}?{name}={value}", token="national_admin")
        if (operation, name) in PRIVATE:
            assert answer.status_code == 200 and answer.json()["items"] == [], (operation, name)
        else:
            fault = problem(answer, 400, "invalid_parameter")["errors"]
            assert [(one["parameter"], one["code"]) for one in fault] == [(name, "names_nothing")], (operation, name)
        seen.add((operation, name))
    assert PRIVATE < seen and len(seen) > 35
    for name in ("client", "table", "operation"):
        fault = problem(own_api.get(f"/v1/audit?{name}=nope", token="national_admin"), 400, "invalid_parameter")["errors"]
        assert [(one["parameter"], one["code"]) for one in fault] == [(name, "names_nothing")]
    assert own_api.get(f"/v1/audit?table=library&client={own_api.client('national_admin')['client_id']}", token="national_admin").status_code == 200
    problem(own_api.get("/v1/personal-data/purges?category=nope", token="national_admin"), 400, "invalid_parameter")


def test_all_of_them_are_named_at_once_and_in_every_format(own_api):
    query = f"?within=99&phase=nope&library={NOBODY}&team={libraries.KAPUK}"
    for media in ("application/json", "text/csv"):
        faults = problem(own_api.get("/v1/participations" + query, headers={"Accept": media}), 400, "invalid_parameter")["errors"]
        assert {one["parameter"] for one in faults} == {"within", "phase", "library", "team"}
    same = own_api.get(f"/v1/replications?library={NOBODY}&replicator={NOBODY}").json()["errors"]
    assert {one["parameter"] for one in same} == {"library", "replicator"}
    mixed = own_api.get(f"/v1/replications?library={NOBODY}&replicator={libraries.BANGKA.upper()}").json()["errors"]
    assert [one["parameter"] for one in mixed] == ["library"]


@pytest.fixture(scope="module")
def retired(own_api):
    """Two villages that are no longer in force: one with successors, one without."""
    with own_api.service.owner.cursor() as cursor:
        cursor.execute("INSERT INTO region (code, name, type, valid_to) VALUES ('19.01.06.2097', 'Lama', 'desa', '2020-12-31'), "
                       "('19.01.06.2098', 'Hilang', 'desa', '2020-12-31')")
        cursor.execute("INSERT INTO region_successor (code, successor_code) VALUES ('19.01.06.2097', '19.01.06.2001'), "
                       "('19.01.06.2097', '19.01.06.2002')")
    return "19.01.06.2097", "19.01.06.2098"


def test_a_retired_region_names_its_successors(own_api, retired):
    replaced, gone = retired
    for path in ("/v1/phases/tpbis-2019/progress", "/v1/libraries", "/v1/trainings", "/v1/regions"):
        [fault] = problem(own_api.get(f"{path}?within={replaced}"), 400, "invalid_parameter")["errors"]
        assert fault["code"] == "replaced" and fault["detail"].endswith("19.01.06.2001, 19.01.06.2002")
        [fault] = problem(own_api.get(f"{path}?within={gone}"), 400, "invalid_parameter")["errors"]
        assert fault["code"] == "retired"
    [fault] = own_api.get(f"/v1/libraries?within={replaced}", headers={"Accept-Language": "id"}).json()["errors"]
    assert fault["detail"] == "sudah tidak berlaku; penggantinya: 19.01.06.2001, 19.01.06.2002"


def test_the_past_may_be_asked_about(own_api, retired):
    for code in retired:
        for path in ("/v1/libraries?as_of=2020-06-01", "/v1/regions?as_of=2020-06-01", "/v1/regions?deleted=include", "/v1/audit?limit=1",
                     "/v1/assignments?limit=1", "/v1/users?limit=1"):
            assert own_api.get(f"{path}&within={code}", token="national_admin").status_code == 200, path
    problem(own_api.get("/v1/libraries?as_of=2020-06-01&within=99"), 400, "invalid_parameter")


def test_a_poll_stays_cheap_and_learns_when_a_region_goes(own_api):
    """What was looked up once is remembered with the answer, and not longer than the region stays."""
    with own_api.service.owner.cursor() as cursor:
        cursor.execute("INSERT INTO region (code, name, type) VALUES ('19.01.06.2096', 'Sebentar', 'desa')")
        path = "/v1/libraries?within=19.01.06.2096"
        tag = own_api.get(path).headers["ETag"]
        assert own_api.get(path, headers={"If-None-Match": tag}).status_code == 304
        cursor.execute("UPDATE region SET valid_to = '2020-12-31' WHERE code = '19.01.06.2096'")
    everywhere(own_api, lambda: own_api.get(path, headers={"If-None-Match": tag}).status_code, 400)


def test_an_identifier_is_of_a_scheme_that_there_is(own_api, contract):
    schemes = next(one for one in own_api.get("/v1/enumerations").json()["items"] if one["name"] == "identifiers.scheme")["values"]
    for scheme in schemes:
        assert own_api.get(f"/v1/libraries?identifier={scheme['value']}:x1").status_code == 200, scheme
    for wrong in ("nope:x1", "NPSN:x1", "npsn", ":x1"):
        [fault] = problem(own_api.get(f"/v1/libraries?identifier={wrong}"), 400, "invalid_parameter")["errors"]
        assert (fault["parameter"], fault["code"]) == ("identifier", "pattern")
