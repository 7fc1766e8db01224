"""An assignment holds from its first day to its last, and nothing of it outside: every operation behind a token, by a user of
every role whose assignment begins tomorrow, ended yesterday, or stands in another place.

Which cells are allowed where somebody is charged today say the oracles beside this file; here no cell is."""

import pytest

from harness.cluster import ROLES
from harness.contract import FITTING

DAYS = {"before": {"starts_on": 1, "ends_on": 30}, "after": {"starts_on": -30, "ends_on": -1},
        "first day": {"starts_on": 0, "ends_on": 30}, "last day": {"starts_on": -30, "ends_on": 0}}
MEDIA = {"PATCH": "application/merge-patch+json"}
# What everybody who holds a token may ask, whatever their charge: who am I, and what may I do.
OPEN_TO_ANY_TOKEN = {"get_me", "get_me_can"}
# What every person may do with the own account, whatever the charge; the token has the scopes of the account.
ACCOUNT_SCOPES = {"account:read", "account:write"}
# Elsewhere, and of another kind, than what FITTING names: nothing unpublished of it is theirs.
ELSEWHERE = {"provincial_coordinator": {"region": "73"}, "team_member": {"region": "73"}, "regency_facilitator": {"region": "73.08"}}


def operations(contract):
    for template, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete") and operation.get("security"):
                yield template, method.upper(), operation


def send(api, template, method, operation, token):
    content = api.contract.resolve(operation.get("requestBody", {})).get("content", {})
    options = {}
    for media, kind in content.items():
        if media.endswith("json"):
            examples = [api.contract.resolve(example)["value"] for example in kind.get("examples", {}).values()]
            options = {"json": examples[0] if examples else {}}
    headers = {"If-Match": "*", **({"Content-Type": MEDIA.get(method, "application/json")} if options else {})}
    return api.request(method, api.contract.address(template, id=FITTING["id"]), token=token, headers=headers, **options)


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("days", ["before", "after"])
def test_nothing_outside_its_days(own_api, role, days):
    user = own_api.people.user()
    own_api.people.assign(user["id"], role, **DAYS[days])
    token = own_api.people.token(user)
    tried = 0
    for template, method, operation in operations(own_api.contract):
        answer = send(own_api, template, method, operation, token)
        scopes = {scope for way in operation["security"] for scope in way.get("oauth2", [])}
        if operation["operationId"] in OPEN_TO_ANY_TOKEN or (scopes and scopes <= ACCOUNT_SCOPES):
            assert answer.status_code < 500 and "insufficient_scope" not in answer.text
            continue
        assert answer.status_code == 403 and answer.json()["code"] == "insufficient_scope", \
            f"{operation['operationId']}: {answer.status_code} {answer.text[:300]}"
        tried += 1
    assert tried > 100


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("days", ["first day", "last day"])
def test_both_ends_are_in(own_api, role, days):
    user = own_api.people.user()
    own_api.people.assign(user["id"], role, **DAYS[days])
    assert own_api.get("/v1/regions/19", token=own_api.people.token(user)).status_code == 200


@pytest.mark.parametrize("role", sorted(ELSEWHERE))
def test_nothing_is_written_elsewhere(own_api, own_database, role):
    """With everything about the requests right, and every scope of the role: not one row is changed by them."""
    user = own_api.people.user()
    own_api.people.assign(user["id"], role, **ELSEWHERE[role])
    token = own_api.people.token(user)
    with own_database.cursor() as cursor:
        for template, method, operation in operations(own_api.contract):
            if method == "GET" or "{" not in template or operation["operationId"] in OPEN_TO_ANY_TOKEN:
                continue
            answer = send(own_api, template, method, operation, token)
            assert answer.status_code >= 400, f"{operation['operationId']}: {answer.status_code} {answer.text[:300]}"
        cursor.execute("SELECT count(*), string_agg(DISTINCT operation, ' ') FROM audit "
                       "WHERE actor = %s AND action <> 'read' AND operation <> 'submit_authorization'", [user["id"]])
        assert cursor.fetchone() == (0, None)
