"""A throw-away PostgreSQL cluster with one loaded template database.

Databases for single tests are copies of the template, so that each begins with the reference data."""

import fcntl
import hashlib
import json
import os
import select
import shlex
import shutil
import subprocess
import uuid
from pathlib import Path

import psycopg2
import psycopg2.extensions

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "tpbis_template"
# role, region, which library: as `make run` makes them, so that the tests see what a newcomer sees
ROLES = {
    "national_admin": {},
    "national_analyst": {},
    "provincial_coordinator": {"region": "19"},
    "team_member": {"region": "19"},
    "regency_facilitator": {"region": "19.01"},
    "library_manager": {"library": "19.01.06.2002"},
    "integration": {"library": "19.01.06.2002"},
    "portal": {},
    "public_app": {},
}


LENT = set()  # kept sessions, of all clusters, that were given out since the last put_back()


def put_back():
    """Ends what is open in the kept sessions that were given out, and resets what was set in them."""
    while LENT:
        kept = LENT.pop()
        try:
            if not kept.closed:
                kept.reset()
                kept.autocommit = True
        except psycopg2.Error:  # its end of PostgreSQL is gone
            kept.close()


class Connection(psycopg2.extensions.connection):
    """`with` closes it. (psycopg2's own `with` begins a transaction, on an autocommit connection too.)"""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Cluster:
    """Starts with db/cluster, loads the template once, and stops what it started.

    `copy`: the data of another cluster, as `db/cluster keep` leaves them, to begin with."""

    def __init__(self, binary, state, copy=None):
        self.binary, self.state = str(binary), Path(state)
        self._owners = {}  # by database
        self.keys = None  # a directory of keys that services may have a copy of
        self.start(copy)
        self.clients = {}

    @classmethod
    def with_template(cls, binary, state):
        """One whose template is loaded. The first run of a binary loads it and keeps a copy beside the binary, in
        build/cluster/, with which all others begin; what is kept of earlier binaries goes."""
        kept = Path(binary).resolve().parents[1] / "cluster" / fingerprint(binary)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with open(kept.parent / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (kept / "clients.json").exists():
                for old in kept.parent.iterdir():
                    if old.is_dir():
                        shutil.rmtree(old)
                first = cls(binary, Path(state).with_name("first"))
                try:
                    first.make_template()
                    first.keep(kept / "data")
                    first.run(TEMPLATE, "key", "create", keys=kept / "keys")
                    (kept / "clients.json").write_text(json.dumps(first.clients), encoding="utf-8")
                finally:
                    first.destroy()
            cluster = cls(binary, state, kept / "data")
            cluster.keys = kept / "keys"
        cluster.clients = json.loads((kept / "clients.json").read_text(encoding="utf-8"))
        return cluster

    def _script(self, *words, after=()):
        result = subprocess.run([str(ROOT / "db/cluster"), *words, str(self.state), *after], check=True, text=True,
                                capture_output=True, timeout=600)
        return result.stdout

    def start(self, copy=None):
        self._script("start", "--throwaway", *(["--copy", str(copy)] if copy else []))
        urls = {}
        for line in self._script("urls").splitlines():
            name, _, value = line.partition("=")
            urls[name.replace("export ", "").strip()] = shlex.split(value)[0] if value else ""
        self.owner_url = urls["TPBIS_OWNER_DATABASE_URL"]
        self.api_url = urls["TPBIS_DATABASE_URL"]

    def stop(self):
        self._leave(*self._owners)
        self._script("stop")

    def keep(self, data):
        """Stops it, and copies its data there: what the `copy` of another begins with."""
        self._leave(*self._owners)
        self._script("keep", after=[str(data)])

    def destroy(self):
        self._leave(*self._owners)
        self._script("destroy")

    def url(self, database, owner=False):
        """The URL of that database: the cluster's own with another path."""
        url = self.owner_url if owner else self.api_url
        head, mark, query = url.partition("?")
        return head[: head.rindex("/") + 1] + database + mark + query

    def log_lines(self):
        """What PostgreSQL has written so far, oldest first."""
        logs = sorted(self.state.rglob("postgresql-*.log"), key=lambda path: path.stat().st_mtime)
        return [line for path in logs for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]

    def connect(self, database, owner=True):
        """A session of its own, for a test in which two of them meet. To begin one costs more than twenty requests do: what a
        test only asks or sets goes through `owner` or `sql`."""
        connection = psycopg2.connect(self.url(database, owner), connection_factory=Connection)
        connection.autocommit = True
        return connection

    def owner(self, database):
        """The owner's session in that database, kept until the database is dropped. After each test it is as it was before
        (`put_back`): what one test sets (a role of replication, an open transaction) must not reach the next."""
        kept = self._owners.get(database)
        if kept and not kept.closed and select.select([kept], [], [], 0)[0]:
            kept.close()  # nobody has asked anything, so this is the end that PostgreSQL told
        if kept is None or kept.closed:
            kept = self._owners[database] = self.connect(database)
        LENT.add(kept)
        return kept

    def sql(self, database, text, *values):
        """The first row of what the owner's kept session is answered, or None."""
        with self.owner(database).cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchone() if cursor.description else None

    def _leave(self, *databases):
        for database in databases:
            if kept := self._owners.pop(database, None):
                kept.close()

    def run(self, database, *words, check=True, keys=None, seconds=300, **settings):
        """A subcommand of the binary against that database; settings become TPBIS_ variables, None unsets one."""
        environment = clean_environment()
        environment.update(TPBIS_DATABASE_URL=self.url(database), TPBIS_OWNER_DATABASE_URL=self.url(database, owner=True))
        if keys:
            environment["TPBIS_KEY_DIRECTORY"] = str(keys)
        for name, value in settings.items():
            environment.pop(f"TPBIS_{name.upper()}", None)
            if value is not None:
                environment[f"TPBIS_{name.upper()}"] = str(value)
        result = subprocess.run([self.binary, *words], env=environment, text=True, capture_output=True,
                                timeout=seconds)
        if check and result.returncode:
            raise AssertionError(f"tpbis {' '.join(words)}: {result.stdout}{result.stderr}")
        return result

    def make_template(self):
        """Migrated, with the reference data and a client of every role."""
        self.sql("postgres", f"CREATE DATABASE {TEMPLATE}")
        self.run(TEMPLATE, "migrate")
        self.run(TEMPLATE, "load-reference")
        for role in ROLES:
            self.clients[role] = self.make_client(TEMPLATE, role)
        self.sql(TEMPLATE, "VACUUM (FREEZE, ANALYZE)")  # once, and in no copy again

    def make_client(self, database, role, **where):
        where = where or dict(ROLES[role])
        words = ["client", "create", "--name", f"test {role}", "--role", role]
        if "region" in where:
            words += ["--region", where["region"]]
        if "library" in where:
            words += ["--library", self.library_at(database, where["library"])]
        return json.loads(self.run(database, *words).stdout)

    def library_at(self, database, place):
        """A village library by its region's code, or the id itself."""
        if "." not in place:
            return place
        return str(self.sql(database, "SELECT id FROM library WHERE kind = 'village' AND region_code = %s", place)[0])

    def make_database(self, template=TEMPLATE):
        """The name of a copy; nobody may be in the template meanwhile."""
        name = "t" + uuid.uuid4().hex[:12]
        self._leave(template)
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # many times faster
        return name

    def drop_database(self, name):
        self._leave(name)
        self.sql("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def fingerprint(binary):
    """Of all that decides what stands in the template: the program with its migrations, the reference data, the roles here."""
    digest = hashlib.sha256(Path(binary).read_bytes())
    for path in (ROOT / "db/cluster", Path(__file__), *sorted((ROOT / "db/reference").rglob("*"))):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def clean_environment():
    """This process' environment without settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TPBIS_")}
