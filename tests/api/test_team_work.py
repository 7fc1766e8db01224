"""What a Tim Sinergi does: meetings, work plan, funding; and when the next stakeholder meeting is due."""

import uuid

import pytest

from harness.client import problem
from harness.libraries import rows_of
from harness.teams import PATH, add, change, join, made, show, team


@pytest.fixture(scope="module")
def one(own_api):
    taken = {t["region_code"] for t in own_api.pages(PATH)}
    region = next(r["code"] for r in own_api.pages("/v1/regions?level=province") if r["code"] not in taken)
    return team(own_api, region, formed_on="2019-01-01")


def ids(api, path):
    return [item["id"] for item in api.pages(path)]


def test_meetings(own_api, one):
    path = f"{PATH}/{one['id']}/meetings"
    answer = add(own_api, one["id"], "meetings", kind="stakeholder", status="held", held_on="2019-08-15", place="Aula", attendees_count=40, agenda="Replikasi",
                 organizations=[{"name": "Bappeda Uji", "sector": "planning_agency"}, {"name": "Kampus", "sector": "university"}],
                 commitments=[{"text": "Anggaran", "due_on": "2019-12-01"}, {"text": "SK"}])
    body = made(answer)
    assert own_api.get(answer.headers["Location"]).json() == body
    assert [o["name"] for o in body["organizations"]] == ["Bappeda Uji", "Kampus"] and body["region_code"] == one["region_code"]
    assert body["commitments"] == [{"text": "Anggaran", "due_on": "2019-12-01", "done_on": None}, {"text": "SK", "due_on": None, "done_on": None}]
    changed = change(own_api, f"{path}/{body['id']}", organizations=[{"id": body["organizations"][0]["id"]}], outcome="Disepakati", commitments=[])
    assert changed.status_code == 200 and changed.headers["ETag"] != answer.headers["ETag"]
    assert ([o["name"] for o in changed.json()["organizations"]], changed.json()["commitments"], changed.json()["outcome"]) == (["Bappeda Uji"], [], "Disepakati")
    before = changed.headers["ETag"].split(".")[0]
    only = change(own_api, f"{path}/{body['id']}", organizations=[])
    assert only.json()["organizations"] == [] and only.headers["ETag"].split(".")[0] != before
    plan = made(add(own_api, one["id"], "meetings", kind="internal", planned_for="2020-02-01"))
    assert (plan["status"], plan["held_on"]) == ("planned", None)
    held = change(own_api, f"{path}/{plan['id']}", status="held", held_on="2020-02-03").json()
    assert (held["status"], held["held_on"], held["planned_for"]) == ("held", "2020-02-03", "2020-02-01")
    problem(change(own_api, f"{path}/{plan['id']}", status="cancelled", held_on=None), 409, "meeting_held")
    off = made(add(own_api, one["id"], "meetings", kind="audience", status="cancelled"))
    past = made(add(own_api, one["id"], "meetings", kind="stakeholder", origin="historical", source="S3", planned_for="2019-07-01", planned_for_precision="month"))
    assert past["planned_for_precision"] == "month"
    assert ids(own_api, path) == [off["id"], past["id"], body["id"], plan["id"]]
    assert ids(own_api, path + "?kind=stakeholder&status=held") == [body["id"]]
    assert ids(own_api, path + "?from=2019-08-01&until=2019-12-31") == [body["id"]]
    assert set(ids(own_api, path + "?sort=updated_at&updated_since=2020-01-01T00:00:00Z&limit=1")) == {off["id"], past["id"], body["id"], plan["id"]}


@pytest.mark.parametrize("body,status,code", [
    ({"kind": "internal"}, 409, "meeting_date_required"),
    ({"kind": "internal", "status": "held"}, 409, "meeting_date_required"),
    ({"kind": "internal", "planned_for": "2020-01-01", "held_on": "2020-01-01"}, 409, "meeting_not_held"),
    ({"kind": "internal", "status": "held", "held_on": "2999-01-01"}, 409, "date_in_future"),
    ({"kind": "internal", "status": "held", "held_on": "2018-01-01"}, 409, "team_not_live"),
    ({"kind": "internal", "planned_for": "2020-01-01", "region_code": "97"}, 422, "reference_unknown"),
    ({"kind": "internal", "origin": "historical"}, 409, "source_required"),
    ({"kind": "internal", "planned_for": "2020-01-01", "organizations": [{"id": str(uuid.uuid4())}]}, 422, "reference_unknown"),
    ({"kind": "internal", "planned_for": "2020-01-01", "organizations": [{"name": "X"}]}, 422, "invalid_body"),
    ({"kind": "internal", "planned_for": "2020-01-01", "commitments": [{"due_on": "2020-01-01"}]}, 422, "invalid_body"),
    ({"kind": "party", "planned_for": "2020-01-01"}, 422, "invalid_body"),
    ({"kind": "internal", "planned_for": "2020-01-01", "attendees_count": -1}, 422, "invalid_body"),
])
def test_what_no_meeting_can_be(own_api, one, body, status, code):
    problem(add(own_api, one["id"], "meetings", **body), status, code)


