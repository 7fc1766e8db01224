"""SIGHUP: keys, log level and limits change while requests are answered; what is wrong leaves the old in force."""

import os
import re
import shutil
import signal
import threading
import time

import pytest
import requests
from harness.service import Service, free_port


class Reloadable(Service):
    """A service with a settings file that the test rewrites."""

    def write(self, text):
        self.file = self.directory / "tpbis.conf"
        draft = self.directory / "tpbis.conf.draft"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.file)

    def start(self, wait=True):
        self.write("# the settings of one test\n")
        self.settings["settings_file"] = self.file
        super().start(wait)

    def events(self, name):
        return [line for line in self.log_lines() if line["event"] == name]

    def reload(self, eventually):
        """Reloads and gives what was logged since."""
        before, done = len(self.log_lines()), len(self.events("reloaded"))
        self.signal(signal.SIGHUP)
        eventually(lambda: len(self.events("reloaded")) == done + 1)
        return self.log_lines()[before:]


@pytest.fixture
def service(cluster, directory):
    database = cluster.make_database()
    service = Reloadable(cluster, database, directory / database)
    service.clients = cluster.clients
    yield service
    assert service.stop() == 0
    cluster.drop_database(database)


def token(service, role="portal"):
    client = service.clients[role]
    answer = requests.post(service.address + "/oauth2/token", data={"grant_type": "client_credentials"},
                           auth=(client["client_id"], client["client_secret"]), timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def use(service, bearer, path="/v1/regions/19"):
    return requests.get(service.address + path, headers={"Authorization": "Bearer " + bearer}, timeout=10)


def kids(service):
    return [key["kid"] for key in requests.get(service.address + "/.well-known/jwks.json", timeout=10).json()["keys"]]


def new_key(service, name, directory):
    """Another key, under a name of the test's choice."""
    directory.mkdir(mode=0o700, exist_ok=True)
    service.cluster.run(service.database, "key", "create", keys=directory)
    (made,) = directory.glob("*.pem")
    draft = service.keys_dir / ("." + name)
    shutil.copy(made, draft)  # with its mode
    draft.rename(service.keys_dir / name)


def of(lines, event):
    return [line for line in lines if line["event"] == event]


class TestKeys:
    def test_a_rotation_without_a_restart(self, service, eventually, directory):
        (first,) = kids(service)
        tag = requests.get(service.address + "/.well-known/jwks.json", timeout=10).headers["ETag"]
        old = token(service)
        new_key(service, "zz.pem", service.directory / "second")
        assert kids(service) == [first]
        service.reload(eventually)
        both = kids(service)
        assert len(both) == 2 and both[0] == first
        answer = requests.get(service.address + "/.well-known/jwks.json", headers={"If-None-Match": tag}, timeout=10)
        assert answer.status_code == 200 and answer.headers["ETag"] != tag  # not the old ones from memory

        (service.keys_dir / "zz.pem").rename(service.keys_dir / "00.pem")
        service.reload(eventually)
        assert kids(service) == both[::-1]
        new = token(service)
        assert use(service, old).status_code == use(service, new).status_code == 200

        (service.keys_dir / "es256.pem").unlink()
        service.reload(eventually)
        assert kids(service) == both[1:]
        assert use(service, old).status_code == 401  # though it had been verified a moment ago
        assert use(service, new).status_code == 200

    @pytest.mark.parametrize("spoil, why", [
        (lambda keys: (keys / "aa.pem").write_text("no key", encoding="ascii"), "holds no unencrypted private key"),
        (lambda keys: os.chmod(keys / "es256.pem", 0o644), "chmod 600"),
        (lambda keys: (keys / "es256.pem").rename(keys / "es256.away"), "holds no *.pem"),
        (lambda keys: keys.rename(keys.parent / "away"), "No such file"),
    ])
    def test_a_bad_directory_keeps_the_old_keys(self, service, eventually, spoil, why):
        before, bearer = kids(service), token(service)
        spoil(service.keys_dir)
        if (service.keys_dir / "aa.pem").exists():
            os.chmod(service.keys_dir / "aa.pem", 0o600)
        lines = service.reload(eventually)
        refusals = [line for line in of(lines, "reload_refused") if line["of"] == "keys"]
        assert refusals and refusals[0]["level"] == "error" and any(why in line["why"] for line in refusals), lines
        assert of(lines, "reloaded")[0]["keys"] == "kept" and of(lines, "reloaded")[0]["settings"] == "taken"
        assert kids(service) == before
        assert use(service, bearer).status_code == 200 and use(service, token(service)).status_code == 200

    def test_under_load(self, service, eventually):
        """Tokens are issued and verified and the set is fetched while it is swapped again and again."""
        keep = set(kids(service))
        new_key(service, "zz.pem", service.directory / "second")
        faults, rounds, stop = [], [], threading.Event()

        def work():
            while not stop.is_set():
                published = set(kids(service))
                answer = use(service, token(service))
                if answer.status_code != 200 or not keep <= published or len(published) > 2:
                    faults.append((answer.status_code, published))
                rounds.append(1)

        workers = [threading.Thread(target=work) for _ in range(6)]
        for worker in workers:
            worker.start()
        try:
            here, there = service.keys_dir / "zz.pem", service.keys_dir / "zz.away"
            for _ in range(15):
                here.replace(there)
                service.reload(eventually)
                there.replace(here)
                service.reload(eventually)
        finally:
            stop.set()
            for worker in workers:
                worker.join(30)
        assert not faults and len(rounds) > 50


class TestSettings:
    def test_the_log_level(self, service, eventually):
        service.write("TPBIS_LOG_LEVEL=error\n")
        before = len(service.log_lines())
        service.signal(signal.SIGHUP)
        eventually(lambda: len(service.log_lines()) > before)
        time.sleep(0.3)
        token(service)
        assert [line["event"] for line in service.log_lines()[before:]] == ["setting_changed"]  # and no request
        service.write("TPBIS_LOG_LEVEL=info\n")
        service.reload(eventually)
        token(service)
        eventually(lambda: service.events("request")[-1]["path"] == "/oauth2/token")

    def test_a_limit(self, service, eventually):
        bearer = token(service)
        path = "/v1/regions?format=csv"
        with requests.get(service.address + path, headers={"Authorization": "Bearer " + bearer}, stream=True,
                          timeout=10) as held:
            assert held.status_code == 200
            service.write("TPBIS_STREAM_LIMIT=1\n")
            lines = service.reload(eventually)
            assert [line["setting"] for line in of(lines, "setting_changed")] == ["TPBIS_STREAM_LIMIT"]
            answer = use(service, bearer, path)
            assert answer.status_code == 503 and answer.json()["code"] == "busy"
            service.write("TPBIS_STREAM_LIMIT=2\n")
            service.reload(eventually)
            assert use(service, bearer, path).status_code == 200

    def test_an_origin(self, service, eventually):
        ask = {"Origin": "https://portal.example.id"}
        url = service.address + "/health/live"
        assert "Access-Control-Allow-Origin" not in requests.get(url, headers=ask, timeout=10).headers
        service.write("TPBIS_CORS_ORIGINS=https://portal.example.id\n")
        service.reload(eventually)
        assert requests.get(url, headers=ask, timeout=10).headers["Access-Control-Allow-Origin"] == ask["Origin"]

    def test_what_cannot_change_says_so(self, service, eventually):
        service.write("TPBIS_POOL_SIZE=3\nTPBIS_AUDIENCE=other\nTPBIS_POOL_WAIT_MS=900\n")
        lines = service.reload(eventually)
        waiting = of(lines, "setting_needs_restart")
        assert {line["setting"] for line in waiting} == {"TPBIS_POOL_SIZE", "TPBIS_AUDIENCE"}
        assert all(line["level"] == "warning" for line in waiting)
        assert [line["setting"] for line in of(lines, "setting_changed")] == ["TPBIS_POOL_WAIT_MS"]
        assert use(service, token(service)).status_code == 200  # still of the old audience

    def test_faults_keep_the_old(self, service, eventually):
        service.write("TPBIS_STREAM_LIMIT=3\n\nTPBIS_LOG_LEVEL=loud\nTPBIS_PROT=1\n")
        lines = service.reload(eventually)
        refusals = [line["why"] for line in of(lines, "reload_refused") if line["of"] == "settings"]
        assert [re.search(r"tpbis\.conf:(\d+): (\w+)", why).groups() for why in refusals] == \
            [("4", "TPBIS_PROT"), ("3", "TPBIS_LOG_LEVEL")]
        assert not of(lines, "setting_changed")  # not the good line either
        assert of(lines, "reloaded")[0]["settings"] == "kept" and of(lines, "reloaded")[0]["keys"] == "taken"

    def test_the_owners_url_is_not_taken(self, service, eventually):
        service.write(f"TPBIS_OWNER_DATABASE_URL={service.cluster.url(service.database, owner=True)}\nTPBIS_STREAM_LIMIT=3\n")
        service.file.chmod(0o600)
        lines = service.reload(eventually)
        assert ["TPBIS_OWNER_DATABASE_URL" in line["why"] for line in of(lines, "reload_refused")] == [True]
        assert of(lines, "reloaded")[0]["settings"] == "kept" and not of(lines, "setting_changed")

    def test_the_environment_wins(self, cluster, directory, eventually):
        database = cluster.make_database()
        service = Reloadable(cluster, database, directory / database, stream_limit=4)
        service.write("TPBIS_STREAM_LIMIT=1\n")
        lines = service.reload(eventually)
        assert not of(lines, "setting_changed") and not of(lines, "reload_refused")
        assert service.stop() == 0
        cluster.drop_database(database)


def test_the_file_named_on_the_command_line(cluster, directory):
    path = directory / "one.conf"
    path.write_text(f"TPBIS_PORT={free_port()}\nTPBIS_LOG_LEVEL=warning\n", encoding="ascii")
    result = cluster.run("postgres", "--settings", str(path), "--check-config")
    assert "TPBIS_LOG_LEVEL=warning\n" in result.stdout and f"TPBIS_SETTINGS_FILE={path}\n" in result.stdout
    path.write_text("TPBIS_PORT=0\n", encoding="ascii")
    for words in (["--check-config"], ["migrate"], ["ready"]):
        result = cluster.run("postgres", "--settings", str(path), *words, check=False)
        assert result.returncode == 2 and f"{path}:1: TPBIS_PORT: must be" in result.stderr
    result = cluster.run("postgres", "--check-config", check=False, settings_file="/nowhere/tpbis.conf")
    assert result.returncode == 2 and "/nowhere/tpbis.conf" in result.stderr
