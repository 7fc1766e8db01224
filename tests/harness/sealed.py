"""Audits that are sealed, for the tests of what may and what may not be altered behind their back."""

import contextlib
import json
import re
import uuid


class Sealed:
    """A database of its own whose audit is sealed; `tamper` does what an owner can do who switches the triggers off."""

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database

    def sql(self, text, *values):
        with self.cluster.owner(self.database).cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else None

    def seal(self, most=5000):
        while self.sql("SELECT done, more FROM audit_seal_run(%s)", most)[0][1]:
            pass

    def change(self, times=1):
        for _ in range(times):
            self.sql("UPDATE library SET website = 'https://' || gen_random_uuid() || '.example.id' WHERE kind = 'national'")

    def tamper(self, text, *values):
        self.sql("SELECT set_config('session_replication_role', 'replica', true); " + text, *values)

    def verify(self, *words):
        result = self.cluster.run(self.database, "audit", "verify", *words, check=False)
        return result.returncode, result.stdout

    def head(self):
        return json.loads(self.cluster.run(self.database, "audit", "head").stdout)

    def blank(self):
        """How many rows of the audit have lost their contents."""
        return int(re.search(r"(\d+) rows blank", self.verify()[1]).group(1))

    def person(self):
        """A person of three changes, all sealed; the ids of these rows."""
        person = str(uuid.uuid4())
        self.sql("INSERT INTO person (id, name, region_code) VALUES (%s, 'Siti Aminah', '19.01')", person)
        for position in ("Staf", "Kepala"):
            self.sql("UPDATE person SET position = %s WHERE id = %s", position, person)
        self.seal()
        return person, [row for row, in self.sql("SELECT id FROM audit WHERE table_name = 'person' AND row_key = jsonb_build_object('id', %s)", person)]

    def newest(self):
        return self.sql("SELECT max(id) FROM audit WHERE table_name = 'library'")[0][0]


@contextlib.contextmanager
def sealed_audit(cluster):
    """In a database of its own, with three changes of a library behind the seals of what the template has."""
    database = cluster.make_database()
    one = Sealed(cluster, database)
    one.seal(most=500)
    for _ in range(3):
        one.change(3)
        one.seal()
    yield one
    cluster.drop_database(database)
