"""API keys: what they open, how they end, and that their last use is known without slowing anybody."""

import time
import uuid

import pytest

from harness import libraries
from harness.client import problem
from harness.machines import PATH, api_key, assign, checksum, client, path_of, sound
from harness.tokens import refused, use
from harness.waiting import PATIENCE_SECONDS

SECONDS = PATIENCE_SECONDS  # a change holds within two; the rest is a slow machine


def eventually(question):
    end = time.monotonic() + SECONDS
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def send(api, method, path, key, **options):
    return api.request(method, path, token=None, headers={"Authorization": f"Bearer {key}"}, **options)


def made(api, database, role="portal", **fields):
    """A client charged with that role, and a key of it."""
    one = client(api)
    assign(database, one, role)
    answer = api_key(api, one, **fields)
    assert answer.status_code == 201, answer.text
    return one, answer.json()


def listed(api, one):
    return list(api.pages(path_of(one) + "/api-keys", token="national_admin"))


class TestMaking:
    def test_shown_once(self, api, database):
        one = client(api)
        answer = api_key(api, one, name="Situs dinas", expires_at="2999-01-01T00:00:00Z")
        assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        text = body.pop("api_key")
        assert sound(text, "k") and body["hint"] == text[-6:] and body["name"] == "Situs dinas"
        assert (body["scopes"], body["revoked_at"], body["last_used_on"]) == (["published:read"], None, None)
        assert answer.headers["Location"] == f"{path_of(one)}/api-keys/{body['id']}"
        assert listed(api, one) == [body]
        with database.cursor() as cursor:
            cursor.execute("SELECT hash = sha256(%s::text::bytea) FROM api_key WHERE id = %s", (text, body["id"]))
            assert cursor.fetchone()[0] is True
            cursor.execute("SELECT count(*) FROM audit WHERE (coalesce(before, '{}') || coalesce(after, '{}'))::text LIKE %s", (f"%{text[8:]}%",))
            assert cursor.fetchone()[0] == 0
        assert text not in api.service.log_text()

    def test_only_reading(self, api):
        one = client(api)
        for scopes in (["contacts:read"], ["published:read", "contacts:read"], ["libraries:write"], []):
            problem(api_key(api, one, scopes=scopes), 422, "invalid_body")
        assert api_key(api, one, scopes=["published:read"]).status_code == 201
        problem(api_key(api, one, expires_at="2020-01-01T00:00:00Z"), 409, "expiry_past")

    def test_no_more_than_twenty(self, api):
        one = client(api)
        ids = [api_key(api, one).json()["id"] for _ in range(20)]
        problem(api_key(api, one), 409, "too_many_api_keys")
        assert api.delete(f"{path_of(one)}/api-keys/{ids[3]}", token="national_admin").status_code == 204
        assert api_key(api, one).status_code == 201
        assert [item["id"] for item in api.pages(path_of(one) + "/api-keys?limit=5", token="national_admin")][:20] == ids
        rows = libraries.rows_of(api.get(path_of(one) + "/api-keys?format=csv", token="national_admin").text)
        assert len(rows) == 21
        page = api.get(path_of(one) + "/api-keys?count=exact", token="national_admin")
        assert page.json()["total"] == 21
        assert api.get(path_of(one) + "/api-keys?count=exact", token="national_admin",
                       headers={"If-None-Match": page.headers["ETag"]}).status_code == 304

    def test_of_nobody(self, api):
        problem(api_key(api, {"id": "c_nobody"}), 404, "not_found")
        problem(api.get(PATH + "/c_nobody/api-keys", token="national_admin"), 404, "not_found")
        mine, other = client(api), client(api)
        theirs = api_key(api, other).json()["id"]
        for path in (f"{path_of(mine)}/api-keys/{theirs}", f"{PATH}/c_nobody/api-keys/{theirs}", f"{path_of(mine)}/api-keys/{uuid.uuid4()}"):
            problem(api.delete(path, token="national_admin"), 404, "not_found")
        assert listed(api, other)[0]["revoked_at"] is None


