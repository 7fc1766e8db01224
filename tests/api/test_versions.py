"""ETag, If-None-Match and If-Match: a 304 is never older than the last write, and a write never overwrites what was not read."""

import threading
import time
import uuid

import pytest

from harness.client import problem
from harness.libraries import BANGKA, KAPUK, change, close, made, move, path_of
from harness.waiting import until

GETS = ["/v1/libraries?within=19", "/v1/libraries?within=19&format=csv", "/v1/libraries?within=19&format=csv&limit=3",
        "/v1/libraries?within=19&format=geojson", "/v1/libraries?near=-2,106&sort=name", path_of(KAPUK), path_of(KAPUK) + "?expand=region,supervisor",
        path_of(KAPUK) + "/ancestors", path_of(BANGKA) + "/descendants", path_of(KAPUK) + "/placements", path_of(KAPUK) + "/identifiers",
        "/v1/regions?parent=19", "/v1/regions?level=regency&format=csv", "/v1/regions/19", "/v1/enumerations", "/openapi.json", "/docs", "/problems",
        "/problems/not_found", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"]


def ask(api, path, tag=None, **options):
    return api.get(path, headers={"If-None-Match": tag} if tag else {}, **options)


def settled(api, path):
    """The tag once the watch has seen all there is: a stream has none while it cannot know."""
    return until(lambda: api.get(path).headers.get("ETag"))


@pytest.mark.parametrize("path", GETS)
def test_every_get_has_a_strong_tag_and_gives_304(own_api, path):
    tag = settled(own_api, path)
    assert tag.startswith('"') and tag.endswith('"') and len(tag) > 10
    for turn in range(3):
        same = ask(own_api, path, tag)
        assert same.status_code == 304 and same.headers["ETag"] == tag and same.content == b"" and "Content-Type" not in same.headers, turn
        assert "Vary" in same.headers and "Cache-Control" in same.headers
    head = own_api.request("HEAD", path, headers={"If-None-Match": tag})
    assert head.status_code == 304 and head.headers["ETag"] == tag
    for other in (f"W/{tag}", f'"x", {tag}', f"{tag}, W/\"y\"", "*", tag.replace("-gz", ""), tag[:-1].removesuffix("-gz") + '-gz"'):
        assert ask(own_api, path, other).status_code == 304, other
    for other in ('"x"', tag.strip('"'), tag[:-2] + '"', f'"{tag}"', "x", '"*"', '""', tag.replace('"', "'"), tag[:-1] + 'x"'):
        assert ask(own_api, path, other).status_code == 200, other


def test_the_first_304_needs_no_memory(own_api):
    """A tag from another process, or from before a restart, is as good."""
    paths = ["/v1/libraries?within=19.06", path_of(BANGKA), "/v1/regions?parent=33&format=csv"]
    tags = {path: settled(own_api, path) for path in paths}
    own_api.service.stop()
    own_api.service.start()
    for path, tag in tags.items():
        assert settled(own_api, path) == tag
        assert ask(own_api, path, tag).status_code == 304


def test_the_tag_tells_formats_and_languages_apart(own_api):
    paths = ["/v1/libraries?within=19", "/v1/libraries?within=19&format=csv&limit=500", "/v1/libraries?within=19&format=geojson&limit=500",
             "/v1/libraries?within=19&fields=id", "/v1/libraries?within=19&limit=2"]
    tags = [own_api.get(path).headers["ETag"] for path in paths]
    assert len(set(tags)) == len(tags)
    csv = own_api.get("/v1/libraries?within=19", headers={"Accept": "text/csv", "If-None-Match": tags[0]})
    assert csv.status_code == 200 and csv.text.startswith("id,")


def test_contacts_have_a_tag_and_every_read_is_recorded(own_api, own_database):
    library = made(own_api, phone="0717")
    path = path_of(library) + "/contact"
    first = own_api.get(path, token="national_admin")
    assert first.headers["ETag"].startswith('"1.')
    same = own_api.get(path, token="national_admin", headers={"If-None-Match": first.headers["ETag"]})
    assert same.status_code == 304 and same.content == b""
    with own_database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit WHERE action = 'read' AND row_key->>'id' = %s", (library["id"],))
        assert cursor.fetchone() == (2,)


# ---- nothing survives a write -----------------------------------------------------------------------------

def by_api(api, _):
    made(api, region_code="19.01.06.2003")


def by_patch(api, _):
    assert change(api, KAPUK, website=f"https://{uuid.uuid4().hex}.example.id").status_code == 200


def by_sql(_, cursor):
    cursor.execute("UPDATE library SET titles = coalesce(titles, 0) + 1 WHERE id = %s", (KAPUK,))


def by_bulk(_, cursor):
    cursor.execute("BEGIN; SELECT set_config('tpbis.bulk', 'on', true); UPDATE library SET copies = coalesce(copies, 0) + 1 WHERE kind = 'village'; COMMIT")


def by_copy(_, cursor):
    cursor.execute("BEGIN; INSERT INTO library (name, kind, region_code) SELECT 'TBM ' || n, 'tbm', '19.01.06.2002' FROM generate_series(1, 3) n; COMMIT")


LISTS = ["/v1/libraries?within=19", "/v1/libraries?within=19&format=csv"]
WRITES = [(write, path) for write in (by_api, by_patch, by_sql, by_bulk, by_copy) for path in LISTS] + [
    (write, path) for write in (by_patch, by_sql, by_bulk) for path in (path_of(KAPUK), path_of(BANGKA) + "/descendants")]


@pytest.mark.one_process
@pytest.mark.parametrize("write,path", WRITES)
def test_no_304_survives_a_write(own_api, own_database, write, path):
    before = settled(own_api, path)
    assert ask(own_api, path, before).status_code == 304
    with own_database.cursor() as cursor:
        write(own_api, cursor)
    if write in (by_api, by_patch):
        assert ask(own_api, path, before).status_code == 200, "our own commit counts at once"
    until(lambda: ask(own_api, path, before).status_code != 304)
    assert settled(own_api, path) != before


def test_regions_end_their_304_too(own_api, own_database):
    path = "/v1/regions?parent=19"
    tag = settled(own_api, path)
    with own_database.cursor() as cursor:
        cursor.execute("UPDATE region SET name = name WHERE code = '19.01'")
        time.sleep(0.7)
        assert own_api.get(path).headers["ETag"] == tag, "nothing has changed"
        cursor.execute("UPDATE region SET name = 'Bangka Baru' WHERE code = '19.01'")
    until(lambda: ask(own_api, path, tag).status_code != 304)
    assert "Bangka Baru" in own_api.get(path).text


def test_a_refused_write_ages_nothing(own_api):
    path = "/v1/libraries?within=19.06"
    tag = settled(own_api, path)
    problem(own_api.post("/v1/libraries", json={"name": "x", "kind": "village", "region_code": "19.06"}, token="national_admin"), 409, "region_level_mismatch")
    assert ask(own_api, path, tag).status_code == 304


def test_what_is_written_again_unchanged_keeps_its_tag(own_api):
    library = made(own_api, website="https://sama.example.id")
    tag = own_api.get(path_of(library)).headers["ETag"]
    answer = own_api.patch(path_of(library), {"website": "https://sama.example.id"}, etag=tag, token="national_admin")
    assert answer.status_code == 200 and answer.headers["ETag"] == tag and answer.json() == own_api.get(path_of(library)).json()


@pytest.mark.one_process
@pytest.mark.parametrize("shape", ["", "?fields=id,titles,computers", "list", "csv"])
def test_no_reader_is_shown_what_was_there_before_an_acknowledged_write(own_api, shape):
    """While one writes, others poll with the tags they have: whoever starts after a write was acknowledged sees it."""
    library = made(own_api, titles=0)
    path = path_of(library) + shape if shape in ("", "?fields=id,titles,computers") else \
        f"/v1/libraries?kind=tbm&q={library['name'].split()[-1]}" + ("&format=csv" if shape == "csv" else "")
    acknowledged, faults, done = [0], [], threading.Event()
    own_api.token("portal"), own_api.token("national_admin")

    def value_of(answer):
        if shape == "csv":
            header, row = answer.text.split("\r\n")[:2]
            return int(row.split(",")[header.split(",").index("titles")])
        body = answer.json()
        return (body["items"][0] if shape == "list" else body)["titles"]

    def read():
        reader = type(own_api)(own_api.service, own_api.clients, own_api.contract)
        reader._tokens = own_api._tokens
        known = {}  # tag -> value
        tag = None
        while not done.is_set():
            least = acknowledged[0]
            answer = ask(reader, path, tag)
            if answer.status_code == 304:
                value = known[answer.headers["ETag"]]
            else:
                value, tag = value_of(answer), answer.headers.get("ETag")
                known[tag] = value
            if value < least:
                faults.append((answer.status_code, value, least))

    readers = [threading.Thread(target=read) for _ in range(2)]  # a caller has two whole lists at once
    for reader in readers:
        reader.start()
    tag = own_api.get(path_of(library)).headers["ETag"]
    try:
        for titles in range(1, 60):
            answer = own_api.patch(path_of(library), {"titles": titles}, etag=tag, token="national_admin")
            assert answer.status_code == 200, answer.text
            tag, acknowledged[0] = answer.headers["ETag"], titles
            time.sleep(0.01)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not faults, faults[:5]


def test_the_answer_of_a_write_is_what_a_read_gives(own_api):
    answer = own_api.post("/v1/libraries", json={"name": "Sama", "kind": "tbm", "region_code": "19.01.06.2002"}, token="national_admin",
                          headers={"Accept-Encoding": "identity"})
    library = answer.json()
    steps = [("PATCH", {"computers": 3}), ("MOVE", {"region_code": "19.01.06.2001"}), ("PATCH", {"status": "inactive"})]
    for step, body in steps:
        read = own_api.get(path_of(library), headers={"Accept-Encoding": "identity"})
        assert (read.content, read.headers["ETag"]) == (answer.content, answer.headers["ETag"])
        if step == "PATCH":
            answer = own_api.patch(path_of(library), body, etag=read.headers["ETag"], token="national_admin", headers={"Accept-Encoding": "identity"})
        else:
            answer = own_api.post(path_of(library) + "/moves", json=body, token="national_admin", headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 200, answer.text


# ---- If-Match ---------------------------------------------------------------------------------------------

@pytest.fixture
def library(own_api):
    return made(own_api)


def patch(api, library, if_match, **fields):
    return api.patch(path_of(library), fields or {"website": f"https://{uuid.uuid4().hex}.example.id"}, token="national_admin",
                     headers={"If-Match": if_match} if if_match is not None else {})


def test_a_change_asks_for_the_tag(own_api, library):
    problem(patch(own_api, library, None), 428, "precondition_required")
    problem(own_api.delete(path_of(library), token="national_admin"), 428, "precondition_required")
    assert own_api.get(path_of(library)).json() == library


@pytest.mark.parametrize("form", ["{}", "W/{}", '{0[0]}{0[1]}-gz"', "*", '"1.x", {}', '{}, "999.y"', 'W/"0.a" ,\tW/{}', ",{},"])
def test_forms_of_a_good_tag(own_api, library, form):
    tag = own_api.get(path_of(library)).headers["ETag"]
    if "0[0]" in form:
        given = tag[:-1] + '-gz"'
    else:
        given = form.format(tag)
    assert patch(own_api, library, given).status_code == 200


def test_only_the_part_before_the_dot_is_compared(own_api, library):
    """Whoever read it in another shape, with fields or expansions, has read the same version."""
    for query in ("?fields=name", "?expand=region,supervisor"):
        assert patch(own_api, library, own_api.get(path_of(library) + query).headers["ETag"]).status_code == 200


@pytest.mark.parametrize("stale", ['"0.x"', '"999999.x"', 'W/"0.x"', '"x"', '""', '"-1.x"', '"1e0.x"', '"99999999999999999999999.x"', '"0.a", "2.b"', '"NaN.x"'])
def test_a_stale_tag_is_refused(own_api, library, stale):
    assert change(own_api, library, servers=1).status_code == 200 and change(own_api, library, servers=2).status_code == 200  # version 3
    problem(patch(own_api, library, stale), 412, "precondition_failed")
    problem(own_api.delete(path_of(library), token="national_admin", headers={"If-Match": stale}), 412, "precondition_failed")
    assert own_api.get(path_of(library)).json()["servers"] == 2


@pytest.mark.parametrize("malformed", ["", "1", "1.x", '"1.x', '1.x"', "'1.x'", '"a" "b"', "*, *", '"a", *', "W/", 'w/"a"', '"a"b', '"a b"'])
def test_a_malformed_tag_is_named(own_api, library, malformed):
    answer = patch(own_api, library, malformed)
    assert answer.status_code == 400 and "If-Match" in answer.json()["detail"], answer.text


def test_a_tag_of_another_library_is_no_key(own_api, library):
    """The version of another library may have the same number: what is written is still only one's own change."""
    other = made(own_api)
    assert change(own_api, other, servers=1).status_code == 200
    problem(patch(own_api, library, own_api.get(path_of(other)).headers["ETag"]), 412, "precondition_failed")


def test_a_move_heeds_the_tag_too(own_api, library):
    stale = own_api.get(path_of(library)).headers["ETag"]
    assert change(own_api, library, servers=1).status_code == 200
    moving = {"region_code": "19.01.06.2001"}
    problem(own_api.post(path_of(library) + "/moves", json=moving, token="national_admin", headers={"If-Match": stale}), 412, "precondition_failed")
    fresh = own_api.get(path_of(library)).headers["ETag"]
    assert own_api.post(path_of(library) + "/moves", json=moving, token="national_admin", headers={"If-Match": fresh}).status_code == 200
    assert move(own_api, made(own_api), **moving).status_code == 200, "without a tag nothing is asked"


@pytest.mark.one_process
def test_every_kind_of_write_makes_a_new_version(own_api):
    library = made(own_api, founded_on="2020-01-01")
    tag = own_api.get(path_of(library)).headers["ETag"]
    for write in (lambda: change(own_api, library, name="Lain"), lambda: move(own_api, library, region_code="19.01.06.2001", effective_on="2021-01-01"),
                  lambda: own_api.put(path_of(library) + "/identifiers/npsn", json={"value": uuid.uuid4().hex}, token="national_admin"),
                  lambda: own_api.delete(path_of(library) + "/identifiers/npsn", token="national_admin"),
                  lambda: close(own_api, library), lambda: change(own_api, library, status="active")):
        answer = write()
        assert answer.status_code in (200, 201, 204), answer.text
        problem(patch(own_api, library, tag), 412, "precondition_failed")
        assert ask(own_api, path_of(library), tag).status_code == 200
        tag = own_api.get(path_of(library)).headers["ETag"]


def test_one_of_eight_writers_with_the_same_tag_wins(own_api, library):
    tag = own_api.get(path_of(library)).headers["ETag"]
    own_api.token("national_admin")
    answers = []

    def write(n):
        answers.append(patch(own_api, library, tag, computers=n))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1 and sorted(answer.status_code for answer in answers)[1:] == [412] * 7
    assert own_api.get(path_of(library)).json()["computers"] == won[0].json()["computers"]
