"""Canaries: a marked value stands in every column that holds personal data or a secret, and every answer, log line and metric is
searched for them. What may be found where is written here from the rules, not from the contract: a new operation that shows one
fails until somebody decides that it may."""

import hashlib
import re
import uuid

import pytest

from harness import libraries, programs, teams
from harness.client import Api
from harness.people import People
from harness.rights import EVERYBODY

MARK = re.compile(r"kanari[a-z]+", re.IGNORECASE)
REGION = {"national_admin", "provincial_coordinator", "regency_facilitator"}  # in whose reach Bangka's people work
ADMIN = {"national_admin"}
# mark -> operation -> the roles whose answers may show it. Everybody else's may not, and nothing else may.
PARTICIPANTS = {"list_training_participants": REGION, "get_training_participant": REGION}
PEOPLE = {"list_people": REGION, "get_person": REGION, "get_person_personal_data": ADMIN}
USERS = {"get_user_personal_data": ADMIN, "get_user": REGION}  # REGION may see who is charged there
REQUESTS = {"list_personal_data_requests": ADMIN, "get_personal_data_request": ADMIN, "get_user_personal_data": ADMIN}
CLIENTS = {"get_client": ADMIN}
ALLOWED = {
    "kanariorang": {**PEOPLE, "list_training_participants": REGION}, "kanarijabatan": PEOPLE,
    **{mark: {"get_person_contact": REGION, "get_person_personal_data": ADMIN}
       for mark in ("kanaritelepon", "kanarisurel", "kanarialamat")},
    **{mark: {"get_organization_contact": REGION} for mark in ("kanariotelepon", "kanariosurel", "kanarioalamat")},
    **{mark: {"get_library_contact": REGION} for mark in ("kanaribtelepon", "kanaribsurel")},
    "kanaripeserta": PARTICIPANTS,
    "kanariakun": {**USERS, "list_users": REGION},
    "kanarinama": {**USERS, "list_users": REGION, "list_assignments": REGION, "get_assignment": REGION},
    "kanariusurel": USERS, "kanariutelepon": USERS,
    "kanaripemilik": CLIENTS, "kanaripsurel": CLIENTS,
    "kanarialasan": REQUESTS, "kanarisurat": REQUESTS,
    "kanarisandi": {}, "kanarirahasia": {},  # a password, a secret: nowhere at all
}
# What a path leads to, by its beginning; the longest that fits.
STREAMED = {"get_openapi", "get_docs", "get_docs_file"}


@pytest.fixture(scope="module")
def nest(own_api):
    """Everything marked, and for each path what it leads to."""
    api, people = own_api, People(own_api)
    person = programs.person(api, name="Kanariorang Uji", position="Kanarijabatan")
    contact = {"phone": "0812 kanaritelepon", "email": "kanarisurel@example.id", "address": "Jalan Kanarialamat", "purpose": "uji"}
    assert api.put(f"/v1/people/{person['id']}/contact", json=contact, token="national_admin").status_code == 201
    office = programs.organization(api)
    contact = {"phone": "0717 kanariotelepon", "email": "kanariosurel@example.id", "address": "Jalan Kanarioalamat", "purpose": "uji"}
    assert api.put(f"/v1/organizations/{office['id']}/contact", json=contact, token="national_admin").status_code == 201
    library = libraries.made(api, kind="village", region_code="19.01.07.2004", founded_on="2012-01-01",
                             phone="0717 kanaribtelepon", email="kanaribsurel@example.id")
    training = programs.training(api)
    programs.participant(api, training, person_id=person["id"])
    trainee = programs.participant(api, training, name="Kanaripeserta Uji")
    team = teams.team(api, "19.01", formed_on="2019-01-01")
    member = teams.join(api, team["id"])
    user = people.user("regency_facilitator", name="Kanarinama Uji", username="kanariakun@example.id")
    people.sql("UPDATE app_user SET email = 'kanariusurel@example.id', phone = '0813 kanariutelepon' WHERE id = %s", user["id"])
    people.sql("INSERT INTO user_password (user_id, hash) VALUES (%s, '$argon2id$v=19$m=19456,t=2,p=1$kanarisandi$kanarisandi') "
               "ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash", user["id"])
    client = people.app("confidential")
    people.sql("UPDATE client SET owner_name = 'Kanaripemilik', owner_email = 'kanaripsurel@example.id' WHERE id = %s", client["client_id"])
    people.sql("INSERT INTO client_secret (client_id, hash) VALUES (%s, %s)", client["client_id"],
               b"kanarirahasia".ljust(32, b"-"))
    people.sql("INSERT INTO personal_data_request (kind, user_id, reason, reference) VALUES ('access', %s, 'Kanarialasan', 'Kanarisurat')", user["id"])
    charge = str(people.sql("SELECT id FROM assignment WHERE user_id = %s", user["id"])[0])
    request = str(people.sql("SELECT id FROM personal_data_request")[0])
    return {"/v1/people/": person["id"], "/v1/organizations/": office["id"], "/v1/libraries/": library["id"],
            "/v1/trainings/": training["id"], "/v1/trainings/{training_id}/participants/": trainee["id"],
            "/v1/tim-sinergi/": team["id"], "/v1/tim-sinergi/{team_id}/members/": member["id"], "/v1/users/": user["id"], "/v1/assignments/": charge,
            "/v1/clients/": client["client_id"], "/v1/personal-data/requests/": request,
            "/v1/regions/": "19.01", "/v1/phases/": "tpbis-2019", "/v1/programs/": "tpbis"}


