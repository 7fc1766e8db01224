"""What the engine owes every client, asked of every operation of programmes, participations, trainings and people."""

import pytest

from harness import programs
from harness.rights import decided
from harness.sweep import NOBODY, sweep, write_sweep

ONE = {  # a body that is right, of the operations that have one
    "create_program": {"slug": "uji-sapu", "name": "Uji"}, "update_program": {"name": "Uji"},
    "create_phase": {"slug": "uji-sapu", "program": "uji", "name": "Uji"}, "update_phase": {"name": "Uji"},
    "create_participation": {"phase_id": "uji", "library_id": NOBODY, "support": "full"}, "update_participation": {"note": "Uji"},
    "move_participation": {"to": "withdrawn"}, "create_participation_plan": {"title": "Uji", "kind": "network"},
    "update_participation_plan": {"title": "Lain"}, "create_training": {"kind": "tik", "title": "Uji", "starts_on": "2024-01-01"},
    "update_training": {"title": "Lain"}, "create_training_participant": {"name": "Uji", "role": "staf"},
    "update_training_participant": {"role": "staf"}, "put_certification": {"certified_on": "2024-05-06"},
    "create_organization": {"name": "Uji", "sector": "media"}, "update_organization": {"name": "Lain"},
    "put_organization_contact": {"purpose": "uji"}, "create_person": {"name": "Uji"}, "update_person": {"name": "Lain"},
    "put_person_contact": {"purpose": "uji"},
}
TAGS = {"programs", "participations", "trainings", "organizations", "people"}


@pytest.fixture(scope="module")
def there(api):
    """For each path of the contract, one of something that is there."""
    one = programs.participation(api)
    plan = programs.post(api, f"/v1/participations/{one['id']}/work-plan", {"title": "Uji", "kind": "network"})
    certified = programs.facilitator(api)
    return {"slug": {"/v1/phases": one["phase_id"], "/v1/programs": api.get(f"/v1/phases/{one['phase_id']}").json()["program"]},
            "id": {"/v1/participations/{participation_id}": plan["id"], "/v1/participations": one["id"],
                   "/v1/trainings/{training_id}": certified["id"], "/v1/trainings": certified["training_id"],
                   "/v1/organizations": programs.organization(api)["id"], "/v1/people": certified["person_id"]},
            "participation_id": {"/v1/": one["id"]}, "training_id": {"/v1/": certified["training_id"]}}


def filled(path, values):
    """The path with its places filled by the longest prefix that fits."""
    for name, choices in values.items():
        if "{" + name + "}" in path:
            prefix = max((prefix for prefix in choices if path.startswith(prefix)), key=len)
            path = path.replace("{" + name + "}", choices[prefix])
    return path


def operations(contract):
    for path, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and TAGS & set(operation.get("tags", [])):
                yield method.upper(), path, contract.resolve(operation)


def test_sweep(api, contract, there):
    swept = set()
    for method, path, operation in operations(contract):
        place = filled(path, there)
        lost = filled(path, {name: {"/v1/": "tidak-ada" if name == "slug" else NOBODY} for name in there})
        sweep(api, method, place, operation, lost=lost)
        body = ONE.get(operation["operationId"])
        if body is not None:
            write_sweep(api, method, place, operation, body, lost=lost)
        elif "412" in operation["responses"]:
            assert api.request(method, place, token="national_admin", headers={"If-Match": '"999999.x"'}).status_code == 412
        swept.add(operation["operationId"])
    assert swept == {name for name, oracles in decided().items() if oracles == ["test_rights_programs.py"]}
