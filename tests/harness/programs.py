"""What tests of programmes, participations, trainings and people do again and again."""

import uuid

from harness import libraries
from harness.rights import SPOTS


def word():
    return uuid.uuid4().hex[:10]


def post(api, path, body, token="national_admin"):
    """A new object as the API shows it."""
    answer = api.post(path, json=body, token=token, once=True)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"].startswith(path + "/")
    return answer.json()


def program(api, **fields):
    return post(api, "/v1/programs", {"slug": f"uji-{word()}", "name": "Program uji", **fields})


def phase(api, **fields):
    if "program" not in fields:
        fields["program"] = program(api)["slug"]
    return post(api, "/v1/phases", {"slug": f"uji-{word()}", "name": "Fase uji", "status": "open", **fields})


def library(api, kind="village", place="19.01"):
    region = {"village": SPOTS.get(place, place), "tbm": SPOTS.get(place, place), "regency": place, "provincial": place[:2]}[kind]
    return libraries.made(api, kind=kind, region_code=region, founded_on="2012-01-01")


def participation(api, token="national_admin", **fields):
    if "phase_id" not in fields:
        fields["phase_id"] = phase(api)["id"]
    if "library_id" not in fields:
        fields["library_id"] = library(api)["id"]
    return post(api, "/v1/participations", {"support": "full", **fields}, token)


def transit(api, one, to, token="national_admin", once=False, **fields):
    return api.post(f"/v1/participations/{one['id']}/transitions", json={"to": to, **fields}, token=token, once=once)


def training(api, token="national_admin", **fields):
    return post(api, "/v1/trainings", {"kind": "spp_tik", "title": "Bimtek uji", "starts_on": "2024-05-01",
                                       "ends_on": "2024-05-05", "region_code": "19.01", **fields}, token)


def participant(api, one, token="national_admin", **fields):
    if "person_id" not in fields:
        fields.setdefault("name", f"Peserta {word()}")
    return post(api, f"/v1/trainings/{one['id']}/participants", {"role": "pengelola", "attended": True, **fields}, token)


def certify(api, one, token="national_admin", **fields):
    return api.put(f"/v1/trainings/{one['training_id']}/participants/{one['id']}/certification", token=token,
                   json={"certified_on": "2024-05-05", **fields})


def facilitator(api, place="19.01", **fields):
    """A facilitator of that kabupaten, certified; the participant as the API shows it."""
    one = participant(api, training(api), role="fasilitator", library_id=library(api, "regency", place)["id"])
    answer = certify(api, one, **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def person(api, token="national_admin", **fields):
    return post(api, "/v1/people", {"name": f"Orang {word()}", "region_code": "19.01", **fields}, token)


def organization(api, token="national_admin", **fields):
    return post(api, "/v1/organizations", {"name": f"Lembaga {word()}", "sector": "university", "region_code": "19.01", **fields},
                token)


def tag_of(api, path, token="national_admin"):
    answer = api.get(path, token=token)
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def change(api, path, token="national_admin", **fields):
    """A PATCH with the tag as it is now."""
    return api.patch(path, fields, etag=tag_of(api, path), token=token)