def filled(template, nest):
    """The path with every place filled by what its beginning leads to."""
    parts, done = template.split("/"), []
    for at, part in enumerate(parts):
        if part.startswith("{"):
            beginning = "/".join(parts[:at]) + "/"
            done.append(str(nest.get(beginning, "npsn" if part == "{scheme}" else uuid.UUID(int=0))))
        else:
            done.append(part)
    return "/".join(done)


def shapes(operation):
    """The query strings worth asking with: bare, with everything expanded, as a table, with what is gone."""
    queries, tables = [""], "text/csv" in operation["responses"]["200"].get("content", {})
    for parameter in operation.get("parameters", []):
        if parameter.get("name") == "expand":
            queries.append("?expand=" + ",".join(parameter["schema"]["items"]["enum"]))
        if parameter.get("name") == "deleted":
            queries.append("?deleted=include")
        if parameter.get("name") == "history":
            queries.append("?history=include")
    return queries + [query + ("&" if query else "?") + "format=csv" for query in queries if tables]


def marks(answer):
    text = answer.text + " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    return {mark.lower() for mark in MARK.findall(text)}


def reads(contract):
    for path, methods in contract.document["paths"].items():
        if "get" in methods:
            operation = dict(contract.resolve(methods["get"]))
            operation["parameters"] = [contract.resolve(one) for one in operation.get("parameters", []) + methods.get("parameters", [])]
            for one in operation["parameters"]:
                one["schema"] = contract.resolve(one["schema"])
                if "items" in one["schema"]:
                    one["schema"]["items"] = contract.resolve(one["schema"]["items"])
            yield path, operation


@pytest.fixture
def caller(request):
    """A role, held by a machine or by a user."""
    kind, role = request.param
    Api.as_people = kind == "people"
    yield role
    Api.as_people = False


# Users are tried where the reach decides what is shown.
@pytest.mark.parametrize("caller", [("clients", role) for role in sorted(EVERYBODY)] + [("people", role) for role in sorted(REGION)],
                         indirect=True, ids="-".join)
def test_every_read(own_api, contract, nest, caller):
    """No answer shows a mark to whom the rules do not show it."""
    role = caller
    strays, seen, walked = [], set(), set()
    for path, operation in reads(contract):
        if operation["operationId"] in STREAMED:
            continue
        walked.add(operation["operationId"])
        for query in shapes(operation):
            answer = own_api.get(filled(path, nest) + query, token=role if operation["security"] else None)
            assert answer.status_code < 500, answer.text
            for mark in marks(answer):
                seen.add((mark, operation["operationId"]))
                if role not in ALLOWED[mark].get(operation["operationId"], ()):
                    strays.append((operation["operationId"], query, answer.status_code, mark))
    assert not strays, strays
    expected = {(mark, operation) for mark, places in ALLOWED.items() for operation, roles in places.items()
                if role in roles and operation in walked}
    assert expected <= seen, sorted(expected - seen)  # a canary that nobody sees warns of nothing


