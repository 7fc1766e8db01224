"""What the engine owes every client, asked of every operation of accounts, assignments and the audit."""

import pytest

from harness.sweep import NOBODY, OVERSIZE, sweep, write_sweep
from harness.client import problem
from harness.users import body_of, charge, invite

PREFIXES = ("/v1/users", "/v1/assignments", "/v1/audit")
PERSONAL = ("/personal-data", "/erasure")  # tests/api/test_personal_data_sweep.py


@pytest.fixture(scope="module")
def bodies(own_api):
    """One that is right, of the operations that have one."""
    return {"create_user": body_of(), "update_user": {"name": "Uji"}, "invite_user": {}, "reset_user_password": {},
            "disable_user": {"reason": "uji"}, "update_assignment": {"ends_on": "2099-12-31"}, "end_assignment": {},
            "create_assignment": {"user_id": invite(own_api)["id"], "role": "portal", "national": True}}


def test_sweep(own_api, own_database, contract, bodies):
    user = invite(own_api)
    charge(own_database, user, "portal")
    person = own_api.people.user("portal")
    own_api.people.token(person)
    [session] = own_api.get(f"/v1/users/{person['id']}/sessions", token="national_admin").json()["items"]
    assignment = next(own_api.pages(f"/v1/assignments?user={user['id']}", token="national_admin"))
    swept = set()
    for path, methods in contract.document["paths"].items():
        if not path.startswith(PREFIXES) or path.endswith(PERSONAL):
            continue
        one = assignment["id"] if path.startswith("/v1/assignments") else user["id"]
        for method, operation in methods.items():
            if not isinstance(operation, dict):
                continue
            operation, method = contract.resolve(operation), method.upper()
            place = path.replace("{user_id}", person["id"]).replace("{id}", session["id"] if "/sessions/" in path else one)
            lost = path.replace("{user_id}", NOBODY if path.endswith("/sessions") else person["id"]).replace("{id}", NOBODY)
            sweep(own_api, method, place, operation, lost=lost)
            body = bodies.get(operation["operationId"])
            if body is not None and "{id}" in path:
                write_sweep(own_api, method, place, operation, body, lost)
            swept.add(operation["operationId"])
    assert set(bodies) <= swept


def test_passwords_come_in_one_form_and_size(own_api):
    token = own_api.people.token(own_api.people.user("portal"))
    path = "/v1/me/password"
    problem(own_api.post(path, token=token, data=OVERSIZE, headers={"Content-Type": "application/json"}), 413, "body_too_large")
    problem(own_api.post(path, token=token, data=b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    page = "/account/password"
    assert own_api.get(page + "?token=a&token=b", token=None).status_code == 400
    assert own_api.post(page, token=None, data=OVERSIZE, headers={"Content-Type": "application/x-www-form-urlencoded"}).status_code == 413
    assert own_api.post(page, token=None, data=b"{}", headers={"Content-Type": "application/json"}).status_code == 415
