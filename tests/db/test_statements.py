"""Every statement of db/queries, as the service's own role: it prepares with each optional part alone, with every pair and
with all of them; reads answer what they promise, gates refuse, and writes do what they say."""
import itertools
import json
import uuid

import psycopg2
import pytest

import schema
from schema import STATEMENTS, Session

NAME = "tpbis_statements"
NATIONAL, PROVINCE, REGENCY, OTHER, VILLAGE, TBM = (f"00000000-0000-7000-8000-00000000000{n}" for n in range(1, 7))
FIXTURE = f"""
INSERT INTO region (code, name, type, valid_to) VALUES ('97', 'Provinsi', 'provinsi', NULL), ('97.01', 'Satu', 'kabupaten', NULL),
    ('97.02', 'Dua', 'kabupaten', NULL), ('97.01.01', 'Kecamatan', 'kecamatan', NULL), ('97.02.01', 'Kecamatan', 'kecamatan', NULL),
    ('97.01.01.2001', 'Mawar', 'desa', NULL), ('97.01.01.2002', 'Melati', 'desa', NULL), ('97.02.01.2001', 'Mawar', 'desa', NULL),
    ('97.01.01.2009', 'Lama', 'desa', '2020-12-31');
INSERT INTO region_successor (code, successor_code) VALUES ('97.01.01.2009', '97.01.01.2002');
INSERT INTO library (id, name, kind) VALUES ('{NATIONAL}', 'Nasional', 'national');
INSERT INTO library (id, name, kind, region_code, supervisor_id) VALUES ('{PROVINCE}', 'Provinsi', 'provincial', '97', '{NATIONAL}');
INSERT INTO library (id, name, kind, region_code, supervisor_id) VALUES ('{REGENCY}', 'Satu', 'regency', '97.01', '{PROVINCE}');
INSERT INTO library (id, name, kind, region_code, supervisor_id) VALUES ('{OTHER}', 'Dua', 'regency', '97.02', '{PROVINCE}');
INSERT INTO library (id, name, kind, region_code, supervisor_id, founded_on, phone, latitude, longitude)
VALUES ('{VILLAGE}', 'Desa Mawar', 'village', '97.02.01.2001', '{OTHER}', '2015-01-01', '0812', -1.5, 106);
SELECT library_move('{VILLAGE}', '2022-07-01', 'pindah', to_region => '97.01.01.2001', to_supervisor => '{REGENCY}');
INSERT INTO library (id, name, kind, region_code, supervisor_id, founded_on, phone, contact_public)
VALUES ('{TBM}', 'TBM', 'tbm', '97.01.01.2001', '{VILLAGE}', '2022-08-01', '0813', true);
INSERT INTO library_identifier (library_id, scheme, value) VALUES ('{VILLAGE}', 'onesearch', 'IOS:1');
"""
# What the engine sees to: one order at a time, one direction of not.
ORDERS = {name: list(orders) for name, orders in schema.ORDERS.items()}
REACH = {"reach": True, "reach.from": ["97.01"], "reach.to": ["97.01/"], "reach.rank": [4], "reach.libraries": []}


@pytest.fixture(scope="module")
def urls():
    urls = schema.fresh_database(NAME)
    connection = psycopg2.connect(urls[0])
    with connection, connection.cursor() as cursor:
        cursor.execute(FIXTURE)
    connection.close()
    yield urls
    schema.drop_database(NAME)


@pytest.fixture(scope="module")
def session(urls):
    """The service's session of the whole file, for to begin one costs more than most tests do."""
    session = Session(urls[1])
    yield session
    session.close()


@pytest.fixture
def api(session):
    """The service's session, in a transaction that is rolled back; what is prepared or set in it goes, too."""
    session.connection.autocommit = False
    yield session
    session.connection.reset()
    session.connection.autocommit = True
    session.cursor.execute("DEALLOCATE ALL")


@pytest.fixture
def owner(cluster, urls):
    """The owner's kept session, in a transaction that is rolled back."""
    kept = cluster.owner(NAME)
    kept.autocommit = False
    return kept.cursor()


