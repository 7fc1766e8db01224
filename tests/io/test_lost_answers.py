"""Answers that never arrive: the same POST with the same Idempotency-Key has one effect, whatever broke in between."""

import uuid

import pytest
import requests
from harness.client import Api, problem
from harness.proxy import Proxy, Rule
from harness.service import Service

PATH = "/v1/libraries"


@pytest.fixture
def lossy(cluster, directory, contract):
    """A service whose way to the database can be cut, and that may be killed and started again."""
    database = cluster.make_database()
    with Proxy(cluster, database) as proxy:
        service = Service(cluster, database, directory / database, database_url=proxy.url)
        api = Api(service, cluster.clients, contract)
        api.proxy = proxy
        api.token("national_admin")
        yield api
        service.kill()
    cluster.drop_database(database)


def wish():
    return str(uuid.uuid4()), {"name": f"Perpustakaan {uuid.uuid4().hex}", "kind": "tbm", "region_code": "19.01.06.2002"}


def send(api, key, body):
    return api.post(PATH, json=body, token="national_admin", headers={"Idempotency-Key": key})


def count(api, body):
    with api.service.owner.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM library WHERE name = %s", (body["name"],))
        return cursor.fetchone()[0]


@pytest.mark.parametrize("match, answer_bytes, stored", [(b"claim_idempotency", 0, 0), (b"keep_idempotency", None, 0), (b"keep_idempotency", 0, 0),
                                                         (b"COMMIT\0", None, 0), (b"COMMIT\0", 0, 1)])
def test_a_lost_database_connection(lossy, match, answer_bytes, stored):
    """Wherever it is cut; the sender cannot know, sends again, and has one library and its answer."""
    key, body = wish()
    lossy.proxy.rules = [Rule(match, answer_bytes, times=2)]  # twice: a second try of the engine's own fails too
    problem(send(lossy, key, body), 503, "outcome_unknown" if match == b"COMMIT\0" else "database_unavailable")
    assert count(lossy, body) == stored and lossy.proxy.rules[0].used > 0
    lossy.proxy.rules = []
    again = send(lossy, key, body)
    assert again.status_code == 201 and again.json()["name"] == body["name"]
    assert again.headers.get("Idempotent-Replayed") == ("true" if stored else None)
    assert send(lossy, key, body).content == again.content
    assert count(lossy, body) == 1


def test_killed_between_commit_and_answer(lossy, eventually):
    """PostgreSQL has committed, the service dies before it hears so: the next process gives the first's answer."""
    key, body = wish()
    lossy.proxy.rules = [Rule(b"COMMIT\0", 0, answered=lossy.service.kill)]
    with pytest.raises(requests.ConnectionError):
        send(lossy, key, body)
    assert count(lossy, body) == 1
    lossy.proxy.rules = []
    lossy.service.start()
    answer = send(lossy, key, body)
    assert answer.status_code == 201 and answer.headers["Idempotent-Replayed"] == "true"
    shown = lossy.get(answer.headers["Location"], token="national_admin")
    assert shown.json() == answer.json() and shown.headers["ETag"] == answer.headers["ETag"]
    assert count(lossy, body) == 1


def test_killed_before_commit(lossy):
    """Nothing was done, and the key is as good as new."""
    key, body = wish()
    lossy.proxy.rules = [Rule(b"keep_idempotency", 0, answered=lossy.service.kill)]
    with pytest.raises(requests.ConnectionError):
        send(lossy, key, body)
    assert count(lossy, body) == 0
    lossy.proxy.rules = []
    lossy.service.start()
    answer = send(lossy, key, body)
    assert answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers
    assert count(lossy, body) == 1
