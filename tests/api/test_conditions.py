"""Conditions (RFC 9110 13): evaluated or refused, on every operation; and PUT, which says whether it made or replaced."""

import pytest

from harness import assignments, libraries, machines, programs, replications, teams, users
from harness.client import problem
from harness.doubt import STALE, Doubting
from harness.walk import Walk

ADMIN = {"token": "national_admin"}
REGION = "73.08"


@pytest.fixture(scope="module")
def doubting(own_api):
    return Doubting(own_api)


def good(answer):
    assert answer.ok, f"{answer.status_code} {answer.text}"
    return answer


def of_libraries(api):
    one = libraries.made(api)
    good(libraries.change(api, one, name="Perpustakaan Lain"))
    path = libraries.path_of(one)
    good(api.put(path + "/identifiers/onesearch", json={"value": programs.word()}, **ADMIN))
    good(api.delete(path + "/identifiers/onesearch", **ADMIN))
    good(libraries.move(api, libraries.made(api, founded_on="2012-01-01"), region_code="19.01.06.2001", supervisor_id=None,
                        effective_on="2020-05-01", reason="uji"))
    good(libraries.close(api, one))


def of_programs(api):
    good(programs.change(api, "/v1/programs/" + programs.program(api)["slug"], name="Lain"))
    good(programs.change(api, "/v1/phases/" + programs.phase(api)["id"], name="Lain"))
    one = programs.participation(api)
    path = f"/v1/participations/{one['id']}"
    good(programs.change(api, path, note="uji"))
    plan = programs.post(api, path + "/work-plan", {"title": "Uji", "kind": "network"})
    plan = f"{path}/work-plan/{plan['id']}"
    good(programs.change(api, plan, status="done"))
    good(api.delete(plan, headers={"If-Match": programs.tag_of(api, plan)}, **ADMIN))
    good(programs.transit(api, one, "withdrawn"))


def of_trainings(api):
    one = programs.training(api)
    good(programs.change(api, f"/v1/trainings/{one['id']}", place="Balai desa"))
    library = programs.library(api, "regency")
    participant = programs.participant(api, one, role="fasilitator", library_id=library["id"])
    path = f"/v1/trainings/{one['id']}/participants/{participant['id']}"
    good(programs.certify(api, participant))
    good(api.delete(path + "/certification", **ADMIN))
    good(programs.change(api, path, role="staf"))
    good(api.delete(path, headers={"If-Match": programs.tag_of(api, path)}, **ADMIN))


def of_people(api):
    contact = {"phone": "0812", "purpose": "uji"}
    organization = "/v1/organizations/" + programs.organization(api)["id"]
    person = "/v1/people/" + programs.person(api)["id"]
    for path, change in ((organization, {"name": "Lain"}), (person, {"position": "Staf"})):
        good(programs.change(api, path, **change))
        good(api.put(path + "/contact", json=contact, **ADMIN))
        good(api.delete(path + "/contact", **ADMIN))
    good(api.post(person + "/restriction", json={"reason": "uji"}, **ADMIN))
    good(api.delete(person + "/restriction", **ADMIN))
    good(api.delete(person, headers={"If-Match": programs.tag_of(api, person)}, **ADMIN))
    good(api.post("/v1/people/" + programs.person(api)["id"] + "/erasure", json={"reason": "uji"}, **ADMIN))
    good(api.post("/v1/users/" + api.people.user()["id"] + "/erasure", json={"reason": "uji"}, **ADMIN))
    token = api.people.renewed(api.people.user("team_member"))
    request = programs.post(api, "/v1/me/personal-data/requests", {"kind": "access", "reason": "uji"}, token)
    good(programs.change(api, "/v1/personal-data/requests/" + request["id"], status="done"))