def refused(session, name, values):
    """The code and the arguments with which it is refused; the transaction goes on."""
    session.cursor.execute("SAVEPOINT before")
    with pytest.raises(psycopg2.Error) as caught:
        session.run(name, values)
    session.cursor.execute("ROLLBACK TO before")
    if caught.value.pgcode != "TB001":
        return caught.value.diag.constraint_name, caught.value.pgcode
    return caught.value.diag.constraint_name, json.loads(caught.value.diag.message_detail)


def page(sort="sort.region", **values):
    return {sort: True, "page_rows": 51, **{key.replace("__", "."): value for key, value in values.items()}}


# ---- every shape prepares ----------------------------------------------------------------------------------

def shapes(name):
    options = sorted({what for fragment in STATEMENTS[name].fragments for what, _ in fragment.condition}
                     - {"cursor", "page_rows"} - set(ORDERS.get(name, [])))
    for order in ORDERS.get(name, [None]):
        fixed = {"page_rows": True} | ({order: True} if order else {})
        if order == "sort.distance":
            fixed["near"] = True
        for size in (0, 1, 2, len(options)):
            for chosen in itertools.combinations(options, size):
                for cursor in (False, True) if order else (False,):
                    yield fixed | dict.fromkeys(chosen, True) | ({"cursor": True} if cursor else {})


@pytest.mark.parametrize("name", sorted(set(STATEMENTS) - {"insert_client", "insert_client_secret", "insert_assignment"}))
def test_every_shape_prepares(api, name):
    seen = set()
    for present in shapes(name):
        for count in (False, True) if name in ORDERS else (False,):
            text = schema.assemble(name, present, count)[0]
            if text not in seen:
                seen.add(text)
                api.prepare(name, present, count)
        api.cursor.execute("DEALLOCATE ALL")
    assert seen


# ---- lists ---------------------------------------------------------------------------------------------------

def names(rows, key="name"):
    return [row[key] for row in rows]


@pytest.mark.parametrize("filters, expected", [
    ({}, 8), ({"level": "village"}, 3), ({"parent": "97"}, 2), ({"type": "kecamatan"}, 2), ({"q": "maw"}, 2), ({"within": "97.01"}, 4),
    ({"within": "97.01", "level": "village"}, 2), ({"as_of": "2020-12-31", "within": "97.01.01"}, 4), ({"as_of": "2021-01-01", "within": "97.01.01"}, 3),
    ({"deleted.include": True}, 9), ({"updated_since": "2999-01-01"}, 0)])
def test_regions(api, filters, expected):
    for sort in ORDERS["list_regions"]:
        assert len(api.run("list_regions", page(sort) | filters)) == expected
    assert api.run("list_regions", filters, count=True)[0]["count"] == expected


def test_a_retired_region_is_a_tombstone(api):
    row = [row for row in api.run("list_regions", page("sort.code", deleted__include=True)) if row["@deleted_at"]]
    assert names(row, "code") == ["97.01.01.2009"] and row[0]["@deleted_at"].isoformat() == "2020-12-31T17:00:00+00:00"
    assert api.run("get_region", {"code": "97.01.01.2009"})[0]["successors"] == ["97.01.01.2002"]


@pytest.mark.parametrize("filters, expected", [
    ({}, [1, 2, 3, 4, 5, 6]), ({"kind": ["village", "tbm"]}, [5, 6]), ({"kind": ["national"]}, [1]), ({"status": ["closed", "planned"]}, []),
    ({"status": ["active"]}, [1, 2, 3, 4, 5, 6]), ({"within": "97.01"}, [3, 5, 6]), ({"within": "97.02", "as_of": "2021-01-01"}, [4, 5]),
    ({"within": "97.01", "as_of": "2021-01-01"}, [3]), ({"as_of": "2014-12-31", "kind": ["village"]}, []), ({"region": "97.01"}, [3]),
    ({"supervisor": REGENCY}, [5]), ({"supervisor": OTHER, "as_of": "2022-06-30"}, [5]), ({"supervisor": OTHER, "as_of": "2022-07-01"}, []),
    ({"identifier": "onesearch:IOS:1"}, [5]), ({"identifier": "npsn:IOS:1"}, []), ({"q": "desa m"}, [5]), ({"q": "..."}, []), ({"has_location": True}, [5]),
    ({"has_location": False, "within": "97.01"}, [3, 6]), ({"updated_since": "2999-01-01"}, []), ({"npp": "1901062D2000001"}, []),
    ({"near": True, "near.latitude": -1.5, "near.longitude": 106.1, "radius_km": 12}, [5]),
    ({"near": True, "near.latitude": -1.5, "near.longitude": 106.1, "radius_km": 11}, [])])
