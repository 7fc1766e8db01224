"""Starting: where it listens, and what it refuses to start with. Rule: a refusal names every fault and how to mend it."""

import os
import socket

import pytest
import requests
from harness.service import Service, free_port
from harness.wire import Wire


def serve_refused(cluster, database, keys, status=1, **settings):
    """`serve` that must end at once; its complaint."""
    result = cluster.run(database, "serve", check=False, keys=keys, seconds=20, **{"owner_database_url": None, **settings})
    assert result.returncode == status, result.stdout + result.stderr
    return result.stderr


def listens(host, port):
    try:
        Wire(port, host=host, timeout=2).socket.close()
    except ConnectionRefusedError:
        return False
    return True


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_listens_on_the_configured_address_alone(fresh):
    api = fresh()
    assert listens("127.0.0.1", api.service.port)
    assert not listens("127.0.0.2", api.service.port)
    assert not has_ipv6() or not listens("::1", api.service.port)


def test_listens_on_another_address(fresh):
    api = fresh(listen_address="127.0.0.2")
    assert api.address.startswith("http://127.0.0.2:") and api.get("/health/live", token=None).status_code == 200
    assert not listens("127.0.0.1", api.service.port)


def test_listens_on_every_address(fresh):
    api = fresh(listen_address="0.0.0.0")
    assert listens("127.0.0.1", api.service.port) and listens("127.0.0.2", api.service.port)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_listens_on_ipv6(fresh, cluster):
    api = fresh(listen_address="::1")
    assert api.base_url.startswith("http://[::1]:")
    assert api.get("/health/live", token=None).status_code == 200
    assert api.get("/.well-known/oauth-authorization-server", token=None).json()["issuer"] == api.base_url
    assert not listens("127.0.0.1", api.service.port)
    ready = cluster.run(api.service.database, "ready", listen_address="::1", port=api.service.port)
    assert ready.stdout == "ready\n"


def test_a_busy_port(fresh, cluster):
    api = fresh()
    complaint = serve_refused(cluster, api.service.database, api.keys_dir, port=api.service.port)
    assert f"cannot listen on 127.0.0.1 port {api.service.port}: Address already in use" in complaint
    assert api.get("/health/live", token=None).status_code == 200  # the first one goes on


@pytest.mark.parametrize("address", ["198.51.100.7", "localhost", "127.0.0.1:80"])
def test_an_address_that_is_none_of_ours(cluster, directory, address):
    keys = directory / "listen-keys"
    if not keys.exists():
        cluster.run("tpbis_template", "key", "create", keys=keys)
    complaint = serve_refused(cluster, "tpbis_template", keys, listen_address=address, port=free_port(),
                              base_url="https://api.example.id")
    assert address in complaint and "listen" in complaint


def test_the_port_is_free_again_after_a_stop(fresh):
    api = fresh()
    with Wire(api.service.port) as idle:  # its end leaves a socket in TIME_WAIT
        idle.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        idle.until(rb"live\"}$")
        assert api.service.stop() == 0
    api.service.start()
    assert requests.get(api.address + "/health/live", timeout=5).status_code == 200


def test_ready_tells_by_its_exit_status(fresh, cluster, lock, eventually):
    api = fresh(drain_notice_ms=3000)
    words = {"port": api.service.port, "check": False}
    result = cluster.run(api.service.database, "ready", **words)
    assert (result.returncode, result.stdout) == (0, "ready\n")
    api.service.signal()

    def not_ready():
        result = cluster.run(api.service.database, "ready", **words)
        return (result.returncode, result.stdout) == (1, "not ready\n")

    eventually(not_ready)
    assert api.service.process.poll() is None  # it said no while it still listened
    assert api.service.stop() == 0
    assert not_ready()


