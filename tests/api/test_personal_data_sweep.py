"""What the engine owes every client, asked of every operation on personal data."""

import pytest

from harness import programs
from harness.people import People
from harness.rights import decided
from harness.sweep import NOBODY, sweep, write_sweep

ONE = {  # a body that is right, of the operations that have one
    "restrict_person": {"reason": "uji"}, "erase_person_data": {"reason": "uji"}, "erase_user_data": {"reason": "uji"},
    "answer_personal_data_request": {"status": "done"}, "create_my_personal_data_request": {"kind": "access", "reason": "uji"},
}


@pytest.fixture(scope="module")
def people(api):
    return People(api)


@pytest.fixture(scope="module")
def there(api, people):
    """The subject, its token, and for each path one that is there."""
    user = people.user("national_admin")
    token = people.renewed(user)
    made = programs.post(api, "/v1/me/personal-data/requests", {"kind": "access", "reason": "uji"}, token)
    return {"token": token, "/v1/me": made["id"], "/v1/users": people.user()["id"], "/v1/people": programs.person(api)["id"],
            "/v1/personal-data": made["id"]}


def test_sweep(api, contract, there):
    swept = set()
    for path, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or "personal-data" not in operation.get("tags", []):
                continue
            operation, method = dict(contract.resolve(operation)), method.upper()
            start = "/".join(path.split("/")[:3])
            place, lost = path.replace("{id}", there.get(start, "")), path.replace("{id}", NOBODY)
            token = there["token"] if start == "/v1/me" else "national_admin"
            sweep(api, method, place, operation, token=token, lost=lost)
            body = ONE.get(operation["operationId"])
            if body is not None and lost != path:
                write_sweep(api, method, place, operation, body, lost)
            swept.add(operation["operationId"])
    assert swept == {name for name, oracles in decided().items() if oracles == ["test_rights_personal_data.py"]}