def test_libraries(api, filters, expected):
    expected = [f"00000000-0000-7000-8000-00000000000{n}" for n in expected]
    for sort in ORDERS["list_libraries"][:4 if "near" in filters else 3]:
        assert sorted(names(api.run("list_libraries", page(sort) | filters), "id")) == expected
    assert api.run("list_libraries", filters, count=True)[0]["count"] == len(expected)


@pytest.mark.parametrize("name, keys", [("list_regions", {"sort.code": ["code"], "sort.name": ["name", "code"], "sort.updated_at": ["updated_at", "code"]}),
                                        ("list_libraries", {"sort.region": ["@place", "id"], "sort.name": ["name", "id"], "sort.updated_at": ["updated_at", "id"],
                                                            "sort.distance": ["distance_km", "id"]})])
@pytest.mark.parametrize("as_of", [{}, {"as_of": "2022-01-01"}])
def test_pages_lose_no_row(api, owner, name, keys, as_of):
    for sort, columns in keys.items():
        filters = {"near": True, "near.latitude": -1.5, "near.longitude": 106.1, "radius_km": 20000} if sort == "sort.distance" else {}
        whole = api.run(name, page(sort) | filters | as_of)
        seen, cursor = [], {}
        while True:
            rows = api.run(name, page(sort) | filters | as_of | cursor | {"page_rows": 2})
            if not rows:
                break
            seen += rows[:1]
            assert len(seen) <= len(whole), "a page begins with the row that the last one ended with"
            cursor = {"cursor": True} | {f"key.{n}": rows[0][column] for n, column in enumerate(columns, 1)}
        assert seen == whole and len(whole) >= 1


def test_expansions(api):
    row, = api.run("get_library", {"id": VILLAGE, "expand.region": True, "expand.supervisor": True})
    assert (row["region.code"], row["region.province.code"], row["region.regency.name"], row["region.district.type"], row["region.village.name"],
            row["supervisor.name"], row["supervisor.region_code"]) == ("97.01.01.2001", "97", "Satu", "kecamatan", "Mawar", "Satu", "97.01")
    row, = api.run("get_library", {"id": REGENCY, "expand.region": True})
    assert (row["region.regency.code"], row["region.district.code"], row["region.village.code"]) == ("97.01", None, None)
    row, = api.run("get_library", {"id": NATIONAL, "expand.region": True, "expand.supervisor": True})
    assert row["region.code"] is None and row["region.province.code"] is None and row["supervisor.id"] is None
    rows = api.run("list_libraries", page(expand__region=True, expand__supervisor=True, as_of="2022-01-01", kind=["village"]))
    assert (rows[0]["region.regency.code"], rows[0]["supervisor.id"], rows[0]["region_code"]) == ("97.02", OTHER, "97.02.01.2001")


def test_contacts_are_shown_where_they_are_public(api):
    rows = {row["id"]: row["phone"] for row in api.run("list_libraries", page())}
    assert (rows[VILLAGE], rows[TBM]) == (None, "0813")
    assert api.run("get_library", {"id": VILLAGE})[0]["phone"] is None
    assert api.run("get_library_contact", {"id": VILLAGE})[0]["phone"] == "0812"


def test_hierarchy(api):
    up = lambda of, **values: names(api.run("list_ancestors", {"id": of, **values}))
    assert up(TBM) == ["Desa Mawar", "Satu", "Provinsi", "Nasional"] and up(NATIONAL) == []
    assert up(VILLAGE, as_of="2022-06-30") == ["Dua", "Provinsi", "Nasional"]
    assert up(VILLAGE, as_of="2022-07-01") == ["Satu", "Provinsi", "Nasional"]
    assert up(TBM, as_of="2021-01-01") == []
    down = lambda of, **values: names(api.run("list_descendants", page(id=of, **values)))
    assert down(NATIONAL) == ["Provinsi", "Satu", "Desa Mawar", "TBM", "Dua"]
    assert down(REGENCY) == ["Desa Mawar", "TBM"] and down(OTHER) == [] and down(TBM) == []
    assert down(OTHER, as_of="2021-01-01") == ["Desa Mawar"]
    assert down(NATIONAL, kind=["tbm", "village"], expand__region=True) == ["Desa Mawar", "TBM"]
    assert [(row["region_code"], str(row["starts_on"]), row["reason"]) for row in api.run("list_placements", {"id": VILLAGE})] == [
        ("97.02.01.2001", "2015-01-01", None), ("97.01.01.2001", "2022-07-01", "pindah")]
    assert api.run("library_exists", {"id": TBM}) and not api.run("library_exists", {"id": str(uuid.uuid4())})


