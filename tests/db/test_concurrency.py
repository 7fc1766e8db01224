"""Two writers at once, at every isolation level: whatever the order, no rule over several rows is broken."""
import threading

import psycopg2
import pytest
from psycopg2.extensions import (ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ,
                                 ISOLATION_LEVEL_SERIALIZABLE)

import schema

LEVELS = [ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ, ISOLATION_LEVEL_SERIALIZABLE]
NAME = "tpbis_concurrency"
SUPERVISOR, OTHER, DEPENDENT = (f"00000000-0000-7000-8000-00000000000{n}" for n in (3, 4, 5))

FIXTURE = f"""
INSERT INTO region (code, name, type) VALUES ('97', 'P', 'provinsi'), ('97.01', 'K', 'kabupaten'), ('97.02', 'L', 'kabupaten'),
    ('97.01.01', 'C', 'kecamatan'), ('97.01.01.2001', 'D', 'desa'), ('97.01.01.2002', 'E', 'desa');
INSERT INTO library (id, name, kind, region_code, founded_on) VALUES
    ('{SUPERVISOR}', 'S', 'regency', '97.01', '2000-01-01'), ('{OTHER}', 'T', 'regency', '97.01', '2000-01-01');
INSERT INTO library (id, name, kind, region_code, founded_on) VALUES ('{DEPENDENT}', 'D', 'village', '97.01.01.2001', '2000-01-01');
INSERT INTO client (id, name) VALUES ('coba', 'Coba');
INSERT INTO client_secret (client_id, hash) VALUES ('coba', sha256('0'));
"""
NEW_DEPENDENT = f"INSERT INTO library (name, kind, region_code, supervisor_id) VALUES ('N', 'village', '97.01.01.2002', '{SUPERVISOR}')"
ADOPT = f"SELECT library_move('{DEPENDENT}', '2020-01-01', NULL, keep_region => true, to_supervisor => '{SUPERVISOR}')"
CLOSE = f"UPDATE library SET status = 'closed' WHERE id = '{SUPERVISOR}'"
LEAVE = f"SELECT library_move('{SUPERVISOR}', '2021-01-01', NULL, to_region => '97.02', keep_supervisor => true)"
END = f"UPDATE library_placement SET ends_on = '2022-01-01' WHERE library_id = '{SUPERVISOR}'"

# Each pair alone is allowed; together they would leave a library without its supervisor.
PAIRS = [(leaving, joining) for leaving in (CLOSE, LEAVE, END) for joining in (NEW_DEPENDENT, ADOPT)]
UNSUPERVISED = """
SELECT count(*) FROM library_placement p
WHERE p.supervisor_id IS NOT NULL AND NOT library_supervisor_fits(p.supervisor_id, p.region_code, p.period)"""
STALE = """
SELECT count(*) FROM library l
WHERE (l.region_code, l.supervisor_id, l.placed_from, l.closed_on) IS DISTINCT FROM
      (SELECT (p.region_code, p.supervisor_id, p.starts_on, p.ends_on) FROM library_placement p WHERE p.library_id = l.id
       ORDER BY p.starts_on DESC NULLS LAST LIMIT 1)"""


IDLE, BUSY = [], []  # the writers' sessions: to begin one costs more than a test does


@pytest.fixture(scope="module")
def emptied():
    """What takes all rows out of the tables that the schema leaves empty; the rules are put aside for it."""
    url, _ = schema.fresh_database(NAME)
    with schema.CLUSTER.owner(NAME).cursor() as cursor:
        cursor.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        tables = [table for table, in cursor.fetchall()]
        empty = [table for table in tables if not ask(f"SELECT EXISTS (SELECT FROM {table})")]
    yield url, "SET LOCAL session_replication_role = replica;" + "".join(f"DELETE FROM {table};" for table in empty)
    while IDLE:
        IDLE.pop().close()
    schema.drop_database(NAME)