def of_teams(api):
    for old in api.pages(f"{teams.PATH}?region={REGION}&status=active"):
        good(teams.change(api, f"{teams.PATH}/{old['id']}", dissolved_on="2023-12-31"))
    one = teams.team(api, REGION, formed_on="2024-01-01")["id"]
    path = f"{teams.PATH}/{one}"
    good(teams.change(api, path, name="Tim Lain"))
    member, leaving = (teams.join(api, one, starts_on="2024-01-01") for _ in range(2))
    good(teams.change(api, f"{path}/members/{member['id']}", source="S"))
    good(teams.add(api, one, f"members/{member['id']}/position-changes", on="2024-04-10", position="Lain"))
    good(teams.add(api, one, "substitutions", leaving_member_id=leaving["id"], on="2024-06-01", reason="resigned",
                   member=teams.member_body(starts_on=...)))
    good(api.put(path + "/coordinator", json={"member_id": member["id"], "from": "2024-01-01"}, **ADMIN))
    for part, body, change in (
            ("decrees", {"kind": "sk_kepala_dinas", "number": "1", "signed_on": "2024-01-01"}, {"issued_by": "Uji"}),
            ("meetings", {"kind": "internal", "planned_for": "2024-02-01"}, {"place": "Aula"}),
            ("work-plan", {"title": "Uji", "kind": "policy"}, {"result": "Uji"}),
            ("funding", {"year": 2024, "source": "csr", "amount": 1}, {"note": "Uji"})):
        made = teams.made(teams.add(api, one, part, **body))["id"]
        good(teams.change(api, f"{path}/{part}/{made}", **change))
    teams.made(api.post("/v1/team-policies", json={"level": "province", "starts_on": "2090-01-01", "max_members": 900, "wanted_sectors": [],
                                                   "meeting_interval_months": None}, **ADMIN))


def of_replications(api):
    one = replications.proposed(api)
    path = f"/v1/replications/{one['id']}"
    good(programs.change(api, path, note="uji"))
    person = f"{path}/facilitators/{programs.facilitator(api)['person_id']}"
    good(api.put(person, json={}, **ADMIN))
    good(api.delete(person, **ADMIN))
    replications.stepped(api, one, "cancelled")
    visit = programs.post(api, "/v1/visits", {"library_id": programs.library(api)["id"], "kind": "mentoring"})
    good(programs.change(api, "/v1/visits/" + visit["id"], findings="Uji"))


def of_accounts(api):
    one = users.invite(api)
    path = f"{users.PATH}/{one['id']}"
    good(programs.change(api, path, name="Lain"))
    good(api.post(path + "/invitation", json={}, **ADMIN))
    known = f"{users.PATH}/{api.people.user('portal')['id']}"
    good(api.post(known + "/password-reset", json={}, **ADMIN))
    good(api.post(known + "/disable", json={"reason": "uji"}, **ADMIN))
    good(api.post(known + "/enable", **ADMIN))
    charged = assignments.appointed(api, "team_member", region_code="19.01")["id"]
    good(assignments.change(api, charged, note="Uji"))
    good(assignments.end(api, charged))
    user = api.people.user("team_member")
    token = api.people.renewed(user)
    good(api.patch("/v1/me", {"name": "Siti Lain"}, etag=api.get("/v1/me", token=token).headers["ETag"], token=token))
    for path in ("/v1/me/sessions", f"{users.PATH}/{user['id']}/sessions"):
        api.people.log_in(user)
        caller = token if path == "/v1/me/sessions" else "national_admin"
        latest = api.get(path, token=caller).json()["items"][-1]
        good(api.delete(f"{path}/{latest['id']}", token=caller))
    for path, caller in (("/v1/me/second-factor", None), (f"{users.PATH}/{user['id']}/second-factor", "national_admin")):
        api.people.set_up_factor(user)
        good(api.delete(path, token=caller or api.people.token(user)))
        user.pop("totp_secret")
    token = api.people.renewed(user)  # without the factor: its sessions ended
    good(api.post("/v1/me/password", token=token, json={"current_password": user["password"], "new_password": "angin timur di bukit"}))


def of_machines(api):
    one = machines.client(api)
    path = machines.path_of(one)
    good(programs.change(api, path, name="Lain"))
    good(api.delete(f"{path}/secrets/{machines.secret(api, one).json()['id']}", **ADMIN))
    good(api.delete(f"{path}/api-keys/{machines.api_key(api, one).json()['id']}", **ADMIN))
    good(api.post(path + "/suspend", json={"reason": "uji"}, **ADMIN))
    good(api.post(path + "/reinstate", **ADMIN))


