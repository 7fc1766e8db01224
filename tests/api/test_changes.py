"""Every member of every change, one at a time: emptied, and far away in time. A rule refuses it, or it is done; the database's own
constraints, which say nothing to a client, are never what stops it."""

from datetime import date

import pytest

from harness import programs, replications, teams
from harness.walk import Walk

ADMIN = "national_admin"
PAST = {"origin": "historical", "source": "S3"}
# Objects of a kind that are tried: those of the record of the past and those that were made here are at the two ends of a list.
TRIED = 3


@pytest.fixture(scope="module")
def world(own_api):
    """At least one object of every kind that can be changed, recorded and of the past."""
    programs.participation(own_api)
    programs.participation(own_api, status="active", **PAST)
    first = own_api.get("/v1/participations?limit=1", token=ADMIN).json()["items"][0]["id"]  # where the walk looks
    programs.post(own_api, f"/v1/participations/{first}/work-plan", {"title": "Uji", "kind": "network"})
    for fields in ({}, PAST):
        training = programs.training(own_api, **fields)
        programs.participant(own_api, training, role="staf")
    programs.person(own_api)
    programs.organization(own_api)
    programs.post(own_api, "/v1/visits", {"library_id": programs.library(own_api)["id"], "kind": "mentoring"})
    replications.proposed(own_api)
    team = teams.team(own_api, "73.08", formed_on="2019-01-01")["id"]
    teams.join(own_api, team, starts_on="2020-01-01")
    teams.join(own_api, team, starts_on="2020-01-01", starts_on_precision="year", source="S3")
    for part, body, past in (
            ("decrees", {"kind": "sk_kepala_dinas", "number": "1", "signed_on": "2024-01-01"}, {"kind": "sk_bupati"}),
            ("meetings", {"kind": "internal", "planned_for": "2024-02-01"}, {"kind": "internal"}),
            ("work-plan", {"title": "Uji", "kind": "policy"}, None), ("funding", {"year": 2024, "source": "csr", "amount": 1}, None)):
        teams.made(teams.add(own_api, team, part, **body))
        if past:
            teams.made(teams.add(own_api, team, part, **past, **PAST))
    token = own_api.people.renewed(own_api.people.user("team_member"))
    programs.post(own_api, "/v1/me/personal-data/requests", {"kind": "access", "reason": "uji"}, token)
    return own_api


def choices(contract, schema):
    """What one member is set to: null where the contract takes null, and the first and a far day where it takes a day."""
    schema = contract.resolve(schema)
    branches = [contract.resolve(part) for part in schema.get("anyOf", schema.get("oneOf", [schema]))]
    kinds = {kind for part in branches for kind in ([part["type"]] if isinstance(part.get("type"), str) else part.get("type", []))}
    if "null" in kinds:
        yield None
    if any(part.get("format") == "date" for part in branches):
        yield from ("1900-01-01", str(date.today()), "2999-12-31")


def test_no_member_of_a_change_reaches_a_bare_constraint(world, contract):
    walk, tried, without, faults = Walk(world.address, contract.document, world.token(ADMIN)), 0, [], []
    # one's own account is tested with its second factor, and a change of assignments may end the right to go on
    templates = [path for path, methods in contract.document["paths"].items() if "patch" in methods and not path.startswith("/v1/me")]
    templates.sort(key=lambda path: (path.startswith("/v1/assignments"), path))
    # found before anything is changed: a list shows what is there today
    found = {template: [path for path in walk.paths(template) if not path.endswith(world.client(ADMIN)["client_id"])]
             for template in templates}
    for template, paths in found.items():
        if not paths:
            without.append(template)
        content = contract.document["paths"][template]["patch"]["requestBody"]["content"]
        schema = contract.resolve(content["application/merge-patch+json"]["schema"])
        for path in paths[:TRIED] + paths[TRIED:][-TRIED:]:
            for name, member in schema["properties"].items():
                for value in choices(contract, member):
                    answer = programs.change(world, path, **{name: value})
                    tried += 1
                    if answer.status_code >= 500:
                        faults.append(f"{path} {name}: {value!r}: {answer.text}")
    assert not faults, "\n".join(faults)
    assert not without, "of these there is nothing to change"
    assert tried > 300
