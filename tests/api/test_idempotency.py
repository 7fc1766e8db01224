"""Idempotency-Key: one effect and one answer, however often a POST is sent.

That every POST keeps this is tried wherever tests send one: harness/client.py sends it again."""

import gzip
import random
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import libraries, replications
from harness.client import Api, problem
from harness.waiting import until

PATH = "/v1/libraries"


def body(**fields):
    return {"name": f"Perpustakaan kunci {uuid.uuid4().hex}", "kind": "tbm", "region_code": libraries.VILLAGE, **fields}


def key():
    return str(uuid.uuid4())


def send(api, sent, with_key, path=PATH, token="national_admin", **headers):
    return api.post(path, json=sent, token=token, headers={"Idempotency-Key": with_key, **headers})


def count(database, name):
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM library WHERE name = %s", (name,))
        return cursor.fetchone()[0]


def kept(database):
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM idempotency")
        return cursor.fetchone()[0]


# ---- one caller ----------------------------------------------------------------------------------

def test_the_first_answer_is_sent_again(own_api, own_database):
    sent, k = body(), key()
    first = send(own_api, sent, k)
    assert first.status_code == 201 and "Idempotent-Replayed" not in first.headers
    for form in (k, f'"{k}"'):
        Api.replay(first, send(own_api, sent, form))
    assert count(own_database, sent["name"]) == 1
    with own_database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit WHERE table_name = 'library' AND after ->> 'name' = %s", (sent["name"],))
        assert cursor.fetchone()[0] == 1


def test_a_transition_is_made_once(own_api):
    one = replications.proposed(own_api)
    path, sent, k = f"/v1/replications/{one['id']}/transitions", {"to": "cancelled"}, key()
    first = send(own_api, sent, k, path)
    assert first.status_code == 200, first.text
    Api.replay(first, send(own_api, sent, k, path))
    problem(send(own_api, sent, key(), path), 409, "replication_transition")  # without the key it is another wish
    history = own_api.get(f"/v1/replications/{one['id']}/history").json()["items"]
    assert [step["to"] for step in history].count("cancelled") == 1


def test_the_replay_is_the_first_answer_even_when_the_object_has_changed(own_api):
    sent, k = body(), key()
    first = send(own_api, sent, k)
    answer = libraries.change(own_api, first.json(), name=sent["name"] + " baru")
    assert answer.status_code == 200
    Api.replay(first, send(own_api, sent, k))


@pytest.mark.parametrize("change", ["body", "target", "operation"])
def test_another_request_with_the_key_is_refused(own_api, own_database, change):
    sent, k = body(), key()
    first = send(own_api, sent, k)
    assert first.status_code == 201
    if change == "body":
        answer = send(own_api, {**sent, "computers": 1}, k)
    elif change == "target":
        one, two = replications.proposed(own_api), replications.proposed(own_api)
        k = key()
        assert send(own_api, {"to": "cancelled"}, k, f"/v1/replications/{one['id']}/transitions").status_code == 200
        answer = send(own_api, {"to": "cancelled"}, k, f"/v1/replications/{two['id']}/transitions")
        assert own_api.get(f"/v1/replications/{two['id']}", token="national_admin").json()["status"] == "proposed"
    else:
        answer = send(own_api, {"title": "x"}, k, "/v1/organizations")
        assert answer.status_code == 422 and answer.json()["code"] == "invalid_body"  # what the request alone shows is said first
        answer = send(own_api, {"name": "Lembaga", "sector": "media"}, k, "/v1/organizations")
    problem(answer, 422, "idempotency_key_reused")
    assert count(own_database, sent["name"]) == 1


def test_keys_that_are_none(own_api, own_database):
    before = kept(own_database)
    for bad in ("", '""', "x" * 256, "a b", "a\tb", "k\xe9", '"' + "x" * 256 + '"', "a, b"):
        sent = body()
        told = problem(send(own_api, sent, bad.encode("latin-1")), 400, "bad_request")
        assert "Idempotency-Key" in told["detail"]
        assert count(own_database, sent["name"]) == 0
    sent, longest = body(), "~" * 255
    first = send(own_api, sent, longest)
    assert first.status_code == 201
    Api.replay(first, send(own_api, sent, f'"{longest}"'))
    assert kept(own_database) == before + 1


