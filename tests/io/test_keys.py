"""Signing keys while the service runs: rotation by command and by schedule, under load and with two processes, loses no request."""

import base64
import concurrent.futures
import json
import re
import shutil
import signal
import threading
import time

import pytest
import requests

from harness.load import PAUSE_SECONDS
from harness.service import Service

READ = "/v1/regions/19"


@pytest.fixture
def pair(cluster, directory):
    """Makes two processes on one database and one key directory."""
    made = []

    def make(keys=None, **settings):
        database = cluster.make_database()
        service = Service(cluster, database, directory / database, keys=keys, twins=1, **{"key_look_interval_s": 1, **settings})
        made.append(service)
        return service

    yield make
    for service in made:
        if service.process.poll() is None:
            assert service.stop() == 0
        cluster.drop_database(service.database)


def key(cluster, service, *words, check=True):
    return cluster.run(service.database, "key", *words, keys=service.keys_dir, check=check)


def listed(cluster, service):
    """state -> ids"""
    found = {}
    for line in key(cluster, service, "list").stdout.splitlines():
        kid, state, _, _ = line.split("\t")
        found.setdefault(state, []).append(kid)
    return found


def published(address):
    answer = requests.get(address + "/.well-known/jwks.json", timeout=10)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    return [one["kid"] for one in answer.json()["keys"]]


