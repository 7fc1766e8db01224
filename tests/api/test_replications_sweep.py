"""What the engine owes every client, asked of every operation of replications and visits."""

import pytest

from harness import programs
from harness import replications as r
from harness.client import problem
from harness.sweep import NOBODY, sweep, write_sweep

ONE = {  # a body that is right, of the operations that have one
    "create_replication": {"program": "uji", "replicator_id": NOBODY, "village_code": "19.01.07.2004"}, "update_replication": {"note": "Uji"},
    "move_replication": {"to": "cancelled"}, "put_replication_facilitator": {}, "create_visit": {"library_id": NOBODY, "kind": "mentoring"},
    "update_visit": {"findings": "Uji"},
}


@pytest.fixture(scope="module")
def there(own_api):
    one = r.at(own_api, "training")
    person = programs.facilitator(own_api)["person_id"]
    assert own_api.put(f"/v1/replications/{one['id']}/facilitators/{person}", json={}, token="national_admin").status_code == 201
    visit = programs.post(own_api, "/v1/visits", {"library_id": one["library_id"], "kind": "mentoring"})
    return {"/v1/replications": one["id"], "/v1/visits": visit["id"], "/v1/libraries": one["library_id"], "person_id": person}


def test_sweep(own_api, contract, there):
    swept = set()
    for path, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or not {"replications", "visits"} & set(operation.get("tags", [])):
                continue
            operation, method = contract.resolve(operation), method.upper()
            start = "/".join(path.split("/")[:3])
            place = path.replace("{id}", there[start]).replace("{person_id}", there["person_id"])
            lost = path.replace("{id}", NOBODY).replace("{person_id}", NOBODY)
            sweep(own_api, method, place, operation, lost=lost)
            body = ONE.get(operation["operationId"])
            if operation["operationId"] == "move_replication":  # If-Match is welcome here, not asked for
                problem(own_api.post(lost, json=body, token="national_admin"), 404, "not_found")
                problem(own_api.post(place, json=body, token="national_admin", headers={"If-Match": '"999999.x"'}), 412, "precondition_failed")
            elif body is not None:
                write_sweep(own_api, method, place, operation, body, lost)
            swept.add(operation["operationId"])
    assert set(ONE) <= swept and len(swept) == 14