def test_two_headers_are_no_key(own_api):
    sent, token = body(), own_api.token("national_admin")
    host, port = own_api.address.removeprefix("http://").split(":")
    text = str(sent).replace("'", '"')
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall((f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                     f"Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}").encode())
        assert b" 400 " in raw.recv(100)


def test_a_refusal_is_not_kept(own_api, own_database):
    k, npp = key(), f"{random.randrange(10**6, 10**7)}X{random.randrange(10**6, 10**7)}"
    taken = libraries.made(own_api, npp=npp)
    sent = body(npp=npp)
    for _ in range(2):
        refused = problem(send(own_api, sent, k), 409, "npp_taken")
        assert refused["code"] == "npp_taken"
    problem(send(own_api, {**sent, "colour": 1}, k), 422, "invalid_body")
    problem(send(own_api, sent, k, token="portal"), 403, "insufficient_scope")
    assert libraries.change(own_api, taken, npp=None).status_code == 200
    first = send(own_api, sent, k)
    assert first.status_code == 201 and "Idempotent-Replayed" not in first.headers
    Api.replay(first, send(own_api, sent, k))
    assert count(own_database, sent["name"]) == 1


def test_other_methods_do_not_mind_the_header(own_api):
    library = libraries.made(own_api)
    path, k = libraries.path_of(library), key()
    for computers in (1, 2):
        answer = own_api.patch(path, {"computers": computers}, etag=libraries.tag_of(own_api, library), token="national_admin",
                               headers={"Idempotency-Key": k})
        assert answer.status_code == 200 and answer.json()["computers"] == computers
    assert own_api.get(path, headers={"Idempotency-Key": ""}).status_code == 200


def test_an_id_of_the_client_and_a_key_together(own_api, own_database):
    sent = body(id=str(uuid.uuid4()))
    sent["id"] = sent["id"][:14] + "7" + sent["id"][15:]
    first, k = send(own_api, sent, key()), key()
    assert first.status_code == 201
    other = send(own_api, sent, k)  # the same body under another key: the object, not a second one
    assert other.status_code == 200 and other.json()["id"] == sent["id"]
    Api.replay(other, send(own_api, sent, k))
    assert count(own_database, sent["name"]) == 1


def test_compressed_or_not_is_the_second_sender_s_choice(own_api):
    sent, k = body(address="Jalan " + "panjang " * 60, applications=[{"name": f"Aplikasi nomor {n}", "version": "1"} for n in range(20)]), key()
    first = send(own_api, sent, k, **{"Accept-Encoding": "gzip"})
    assert first.status_code == 201 and first.headers["Content-Encoding"] == "gzip" and first.headers["ETag"].endswith('-gz"')
    plain = send(own_api, sent, k, **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers and plain.content == first.content
    assert plain.headers["ETag"] == first.headers["ETag"].replace('-gz"', '"')
    packed = send(own_api, sent, k, **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["ETag"] == first.headers["ETag"]
    assert packed.content == first.content
    assert gzip.compress(b"") and packed.headers["Idempotent-Replayed"] == "true"


# ---- several -------------------------------------------------------------------------------------

def test_keys_belong_to_their_sender(own_api, own_database):
    sent, k = body(), key()
    one = send(own_api, sent, k)
    two = send(own_api, sent, k, token="provincial_coordinator")
    assert one.status_code == two.status_code == 201 and one.json()["id"] != two.json()["id"]
    Api.replay(one, send(own_api, sent, k))
    Api.replay(two, send(own_api, sent, k, token="provincial_coordinator"))
    assert count(own_database, sent["name"]) == 2


def test_racing_senders_have_one_effect_and_one_answer(own_api, own_database):
    for _ in range(5):
        sent, k = body(), key()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: send(own_api, sent, k), range(8)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert ["Idempotent-Replayed" in answer.headers for answer in answers].count(False) == 1
        assert count(own_database, sent["name"]) == 1


def test_racing_senders_of_a_refused_request_are_each_refused(own_api):
    npp = f"{random.randrange(10**6, 10**7)}X{random.randrange(10**6, 10**7)}"
    libraries.made(own_api, npp=npp)
    sent, k = body(npp=npp), key()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: send(own_api, sent, k), range(6)))
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "npp_taken")}