# ---- gates ---------------------------------------------------------------------------------------------------

GATES = ["gate_library", "gate_move_library", "gate_identifier", "gate_library_contact"]


@pytest.mark.parametrize("gate", GATES)
def test_gates(api, gate):
    unknown = {"id": str(uuid.uuid4()), "region_code": "97.01"}
    assert api.run(gate, {"id": VILLAGE}) and api.run(gate, {"id": NATIONAL})
    assert refused(api, gate, unknown) == ("not_found", {})
    assert refused(api, gate, unknown | REACH) == ("not_found", {})
    assert api.run(gate, {"id": VILLAGE} | REACH)
    assert refused(api, gate, {"id": REGENCY} | REACH) == ("out_of_reach", {"what": "Satu"})  # of too high a rank
    assert refused(api, gate, {"id": OTHER} | REACH) == ("out_of_reach", {"what": "Dua"})
    assert refused(api, gate, {"id": NATIONAL} | REACH)[0] == "out_of_reach"
    nothing = {"reach": True, "reach.from": [], "reach.to": [], "reach.rank": [], "reach.libraries": []}
    assert refused(api, gate, {"id": VILLAGE} | nothing)[0] == "out_of_reach"
    own = nothing | {"reach.libraries": [VILLAGE]}
    if gate == "gate_move_library":
        assert refused(api, gate, {"id": VILLAGE} | own)[0] == "out_of_reach"
    else:
        assert api.run(gate, {"id": VILLAGE} | own)
        assert refused(api, gate, {"id": TBM} | own)[0] == "out_of_reach"


def test_a_stale_version_is_refused(api):
    version = api.run("get_library", {"id": VILLAGE})[0]["@version"]
    for reach in ({}, REACH):
        assert api.run("gate_library", {"id": VILLAGE, "if_match": [version]} | reach)
        assert api.run("gate_library", {"id": VILLAGE, "if_match": [version + 1, version]} | reach)
        assert refused(api, "gate_library", {"id": VILLAGE, "if_match": [version + 1]} | reach) == ("precondition_failed", {})
        assert refused(api, "gate_library", {"id": VILLAGE, "if_match": []} | reach) == ("precondition_failed", {})


def test_a_new_library_and_a_move_are_in_reach(api):
    new = lambda kind, region: {"kind": kind, "region_code": region}
    assert api.run("gate_create_library", new("national", None)) and api.run("gate_create_library", new("village", "97.01.01.2001") | REACH)
    assert refused(api, "gate_create_library", new("regency", "97.01") | REACH) == ("out_of_reach", {"what": "97.01, regency"})
    assert refused(api, "gate_create_library", new("village", "97.02.01.2001") | REACH)[0] == "out_of_reach"
    assert refused(api, "gate_create_library", new("national", None) | REACH) == ("out_of_reach", {"what": "Indonesia, national"})
    assert refused(api, "gate_create_library", new("village", "97.01.01.2001") | REACH
                   | {"reach.from": [], "reach.to": [], "reach.rank": [], "reach.libraries": [VILLAGE]})[0] == "out_of_reach"
    assert api.run("gate_move_library", {"id": VILLAGE, "region_code": "97.01.01.2002"} | REACH)
    assert refused(api, "gate_move_library", {"id": VILLAGE, "region_code": "97.02.01.2001"} | REACH) == ("out_of_reach", {"what": "97.02.01.2001, village"})


def test_a_read_of_a_contact_is_recorded(api, owner, urls):
    session = Session(urls[1])
    session.run("gate_library_contact", {"id": VILLAGE} | REACH)
    session.close()
    owner.execute("SELECT table_name, action, row_key ->> 'id' FROM audit ORDER BY id DESC LIMIT 1")
    assert owner.fetchone() == ("library", "read", VILLAGE)


