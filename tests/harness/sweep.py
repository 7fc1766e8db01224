"""The statuses that every operation has alike, asked of one operation after another.

What an operation does (2xx) and what its rules refuse (409) is for tests of its own; here stands what the engine owes every
client: a request that is wrong in one way only is refused in that way."""

import uuid

from harness.client import problem

NOBODY = str(uuid.UUID(int=0))
OVERSIZE = b'{"x": "' + b"x" * (1 << 17) + b'"}'


def bare_token(api, operation, role="national_admin"):
    """A token that holds one scope only, which the operation does not ask for: known, and not allowed."""
    client = api.client(role)
    asked = {scope for alternative in operation["security"] for scopes in alternative.values() for scope in scopes}
    answer = api.post("/oauth2/token", data={"grant_type": "client_credentials", "scope": min({"admin", "audit:read"} - asked)},
                      auth=(client["client_id"], client["client_secret"]), token=None)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def sweep(api, method, path, operation, token="national_admin", lost=None):
    """Every status the contract promises of the operation beside 2xx and 409. `path` is of something that is there, `lost` the
    same of something that is not."""
    promised = set(operation["responses"]) - {"default", "409"}
    merge = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    tag = {"If-Match": '"999999.x"'} if "412" in promised else {}

    def ask(at=path, token=token, headers=None, **options):
        return api.request(method, at, token=token, headers={**merge, **tag, **(headers or {})} if method != "GET"
                           else headers, **options)
    body = {"data": b"{}"} if "422" in promised else {}
    problem(ask(path + "?colour=red", **body), 400, "invalid_parameter")
    problem(ask(token=None, **body), 401, "unauthorized")
    own = any(scope.startswith("account:") for alternative in operation["security"] for scopes in alternative.values() for scope in scopes)
    problem(ask(token=bare_token(api, operation), **body), 403, "person_needed" if own else "insufficient_scope")
    if "404" in promised and method != "PATCH" and "422" not in promised:
        problem(ask(lost, headers={"If-Match": "*"} if tag else None), 404, "not_found")
    if "406" in promised:
        problem(ask(headers={"Accept": "image/png"}, **body), 406, "not_acceptable")
    if "413" in promised:
        problem(ask(data=OVERSIZE), 413, "body_too_large")
    if "415" in promised:
        problem(ask(headers={"Content-Type": "text/plain"}, data=b"{}"), 415, "unsupported_media_type")
    if "422" in promised:
        problem(ask(data=b'{"colour": "red"}'), 422, "invalid_body")
    if "428" in promised and not body:
        problem(api.request(method, path, token=token), 428, "precondition_required")
    if method == "GET":
        there = ask()
        assert there.status_code == 200, there.text
        again = ask(headers={"If-None-Match": there.headers["ETag"]})
        if "304" in promised:
            assert again.status_code == 304, again.text
        if "text/csv" in operation["responses"]["200"].get("content", {}):
            table = ask(headers={"Accept": "text/csv"})
            assert table.status_code == 200 and table.headers["Content-Type"] == "text/csv; charset=utf-8"


def write_sweep(api, method, path, operation, body, lost=None, token="national_admin"):
    """404, 412 and 428 of a write that has a body: they need one that is right."""
    headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
    matched = "412" in operation["responses"]
    if "404" in operation["responses"]:
        problem(api.request(method, lost, token=token, json=body, headers={**headers, **({"If-Match": "*"} if matched else {})}),
                404, "not_found")
    if matched:
        problem(api.request(method, path, token=token, json=body, headers={**headers, "If-Match": '"999999.x"'}), 412,
                "precondition_failed")
    if "428" in operation["responses"]:
        problem(api.request(method, path, token=token, json=body, headers=headers), 428, "precondition_required")