def test_check_config_names_every_fault(cluster):
    result = cluster.run("postgres", "--check-config", check=False, port=0, pool_size="twelve", log_level="loud",
                         stream_limit=-1, token_lifetime_s="10m", prot=8080)
    assert result.returncode == 2 and result.stdout == ""
    for name, words in {"PORT": "from 1 to 65535", "POOL_SIZE": "whole number", "LOG_LEVEL": "debug|info|warning|error",
                        "STREAM_LIMIT": "from 1", "TOKEN_LIFETIME_S": "whole number", "PROT": ""}.items():
        lines = [line for line in result.stderr.splitlines() if f"TPBIS_{name}:" in line or f"TPBIS_{name} " in line]
        assert len(lines) == 1 and words in lines[0], (name, result.stderr)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "198.51.100.7"])
def test_who_listens_to_others_says_under_which_address(cluster, address):
    """Cookies and links go by the public address: without one they would go by http, and nobody would notice."""
    result = cluster.run("postgres", "--check-config", check=False, listen_address=address)
    assert result.returncode == 2 and "TPBIS_BASE_URL" in result.stderr and address in result.stderr
    assert cluster.run("postgres", "--check-config", listen_address=address, base_url="https://api.example.id")


def test_check_config_prints_the_values_but_no_secret(cluster):
    secret = "postgresql://tpbis_api:hush-hush@localhost/none"
    result = cluster.run("postgres", "--check-config", port=8181, database_url=secret)
    assert "8181" in result.stdout and "hush" not in result.stdout + result.stderr


@pytest.mark.parametrize("word", ["serve", "migrate", "ready", "--check-config"])
def test_an_unknown_variable_stops_every_command(cluster, word):
    result = cluster.run("postgres", word, check=False, databse_url="x")
    assert result.returncode == 2 and "TPBIS_DATABSE_URL" in result.stderr


def test_a_secret_from_a_file(cluster, directory):
    path = directory / "database_url"
    path.write_text(cluster.url("tpbis_template") + "\n", encoding="ascii")
    assert cluster.run("postgres", "--check-config", database_url=None, database_url_file=path).returncode == 0
    both = cluster.run("postgres", "--check-config", check=False, database_url_file=path)
    assert both.returncode == 2 and "TPBIS_DATABASE_URL_FILE" in both.stderr
    missing = cluster.run("postgres", "--check-config", check=False, database_url=None,
                          database_url_file=directory / "no-such-file")
    assert missing.returncode == 2 and "no-such-file" in missing.stderr


class TestSchema:
    """`serve` and the version of the database's schema."""

    @pytest.fixture
    def database(self, cluster):
        name = cluster.make_database(template="template0")
        yield name
        cluster.drop_database(name)

    @pytest.fixture
    def keys(self, cluster, directory):
        path = directory / "schema-keys"
        if not path.exists():
            cluster.run("postgres", "key", "create", keys=path)
        return path

    def test_an_empty_database(self, cluster, database, keys):
        assert "hint: run `tpbis migrate`" in serve_refused(cluster, database, keys, port=free_port())

    def test_a_schema_that_is_behind(self, cluster, keys):
        database = cluster.make_database()
        with cluster.owner(database).cursor() as cursor:
            cursor.execute("DELETE FROM schema_migration WHERE name = (SELECT max(name) FROM schema_migration"
                           " WHERE name ~ '^[0-9]') RETURNING name")
            name = cursor.fetchone()[0]
        complaint = serve_refused(cluster, database, keys, port=free_port())
        assert name in complaint and "hint: run `tpbis migrate`" in complaint
        cluster.drop_database(database)

    def test_migrating_is_enough(self, cluster, database, keys, directory):
        cluster.run(database, "migrate")
        again = cluster.run(database, "migrate")
        assert again.returncode == 0
        service = Service(cluster, database, directory / database, keys=keys)
        assert service.stop() == 0

    def test_the_owners_url(self, cluster, database, keys, directory):
        url = cluster.url(database, owner=True)
        complaint = serve_refused(cluster, database, keys, status=2, owner_database_url=url)
        assert "TPBIS_OWNER_DATABASE_URL" in complaint and url not in complaint
        path = directory / "owner_url"
        path.write_text(url, encoding="ascii")
        assert "TPBIS_OWNER_DATABASE_URL" in serve_refused(cluster, database, keys, status=2, owner_database_url_file=path)

    def test_the_owner_under_the_services_name(self, cluster, keys):
        complaint = serve_refused(cluster, "tpbis_template", keys, port=free_port(), database_url=cluster.url("tpbis_template", owner=True))
        assert "owns the schema" in complaint and "hint" not in complaint

    def test_no_key(self, cluster, directory):
        complaint = serve_refused(cluster, "tpbis_template", directory / "no-keys-here", port=free_port())
        assert "no-keys-here" in complaint

    def test_a_key_that_others_may_read(self, cluster, directory, database):
        keys = directory / "open-keys"
        cluster.run("postgres", "key", "create", keys=keys)
        (key,) = keys.glob("*.pem")
        assert key.stat().st_mode & 0o777 == 0o600
        os.chmod(key, 0o644)
        assert key.name in serve_refused(cluster, "tpbis_template", keys, port=free_port())