def kid_of(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def get_token(cluster, address, session=requests):
    client = cluster.clients["portal"]
    answer = session.post(address + "/oauth2/token", data={"grant_type": "client_credentials"},
                          auth=(client["client_id"], client["client_secret"]), timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def read(address, token, session=requests):
    return session.get(address + READ, headers={"Authorization": "Bearer " + token}, timeout=30).status_code


class Load:
    """Threads that ask one process for a token and use it, and an older one, at the other, until they are stopped."""

    def __init__(self, cluster, service, threads=4):
        self.cluster, self.addresses = cluster, service.addresses
        self.faults, self.kids, self.requests, self.ended = [], [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        issuer, user = self.addresses[number % 2], self.addresses[(number + 1) % 2]
        session, first = requests.Session(), None
        try:
            while not self.ended.is_set():
                token = get_token(self.cluster, issuer, session)
                first = first or token
                self.kids.append(kid_of(token))
                for one in (token, first):
                    status = read(user, one, session)
                    self.requests += 1
                    if status != 200:
                        self.faults.append((status, kid_of(one)))
                self.ended.wait(PAUSE_SECONDS)
        except Exception as error:  # told to the test
            self.faults.append(repr(error))

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)
        return self


def test_rotation_under_load_loses_no_request(cluster, pair, eventually):
    service = pair()
    [old] = published(service.address)
    load = Load(cluster, service)
    try:
        eventually(lambda: len(load.kids) > 20, seconds=60)
        signs_at = time.time() + 15
        assert "note:" in key(cluster, service, "rotate", "--in", "15").stderr
        states = listed(cluster, service)
        assert states["current"] == [old]
        [new] = states["next"]
        for address in service.addresses:  # known everywhere before it signs
            eventually(lambda: sorted(published(address)) == sorted([old, new]), seconds=12)
        assert new not in load.kids or time.time() > signs_at - 1  # no token before its time
        eventually(lambda: load.kids[-20:].count(new) == 20, seconds=60)
        assert listed(cluster, service) == {"previous": [old], "current": [new]}
        count = len(load.kids)
        time.sleep(1.1)  # two keys never begin in one second

        assert key(cluster, service, "rotate", "--now").returncode == 0  # nobody was told before
        [third] = listed(cluster, service)["current"]
        eventually(lambda: load.kids[-20:].count(third) == 20, seconds=60)
        assert len(load.kids) > count
    finally:
        load.stop()
    assert load.faults == [] and load.requests > 100
    assert set(load.kids) == {old, new, third}
    assert len({old, new, third}) == 3 and sorted(published(service.address)) == sorted([old, new, third])


def test_a_key_of_another_process_is_known_at_its_first_token(cluster, pair, eventually):
    """No look is due for an hour: the token itself makes the process look."""
    service = pair(key_look_interval_s=3600)
    [old] = published(service.address)
    assert key(cluster, service, "rotate", "--now").returncode == 0
    [new] = listed(cluster, service)["current"]
    service.signal(signal.SIGHUP)  # only the first
    eventually(lambda: new in published(service.addresses[0]), seconds=5)
    token = get_token(cluster, service.addresses[0])
    assert kid_of(token) == new and published(service.addresses[1]) == [old]
    assert read(service.addresses[1], forged_kid(token)) == 401  # somebody has just made it look for nothing
    assert key(cluster, service, "rotate", "--now").returncode == 0
    service.signal(signal.SIGHUP)
    tokens = []
    eventually(lambda: kid_of(tokens.append(get_token(cluster, service.addresses[0])) or tokens[-1]) not in (old, new), seconds=10)
    token = tokens[-1]
    with concurrent.futures.ThreadPoolExecutor(16) as threads:  # all of them meet a process that does not know the key
        assert list(threads.map(lambda _: read(service.addresses[1], token), range(16))) == [200] * 16
    assert sorted(published(service.addresses[1])) == sorted(published(service.addresses[0]))


def forged_kid(token):
    """The token under a key that nobody has."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": "x" * 43, "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return ".".join([head, *token.split(".")[1:]])


def test_unknown_keys_cost_one_look_a_second(cluster, pair):
    """Whoever invents key ids makes nobody read the directory at each request."""
    service = pair(key_look_interval_s=3600)
    token = get_token(cluster, service.address)
    forged = forged_kid(token)
    assert {read(service.address, forged) for _ in range(20)} == {401}
    assert read(service.address, token) == 200
    assert not [line for line in service.log_lines() if line["event"] in ("keys_reloaded", "keys_not_loaded")]


def test_a_schedule_makes_one_key(cluster, pair, directory, eventually):
    """Two processes notice at once that it is time; one key comes of it."""
    keys = directory / "scheduled"
    cluster.run("postgres", "key", "create", keys=keys)
    (keys / "es256.pem").rename(keys / "es256-20250101T000000Z.pem")
    service = pair(keys=keys, key_rotation_days=30)
    [old] = listed(cluster, service)["current"]
    eventually(lambda: len(list(keys.glob("*.pem"))) == 2, seconds=30)
    for address in service.addresses:
        eventually(lambda: len(published(address)) == 2, seconds=10)
    time.sleep(3)  # several more looks
    states = listed(cluster, service)
    assert states["current"] == [old] and len(states["next"]) == 1 and len(list(keys.glob("*.pem"))) == 2
    assert kid_of(get_token(cluster, service.address)) == old


def test_what_died_is_removed(cluster, pair, directory, eventually):
    keys = directory / "dead"
    for name in ("es256-20240101T000000Z.pem", "es256-20250101T000000Z.pem"):
        cluster.run("postgres", "key", "create", keys=directory / name)
        keys.mkdir(exist_ok=True)
        shutil.move(directory / name / "es256.pem", keys / name)
    keys.chmod(0o700)
    service = pair(keys=keys, key_rotation_days=3650)
    eventually(lambda: [path.name for path in keys.glob("*.pem")] == ["es256-20250101T000000Z.pem"], seconds=30)
    for address in service.addresses:
        eventually(lambda: len(published(address)) == 1, seconds=10)
    assert read(service.addresses[1], get_token(cluster, service.addresses[0])) == 200


def test_a_key_that_cannot_be_read_changes_nothing(cluster, pair, eventually):
    service = pair()
    before = published(service.address)
    bad = service.keys_dir / "es256-20300101T000000Z.pem"
    bad.write_text("no key")
    bad.chmod(0o600)

    def complaints():
        return [line["why"] for line in service.log_lines() if line["event"] == "keys_not_kept"]
    eventually(lambda: len(complaints()) >= 2)  # each process
    time.sleep(2.5)
    assert len(complaints()) == 2 and "holds no unencrypted private key" in complaints()[0]  # said once
    token = get_token(cluster, service.address)
    assert read(service.addresses[1], token) == 200 and published(service.address) == before
    bad.unlink()
    assert key(cluster, service, "rotate", "--in", "60").returncode == 0
    for address in service.addresses:
        eventually(lambda: len(published(address)) == 2)


def test_retired_by_force_is_refused(cluster, pair, eventually):
    """A stolen key: its tokens die with it, remembered or not."""
    service = pair()
    [stolen] = published(service.address)
    token = get_token(cluster, service.address)
    assert {read(address, token) for address in service.addresses} == {200}
    refusal = key(cluster, service, "retire", stolen, check=False)
    assert refusal.returncode == 1 and "only one" in refusal.stderr
    assert key(cluster, service, "rotate", "--now").returncode == 0
    refusal = key(cluster, service, "retire", stolen, check=False)
    assert refusal.returncode == 1 and "--force" in refusal.stderr
    assert read(service.address, token) == 200
    assert key(cluster, service, "retire", stolen, "--force").returncode == 0
    for address in service.addresses:
        eventually(lambda: read(address, token) == 401)
        assert read(address, get_token(cluster, address)) == 200


@pytest.mark.parametrize("words", [(), ("make",), ("rotate", "--in"), ("rotate", "--in", "-1"), ("rotate", "--in", "1h"),
                                   ("rotate", "--soon"), ("retire",), ("retire", "x", "--now"), ("list", "all"), ("create", "two")])
def test_used_wrongly(cluster, tmp_path, words):
    done = cluster.run("postgres", "key", *words, keys=tmp_path / "keys", check=False)
    assert done.returncode == 2 and "tpbis key rotate" in done.stderr and not (tmp_path / "keys").exists()


def test_a_second_next_key_is_refused(cluster, tmp_path):
    keys = tmp_path / "keys"
    cluster.run("postgres", "key", "create", keys=keys)
    listing = cluster.run("postgres", "key", "rotate", keys=keys).stdout
    assert re.search(r"\tcurrent\tthe beginning\tes256.pem\n.*\tnext\t20", listing)
    done = cluster.run("postgres", "key", "rotate", keys=keys, check=False)
    assert done.returncode == 1 and "is next already" in done.stderr and len(list(keys.glob("*.pem"))) == 2
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