# ---- writes --------------------------------------------------------------------------------------------------

def test_create(api):
    new = str(uuid.uuid4())
    values = {"id": new, "name": "Baru", "kind": "village", "region_code": "97.01.01.2002", "supervisor_id": REGENCY, "founded_on": "2019-05-01",
              "computers": 3, "npp": "0", "applications": json.dumps([{"name": "Inlislite", "version": "3.2"}])}
    api.run("create_library", values)
    row, = api.run("get_library", {"id": new})
    assert (row["status"], row["npp"], row["computers"], row["contact_public"], row["applications"], row["identifiers"], row["@version"]) == (
        "active", None, 3, False, [{"name": "Inlislite", "version": "3.2"}], [], 1)
    assert row["created_at"] == row["updated_at"]
    assert [str(row["starts_on"]) for row in api.run("list_placements", {"id": new})] == ["2019-05-01"]
    assert refused(api, "create_library", values) == ("library_pkey", "23505")


@pytest.mark.parametrize("change, code", [
    ({"region_code": None}, "region_required"), ({"region_code": "97.01"}, "region_level_mismatch"), ({"region_code": "97.01.01.2009"}, "region_unknown"),
    ({"supervisor_id": OTHER}, "supervisor_elsewhere"), ({"supervisor_id": VILLAGE}, "supervisor_rank"), ({"supervisor_id": str(uuid.uuid4())}, "reference_unknown"),
    ({"founded_on": "2999-01-01"}, "date_in_future"), ({"kind": "national", "region_code": None, "supervisor_id": None}, "library_national_key"),
    ({"latitude": 1}, "library_location_check")])
def test_create_is_refused(api, change, code):
    values = {"id": str(uuid.uuid4()), "name": "Baru", "kind": "village", "region_code": "97.01.01.2002"} | change
    api.cursor.execute("SAVEPOINT before")
    with pytest.raises(psycopg2.Error) as caught:
        api.run("create_library", values)
        api.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert caught.value.diag.constraint_name == code


def test_patch(api):
    before, = api.run("get_library", {"id": VILLAGE})
    api.run("update_library", {"id": VILLAGE, "name": "Lain", "titles": 700, "website": None})
    after, = api.run("get_library", {"id": VILLAGE})
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"@version", "name", "titles", "updated_at"} and after["@version"] == before["@version"] + 1
    api.run("update_library", {"id": VILLAGE})
    assert api.run("get_library", {"id": VILLAGE})[0]["@version"] == after["@version"]
    assert refused(api, "update_library", {"id": VILLAGE, "latitude": None})[0] == "library_location_check"


def test_close_and_reopen(api):
    assert refused(api, "delete_library", {"id": VILLAGE}) == ("library_has_dependents", {"libraries": "TBM"})
    own = REACH | {"reach.from": [], "reach.to": [], "reach.rank": [], "reach.libraries": [TBM]}
    assert refused(api, "delete_library", {"id": TBM} | own)[0] == "out_of_reach"
    assert refused(api, "delete_library", {"id": TBM, "closed_on": "2999-01-01"})[0] == "date_in_future"
    api.run("delete_library", {"id": TBM, "closed_on": "2024-01-31"} | REACH)
    assert refused(api, "delete_library", {"id": TBM}) == ("library_closed", {})
    assert refused(api, "move_library", {"id": TBM, "supervisor_id": None}) == ("library_closed", {})
    assert TBM not in names(api.run("list_libraries", page()), "id")
    assert TBM in names(api.run("list_libraries", page(status=["closed"])), "id")
    assert TBM in names(api.run("list_libraries", page(as_of="2024-01-31")), "id")
    assert TBM not in names(api.run("list_libraries", page(as_of="2024-02-01")), "id")
    tombstone, = [row for row in api.run("list_libraries", page(deleted__include=True)) if row["@deleted_at"]]
    assert tombstone["id"] == TBM
    assert TBM not in names(api.run("list_descendants", page(id=VILLAGE)), "id")
    api.run("update_library", {"id": TBM, "status": "inactive"})
    row, = api.run("get_library", {"id": TBM})
    assert (row["status"], row["closed_on"], row["supervisor_id"]) == ("inactive", None, VILLAGE)
    assert len(api.run("list_placements", {"id": TBM})) == 2