def test_without_a_token(own_api, contract, nest):
    for path, operation in reads(contract):
        if operation["operationId"] not in STREAMED:
            assert not marks(own_api.get(filled(path, nest), token=None)), path


def test_problems_do_not_repeat_what_was_sent(own_api, nest):
    """What is refused is not said again, nor is a value that is looked for."""
    bodies = [{"name": "Kanariorang", "phone": "0812 kanaritelepon"}, {"name": ["Kanariorang"]}, {"name": "x", "region_code": "kanarialamat"}]
    for body in bodies:
        for method, path in (("POST", "/v1/people"), ("PUT", f"/v1/people/{nest['/v1/people/']}/contact"), ("POST", "/v1/trainings")):
            answer = own_api.request(method, path, json=body, token="national_admin")
            assert answer.status_code >= 400 and not marks(answer), answer.text
    for path in ("/v1/people?colour=kanariorang", "/v1/people?organization=kanariorang", "/v1/people/kanariorang", "/kanariorang",
                 "/v1/people?cursor=kanariorang"):
        answer = own_api.get(path, token="national_admin")
        assert answer.status_code >= 400 and not marks(answer), answer.text
    answer = own_api.get("/v1/people", token="kanari.rahasia.token")
    assert answer.status_code == 401 and not marks(answer)
    answer = own_api.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=("kanariakun", "kanarirahasia"), token=None)
    assert answer.status_code == 401 and not marks(answer), answer.text


def test_logs_and_metrics(own_api, contract, nest):
    """Run after all the others of this file: what they asked is not in the log, and tokens are not either."""
    for path in ("/v1/people?q=kanariorang", f"/v1/people/{nest['/v1/people/']}/contact"):
        assert own_api.get(path, token="national_admin").status_code == 200
    own_api.get("/v1/people", token="kanari.rahasia.token")
    log = own_api.service.log_text()
    assert "get_person_contact" in log and not [line for line in log.splitlines() if MARK.search(line)]
    assert own_api.token("national_admin") not in log and "Bearer" not in log
    secret = own_api.client("national_admin")["client_secret"]
    assert secret not in log and hashlib.sha256(secret.encode()).hexdigest() not in log
    assert not marks(own_api.get("/metrics", token=None))


def test_the_database_keeps_them_where_they_belong(own_database, nest):
    """Each mark stands in the clear in the columns that the list of categories names, and in no other column of the database."""
    with own_database.cursor() as cursor:
        cursor.execute("SELECT unnest(stored_in) FROM personal_data_category")
        kept = {row[0] for row in cursor.fetchall()} | {
            "user_password.hash", "client_secret.hash", "user_mail.address"}  # where a mail went: one day
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns c JOIN information_schema.tables t "
                       "USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
        found = set()
        for table, column in cursor.fetchall():
            value = f"encode({column}, 'escape')" if column.endswith(("hash", "answer")) else f"{column}::text"
            try:
                cursor.execute(f"SELECT DISTINCT (regexp_matches(lower({value}), 'kanari[a-z]+', 'g'))[1] FROM {table}")
            except Exception:  # a column called so that is no bytes
                cursor.execute(f"SELECT DISTINCT (regexp_matches(lower({column}::text), 'kanari[a-z]+', 'g'))[1] FROM {table}")
            found |= {(f"{table}.{column}", mark) for (mark,) in cursor.fetchall()}
        assert {mark for _, mark in found} == set(ALLOWED)
        assert not {place for place in found if place[0] not in kept}
        cursor.execute("SELECT count(*) FROM audit WHERE (coalesce(before, '{}') || coalesce(after, '{}'))::text ~* 'kanari'")
        assert cursor.fetchone()[0] == 0
