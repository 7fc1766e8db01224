"""Two processes on one database behind the shipped proxy; each is killed under load and started again.

Rule: what a client was told to be stored is there; a read fails at most once, when its answer was just on its way; and
no tag is found fresh longer after a write than the watch vouches for it."""

import random
import threading
import time

import pytest
import requests
from harness.gateway import BASE_URL, Gateway
from harness.libraries import VILLAGE, path_of
from harness.load import PAUSE_SECONDS
from harness.service import Service

BOUND_SECONDS = 2  # of a tag's freshness: without news from the database for so long, nothing is answered from memory
PAGES = ["/v1/regions/19", "/v1/regions?parent=19", "/v1/libraries?within=19&kind=village", "/v1/libraries?within=19&format=csv&limit=20"]
ROUNDS, READERS, WRITERS = 2, 2, 2


@pytest.fixture
def pair(cluster, directory):
    database = cluster.make_database()
    one = Service(cluster, database, directory / (database + "-one"), base_url=BASE_URL, drain_idle_ms=1000)
    two = Service(cluster, database, directory / (database + "-two"), keys=one.keys_dir, base_url=BASE_URL, drain_idle_ms=1000)
    # the load of these tests comes from one address, and faster than such an address may
    gateway = Gateway(directory / (database + "-nginx"), [one.port, two.port], other=[("rate=100r/s", "rate=99999r/s"), ("burst=400", "burst=99999")])
    yield gateway, one, two
    assert gateway.stop() == 0
    assert [one.stop(), two.stop()] == [0, 0]
    cluster.drop_database(database)


class Client:
    """Asks through the proxy, on connections that it keeps; every answer of the API is a status, a lost one is None."""

    def __init__(self, gateway, token=None, address=None):
        self.address = address or gateway.address
        self.session = requests.Session()
        self.session.trust_env, self.session.verify = False, str(gateway.certificate)
        self.session.headers["Accept-Encoding"] = "identity"
        if token:
            self.session.headers["Authorization"] = "Bearer " + token

    def ask(self, method, path, headers=None, **options):
        try:
            return self.session.request(method, self.address + path, headers=headers, timeout=30, **options)
        except requests.RequestException:
            return None


def token_of(gateway, cluster, role):
    client = cluster.clients[role]
    answer = Client(gateway).ask("POST", "/oauth2/token", data={"grant_type": "client_credentials"},
                                 auth=(client["client_id"], client["client_secret"]))
    return answer.json()["access_token"]


class Load:
    """Threads that work until the end; what they found wrong is in `faults`."""

    def __init__(self):
        self.faults, self.counts, self.done, self.threads = [], {}, threading.Event(), []

    def add(self, step, *arguments):
        """Calls step(count, fault, ...) again and again."""
        def work():
            while not self.done.is_set():
                try:
                    step(self.count, self.faults.append, *arguments)
                except Exception as error:  # a thread must not die in silence
                    self.faults.append(repr(error))
                    return
                self.done.wait(PAUSE_SECONDS)

        self.threads.append(threading.Thread(target=work))

    def count(self, name):
        self.counts[name] = self.counts.get(name, 0) + 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(60)


def read(count, fault, client):
    """A read; once more when the answer broke off. The proxy has asked the other process by itself."""
    path = random.choice(PAGES)
    answer = client.ask("GET", path)
    if answer is None or answer.status_code != 200:
        count("read again")
        answer = client.ask("GET", path)
    count("read")
    if answer is None or answer.status_code != 200:
        fault(f"{path}: {answer and answer.text}")


def create(count, fault, client, stored):
    """A write with an id of the client's own, sent again until somebody answers that it is there."""
    new = f"{int(time.time() * 1000):012x}{random.getrandbits(80):020x}"
    new = f"{new[:8]}-{new[8:12]}-7{new[13:16]}-a{new[17:20]}-{new[20:]}"
    body = {"id": new, "name": f"Perpustakaan {new}", "kind": "tbm", "region_code": VILLAGE}
    for _ in range(20):
        answer = client.ask("POST", "/v1/libraries", json=body)
        if answer is not None and answer.status_code in (200, 201):
            stored[new] = body["name"]
            count("stored")
            return
        if answer is not None and answer.status_code not in (502, 503, 504):
            fault(f"{new}: {answer.status_code} {answer.text}")
            return
        count("stored again")
        time.sleep(0.2)
    fault(f"{new}: never stored")