def test_move(api):
    api.run("move_library", {"id": TBM, "region_code": "97.01.01.2002", "supervisor_id": REGENCY, "effective_on": "2023-01-01", "reason": "pindah"})
    row, = api.run("get_library", {"id": TBM})
    assert (row["region_code"], row["supervisor_id"]) == ("97.01.01.2002", REGENCY)
    assert refused(api, "move_library", {"id": TBM, "region_code": "97.02.01.2001"})[0] == "supervisor_elsewhere"
    api.run("move_library", {"id": TBM, "supervisor_id": None})
    row, = api.run("get_library", {"id": TBM})
    assert (row["region_code"], row["supervisor_id"]) == ("97.01.01.2002", None)
    assert refused(api, "move_library", {"id": TBM, "region_code": "97.01.01.2001", "effective_on": "2020-01-01"})[0] == "date_before_previous"


def test_identifiers(api):
    put = lambda value: api.run("put_identifier", {"id": TBM, "scheme": "npsn", "value": value})
    put("1")
    first, = api.run("get_identifier", {"id": TBM, "scheme": "npsn"})
    put("1")
    assert api.run("get_identifier", {"id": TBM, "scheme": "npsn"}) == [first]
    put("2")
    again, = api.run("get_identifier", {"id": TBM, "scheme": "npsn"})
    assert again["value"] == "2" and again["@version"] >= first["@version"]  # equal within one transaction
    assert api.run("get_library", {"id": TBM})[0]["identifiers"] == [{"scheme": "npsn", "value": "2"}]
    assert refused(api, "put_identifier", {"id": TBM, "scheme": "onesearch", "value": "IOS:1"}) == ("library_identifier_value_key", "23505")
    assert names(api.run("list_identifiers", {"id": TBM}), "scheme") == ["npsn"]
    api.run("delete_identifier", {"id": TBM, "scheme": "npsn"})
    assert api.run("list_identifiers", {"id": TBM}) == []
    assert refused(api, "delete_identifier", {"id": TBM, "scheme": "npsn"}) == ("not_found", {})


def test_claims_and_access(urls, api):
    claim = {"id": str(uuid.uuid4()), "caller.subject": "c", "claim.operation": "create_library", "claim.digest": "00ff"}
    assert api.run("claim_id", claim) == [{"outcome": "new"}] and api.run("claim_id", claim) == [{"outcome": "same"}]
    assert refused(api, "claim_id", claim | {"claim.digest": "00fe"}) == ("id_taken", {})
    owner = Session(urls[0])
    client = owner.run("insert_client", {"client.name": "Coba"})[0]["id"]
    owner.cursor.execute("UPDATE client SET allowed_scopes = '{published:read,statistics:write}' WHERE id = %s", [client])
    owner.run("insert_client_secret", {"client.id": client, "secret.hash": "ab" * 32})
    for place in ({"assignment.region": "97.01"}, {"assignment.library": VILLAGE}, {}):
        owner.run("insert_assignment", {"client.id": client, "assignment.role": "integration"} | place)
    rows = owner.run("principal_assignments", {"client.id": client})
    assert sorted((row["region_code"] or "", row["library_id"] or "", row["national"], row["rank"], row["scopes"]) for row in rows) == sorted([
        ("97.01", "", False, 1, "published:read statistics:write"), ("", VILLAGE, False, 1, "published:read statistics:write"),
        ("", "", True, 1, "published:read statistics:write")])
    owner.cursor.execute("UPDATE client SET allowed_scopes = '{published:read}', status = 'suspended' WHERE id = %s", [client])
    owner.cursor.execute("UPDATE assignment SET starts_on = '2020-01-01', ends_on = today() - 1 WHERE client_id = %s AND national", [client])
    rows = owner.run("principal_assignments", {"client.id": client})
    assert [(row["status"], row["scopes"]) for row in rows] == [("suspended", "published:read")] * 2
    assert bytes(owner.run("client_secret_hashes", {"client.id": client})[0]["hash"]).hex() == "ab" * 32
    owner.close()