@pytest.mark.parametrize("walk", [of_libraries, of_programs, of_trainings, of_people, of_teams, of_replications, of_accounts, of_machines])
def test_a_condition_is_evaluated_or_refused(doubting, walk):
    """Each write, sent before with conditions that do not hold."""
    walk(doubting)


def test_every_write_was_walked(doubting, contract):
    writes = {operation["operationId"] for method, operation in contract.operations()
              if method != "GET" and operation["security"]}
    assert not writes - doubting.doubted, "these writes stand in no walk of this file"


# What the walk does not find by itself.
OF_READS = {"/v1/me/can": ["/v1/me/can?operation=create_library"], "/docs/{file}": ["/docs/docs.css"]}


def test_every_read_evaluates_a_condition_or_refuses_it(doubting, contract):
    """Behind the writes of this file, so that there is something of everything that can be read."""
    walk = Walk(doubting.address, contract.document, doubting.token("national_admin"))
    tried, tagged_reads = set(), set()
    for path, methods in contract.document["paths"].items():
        operation = contract.resolve(methods.get("get", {}))
        tagged = "ETag" in contract.resolve(operation.get("responses", {}).get("200", {})).get("headers", {})
        if tagged:
            tagged_reads.add(operation["operationId"])
        for at in (OF_READS.get(path) or walk.paths(path) if operation else []):
            media = next(iter(operation["responses"]["200"]["content"]))
            if walk.get(at, media).status_code != 200:
                continue
            expected = (412, "precondition_failed") if tagged else (400, "condition_unsupported")
            answer = walk.get(at, media, **{"If-Match": STALE})
            assert (answer.status_code, answer.json()["code"]) == expected, (at, answer.text)
            if not tagged:
                assert walk.get(at, media, **{"If-None-Match": "*"}).json()["code"] == "condition_unsupported", at
            tried.add(operation["operationId"])
            break
    reads = {operation["operationId"] for method, operation in contract.operations() if method == "GET"}
    missed = sorted(reads - tried - {"authorize", "get_account_password"})  # pages for people
    assert not [name for name in missed if name not in tagged_reads] and len(missed) < 20, missed


def test_conditions_that_hold_let_the_write_through(own_api):
    """The contact and the account's actions, whose gates know no versions."""
    path = "/v1/people/" + programs.person(own_api)["id"] + "/contact"
    body = {"phone": "0812", "purpose": "uji"}

    def put(**headers):
        return own_api.put(path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}, **ADMIN)
    absent = own_api.get(path, **ADMIN).headers["ETag"]
    problem(put(If_Match="*"), 412, "precondition_failed")  # there is none
    first = put(If_None_Match="*", If_Match=absent)
    assert first.status_code == 201 and first.headers["Location"] == path
    problem(put(If_None_Match="*"), 412, "exists_already")
    problem(put(If_Match=absent), 412, "precondition_failed")
    tag = own_api.get(path, **ADMIN).headers["ETag"]
    assert tag == first.headers["ETag"]
    tag = put(If_Match=f'"1.x", {tag}').headers["ETag"]
    body["phone"] = "0813"
    second = put(If_Match=tag, If_None_Match=STALE, If_Unmodified_Since="Sat, 01 Jan 2028 00:00:00 GMT")
    assert second.status_code == 200 and "Location" not in second.headers
    problem(own_api.delete(path, headers={"If-Match": tag}, **ADMIN), 412, "precondition_failed")
    assert own_api.delete(path, headers={"If-Match": second.headers["ETag"]}, **ADMIN).status_code == 204
    assert put().status_code == 201
    problem(put(If_Match=second.headers["ETag"]), 412, "precondition_failed")  # another one, however often it was written

    account = users.PATH + "/" + own_api.people.user("portal")["id"]
    tag = own_api.get(account, **ADMIN).headers["ETag"]
    assert own_api.post(account + "/disable", json={"reason": "uji"}, headers={"If-Match": tag}, **ADMIN).status_code == 200
    problem(own_api.post(account + "/enable", headers={"If-Match": tag}, **ADMIN), 412, "precondition_failed")
    assert own_api.post(account + "/enable", headers={"If-Match": "*"}, **ADMIN).status_code == 200


