"""From the version before to this one, while clients go on asking: no request fails, nothing acknowledged is lost.

The version before is built from the history: the newest ancestor whose migrations are some of today's, not all of them
(or the commit that PREVIOUS names). Without that history the test is skipped, and says so."""

import re
import socket
import subprocess
import uuid

import pytest
import requests
from harness import libraries
from harness.cluster import Cluster
from harness.handover import Front, Handed
from harness.load import Load
from harness.previous import build, previous_commit
from harness.service import Service

NOTICE_MS = 1500  # while it drains, the old version tells those who keep their connection that it is the last


@pytest.fixture(scope="module")
def previous():
    """The sources of the version before, with its binary in build/."""
    commit, why = previous_commit()
    if not commit:
        pytest.skip(why)
    return build(commit)


def of_version(kind):
    """A service of the version that its binary is: settings that it does not know are left out."""

    class Version(kind):
        def popen(self, environment, log):
            known = set(re.findall(r"TPBIS_\w+", subprocess.run([self.binary, "--help"], capture_output=True, text=True,
                                                                check=True).stdout))
            return super().popen({name: value for name, value in environment.items()
                                  if not name.startswith("TPBIS_") or name in known}, log)

    return Version


@pytest.fixture(scope="module")
def kept(previous, directory):
    """(data, clients): a cluster of the version before, with what it loads itself, to begin with."""
    cluster = Cluster(previous / "build/tpbis", directory / "previous")
    try:
        cluster.run("tpbis", "migrate")
        cluster.run("tpbis", "load-reference")
        clients = {role: cluster.make_client("tpbis", role) for role in ("portal", "national_admin")}
        cluster.run("tpbis", "key", "create", keys=directory / "upgrade-keys")
        cluster.keep(directory / "previous-data")
    finally:
        cluster.destroy()
    return directory / "previous-data", clients


class Bed:
    """A cluster of the version before, with data, and what both versions are started with."""

    def __init__(self, previous, kept, binary, directory):
        self.directory, self.old, self.new = directory, previous / "build/tpbis", binary.resolve()
        self.shares = any("LISTEN_FDS" in path.read_text("utf-8") for path in (previous / "api").glob("*.c"))
        data, self.clients = kept
        self.cluster = Cluster(self.old, directory / "upgrade", data)
        self.front, self.listener = Front(), socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1] if self.shares else self.front.port

    def serve(self, binary, name, **settings):
        """A process of that version. Clients reach it by the one address, as soon as it is in charge."""
        options = {"keys": self.directory / "upgrade-keys", "binary": binary, "base_url": self.address,
                   "drain_notice_ms": NOTICE_MS, "drain_idle_ms": 1000, **settings}
        where = (self.cluster, "tpbis", self.directory / f"upgrade-{name}")
        return of_version(Handed)(self.listener, *where, **options) if self.shares else of_version(Service)(*where, **options)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def take_charge(self, service):
        if not self.shares:
            self.front.target = service.port

    def token(self, role):
        client = self.clients[role]
        answer = requests.post(self.address + "/oauth2/token", data={"grant_type": "client_credentials"},
                               auth=(client["client_id"], client["client_secret"]), timeout=10)
        return answer.json()["access_token"]

    def migrate(self):
        self.cluster.binary = str(self.new)
        try:
            return self.cluster.run("tpbis", "migrate").stdout
        finally:
            self.cluster.binary = str(self.old)

    def close(self):
        self.front.close()
        self.listener.close()
        self.cluster.destroy()


@pytest.fixture
def bed(previous, kept, binary, directory):
    bed = Bed(previous, kept, binary, directory)
    yield bed
    bed.close()


def new_library(number):
    return "POST", "/v1/libraries", {"name": f"Perpustakaan {number} {uuid.uuid4().hex[:6]}", "kind": "tbm",
                                     "region_code": libraries.VILLAGE}


def ready(address):
    answer = requests.get(address + "/health/ready", timeout=5)
    return answer.status_code, answer.text


def test_nobody_notices(bed):
    old = bed.serve(bed.old, "old")
    bed.take_charge(old)
    tokens = {role: bed.token(role) for role in bed.clients}
    with Load(bed.address, tokens["portal"], write=new_library, write_token=tokens["national_admin"]) as load:
        load.run_for(1)
        told = bed.migrate()
        applied = int(re.search(r"(\d+) applied now", told)[1])
        load.run_for(1)
        assert ready(old.address)[0] == 200, ready(old.address)  # the old binary beside the new schema
        new = bed.serve(bed.new, "new", drain_idle_ms=2000)
        bed.take_charge(new)
        load.run_for(0.5)
        assert old.stop() == 0
        load.run_for(2)
    assert applied > 0 and not load.faults, (told, load.faults[:10])
    assert len(load.acknowledged) > 50, load.counts

    headers = {"Authorization": "Bearer " + tokens["national_admin"]}
    lost = [made["id"] for made in load.acknowledged
            if requests.get(f"{bed.address}/v1/libraries/{made['id']}", headers=headers, timeout=10).status_code != 200]
    assert not lost
    print(f"{load.counts}, slowest {load.slowest * 1000:.0f} ms, {applied} migrations, "
          f"by {'the shared socket' if bed.shares else 'a front'}")
    assert new.stop() == 0


