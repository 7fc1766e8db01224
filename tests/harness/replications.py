"""What tests of replications and visits do again and again."""

from harness import libraries, programs

COMMITMENT = {"kind": "surat_komitmen", "number": "12/DS/XI/2024", "signed_on": "2024-05-02"}


def replicator(api, place="19.01"):
    """A new library of that kabupaten that takes part in a new programme; the library and its phase."""
    library = programs.library(api, "regency", place)
    phase = programs.phase(api)
    take_part(api, library["id"], phase["id"])
    return library, phase


def take_part(api, library_id, phase_id):
    one = programs.participation(api, library_id=library_id, phase_id=phase_id, **{"on": "2024-01-01"})
    for to in ("confirmed", "active"):
        answer = programs.transit(api, one, to, once=True, **{"on": "2024-01-02"})
        assert answer.status_code == 200, answer.text
    return one


def village(api, code="19.01.07.2004"):
    return libraries.made(api, kind="village", region_code=code, founded_on="2012-01-01")


def propose(api, token="national_admin", once=False, **fields):
    """The answer to a POST of a replication, in a programme of its own unless told."""
    if "replicator_id" not in fields:
        library, phase = replicator(api)
        fields = {"replicator_id": library["id"], "phase_id": phase["id"], **fields}
    body = {"village_code": "19.01.07.2004", "status_on": "2024-05-01", **fields}
    body = {name: value for name, value in body.items() if value is not ...}
    return api.post("/v1/replications", json=body, token=token, once=once)


def proposed(api, token="national_admin", **fields):
    answer = propose(api, token, once=True, **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def step(api, one, to, token="national_admin", once=False, **fields):
    return api.post(f"/v1/replications/{one['id']}/transitions", json={"to": to, **fields}, token=token, once=once)


def stepped(api, one, to, token="national_admin", **fields):
    answer = step(api, one, to, token, once=True, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def at(api, status, place="19.01", code="19.01.07.2004", **fields):
    """A replication that has come as far as that state, step by step."""
    library, phase = replicator(api, place)
    made = village(api, code)
    one = proposed(api, replicator_id=library["id"], phase_id=phase["id"], village_code=code, library_id=made["id"], **fields)
    if status in ("rejected", "cancelled"):
        return stepped(api, one, status)
    for to in ("committed", "approved", "training", "mentoring", "active", "independent", "lapsed"):
        if one["status"] == status:
            return one
        more = {"on": "2024-06-01"}
        if to == "committed":
            more["commitment"] = COMMITMENT
        elif to == "training":
            programs.facilitator(api, place)
        elif to == "active":
            programs.participant(api, programs.training(api), library_id=made["id"], role="pengelola")
        one = stepped(api, one, to, **more)
    assert one["status"] == status
    return one


def transitions(one):
    """State -> the codes of what is missing."""
    return {t["to"]: [m["code"] for m in t["missing"]] for t in one["allowed_transitions"]}