def test_what_is_not_there_is_not_found_before_any_condition(own_api):
    path = "/v1/people/01a1fdc3-5794-7ad4-bf33-412c110bd3ca/contact"
    for condition in ({"If-Match": STALE}, {"If-None-Match": "*"}):
        problem(own_api.put(path, json={"phone": "0812", "purpose": "uji"}, headers=condition, **ADMIN), 404, "not_found")


def test_puts_say_what_they_made(own_api):
    """201 and where, once; then 200."""
    library = libraries.path_of(libraries.made(own_api)) + "/identifiers/onesearch"
    one = programs.participant(own_api, programs.training(own_api), role="fasilitator", library_id=programs.library(own_api, "regency")["id"])
    certification = f"/v1/trainings/{one['training_id']}/participants/{one['id']}/certification"
    replication = f"/v1/replications/{replications.proposed(own_api)['id']}/facilitators/{programs.facilitator(own_api)['person_id']}"
    organization = "/v1/organizations/" + programs.organization(own_api)["id"] + "/contact"
    person = "/v1/people/" + programs.person(own_api)["id"] + "/contact"
    for path, bodies in ((library, ({"value": programs.word()}, {"value": programs.word()})),
                         (certification, ({"certified_on": "2024-05-05"}, {"certified_on": "2024-05-06"})),
                         (replication, ({}, {"ends_on": "2099-01-01"})),
                         (organization, ({"phone": "1", "purpose": "uji"}, {"phone": "2", "purpose": "uji"})),
                         (person, ({"phone": "1", "purpose": "uji"}, {"phone": "2", "purpose": "uji"}))):
        made, same, changed = (own_api.put(path, json=body, **ADMIN) for body in (bodies[0], *bodies))
        assert (made.status_code, made.headers.get("Location")) == (201, path), made.text
        for answer in (same, changed):
            assert answer.status_code == 200 and "Location" not in answer.headers, answer.text
        assert own_api.delete(path, **ADMIN).status_code == 204
        assert own_api.put(path, json=bodies[0], headers={"If-None-Match": "*"}, **ADMIN).status_code == 201


def test_reading_under_if_match(own_api):
    """Also where the answer is remembered, is a whole list, or never changes."""
    for path, media in (("/v1/regions/19.01", "application/json"), ("/v1/regions?limit=5", "application/json"), ("/v1/enumerations", "application/json"),
                        ("/openapi.json", "application/json"), ("/v1/regions?parent=19", "text/csv")):
        def get(path=path, media=media, **headers):
            return own_api.get(path, headers={"Accept": media, **{name.replace("_", "-"): value for name, value in headers.items()}})
        tag = get().headers["ETag"]
        assert get(If_Match=tag).status_code == get(If_Match="*").status_code == 200
        problem(get(If_Match=STALE), 412, "precondition_failed")
        problem(get(If_Match=STALE, If_None_Match=tag), 412, "precondition_failed")  # If-Match comes first
        assert get(If_Match=tag, If_None_Match=tag).status_code == 304
    problem(own_api.get("/v1/regions/19.01", headers={"If-Match": "19"}), 400, "bad_request")


def test_reading_knows_no_times_and_no_ranges(own_api):
    """There is no modification date and no range: RFC 9110 13.1.3, 13.1.4, 14.2 have these passed over."""
    whole = own_api.get("/v1/regions/19.01")
    for headers in ({"If-Modified-Since": "Sat, 01 Jan 2028 00:00:00 GMT"}, {"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
                    {"Range": "bytes=0-3", "If-Range": whole.headers["ETag"]}):
        answer = own_api.get("/v1/regions/19.01", headers=headers)
        assert answer.status_code == 200 and answer.content == whole.content
        assert "Last-Modified" not in answer.headers and "Accept-Ranges" not in answer.headers