def test_the_version_before_starts_on_the_newer_schema(bed):
    """A machine that restarts in the middle of an upgrade must come back."""
    assert int(re.search(r"(\d+) applied now", bed.migrate())[1]) > 0
    old = bed.serve(bed.old, "again")
    bed.take_charge(old)
    assert ready(bed.address)[0] == 200
    answer = requests.get(bed.address + "/v1/regions/19", headers={"Authorization": "Bearer " + bed.token("portal")}, timeout=10)
    assert answer.status_code == 200
    assert old.stop() == 0


def test_the_version_before_keeps_its_functions_until_the_last_step(bed, root):
    """The functions that migrations use are replaced in a transaction of their own, and the rights on what is new come with the last
    one: until then whatever the service's role may run calls nothing that this role may not run."""
    with bed.cluster.connect("tpbis") as connection, connection.cursor() as cursor:
        cursor.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")  # older versions did not
        for path in sorted((root / "db/functions").glob("base*.sql")):
            cursor.execute(path.read_text("utf-8").replace("%", "%%"), ())
        cursor.execute("""
            SELECT DISTINCT f.proname || ' calls ' || g.proname
            FROM pg_depend d JOIN pg_proc f ON f.oid = d.objid JOIN pg_proc g ON g.oid = d.refobjid
            WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_proc'::regclass AND NOT f.prosecdef
              AND has_function_privilege('tpbis_api', f.oid, 'EXECUTE') AND NOT has_function_privilege('tpbis_api', g.oid, 'EXECUTE')""")
        assert not cursor.fetchall()


# ---- rows that the version before let in ----------------------------------------------------------------------------

HELD = re.compile(r"\('(\w+)', '(\w+)'\)")
UNSEEN = "\u00a0\u200b"


def texts_of(root, cursor):
    """(table, column) of every text that the migration holds to one form, where the version before has the column."""
    text = (root / "db/migrations/0115_hold_texts_to_one_form.sql").read_text(encoding="utf-8")
    cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text'")
    there = set(cursor.fetchall())
    return [pair for pair in HELD.findall(text) if pair in there]


def test_texts_of_old_rows_get_the_one_form(bed, root):
    """Every text with marks that nobody sees, of libraries that are closed and records of the past too, and keys that differ by
    such marks alone: afterwards each reads as it did, nothing is lost, and every change is in the audit."""
    with bed.cluster.connect("tpbis") as connection, connection.cursor() as cursor:
        def rows(table, column):
            cursor.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1")
            return [row[0] for row in cursor.fetchall()]

        cursor.execute("SELECT count(*) FROM information_schema.table_constraints WHERE constraint_name = 'library_name_text_check'")
        if cursor.fetchone()[0]:
            pytest.skip("the version before holds its texts already")
        cursor.execute("UPDATE library SET status = 'closed' WHERE id = (SELECT l.id FROM library l WHERE kind = 'village' LIMIT 1)")
        cursor.execute("SELECT id FROM library WHERE kind = 'village' ORDER BY id LIMIT 3")
        one, two, three = (row[0] for row in cursor.fetchall())
        texts = [pair for pair in texts_of(root, cursor) if pair[0] != "library_identifier"]
        before = {pair: rows(*pair) for pair in texts}
        cursor.execute("SET session_replication_role = replica")  # as they came in before there was a rule
        for table, column in texts:
            some = " WHERE code LIKE '19.01%%'" if table == "region" else ""
            cursor.execute(f"UPDATE {table} SET {column} = %s || {column} || %s{some}", (UNSEEN, UNSEEN))
        cursor.execute("UPDATE library SET address = %s WHERE id = %s", (UNSEEN, one))  # says nothing
        for library, value in ((one, "IOS1"), (two, "IOS1" + UNSEEN), (three, "ios1")):
            cursor.execute("INSERT INTO library_identifier (library_id, scheme, value) VALUES (%s, 'onesearch', %s)", (library, value))
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("SELECT max(id) FROM audit")
        last = cursor.fetchone()[0] or 0

        assert int(re.search(r"(\d+) applied now", bed.migrate())[1]) > 0

        for pair in texts:  # that a line keeps none of the marks is the constraint's; free text may
            assert sorted(value.strip(UNSEEN) for value in rows(*pair)) == sorted(before[pair]), pair
        cursor.execute("SELECT value FROM library_identifier WHERE scheme = 'onesearch' ORDER BY value")
        kept = [row[0] for row in cursor.fetchall()]
        assert len(kept) == 3 and "IOS1" in kept and sum("(ganda" in value for value in kept) == 2, kept
        cursor.execute("SELECT table_name, count(*) FROM audit WHERE id > %s AND operation IN ('hold_texts_to_one_form', 'compare_texts_by_key')"
                       " GROUP BY 1", (last,))
        told = dict(cursor.fetchall())
        assert told["library"] >= 36 and told["library_identifier"] >= 2 and told["participation"] and told["replication"], told
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND NOT convalidated AND conname LIKE '%%_text_check'")
        assert not cursor.fetchall()