def test_a_meeting_elsewhere(own_api, one):
    elsewhere = "19.01" if one["region_code"] != "19" else "32.01"
    problem(add(own_api, one["id"], "meetings", kind="internal", planned_for="2020-01-01", region_code=elsewhere), 409, "meeting_elsewhere")


def test_when_the_next_stakeholder_meeting_is_due(own_api, one):
    """Three months after the last one held; internal ones do not count."""
    team_id = one["id"]
    made(add(own_api, team_id, "meetings", kind="stakeholder", status="held", held_on="2021-05-10"))
    made(add(own_api, team_id, "meetings", kind="internal", status="held", held_on="2021-07-10"))
    for day, due, overdue in (("2021-05-09", "2019-11-15", True), ("2021-05-10", "2021-08-10", False), ("2021-08-10", "2021-08-10", False), ("2021-08-11", "2021-08-10", True)):
        body = show(own_api, team_id, f"?as_of={day}")
        assert (body["next_meeting_due"], body["meeting_overdue"]) == (due, overdue), day
    assert team_id in {t["id"] for t in own_api.pages(f"{PATH}?as_of=2021-08-11&meeting_overdue=true")}
    assert team_id not in {t["id"] for t in own_api.pages(f"{PATH}?as_of=2021-08-10&meeting_overdue=true")}


def test_the_work_plan(own_api, one):
    path = f"{PATH}/{one['id']}/work-plan"
    member = join(own_api, one["id"])
    answer = add(own_api, one["id"], "work-plan", title="SK Gubernur", kind="legal_basis", due_on="2020-06-30", responsible_member_id=member["id"])
    body = made(answer)
    assert own_api.get(answer.headers["Location"]).json() == body and body["status"] == "planned"
    someday = made(add(own_api, one["id"], "work-plan", title="Advokasi", kind="advocacy", status="in_progress", source="S3", due_on_precision="unknown"))
    assert change(own_api, f"{path}/{body['id']}", status="done", result="Terbit").json()["result"] == "Terbit"
    assert ids(own_api, path) == [body["id"], someday["id"]]  # what has no day comes last
    assert ids(own_api, path + "?kind=advocacy,policy") == [someday["id"]] and ids(own_api, path + "?status=done") == [body["id"]]
    assert ids(own_api, path + "?due_before=2020-07-01") == [body["id"]]
    assert len(ids(own_api, path + "?sort=updated_at&updated_since=2020-01-01T00:00:00Z&limit=1")) == 2
    problem(add(own_api, one["id"], "work-plan", title="X", kind="policy", responsible_member_id=str(uuid.uuid4())), 422, "reference_unknown")
    problem(change(own_api, f"{path}/{body['id']}", responsible_member_id=str(uuid.uuid4())), 422, "reference_unknown")
    problem(add(own_api, one["id"], "work-plan", title=" ", kind="policy"), 422, "invalid_body")


def test_funding(own_api, one):
    path = f"{PATH}/{one['id']}/funding"
    answer = add(own_api, one["id"], "funding", year=2020, source="apbd_provinsi", amount=250000000, note="revisi")
    body = made(answer)
    assert own_api.get(answer.headers["Location"], token="national_admin").json() == body and (body["form"], body["note"]) == ("money", "revisi")
    assert own_api.get(answer.headers["Location"]).json()["note"] is None  # notes are for those in whose reach the team is
    assert own_api.get(answer.headers["Location"], token="provincial_coordinator").json()["note"] == ("revisi" if one["region_code"] == "19" else None)
    goods = made(add(own_api, one["id"], "funding", year=2019, source="csr", form="goods"))
    assert goods["amount"] is None and ids(own_api, path) == [goods["id"], body["id"]]
    assert ids(own_api, path + "?year=2020") == [body["id"]] == ids(own_api, path + "?source=apbd_provinsi")
    assert len(ids(own_api, path + "?sort=updated_at&updated_since=2020-01-01T00:00:00Z&limit=1")) == 2
    assert change(own_api, f"{path}/{body['id']}", amount=300000000).json()["amount"] == 300000000
    problem(change(own_api, f"{path}/{body['id']}", amount=None), 409, "amount_required")
    problem(add(own_api, one["id"], "funding", year=2020, source="csr"), 409, "amount_required")
    problem(add(own_api, one["id"], "funding", year=2020, source="csr", amount=1.5), 422, "invalid_body")
    problem(add(own_api, one["id"], "funding", year=2020, source="csr", amount=1, organization_id=str(uuid.uuid4())), 422, "reference_unknown")