class TestUsing:
    def test_reads_what_is_published_and_no_more(self, api, database):
        one, key = made(api, database, "national_admin")
        assert use(api, key["api_key"]).status_code == 200
        problem(send(api, "POST", "/v1/libraries", key["api_key"], json={"name": "X", "kind": "tbm", "region_code": "19.01.06.2002"}),
                403, "insufficient_scope")
        for path in ("/v1/clients", path_of(one)):
            problem(send(api, "GET", path, key["api_key"]), 403, "insufficient_scope")
        line = next(line for line in api.service.log_lines() if line.get("api_key") == key["id"])
        assert line["client"] == one["id"]

    def test_without_an_assignment_nothing(self, api):
        key = api_key(api, client(api)).json()["api_key"]
        problem(use(api, key), 403, "insufficient_scope")

    def test_a_public_app_without_a_user(self, api, database):
        app = client(api, "public")
        assign(database, app, "public_app")
        assert use(api, api_key(api, app).json()["api_key"]).status_code == 200

    def test_within_what_the_client_may(self, api, database):
        one, key = made(api, database)
        assert use(api, key["api_key"]).status_code == 200
        tag = api.get(path_of(one), token="national_admin").headers["ETag"]
        assert api.patch(path_of(one), {"allowed_scopes": ["contacts:read"]}, etag=tag, token="national_admin").status_code == 200
        eventually(lambda: use(api, key["api_key"]).status_code == 403)

    def test_revoked(self, api, database):
        one, key = made(api, database)
        other = api_key(api, one).json()["api_key"]
        assert use(api, key["api_key"]).status_code == use(api, other).status_code == 200
        path = f"{path_of(one)}/api-keys/{key['id']}"
        assert api.delete(path, token="national_admin").status_code == 204
        eventually(lambda: use(api, key["api_key"]).status_code == 401)
        refused(api, key["api_key"])
        assert use(api, other).status_code == 200
        revoked = next(item for item in listed(api, one) if item["id"] == key["id"])["revoked_at"]
        assert revoked and api.delete(path, token="national_admin").status_code == 204  # again changes nothing
        assert next(item for item in listed(api, one) if item["id"] == key["id"])["revoked_at"] == revoked

    def test_expired(self, api, database):
        """At its second, remembered or not: nothing changes in the database then."""
        for seconds in (3, 10, 60):  # on a busy machine the first may have expired before it was used
            end = int(time.time()) + seconds
            _, key = made(api, database, expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end)))
            answer = use(api, key["api_key"])
            if time.time() < end:
                break
        assert answer.status_code == 200
        time.sleep(max(0, end - time.time()) + 0.1)
        refused(api, key["api_key"])

    def test_of_a_suspended_client(self, api, database):
        one, key = made(api, database)
        assert use(api, key["api_key"]).status_code == 200
        assert api.post(path_of(one) + "/suspend", json={"reason": "uji"}, token="national_admin").status_code == 200
        eventually(lambda: use(api, key["api_key"]).status_code == 401)

    def test_forged(self, api, database):
        _, key = made(api, database)
        text = key["api_key"]
        for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), text[:-1], text + "A", "tpbis_k_", text.replace("_k_", "_s_"),
                      text[:8] + text[8:51].swapcase() + text[51:], text.upper()):
            refused(api, wrong)

    @pytest.mark.one_process
    def test_a_broken_one_costs_no_query(self, api, database):
        """What is not whole never reaches the database; what is whole and unknown does."""
        def refusals():
            return [line["reason"] for line in api.service.log_lines() if line["event"] == "api_key_refused"]
        before = len(refusals())
        whole = "tpbis_k_" + "A" * 43
        refused(api, whole + "000000")
        refused(api, whole + checksum(whole))
        assert refusals()[before:] == ["malformed", "unknown"]


class TestLastUse:
    def test_the_day_is_written(self, fresh, cluster):
        api = fresh(api_key_use_interval_s=1)
        with cluster.connect(api.service.database) as database:
            one, key = made(api, database)
            idle = api_key(api, one).json()
            assert use(api, key["api_key"]).status_code == 200
            page = api.get(path_of(one) + "/api-keys", token="national_admin")

            def last():
                return {item["id"]: item["last_used_on"] for item in listed(api, one)}
            today = eventually(lambda: last()[key["id"]])
            assert time.strptime(today, "%Y-%m-%d") and last()[idle["id"]] is None
            if page.json()["items"][0]["last_used_on"] is None:  # and whoever polls the list is told
                again = api.get(path_of(one) + "/api-keys", token="national_admin", headers={"If-None-Match": page.headers["ETag"]})
                assert again.status_code == 200
            for _ in range(20):
                assert use(api, key["api_key"]).status_code == 200
            time.sleep(1.5)
            with database.cursor() as cursor:  # once a day, by each process
                cursor.execute("SELECT count(*) FROM audit WHERE table_name = 'api_key_use' AND row_key ->> 'api_key_id' = %s", (key["id"],))
                assert cursor.fetchone()[0] == 1

    def test_the_last_ones_are_written_at_the_stop(self, fresh, cluster):
        api = fresh(api_key_use_interval_s=3600)
        with cluster.connect(api.service.database) as database:
            _, key = made(api, database)
            assert use(api, key["api_key"]).status_code == 200
            assert api.service.stop() == 0
            with database.cursor() as cursor:
                cursor.execute("SELECT last_used_on = today() FROM api_key_use WHERE api_key_id = %s", (key["id"],))
                assert cursor.fetchone() == (True,)
