"""What tests of Tim Sinergi do again and again."""

import itertools
import uuid

PATH = "/v1/tim-sinergi"
COUNTER = itertools.count(1)


def made(answer, status=201):
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    return answer.json()


def team(api, region, token="national_admin", **fields):
    return made(api.post(PATH, token=token, once=True, json={"region_code": region, **fields}))


def member_body(**fields):
    """Somebody new from a Bappeda, since 2019, unless told."""
    body = {"name": f"Anggota {next(COUNTER)} {uuid.uuid4().hex[:6]}", "position": "Kepala Bidang", "starts_on": "2019-01-01",
            "organization": {"name": "Bappeda Uji", "sector": "planning_agency"}, **fields}
    if "organization_id" in fields:
        del body["organization"]
    return {name: value for name, value in body.items() if value is not ...}


def add(api, team_id, part, token="national_admin", once=False, **body):
    """The answer to a POST below a team."""
    return api.post(f"{PATH}/{team_id}/{part}", token=token, json=body, once=once)


def join(api, team_id, token="national_admin", **fields):
    return made(add(api, team_id, "members", token=token, once=True, **member_body(**fields)))


def change(api, path, token="national_admin", **fields):
    """A PATCH with the tag as it is now."""
    tag = api.get(path, token="national_admin").headers["ETag"]
    return api.patch(path, fields, etag=tag, token=token)


def members(api, team_id, query=""):
    return list(api.pages(f"{PATH}/{team_id}/members{query}"))


def show(api, team_id, query=""):
    answer = api.get(f"{PATH}/{team_id}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()