RULES = [
    ({"base_url": "http://api.example.id"}, "TPBIS_BASE_URL"), ({"base_url": "http://127.0.0.1.example.id"}, "TPBIS_BASE_URL"),
    ({"base_url": "http://localhost@api.example.id/"}, "TPBIS_BASE_URL"), ({"base_url": "api.example.id"}, "TPBIS_BASE_URL"),
    ({"security_contact": "siber@example.id"}, "TPBIS_SECURITY_CONTACT"), ({"security_contact": "mailto:siber@example.id http://x"}, "TPBIS_SECURITY_CONTACT"),
    ({"smtp_url": "http://127.0.0.1:25"}, "TPBIS_SMTP_URL"), ({"smtp_url": "smtp://"}, "TPBIS_SMTP_URL"),
    ({"smtp_url": "smtp://mail.example.id:25", "smtp_tls": "off"}, "TPBIS_SMTP_TLS"),
    ({"smtp_url": "smtp://localhost.example.id", "smtp_tls": "off"}, "TPBIS_SMTP_TLS"),
    *(({"trusted_proxies": f"127.0.0.1,{wide}"}, "TPBIS_TRUSTED_PROXIES")
      for wide in ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "::/1", "2000::/3", "64.0.0.0/8", "2001::/16", "10.0.0.0/7", "::ffff:0:0/96", "::/64")),
]
GOOD = [
    {"base_url": "https://api.example.id/"}, {"base_url": ""}, {"base_url": "http://localhost:8080"}, {"base_url": "http://127.3.2.1"}, {"base_url": "http://[::1]:8080"},
    {"smtp_url": "smtp://localhost:25", "smtp_tls": "off"}, {"smtp_url": "smtp://[::1]", "smtp_tls": "off"}, {"smtp_url": "smtps://mail.example.id:465"},
    {"smtp_url": "", "smtp_tls": "off"}, {"security_contact": "mailto:siber@example.id https://example.id/lapor tel:+62-21-123"}, {"trusted_proxies": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8,104.16.0.0/13,2a06:98c0::/29"},
]


@pytest.mark.parametrize("settings, named", RULES)
def test_settings_that_would_leave_the_service_open(cluster, settings, named):
    for words in (["--check-config"], ["serve"]):
        result = cluster.run("postgres", *words, check=False, **settings)
        lines = [line for line in result.stderr.splitlines() if line.startswith("TPBIS_")]
        assert result.returncode == 2 and [line.split(":")[0] for line in lines] == [named], result.stderr


def test_every_fault_of_the_settings_is_told_at_once(cluster):
    result = cluster.run("postgres", "--check-config", check=False, port=0, base_url="http://api.example.id", smtp_url="smtp://mail.example.id",
                         smtp_tls="off", trusted_proxies="0.0.0.0/0,x,::/0")
    assert result.returncode == 2 and [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "TPBIS_PORT", "TPBIS_BASE_URL", "TPBIS_SMTP_TLS", *["TPBIS_TRUSTED_PROXIES"] * 3]


@pytest.mark.parametrize("settings", GOOD)
def test_settings_that_hold_the_rules(cluster, settings):
    assert cluster.run("postgres", "--check-config", **settings).returncode == 0
