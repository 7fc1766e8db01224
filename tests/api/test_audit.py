"""The audit as it is read, and sealed so that nobody, the owner of the database included, alters the past unseen."""

import json
import time
from urllib.parse import quote

import psycopg2
import pytest

from harness.assignments import appointed, end, user
from harness.client import problem
from harness.libraries import rows_of
from harness.sealed import sealed_audit
from harness.waiting import PATIENCE_SECONDS

PATH = "/v1/audit"
BANGKA, SULSEL = "19.01.07.2004", "73.08.01.1001"


def entries(api, query="", **options):
    return list(api.pages(PATH + query, token="national_admin", **options))


def new_library(api, region=BANGKA, **fields):
    answer = api.post("/v1/libraries", token="national_admin", json={
        "name": "Uji jejak", "kind": "tbm", "region_code": region, "founded_on": "2012-01-01", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def rename(api, library, **fields):
    path = f"/v1/libraries/{library}"
    answer = api.patch(path, fields, etag=api.get(path).headers["ETag"], token="national_admin", headers={"X-Edge-Request-Id": f"uji-{library}"})
    assert answer.status_code == 200, answer.text


# ---- reading it ---------------------------------------------------------------------------------------------------------

def test_who_did_what_to_which_record(own_api):
    library = new_library(own_api, phone="0717999")
    rename(own_api, library, name="Uji jejak dua", phone="0717111")
    one, two = entries(own_api, f"?record=library:{library}&expand=actor")
    client = own_api.client("national_admin")["client_id"]
    assert (one["action"], two["action"]) == ("update", "insert") and one["id"] > two["id"]
    assert one["actor"] == one["client_id"] == client and one["actor_name"] == one["client_name"] == "test national_admin"
    assert one["operation"] == "update_library" and one["request_id"] == f"uji-{library}"
    assert one["record"] == {"id": library} and one["table"] == "library" and one["region_code"] == BANGKA == two["region_code"]
    assert one["before"]["name"] == "Uji jejak" and one["after"]["name"] == "Uji jejak dua" and {"name", "phone"} <= set(one["after"])
    assert set(one["after"]["phone"]) == {"digest"} and '"0717' not in json.dumps([one, two]) and not one["erased"]


def test_filters(own_api):
    library, elsewhere = new_library(own_api), new_library(own_api, region=SULSEL)
    moment = entries(own_api, "?limit=1&fields=at")[0]["at"]
    rename(own_api, library, website="https://a.example.id")
    rename(own_api, elsewhere, website="https://b.example.id")

    def found(query):
        return {one["record"]["id"] for one in entries(own_api, query) if one["table"] == "library" and one["record"]}

    assert found(f"?request_id=uji-{library}") == {library}
    assert {library} <= found("?within=19.01&table=library") and elsewhere not in found("?within=19.01")
    assert elsewhere in found("?within=73") and found("?within=19.02.01.1001&operation=update_library") == set()
    assert {library, elsewhere} <= found("?table=library&action=update,delete") and found("?table=library&action=truncate") == set()
    assert not [one for one in entries(own_api, "?table=region&limit=500") if one["table"] != "region"]
    assert {library, elsewhere} <= found(f"?from={moment}&operation=update_library")
    assert not {one["id"] for one in entries(own_api, f"?to={moment}") if one["at"] >= moment}
    client = own_api.client("national_admin")["client_id"]
    assert {library, elsewhere} <= found(f"?actor={client}") and {library, elsewhere} <= found(f"?client={client}")
    assert entries(own_api, "?actor=nobody") == entries(own_api, "?record=nothing:1") == entries(own_api, "?record=library:1") == []
    assert entries(own_api, "?record=role_scope:portal,published:read")[0]["record"] == {"role": "portal", "scope": "published:read"}


def test_pages_and_tables(own_api):
    new_library(own_api)
    whole = entries(own_api, "?limit=500")
    assert [one["id"] for one in whole] == [one["id"] for one in entries(own_api, "?limit=7")]
    assert [(one["at"], one["id"]) for one in whole] == sorted(((one["at"], one["id"]) for one in whole), reverse=True)
    answer = own_api.get(f"{PATH}?format=csv&table=role&fields=id,action,after", token="national_admin")
    rows = rows_of(answer.text)
    assert len(rows) >= 9 and all(json.loads(row["after"])["name"] for row in rows if row["action"] == "insert")
    total = own_api.get(f"{PATH}?count=exact&limit=1&table=role", token="national_admin").json()["total"]
    assert total == len(rows)


def test_an_answer_is_never_stale(own_api):
    """The audit has no audit: no memory of ours may say that nothing has changed."""
    library = new_library(own_api)
    path = f"{PATH}?record=library:{library}"
    before = own_api.get(path, token="national_admin")
    assert own_api.get(path, token="national_admin", headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    rename(own_api, library, website="https://c.example.id")
    after = own_api.get(path, token="national_admin", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and len(after.json()["items"]) == 2


def test_reads_of_contacts_and_places_of_what_belongs_to_something(own_api, own_database):
    library = new_library(own_api, phone="0717222")
    assert own_api.get(f"/v1/libraries/{library}/contact", token="national_admin").status_code == 200
    read = entries(own_api, f"?record=library:{library}&action=read")
    assert [(one["operation"], one["region_code"]) for one in read] == [("get_library_contact", BANGKA)]
    own_api.put(f"/v1/libraries/{library}/identifiers/other", token="national_admin", json={"value": "jejak-1"})
    assert entries(own_api, "?table=library_identifier&limit=1")[0]["region_code"] == BANGKA
    manager = appointed(own_api, "library_manager", library_id=library)
    end(own_api, manager["id"])
    assert [one["region_code"] for one in entries(own_api, f"?record=assignment:{manager['id']}")] == [BANGKA, BANGKA]
    with own_database.cursor() as cursor:
        cursor.execute("INSERT INTO team (region_code, formed_on) VALUES ('73', '2024-01-01') RETURNING id")
        team = cursor.fetchone()[0]
        cursor.execute("INSERT INTO team_work_plan (team_id, title, kind) VALUES (%s, 'Uji', 'policy') RETURNING id", (team,))
        task = cursor.fetchone()[0]
        cursor.execute("UPDATE team_work_plan SET title = 'Uji dua' WHERE id = %s", (task,))
    assert [one["region_code"] for one in entries(own_api, f"?record=team_work_plan:{task}")] == ["73", "73"]
    account = user(own_api)
    assert entries(own_api, f"?record=app_user:{account}")[0]["region_code"] is None


def test_the_filter_by_operation_takes_what_there_is_and_what_there_was(own_api, own_database, contract):
    """An operationId that nobody has used yet, one that has left the contract but stands in the audit, a migration; nothing else."""
    used = {one["operation"] for one in entries(own_api)}
    assert "erase_person_data" in {operation["operationId"] for _, operation in contract.operations()} - used
    assert entries(own_api, "?operation=erase_person_data") == []
    for name in ("uji_lama", "uji, \"}lama"):
        with own_database.cursor() as cursor:
            cursor.execute("INSERT INTO audit (actor, operation, table_name, action) VALUES ('uji', %s, 'library', 'update')", (name,))
        assert [one["operation"] for one in entries(own_api, f"?operation={quote(name)}")] == [name]
    table = own_api.get(PATH + "?format=csv&operation=uji_lama&fields=actor,operation", token="national_admin")
    assert rows_of(table.text) == [{"actor": "uji", "operation": "uji_lama"}]
    for nothing in ("uji_baru", "Create_library", "create_library,update_library"):
        faults = problem(own_api.get(f"{PATH}?operation={nothing}", token="national_admin"), 400, "invalid_parameter")["errors"]
        assert [(one["parameter"], one["code"]) for one in faults] == [("operation", "names_nothing")], nothing


@pytest.mark.parametrize("query", ["?record=library", "?table=Library", "?action=peek", "?from=yesterday", "?expand=record"])
def test_wrong_filters(own_api, query):
    problem(own_api.get(PATH + query, token="national_admin"), 400, "invalid_parameter")


# ---- nobody changes it --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("statement", [
    "UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit", "INSERT INTO audit (actor, table_name, action) VALUES ('x', 'library', 'read')",
    "UPDATE audit SET before = NULL", "UPDATE audit_seal SET hash = previous", "DELETE FROM audit_seal", "DELETE FROM audit_erasure",
    "INSERT INTO audit_erasure (audit_id) VALUES (1)", "SELECT audit_payload_erase('library', '{}')", "SELECT salt FROM audit"])
def test_the_service_only_adds(own_api, statement):
    with own_api.service.cluster.connect(own_api.service.database, owner=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)


@pytest.mark.parametrize("statement", [
    "UPDATE audit SET actor = 'x' WHERE id = 1", "DELETE FROM audit WHERE id = 1", "TRUNCATE audit CASCADE", "UPDATE audit SET after = '{}' WHERE id = 1",
    "UPDATE audit SET after = NULL, before = NULL, salt = NULL, digest = sha256('x') WHERE id = 1", "DELETE FROM audit_erasure",
    "DELETE FROM audit_seal", "UPDATE audit_seal SET number = number + 1"])
def test_the_owner_does_not_by_mistake(own_database, statement):
    with own_database.cursor() as cursor, pytest.raises(psycopg2.errors.RestrictViolation):
        cursor.execute(statement)


# ---- seals --------------------------------------------------------------------------------------------------------------

@pytest.fixture
def sealed(cluster):
    with sealed_audit(cluster) as one:
        yield one


def test_intact(sealed):
    status, text = sealed.verify()
    assert status == 0 and text.startswith("intact: ") and "0 rows not sealed yet" in text
    count = sealed.sql("SELECT count(*) FROM audit_seal")[0][0]
    assert count > 4 and sealed.sql("SELECT sum(cardinality(row_ids)) = (SELECT count(*) FROM audit) FROM audit_seal")[0][0]
    head = sealed.head()
    assert head["seal"] == count and sealed.verify("--expect", head["hash"])[0] == 0
    sealed.change()
    assert "1 rows not sealed yet" in sealed.verify("--expect", head["hash"])[1]
    sealed.seal()
    assert sealed.verify("--expect", head["hash"])[0] == 0, "an older head is still in the chain"
    assert sealed.head()["hash"] != head["hash"]
    assert sealed.verify("--expect", "ab" * 32)[0] == 1


def test_a_seal_covers_no_transaction_that_runs(sealed):
    """What commits late, with an early number, is sealed when it is there, in another seal."""
    with sealed.cluster.connect(sealed.database) as slow, slow.cursor() as cursor:
        slow.autocommit = False
        cursor.execute("UPDATE library SET website = 'https://slow.example.id' WHERE kind = 'national'")
        sealed.sql("UPDATE library SET website = 'https://fast.example.id' WHERE id = (SELECT id FROM library WHERE kind = 'village' LIMIT 1)")
        before = sealed.head()
        sealed.seal()
        assert sealed.head() == before, "the fast one waits for the slow one"
        slow.commit()
    sealed.seal()
    assert sealed.head()["seal"] == before["seal"] + 1 and "0 rows not sealed yet" in sealed.verify()[1]


@pytest.mark.parametrize("statement,fault", [
    ("UPDATE audit SET actor = 'somebody else' WHERE id = %s", "altered"),
    ("UPDATE audit SET after = after || '{\"website\": \"https://never.example.id\"}' WHERE id = %s", "altered"),
    ("UPDATE audit SET at = at - interval '1 microsecond' WHERE id = %s", "altered"),
    ("UPDATE audit SET place = '19' WHERE id = %s", "altered"),
    ("DELETE FROM audit WHERE id = %s", "deleted"),
    ("UPDATE audit SET xid = (SELECT from_xid FROM audit_seal WHERE number = 1) WHERE id = %s", "deleted"),
    ("UPDATE audit SET before = NULL, after = NULL, salt = NULL, digest = audit_payload_digest(audit) WHERE id = %s", "erased without a record"),
    ("UPDATE audit SET before = NULL, after = NULL, salt = NULL, digest = sha256('x') WHERE id = %s", "altered"),
])
def test_an_altered_row_is_named(sealed, statement, fault):
    row = sealed.newest()
    sealed.tamper(statement, row)
    status, text = sealed.verify()
    assert status == 1 and f"{fault}" in text and f"row {row}\n" in text and "BROKEN" in text, text


def test_an_inserted_row_is_named(sealed):
    sealed.tamper("INSERT INTO audit (id, xid, actor, table_name, action) OVERRIDING SYSTEM VALUE SELECT 900000000, xid, 'x', 'library', 'read' "
                  "FROM audit WHERE id = %s", sealed.newest())
    assert "inserted: row 900000000" in sealed.verify()[1]


def test_two_rows_that_change_places_are_named(sealed):
    one = sealed.newest()
    sealed.tamper("ALTER TABLE audit ALTER id DROP IDENTITY; UPDATE audit SET id = -id WHERE id IN (%s, %s); "
                  "UPDATE audit SET id = CASE id WHEN -%s THEN %s ELSE %s END WHERE id < 0", one, one - 1, one, one - 1, one)
    status, text = sealed.verify()
    assert status == 1 and f"altered: row {one}\n" in text and f"altered: row {one - 1}\n" in text, text


@pytest.mark.parametrize("statement,fault", [
    ("UPDATE audit_seal SET hash = sha256('x') WHERE number = 2", "seal 2: its hash is not that of its contents"),
    ("DELETE FROM audit_seal WHERE number = 2", "seal 3: the seal before is missing"),
    ("UPDATE audit_seal SET previous = sha256('x') WHERE number = 2", "seal 2: it does not follow the seal before"),
    ("UPDATE audit_seal SET from_xid = (from_xid::text::bigint + 1)::text::xid8 WHERE number = 2", "seal 2: it does not follow the seal before"),
    ("UPDATE audit_seal SET row_ids = row_ids || 1::bigint, row_digests = row_digests || sha256('x') WHERE number = 2",
     "seal 2: its hash is not that of its contents"),
])
def test_an_altered_seal_is_named(sealed, statement, fault):
    sealed.tamper(statement)
    status, text = sealed.verify()
    assert status == 1 and fault in text, text


def test_a_past_made_anew_is_seen_by_who_kept_a_hash(sealed):
    """The owner removes rows and seals everything again: the chain is whole, but it is another one."""
    kept = sealed.head()["hash"]
    sealed.tamper("DELETE FROM audit WHERE id = %s; DELETE FROM audit_seal", sealed.newest())
    sealed.seal()
    assert sealed.verify()[0] == 0
    status, text = sealed.verify("--expect", kept)
    assert status == 1 and f"no seal has the hash {kept}" in text


def test_the_newest_seals_cut_off_are_seen_by_who_kept_a_hash(sealed):
    kept = sealed.head()["hash"]
    sealed.tamper("DELETE FROM audit_seal WHERE number = (SELECT max(number) FROM audit_seal)")
    assert sealed.verify()[0] == 0 and sealed.verify("--expect", kept)[0] == 1


def test_contents_may_go_and_the_seals_hold(sealed):
    person, rows = sealed.person()
    assert len(rows) == 3 and sealed.blank() == 0
    sealed.sql("SELECT person_erase(%s, 'Diminta', NULL, NULL)", person)
    assert sealed.sql("SELECT count(*) FROM audit WHERE id = ANY (%s) AND num_nonnulls(before, after, salt) > 0", rows)[0][0] == 0
    assert sealed.verify()[0] == 0 and sealed.blank() >= 4, sealed.verify()[1]
    sealed.seal()
    assert sealed.verify()[0] == 0 and "0 rows not sealed yet" in sealed.verify()[1]
    key = sealed.sql("SELECT row_key::text FROM audit WHERE id = %s", rows[0])[0][0]
    assert sealed.sql("SELECT audit_payload_erase('person', %s)", key)[0][0] == 0, "once is enough"
    sealed.tamper("DELETE FROM audit_erasure WHERE audit_id = %s", rows[0])
    assert f"erased without a record of it: row {rows[0]}" in sealed.verify()[1]


def test_a_deleted_person_and_a_purge_are_erasures_too(sealed):
    person, _ = sealed.person()
    sealed.sql("UPDATE person SET erased_at = now() WHERE id = %s", person)
    other, _ = sealed.person()
    sealed.sql("UPDATE person SET retain_until = '2021-01-01' WHERE id = %s", other)
    sealed.cluster.run(sealed.database, "purge", "--run")
    assert sealed.sql("SELECT count(*) FROM person WHERE id::text = ANY (%s) AND erased_at IS NOT NULL", [person, other])[0][0] == 2
    sealed.seal()
    assert sealed.verify()[0] == 0 and sealed.blank() > 6, sealed.verify()[1]


BLANK = "UPDATE audit a SET digest = audit_payload_digest(a), before = NULL, after = NULL, salt = NULL WHERE id = %s; "


@pytest.mark.parametrize("triggers,statement,fault", [
    (False, BLANK + "INSERT INTO audit_erasure (audit_id) VALUES (%s)", "erased, and the audit has no row of that"),
    (True, BLANK + "INSERT INTO audit_erasure (audit_id) VALUES (%s)", "erased, and no request and no purge asked for it"),
    (True, "SELECT audit_payload_erase(table_name, row_key) FROM audit WHERE id IN (%s, %s)", "erased, and no request and no purge asked for it"),
    # A request of the same moment makes nobody's data of what is not: the audit of a library is never erased.
    (True, "WITH asked AS (INSERT INTO personal_data_request (kind, person_id, reason, received_on, status, answered_at) "
           "SELECT 'access', p.id, 'x', today(), 'done', now() FROM person p LIMIT 1) "
           "SELECT audit_payload_erase(table_name, row_key) FROM audit WHERE id IN (%s, %s)", "erased, and no request and no purge asked for it")])
def test_blanked_by_hand_is_told(sealed, triggers, statement, fault):
    sealed.person()
    row = sealed.newest()
    (sealed.sql if triggers else sealed.tamper)(statement, row, row)
    for _ in range(2):
        status, text = sealed.verify()
        assert status == 1 and f"{fault}: row {row}" in text and "BROKEN" in text, text
        assert sealed.blank() > 0
        sealed.seal()


def test_used_wrongly(sealed):
    for words in ((), ("verify", "--expect"), ("verify", "--other", "x"), ("head", "x"), ("seal",)):
        assert sealed.cluster.run(sealed.database, "audit", *words, check=False).returncode == 2


def test_before_the_first_seal(cluster):
    database = cluster.make_database()
    assert cluster.run(database, "audit", "head", check=False).returncode == 1
    assert cluster.run(database, "audit", "verify").stdout.startswith("intact: 0 seals over 0 rows")
    cluster.drop_database(database)


def test_the_job_seals_and_tells(fresh):
    api = fresh(audit_seal_interval_s=1)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seals := list(api.pages(PATH + "/seals"))) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert seals and seals[-1]["previous"] == "0" * 64
    assert all(one["previous"] == two["hash"] for one, two in zip(seals, seals[1:]))
    before = own = api.get(PATH + "/seals?limit=1")
    library = new_library(api)
    while own.json() == before.json() and time.monotonic() < deadline:
        own = api.get(PATH + "/seals?limit=1", headers={"If-None-Match": before.headers["ETag"]})
        own = before if own.status_code == 304 else own
        time.sleep(0.2)
    head = own.json()["items"][0]
    assert head["number"] > before.json()["items"][0]["number"] and head["first_id"] <= head["last_id"]
    assert library and api.service.cluster.run(api.service.database, "audit", "verify", "--expect", head["hash"]).returncode == 0
    assert head["hash"] in api.service.log_text()