@pytest.fixture
def url(emptied):
    url, empty = emptied
    schema.CLUSTER.sql(NAME, empty)
    schema.CLUSTER.sql(NAME, FIXTURE)
    yield url
    if BUSY:  # of a test that failed: their locks must not reach the next
        ask("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        BUSY.clear()
        IDLE.clear()


class Writer:
    """A transaction in a thread of its own, so that it may wait for the other one."""

    def __init__(self, url, level):
        self.connection = IDLE.pop() if IDLE else psycopg2.connect(url)
        BUSY.append(self.connection)
        self.connection.set_isolation_level(level)
        self.cursor = self.connection.cursor()
        self.cursor.execute("SELECT count(*) FROM library")  # takes the snapshot
        self.fault, self.row, self.thread = None, None, None

    def _run(self, statement):
        try:
            self.cursor.execute(statement)
            self.row = self.cursor.fetchone() if self.cursor.description else None
        except psycopg2.Error as error:
            self.fault = error

    def begin(self, statement):
        self.thread = threading.Thread(target=self._run, args=(statement,))
        self.thread.start()
        self.thread.join(0.4)
        return self

    def end(self):
        """True when it was committed."""
        self.thread.join(20)
        assert not self.thread.is_alive(), "a writer waits for ever"
        if self.fault is None:
            try:
                self.connection.commit()
            except psycopg2.Error as error:
                self.fault = error
        if self.fault is not None:
            self.connection.rollback()
        self.cursor.close()
        self.connection.reset()
        BUSY.remove(self.connection)
        IDLE.append(self.connection)
        return self.fault is None


def ask(statement):
    return schema.CLUSTER.sql(NAME, statement)[0]


def both(url, level, first, second, overlapping):
    """The first writer ends before the second begins its statement, or while that one waits."""
    one, two = Writer(url, level), Writer(url, level)
    one.begin(first)
    if overlapping:
        two.begin(second)
        assert one.end()
    else:
        assert one.end()
        two.begin(second)
    return two.end(), two


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("overlapping", [True, False])
@pytest.mark.parametrize("pair", [pair for pair in PAIRS] + [pair[::-1] for pair in PAIRS])
def test_no_library_loses_its_supervisor(url, level, overlapping, pair):
    done, second = both(url, level, *pair, overlapping)
    assert not done, "both writers went through"
    assert second.fault.pgcode in ("TB001", "40001"), second.fault
    if level == ISOLATION_LEVEL_READ_COMMITTED:
        assert second.fault.pgcode == "TB001", second.fault
    assert ask(UNSUPERVISED) == 0
    assert ask(STALE) == 0


@pytest.mark.parametrize("level", LEVELS)
def test_two_moves_of_one_library(url, level):
    move = f"SELECT library_move('{DEPENDENT}', '20%s-01-01', NULL, to_region => '97.01.01.200%s', keep_supervisor => true)"
    done, second = both(url, level, move % (20, 2), move % (21, 1), True)
    assert done == (level == ISOLATION_LEVEL_READ_COMMITTED), second.fault
    assert ask(f"SELECT count(*) FROM library_placement WHERE library_id = '{DEPENDENT}'") == (3 if done else 2)
    assert ask(STALE) == 0


@pytest.mark.parametrize("level", LEVELS)
def test_facts_of_two_writers(url, level):
    fact = f"INSERT INTO library_fact (library_id, fact, recorded_on, value) VALUES ('{DEPENDENT}', 'titles', '20%s-01-01', %s)"
    done, second = both(url, level, fact % (21, 21), fact % (20, 20), True)
    assert done or second.fault.pgcode == "40001", second.fault
    assert ask(f"SELECT titles FROM library WHERE id = '{DEPENDENT}'") == 21


@pytest.mark.parametrize("level", LEVELS)
def test_identifiers_of_two_writers(url, level):
    put = f"INSERT INTO library_identifier (library_id, scheme, value) VALUES ('{DEPENDENT}', '%s', '1')"
    done, second = both(url, level, put % "npsn", put % "onesearch", True)
    assert done or second.fault.pgcode == "40001", second.fault
    assert ask(f"SELECT jsonb_array_length(identifiers) FROM library WHERE id = '{DEPENDENT}'") == (2 if done else 1)


@pytest.mark.parametrize("level", LEVELS)
def test_secrets_of_two_writers(url, level):
    secret = "INSERT INTO client_secret (client_id, hash) VALUES ('coba', sha256('%s'))"
    done, second = both(url, level, secret % 1, secret % 2, True)
    assert not done
    assert ask("SELECT count(*) FROM client_secret") == 2


@pytest.mark.parametrize("body, outcome", [("01", "same"), ("02", None)])
def test_one_id_claimed_twice(url, body, outcome):
    claim = f"SELECT claim_id('{SUPERVISOR}', 'coba', 'create_library', '\\x%s')"
    done, second = both(url, ISOLATION_LEVEL_READ_COMMITTED, claim % "01", claim % body, True)
    assert done == (outcome is not None)
    assert (second.row[0] if done else second.fault.diag.constraint_name) == (outcome or "id_taken")


def test_a_region_is_retired_or_succeeded_in_either_order(url):
    schema.CLUSTER.sql(NAME, "UPDATE region SET valid_to = '2020-01-01' WHERE code = '97.02'")
    done, second = both(url, ISOLATION_LEVEL_READ_COMMITTED, "UPDATE region SET valid_to = NULL WHERE code = '97.02'",
                        "INSERT INTO region_successor (code, successor_code) VALUES ('97.02', '97.01')", True)
    assert not done and second.fault.diag.constraint_name == "region_successor_of_retired"
