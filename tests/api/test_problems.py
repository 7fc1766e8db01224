"""Problem codes: each documented in both languages, and the ones that need an unusual service."""

import re
import threading
import time

import pytest

from harness.client import problem
from harness.libraries import KAPUK, made, path_of
from harness.sweep import bare_token
from harness.waiting import until

DEFINITION = re.compile(r'^PROBLEM\((\w+), (\d+), "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\)$')


@pytest.fixture(scope="module")
def defined(root):
    lines = (root / "api/base/problems.def").read_text(encoding="utf-8").splitlines()
    found = [DEFINITION.match(line) for line in lines if line.startswith("PROBLEM(")]
    assert all(found)
    return {match[1]: match.groups()[1:] for match in found}


def test_the_list_is_complete_and_in_order(api, defined):
    body = api.get("/problems", token=None).json()
    assert [item["code"] for item in body["items"]] == list(defined) and body["next"] is None
    page = api.get("/problems", token=None, headers={"Accept": "text/html"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8" and all(f'href="problems/{code}"' in page.text for code in defined)


def test_a_refusal_says_how_many_of_its_scopes_are_needed(api, contract):
    """One, all of several, or one of several."""
    shapes = set()
    for path, methods in contract.document["paths"].items():
        for method in methods.keys() & {"get", "post", "put", "patch", "delete"}:
            alternatives = [" ".join(scopes) for one in methods[method].get("security") or [] for scopes in one.values()]
            shape = "one" if len(alternatives) > 1 else "all" if " " in "".join(alternatives) else "the"
            if shape == "the" and (shape in shapes or not any(alternatives) or "me" in alternatives or "admin" in alternatives):
                continue
            answer = api.request(method.upper(), contract.address(path), token=bare_token(api, {"security": methods[method]["security"]}))
            detail = problem(answer, 403, "insufficient_scope")["detail"]
            words = {"one": "one of these scopes: ", "all": "all of these scopes: ", "the": "the scope "}[shape]
            before, _, named = detail.rstrip(".").partition(words)
            assert before == "This operation needs " and [set(one.split()) for one in named.split(", ")] == [set(one.split()) for one in alternatives]
            shapes.add(shape)
    assert shapes == {"one", "all", "the"}


@pytest.mark.parametrize("language,words", [("en", "must be an e-mail address"), ("id", "harus berupa alamat surel")])
def test_a_format_is_told_in_words(api, language, words):
    answer = api.post("/v1/users", json={"email": "siti"}, headers={"Accept-Language": language}, token="national_admin")
    assert [one["detail"] for one in problem(answer, 422, "invalid_body")["errors"] if one["pointer"] == "/email"] == [words]


def test_every_code_is_documented(api, defined):
    for code, (status, title_id, title_en, detail_id, detail_en) in defined.items():
        body = api.get(f"/problems/{code}", token=None).json()
        assert body == {"type": f"{api.base_url}/problems/{code}", "code": code, "status": int(status), "title": {"id": title_id, "en": title_en},
                        "detail": {"id": detail_id, "en": detail_en}}
        page = api.get(f"/problems/{code}", token=None, headers={"Accept": "text/html"})
        text = page.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", '"')
        assert page.status_code == 200 and all(words in text for words in (code, status, title_id, title_en, detail_id, detail_en)), code
        assert "<script" not in page.text and re.search(r'<html[^>]* lang="(id|en)"', page.text)


def test_the_type_of_a_problem_leads_to_its_page(api):
    body = problem(api.get("/v1/regions?limit=0"), 400, "invalid_parameter")
    assert api.get(body["type"].removeprefix(api.base_url), token=None).json()["title"]["en"] == body["title"]


def test_what_is_no_code(api):
    problem(api.get("/problems/nosuch", token=None), 404, "not_found")
    for code in ("Not_found", "not-found", "x" * 65, "%3Cscript%3E", "1", "not_found%00"):
        assert api.get(f"/problems/{code}", token=None).status_code == 400, code
    problem(api.get("/problems/not_found", token=None, headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(api.get("/problems", token=None, headers={"Accept": "image/png"}), 406, "not_acceptable")


PAGES = {"authorize", "submit_authorization", "get_account_password", "set_account_password"}  # for people: they refuse in a page


def addresses(contract):
    """Every operation with an address that fits it, but for the pages, and what needs more than an address."""
    for path, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "put", "patch", "delete") or operation["operationId"] in PAGES:
                continue
            if not any(one.get("required") and one["in"] == "query" for one in map(contract.resolve, operation.get("parameters", []))):
                yield method.upper(), contract.address(path, id=KAPUK, file="nosuch.txt")


def test_an_address_has_a_bound(api, contract):
    for method, path in addresses(contract):
        answer = api.request(method, path + "?x=" + "a" * 8000, token=None)
        assert "8000" in problem(answer, 414, "target_too_long")["detail"]
    assert api.get("/v1/regions?q=" + "a" * 7000).status_code == 400, "shorter is read, and refused for what it says"


def test_every_operation_names_a_parameter_it_does_not_know(api, contract):
    for method, path in addresses(contract):
        answer = api.request(method, path + "?nosuch=1", token=api.fitting(contract.find(method, path)), headers={"If-Match": "*"})
        [fault] = problem(answer, 400, "invalid_parameter")["errors"]
        assert (fault["parameter"], fault["code"]) == ("nosuch", "unknown_parameter"), (method, path)


def test_every_operation_says_what_it_can_produce(api, contract):
    for method, path in addresses(contract):
        operation = contract.find(method, path)
        success = next(status for status in operation["responses"] if status.startswith("2"))
        if contract.resolve(operation["responses"][success]).get("content") and not path.startswith("/docs/"):  # a file is what it is
            answer = api.request(method, path, token=api.fitting(operation), headers={"Accept": "image/jp2", "If-Match": "*"})
            assert problem(answer, 406, "not_acceptable")["detail"], (method, path)


def test_every_operation_behind_a_token_asks_for_its_scope(api, contract, cluster, service, database):
    """A client whose role has no scope that fits is told which one it needs."""
    client = cluster.make_client(service.database, "portal")
    with database.cursor() as cursor:
        cursor.execute("UPDATE client SET allowed_scopes = '{reports:verify}' WHERE id = %s", (client["client_id"],))
    other = cluster.make_client(service.database, "regency_facilitator")
    with database.cursor() as cursor:
        cursor.execute("UPDATE client SET allowed_scopes = '{reports:verify}' WHERE id = %s", (other["client_id"],))
    answer = api.post("/oauth2/token", token=None, data={"grant_type": "client_credentials"}, auth=(other["client_id"], other["client_secret"]))
    token = answer.json()["access_token"]
    for method, path in addresses(contract):
        operation = contract.find(method, path)
        if operation["security"] and operation["security"][0]["oauth2"]:  # who am I asks everybody who is known
            answer = api.request(method, path, token=token)
            needed = operation["security"][0]["oauth2"][0]
            if needed.startswith("account:"):  # a client has no account, whatever its scopes
                problem(answer, 403, "person_needed")
                continue
            assert needed in problem(answer, 403, "insufficient_scope")["detail"], (method, path)
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_a_statement_has_its_time(fresh):
    """What waits too long for a lock is refused, and nothing of it stays."""
    api = fresh(statement_timeout_ms=4000)  # a busy machine must be able to set the scene
    library = made(api)
    tag = api.get(path_of(library)).headers["ETag"]
    with api.service.cluster.connect(api.service.database) as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute("SELECT FROM library WHERE id = %s FOR UPDATE", (library["id"],))
        start = time.monotonic()
        answer = api.patch(path_of(library), {"name": "Terlambat"}, etag=tag, token="national_admin")
        assert 0.3 < time.monotonic() - start  # it did wait
        assert problem(answer, 503, answer.json()["code"])["code"] in ("timeout", "busy") and int(answer.headers["Retry-After"]) >= 1
        assert api.get(path_of(library)).json() == library, "readers do not wait"
        connection.rollback()
    assert api.patch(path_of(library), {"name": "Sekarang"}, etag=tag, token="national_admin").json()["name"] == "Sekarang"


def waiting_for_locks(api):
    with api.service.cluster.connect(api.service.database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'tpbis_api' AND wait_event_type = 'Lock'",
                       (api.service.database,))
        return cursor.fetchone()[0]


@pytest.mark.one_process
def test_a_full_pool_says_so(fresh):
    """One connection, held by a write that waits: the next is told to come again, soon and not at once."""
    api = fresh(pool_size=1, pool_wait_ms=100, statement_timeout_ms=60000)
    library = made(api)
    tag = api.get(path_of(library)).headers["ETag"]
    api.token("portal")
    api.get("/v1/regions/19", token="portal")
    with api.service.cluster.connect(api.service.database) as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute("SELECT FROM library WHERE id = %s FOR UPDATE", (library["id"],))
        answers = []
        writer = threading.Thread(target=lambda: answers.append(api.patch(path_of(library), {"name": "Menunggu"}, etag=tag, token="national_admin")))
        writer.start()
        until(lambda: waiting_for_locks(api))
        answer = type(api)(api.service, api.clients, api.contract).get("/v1/regions/19.01", token=api.token("portal"))
        problem(answer, 503, "busy")
        assert int(answer.headers["Retry-After"]) >= 1
        connection.rollback()
        writer.join()
    assert answers[0].status_code == 200, answers[0].text
    assert api.get("/v1/regions/19.01").status_code == 200
