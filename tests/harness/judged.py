"""What GET /v1/me/can says of a request before it is sent, held against what the request then gets.

The oracles of rights (tests/api/test_rights*.py) try every operation as every role inside and outside its reach; each of their requests
is asked about first. Yes is never followed by a refusal of the place or the scope, no never by a success, and neither yes nor no is
said of the few operations alone for which no place can tell."""

import re
from urllib.parse import urlsplit

# No place tells: db/functions of each says what decides besides.
UNTOLD = {"create_user", "get_user", "update_user", "invite_user", "reset_user_password", "create_assignment", "update_assignment",
          "end_assignment", "move_replication", "get_person_contact", "get_team_member_contact"}
ID = "([0-9a-f-]{36})"
# Where the object of such a path stands: a library, or a region (NULL: the nation).
OF_PATHS = [(re.compile(path.replace("ID", ID)), text) for path, text in (
    ("/v1/libraries/ID", "SELECT id, NULL FROM library WHERE id = %s"),
    ("/v1/participations/ID", "SELECT library_id, NULL FROM participation WHERE id = %s"),
    ("/v1/trainings/[^/]+/participants/ID/certification", "SELECT m.library_id, nullif(t.area, '') FROM training_participant m "
     "JOIN training t ON t.id = m.training_id WHERE m.id = %s"),
    ("/v1/trainings/ID", "SELECT NULL, nullif(area, '') FROM training WHERE id = %s"),
    ("/v1/organizations/ID", "SELECT NULL, nullif(place, '') FROM organization WHERE id = %s"),
    ("/v1/people/ID", "SELECT NULL, nullif(place, '') FROM person WHERE id = %s"),
    ("/v1/visits/ID", "SELECT library_id, NULL FROM visit WHERE id = %s"),
    ("/v1/replications/ID", "SELECT NULL, village_code FROM replication WHERE id = %s"),
    ("/v1/tim-sinergi/ID", "SELECT NULL, region_code FROM team WHERE id = %s"),
    ("/v1/assignments/ID", "SELECT library_id, nullif(place, '') FROM assignment WHERE id = %s"),
)]
# Where the object to be stands: of a body, the first of these members that is there.
OF_BODIES = (("library_id", "library"), ("village_code", "region"), ("region_code", "region"))


def where(api, path, body):
    """The place that a request is about, as GET /v1/me/can takes it; None when it is all of Indonesia, or nothing says."""
    for pattern, text in OF_PATHS:
        if found := pattern.match(path):
            with api.service.owner.cursor() as cursor:
                cursor.execute(text, found.groups())
                library, region = cursor.fetchone() or (None, None)
            return {"library": str(library)} if library else {"region": region} if region else None
    return next(({kind: body[member]} for member, kind in OF_BODIES if body.get(member)), None)


def elsewhere(operation, path, body):
    """Does the request name a second place, which the answer was not about? Where something is moved to, the library that is to be
    replicated; and a visit that is not said to be a team's."""
    moves = path.count("/") > 2 and {"region_code", "library_id", "organization_id"} & set(body)
    return bool(moves or "replicator_id" in body or operation.endswith("_visit") and not body.get("team_id"))


def ask(api, method, target, headers, body):
    """What it says of a request with that token; None where there is nothing to ask."""
    path = urlsplit(target).path
    operation = api.contract.find(method, path)
    if not operation or not operation.get("security") or "Authorization" not in headers or path.startswith("/v1/me"):
        return None
    body = body if isinstance(body, dict) else {}
    place = where(api, path, body)
    answer = api.session.get(api.turn() + "/v1/me/can", params={"operation": operation["operationId"], **(place or {})},
                             headers={"Authorization": headers["Authorization"]}, timeout=60)
    if answer.status_code != 200:
        return None  # the token itself is no good
    return {**answer.json(), "place": place, "elsewhere": elsewhere(operation["operationId"], path, body)}


def compare(said, answer):
    refused = answer.status_code == 403 and answer.json()["code"] in ("out_of_reach", "insufficient_scope")
    if said["allowed"] is None:
        assert said["operation"] in UNTOLD and said["place_matters"], said
    elif said["allowed"]:
        assert not refused or said["place_matters"] and (said["place"] is None or said["elsewhere"]), f"{said}: {answer.text}"
    else:
        assert not answer.ok, f"{said}: {answer.status_code} {answer.text}"
