"""Every operation without its database. Rule: what needs the database says 503 and when to come back, and soon; what
does not goes on; and when the database is back, so is every operation."""

import time

import pytest
from harness.client import problem
from harness.proxy import Proxy
from harness.waiting import PATIENCE_SECONDS

WITHOUT_DATABASE = {"get_health_live", "get_metrics", "get_openapi", "get_docs", "get_docs_file", "list_problems",
                    "get_problem", "get_jwks", "get_oauth_metadata", "get_protected_resource", "get_security_txt"}
PAGES = {"authorize", "submit_authorization"}  # for people: they say it in a page
LINK = "tpl_" + "A" * 43  # of the form of one
LONGEST_SECONDS = PATIENCE_SECONDS / 2  # far less than the timeout of the client
HEAL_SECONDS = PATIENCE_SECONDS


@pytest.fixture
def proxied(fresh, cluster):
    """A service whose database can be taken away without disturbing other tests."""
    api = fresh(security_contact="mailto:keamanan@example.id")
    assert api.service.stop() == 0
    with Proxy(cluster, api.service.database) as proxy:
        api.service.settings["database_url"] = proxy.url
        api.service.start()
        api.proxy = proxy
        yield api
        assert api.service.stop() == 0


def body_of(api, operation):
    """What the contract gives as an example, else an empty object: media type and content."""
    content = api.contract.resolve(operation.get("requestBody", {})).get("content", {})
    for media, kind in content.items():
        if media.endswith("json"):
            examples = [api.contract.resolve(example)["value"] for example in kind.get("examples", {}).values()]
            return {"json": examples[0] if examples else {}, "headers": {"Content-Type": media}}
    return {}


def requests_of(api, library):
    """A request for every operation: its id and a function that sends it."""
    for template, methods in api.contract.document["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            options = body_of(api, operation)
            if operation["operationId"] == "create_token":
                client = api.client("portal")
                options = {"data": {"grant_type": "client_credentials"}, "token": None,
                           "auth": (client["client_id"], client["client_secret"])}
            if operation["operationId"] in ("revoke_token", "introspect_token"):
                client = api.client("portal")
                options = {"data": {"token": "x"}, "token": None, "auth": (client["client_id"], client["client_secret"])}
            query = ""
            if operation["operationId"] in PAGES:
                query = "?client_id=" + api.client("portal")["client_id"]
                options = {"data": {"action": "login"}, "token": None} if method == "post" else {"token": None}
            elif operation["operationId"] == "get_account_password":
                query = "?token=" + LINK
            elif operation["operationId"] == "set_account_password":
                options = {"data": {"token": LINK, "password": "kata sandi yang panjang", "again": "kata sandi yang panjang"}}
            options.setdefault("token", "national_admin" if operation.get("security") else None)
            # A precondition that never holds: what would be written is refused once the database is back.
            if any(one["name"] == "If-Match" for one in map(api.contract.resolve, operation.get("parameters", []))):
                options.setdefault("headers", {})["If-Match"] = '"0"'
            yield operation["operationId"], method.upper(), api.contract.address(template, id=library) + query, options


@pytest.mark.one_process
def test_every_operation_without_its_database(proxied):
    library = proxied.get("/v1/libraries?within=19&kind=village&limit=1").json()["items"][0]["id"]
    proxied.token("national_admin")
    everything = list(requests_of(proxied, library))
    assert len(everything) > 20 and {name for name, *_ in everything} >= WITHOUT_DATABASE

    proxied.proxy.down()
    end = time.monotonic() + HEAL_SECONDS  # what the watch has vouched for just now may still be answered from memory
    while any(proxied.get(path).status_code != 503 for path in ("/v1/enumerations", "/health/ready")):
        assert time.monotonic() < end
    for name, method, path, options in everything:
        began = time.monotonic()
        answer = proxied.request(method, path, **options)
        assert time.monotonic() - began < LONGEST_SECONDS, name
        if name in WITHOUT_DATABASE:
            assert answer.status_code in (200, 404), f"{name}: {answer.text}"  # 404: built without the page's files
            continue
        assert int(answer.headers.get("Retry-After", 0)) > 0, f"{name}: {answer.status_code} {answer.text}"
        if name in PAGES:
            assert answer.status_code == 503 and answer.headers["Content-Type"] == "text/html; charset=utf-8", name
        else:
            problem(answer, 503, "database_unavailable")

    proxied.proxy.up()
    end = time.monotonic() + HEAL_SECONDS
    while proxied.get("/health/ready", token=None).status_code != 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    for name, method, path, options in everything:
        answer = proxied.request(method, path, **options)
        assert answer.status_code < 500, f"{name}: {answer.text}"


@pytest.mark.one_process
def test_a_standing_from_memory_does_not_hide_the_lost_database(proxied):
    """Just after the loss the caller is still known; the statement itself then says 503."""
    assert proxied.get("/v1/regions/19").status_code == 200
    proxied.proxy.down()
    problem(proxied.get("/v1/regions/19"), 503, "database_unavailable")
    problem(proxied.get("/v1/regions?format=csv"), 503, "database_unavailable")
