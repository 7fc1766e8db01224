"""Whole lists: two at once for one caller, whatever they are of."""

import re

import pytest
from harness.client import problem
from harness.exports import STREAM, open_stream, sip
from harness.waiting import until
from harness.wire import statuses

pytestmark = pytest.mark.one_process  # each process counts its own


def whole_lists(contract):
    for path, methods in contract.document["paths"].items():
        operation = contract.resolve(methods.get("get", {}))
        answer = contract.resolve(operation.get("responses", {}).get("200", {}))
        parameters = {contract.resolve(one)["name"] for one in operation.get("parameters", [])}
        if "text/csv" in answer.get("content", {}) and "limit" in parameters:
            yield path, operation


def test_a_third_whole_list_of_any_kind_waits(fresh, contract):
    api = fresh(stream_limit=8, connection_timeout_s=60)
    walked = 0
    client, person = api.token("national_admin"), api.people.token_of("national_admin")
    with open_stream(api, client) as a, open_stream(api, client) as b, open_stream(api, person) as c, open_stream(api, person) as d:
        for path, operation in whole_lists(contract):
            for wire in (a, b, c, d):
                sip(wire)
            answer = api.get(contract.address(path) + "?format=csv", token=api.fitting(operation))
            assert problem(answer, 429, "exports_at_once") and 1 <= int(answer.headers["Retry-After"]) <= 60, path
            walked += 1
    promised = sum("429" in methods.get("get", {}).get("responses", {}) for methods in contract.document["paths"].values())
    assert walked == promised > 30


def test_the_places_are_many_callers(fresh):
    api = fresh(stream_limit=8, connection_timeout_s=60)
    with open_stream(api), open_stream(api):
        problem(api.get(STREAM), 429, "exports_at_once")
        assert api.get("/v1/regions?limit=5&format=csv").status_code == 200  # a page is no whole list
        with open_stream(api, api.token("integration")) as other:
            assert statuses(other.received) == [200]
    until(lambda: api.get("/v1/libraries?within=19&format=csv").status_code == 200)


def test_callers_known_by_their_address_have_half_of_the_places(fresh):
    """Whoever has many addresses is as many callers of a public app, and still leaves places to everybody else."""
    api = fresh(stream_limit=4, connection_timeout_s=60)
    app, (a, b, c) = api.token("public_app"), (f"2001:db8:{n}::1" for n in range(3))
    with open_stream(api, app, address=a), open_stream(api, app, address=b):
        problem(api.get(STREAM, token=app, headers={"X-Forwarded-For": c}), 503, "busy")
        with open_stream(api), open_stream(api, api.token("integration")):
            problem(api.get(STREAM, token="national_admin"), 503, "busy")  # all of them are taken
    until(lambda: api.get("/v1/libraries?within=19&format=csv", token=app, headers={"X-Forwarded-For": c}).status_code == 200)


def test_one_that_gets_no_place_costs_a_page(fresh):
    api = fresh(stream_limit=8, connection_timeout_s=60, rate_client_per_minute=100)
    with open_stream(api), open_stream(api):
        refused = [api.get(STREAM) for _ in range(3)]
        for answer in refused:
            problem(answer, 429, "exports_at_once")
        left = [int(re.search(r";r=(\d+);", answer.headers["RateLimit"])[1]) for answer in refused]
        assert left[0] >= 58 and left[0] - left[2] <= 2, left  # of a hundred: twenty for each that is on its way