def advisory_waits(database):
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted")
        return cursor.fetchone()[0]


def test_whoever_comes_while_the_first_is_at_work_waits_or_comes_back(fresh):
    api = fresh(twins=1, statement_timeout_ms=60000)
    sent, k = body(), key()
    with api.service.cluster.connect(api.service.database) as holder, api.service.cluster.connect(api.service.database) as other:
        with holder.cursor() as cursor:  # the write waits until it may go on, its claim is made
            cursor.execute("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql"
                           " AS 'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END'")
            cursor.execute("CREATE TRIGGER slow BEFORE INSERT ON library FOR EACH ROW EXECUTE FUNCTION slow()")
            cursor.execute("SELECT pg_advisory_lock(4711)")
        with ThreadPoolExecutor(2) as pool:
            api.token("national_admin")
            first = pool.submit(send, api, sent, k)
            until(lambda: advisory_waits(other))
            began = time.monotonic()
            second = send(api, sent, k)
            waited = time.monotonic() - began
            problem(second, 409, "idempotency_in_progress")
            assert second.headers["Retry-After"] == "1" and waited > 1
            with holder.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(4711)")
            assert first.result().status_code == 201
        Api.replay(first.result(), send(api, sent, k))
        assert count(other, sent["name"]) == 1


def test_every_key_has_one_effect_whatever_gets_lost(own_api, own_database):
    """Senders that give up, come back, race and repeat: of each key at most one effect, and exactly one in the end."""
    dice, token = random.Random(20261121), own_api.token("national_admin")
    host, port = own_api.address.removeprefix("http://").split(":")
    wishes = [(key(), body()) for _ in range(12)]
    plan = [wish for wish in wishes for _ in range(dice.randrange(1, 6))]
    dice.shuffle(plan)

    def lose(k, sent):
        """Sends all of it, or a part, and does not stay for the answer."""
        text = str(sent).replace("'", '"')
        request = (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                   f"Idempotency-Key: {k}\r\nContent-Length: {len(text)}\r\n\r\n{text}").encode()
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(request[:dice.choice([len(request)] * 3 + [len(request) - 20])])
            time.sleep(dice.choice([0, 0, 0.005, 0.02]))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def one(wish):
        if dice.random() < 0.6:
            lose(*wish)
        else:
            answer = send(own_api, wish[1], wish[0])
            assert answer.status_code == 201, answer.text

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, plan))
    for k, sent in wishes:
        first = send(own_api, sent, k)
        assert first.status_code == 201 and first.json()["name"] == sent["name"]
        assert send(own_api, sent, k).content == first.content
        assert count(own_database, sent["name"]) == 1


# ---- time, rights, what is stored ------------------------------------------------------------------

def test_after_a_day_a_key_is_new(own_api, own_database):
    sent, k = body(), key()
    first = send(own_api, sent, k)
    with own_database.cursor() as cursor:
        cursor.execute("SELECT expires_at - created_at = '24 hours', count(*) FROM idempotency GROUP BY 1")
        assert [row[0] for row in cursor.fetchall()] == [True]
        cursor.execute("UPDATE idempotency SET created_at = created_at - interval '24 hours', expires_at = now()")
    second = send(own_api, sent, k)
    assert second.status_code == 201 and "Idempotent-Replayed" not in second.headers
    assert second.json()["id"] != first.json()["id"] and count(own_database, sent["name"]) == 2
    Api.replay(second, send(own_api, sent, k))