def change(count, fault, client, library, reader):
    """A change of one library, then: is its former tag found fresh for longer than the bound?"""
    path = path_of(library)
    before = client.ask("GET", path)
    if before is None or before.status_code != 200:
        return
    former, name = before.headers["ETag"], f"Taman baca {random.getrandbits(40):x}"
    answer = client.ask("PATCH", path, json={"name": name}, headers={"If-Match": former, "Content-Type": "application/merge-patch+json"})
    if answer is None or answer.status_code in (502, 503, 504):
        count("changed perhaps")
        return
    if answer.status_code != 200:
        fault(f"{path}: {answer.status_code} {answer.text}")
        return
    count("changed")
    acknowledged = time.monotonic()
    while time.monotonic() < acknowledged + BOUND_SECONDS + 1:
        began = time.monotonic()
        seen = reader.ask("GET", path, headers={"If-None-Match": former})
        if seen is not None and seen.status_code == 304:
            count("fresh for a moment")
            if began > acknowledged + BOUND_SECONDS:
                fault(f"{path}: {former} is found fresh {began - acknowledged:.2f} s after its end")
                return
        elif seen is not None and seen.status_code == 200:
            count("seen")
            if seen.json()["name"] != name and began > acknowledged + BOUND_SECONDS:
                fault(f"{path}: an old body")
        time.sleep(0.1)


def names_of(cluster, database, ids):
    with cluster.owner(database).cursor() as cursor:
        cursor.execute("SELECT id::text, name FROM library WHERE id = ANY (%s::uuid[])", (list(ids),))
        return dict(cursor.fetchall())


def requests_of(service):
    return sum(line["event"] == "request" for line in service.log_lines())


def test_a_process_is_killed_under_load(pair, cluster, eventually):
    gateway, one, two = pair
    reader, writer = token_of(gateway, cluster, "portal"), token_of(gateway, cluster, "national_admin")
    made = Client(gateway, writer).ask("POST", "/v1/libraries", json={"name": "Taman baca", "kind": "tbm", "region_code": VILLAGE})
    assert made.status_code == 201, made.text
    stored, load = {}, Load()
    for _ in range(READERS):
        load.add(read, Client(gateway, reader))
    for _ in range(WRITERS):
        load.add(create, Client(gateway, writer), stored)
    load.add(change, Client(gateway, writer), made.json(), Client(gateway, reader))
    with load:
        for _ in range(ROUNDS):
            for victim, other in ((one, two), (two, one)):
                began = requests_of(victim), requests_of(other)
                eventually(lambda: requests_of(victim) > began[0] + 10 and requests_of(other) > began[1] + 10, 30)  # both work
                victim.kill()
                alone = len(stored), requests_of(other)
                eventually(lambda: len(stored) > alone[0] + 2 and requests_of(other) > alone[1] + 10, 30)
                victim.start()
        whole = len(stored)
        eventually(lambda: len(stored) > whole + 2, 30)
    assert load.faults == []
    assert load.counts["read"] > 100 and load.counts["changed"] >= 2 and load.counts["seen"] > 10, load.counts
    # Whose answer was under way may ask again; the proxy hid all the rest.
    assert load.counts.get("read again", 0) <= 2 * ROUNDS * READERS, load.counts
    assert names_of(cluster, one.database, stored) == stored


def test_a_tag_of_either_is_good_at_both(pair, cluster):
    gateway, one, two = pair
    token = token_of(gateway, cluster, "portal")
    each = [Client(gateway, token, service.address) for service in (one, two)]
    behind = Client(gateway, token)
    for path in PAGES:
        tags = {client.ask("GET", path).headers["ETag"] for client in each}
        assert len(tags) == 1
        served = [requests_of(service) for service in (one, two)]
        for _ in range(6):
            answer = behind.ask("GET", path, headers={"If-None-Match": next(iter(tags))})
            assert answer.status_code == 304 and answer.headers["ETag"] in tags, path
        assert all(requests_of(service) > before for service, before in zip((one, two), served)), "one of them had nothing to do"
    one.kill()  # what the other has remembered or not, it knows the tag
    for path in PAGES:
        assert behind.ask("GET", path, headers={"If-None-Match": each[1].ask("GET", path).headers["ETag"]}).status_code == 304
    one.start()
    for path in PAGES:
        tag = each[1].ask("GET", path).headers["ETag"]
        assert each[0].ask("GET", path, headers={"If-None-Match": tag}).status_code == 304, path


def test_a_process_that_stops_properly_fails_nothing(pair, cluster, eventually):
    """One after the other is replaced: every request is answered well the first time, writes included."""
    gateway, one, two = pair
    reader, writer = token_of(gateway, cluster, "portal"), token_of(gateway, cluster, "national_admin")
    stored, load = {}, Load()
    load.add(read, Client(gateway, reader))
    load.add(create, Client(gateway, writer), stored)
    with load:
        for service in (one, two):
            eventually(lambda: requests_of(service) > 5, 30)
            assert service.stop() == 0
            service.start()
            began = requests_of(service)
            eventually(lambda: requests_of(service) > began + 20, 30)  # the proxy has found it again
    assert load.faults == [] and load.counts["stored"] > 5
    assert "read again" not in load.counts and "stored again" not in load.counts, load.counts
    assert names_of(cluster, one.database, stored) == stored