BODIES = {"decrees": {"kind": "sk_kepala_dinas", "number": "77", "signed_on": "2020-01-01"}, "meetings": {"kind": "internal", "planned_for": "2020-01-01"},
          "work-plan": {"title": "Uji", "kind": "policy"}, "funding": {"year": 2021, "source": "csr", "amount": 1},
          "members": {"name": "Uji coba", "organization": {"name": "B", "sector": "bank"}}}
CHANGES = {"decrees": {"issued_by": "Dinas"}, "meetings": {"place": "Aula"}, "work-plan": {"result": "ya"}, "funding": {"amount": 2}, "members": {"role": "anggota"}}


@pytest.mark.parametrize("part", BODIES)
def test_the_manners_every_part_shares(own_api, one, part):
    path, body = f"{PATH}/{one['id']}/{part}", {"id": str(uuid.uuid4()), **BODIES[part]}
    first, again = (own_api.post(path, token="national_admin", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200), first.text
    single = first.headers["Location"]
    problem(own_api.post(path, token="national_admin", json={**body, **CHANGES[part]}), 409, "id_taken")
    for target in (path, single):
        assert own_api.get(target, headers={"If-None-Match": own_api.get(target).headers["ETag"]}).status_code == 304
        problem(own_api.get(target + "?x=1"), 400, "invalid_parameter")
        problem(own_api.get(target, headers={"Accept": "text/html"}), 406, "not_acceptable")
    rows = rows_of(own_api.get(path + "?format=csv").text)
    assert body["id"] in {row["id"] for row in rows}
    assert own_api.get(path + "?count=exact&limit=1").json()["total"] == len(rows)
    assert set(own_api.get(single + "?fields=id,created_at").json()) == {"id", "created_at"}
    nobody = f"{PATH}/{uuid.uuid4()}/{part}"
    problem(own_api.get(nobody), 404, "not_found")
    problem(own_api.get(f"{path}/{uuid.uuid4()}"), 404, "not_found")
    problem(own_api.post(nobody, token="national_admin", json=BODIES[part]), 404, "not_found")
    json_type = {"Content-Type": "application/json"}
    problem(own_api.post(path, token="national_admin", data=b"{", headers=json_type), 400, "invalid_json")
    problem(own_api.post(path, token="national_admin", data=b"x" * 70000, headers=json_type), 413, "body_too_large")
    problem(own_api.post(path, token="national_admin", data=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    problem(own_api.post(path, token="national_admin", json=BODIES[part], headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(own_api.post(path, token="national_admin", json={**body, "kind": "x", "year": 1, "name": 1}), 422, "invalid_body")
    tag = own_api.get(single).headers["ETag"]
    assert own_api.patch(single, CHANGES[part], etag=tag, token="national_admin").status_code == 200
    problem(own_api.patch(single, CHANGES[part], token="national_admin"), 428, "precondition_required")
    problem(own_api.patch(single, CHANGES[part], etag='"99.x"', token="national_admin"), 412, "precondition_failed")
    problem(own_api.patch(f"{path}/{uuid.uuid4()}", CHANGES[part], etag='"1.x"', token="national_admin"), 404, "not_found")
    problem(own_api.patch(single, {"nothing": 1}, etag=tag, token="national_admin"), 422, "invalid_body")
    problem(own_api.patch(single, CHANGES[part], etag=tag, token="national_admin", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    problem(own_api.patch(single, CHANGES[part], etag=tag, token="national_admin", headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(own_api.request("PATCH", single, data=b"{", token="national_admin", headers={**json_type, "If-Match": tag}), 400, "invalid_json")
    problem(own_api.request("PATCH", single, data=b"x" * 70000, token="national_admin", headers={**json_type, "If-Match": tag}), 413, "body_too_large")