def test_lost_rights_end_the_replay(fresh):
    api = fresh(twins=1)
    cluster, database = api.service.cluster, api.service.database
    client = cluster.make_client(database, "regency_facilitator", region="19.01")
    token = api.post("/oauth2/token", data={"grant_type": "client_credentials"}, token=None,
                     auth=(client["client_id"], client["client_secret"])).json()["access_token"]
    sent, k = body(kind="village", region_code="19.01.07.2004"), key()
    first = send(api, sent, k, token=token)
    assert first.status_code == 201, first.text

    def change(text):
        with cluster.owner(database).cursor() as cursor:
            cursor.execute(text, (client["client_id"],))
        time.sleep(1)  # the watch looks every quarter of a second

    moved = ("WITH ended AS (UPDATE assignment SET starts_on = today() - 9, ends_on = today() - 1 "
             "WHERE client_id = %s AND ends_on IS NULL RETURNING client_id, role) "
             "INSERT INTO assignment (client_id, role, region_code) SELECT client_id, role, '{}' FROM ended")
    change(moved.format("19.02"))
    told = problem(send(api, sent, k, token=token), 409, "idempotency_rights_changed")
    assert sent["name"] not in str(told)
    change(moved.format("19.01"))
    Api.replay(first, send(api, sent, k, token=token))
    change("UPDATE assignment SET starts_on = today() - 99, ends_on = today() - 98 WHERE client_id = %s AND ends_on IS NULL")
    problem(send(api, sent, k, token=token), 403, "insufficient_scope")
    change("UPDATE client SET status = 'suspended' WHERE id = %s")
    problem(send(api, sent, k, token=token), 401, "invalid_token")
    with cluster.connect(database) as connection:
        assert count(connection, sent["name"]) == 1


def test_the_table_shows_neither_keys_nor_answers(own_api, own_database):
    sent, k = body(name="Perpustakaan Rahasia Sekali"), "kunci-" + key()
    assert send(own_api, sent, k).status_code == 201
    with own_database.cursor() as cursor:
        cursor.execute("SELECT row_to_json(i)::text, answer FROM idempotency i")
        rows = cursor.fetchall()
    for text, answer in rows:
        assert k not in text and "Rahasia" not in text and k.encode() not in bytes(answer) and b"Rahasia" not in bytes(answer)
    assert k not in own_api.service.log_text()
    with own_api.service.cluster.connect(own_api.service.database, owner=False) as connection, connection.cursor() as cursor:
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("SELECT FROM idempotency")


def test_an_answer_somebody_touched_is_not_sent(own_api, own_database):
    sent, k = body(), key()
    assert send(own_api, sent, k).status_code == 201
    with own_database.cursor() as cursor:
        cursor.execute("UPDATE idempotency SET answer = set_byte(answer, 40, get_byte(answer, 40) # 1)")
    problem(send(own_api, sent, k), 500, "internal")
    assert any(line["event"] == "idempotency_seal_broken" for line in own_api.service.log_lines())
    with own_database.cursor() as cursor:
        cursor.execute("DELETE FROM idempotency")


@pytest.mark.one_process
def test_figures(own_api):
    kept, replayed = "tpbis_idempotency_kept_total", "tpbis_idempotency_replayed_total"
    before = own_api.figure(kept), own_api.figure(replayed)
    sent, k = body(), key()
    for _ in range(3):
        assert send(own_api, sent, k).status_code == 201
    assert (own_api.figure(kept), own_api.figure(replayed)) == (before[0] + 1, before[1] + 2)


def test_every_post_says_so_in_the_contract(contract):
    posts = [(path, methods["post"]) for path, methods in contract.document["paths"].items() if "post" in methods]
    assert len(posts) > 20
    for path, operation in posts:
        names = [contract.resolve(parameter)["name"] for parameter in operation.get("parameters", [])]
        assert ("Idempotency-Key" in names) == (path.startswith("/v1/") and bool(operation["security"])), path
    assert threading.active_count() < 50


def test_a_secret_is_shown_again_to_who_has_a_key_that_cannot_be_guessed(own_api, own_database):
    sent = {"name": "Aplikasi kunci", "type": "confidential", "owner_name": "Dinas", "owner_email": "dinas@example.id"}
    for short in ("1", "x" * 15):
        told = problem(send(own_api, sent, short, "/v1/clients"), 400, "bad_request")
        assert "16" in told["detail"]
    k = key()
    first = send(own_api, sent, k, "/v1/clients", **{"Accept-Encoding": "gzip"})
    assert first.status_code == 201 and first.json()["client_secret"]
    assert first.headers["Cache-Control"] == "no-store" and "Content-Encoding" not in first.headers
    Api.replay(first, send(own_api, sent, k, "/v1/clients"))
    with own_database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM client WHERE name = %s", (sent["name"],))
        assert cursor.fetchone()[0] == 1
        cursor.execute("SELECT i::text FROM idempotency i")
        assert not any(first.json()["client_secret"].encode().hex() in row[0] for row in cursor.fetchall())
