"""Tim Sinergi under 16 writers at once, at every isolation level, in plain SQL: afterwards a recount of the tables, which asks
none of the rules' own functions, finds every rule kept on every day."""

import datetime
import random
import threading
import uuid

import psycopg2
import pytest
from psycopg2 import errors, extensions

URL = None  # of the database that all tests of this file share
WRITERS = 16
SESSIONS = []  # one of each writer, kept: to begin them all costs more than most races do
LEVELS = [extensions.ISOLATION_LEVEL_READ_COMMITTED, extensions.ISOLATION_LEVEL_REPEATABLE_READ, extensions.ISOLATION_LEVEL_SERIALIZABLE]
REFUSED = "TB001"
EXPECTED = (errors.ExclusionViolation, errors.SerializationFailure, errors.DeadlockDetected)


@pytest.fixture(scope="module", autouse=True)
def _shared(cluster, shared_copy):
    global URL
    URL = cluster.url(shared_copy, owner=True)
    SESSIONS.extend(psycopg2.connect(URL) for _ in range(WRITERS))
    yield
    while SESSIONS:
        SESSIONS.pop().close()


@pytest.fixture
def database():
    connection = psycopg2.connect(URL)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', '30s', false)")
        yield cursor
    connection.close()


@pytest.fixture
def organization(database):
    database.execute("INSERT INTO organization (name, sector) VALUES ('Lembaga uji', 'university') RETURNING id")
    return database.fetchone()[0]


def region(database, level):
    """One where no team ever was."""
    length = 2 if level == "province" else 5
    database.execute("""SELECT r.code FROM region r WHERE length(r.code) = %s AND r.valid_to IS NULL
                        AND NOT EXISTS (SELECT FROM team t WHERE t.region_code = r.code) ORDER BY r.code DESC LIMIT 1""", (length,))
    return database.fetchone()[0]


def new_team(database, level="province", formed_on="2015-01-01"):
    database.execute("INSERT INTO team (region_code, formed_on) VALUES (%s, %s) RETURNING id", (region(database, level), formed_on))
    return database.fetchone()[0]


def race(work):
    """work(cursor, n) in WRITERS transactions that begin together; how many were committed. Any error but those that a
    rule or the isolation explains fails the test."""
    barrier, outcome, lock = threading.Barrier(WRITERS), [], threading.Lock()

    def writer(n):
        connection = SESSIONS[n]
        connection.set_session(isolation_level=LEVELS[n % len(LEVELS)])
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM team_member")  # the snapshot is taken before the others write
                barrier.wait()
                work(cursor, n)
                connection.commit()
                result = "done"
        except EXPECTED as error:
            result = type(error).__name__
        except psycopg2.Error as error:
            result = "refused" if error.pgcode == REFUSED else f"{error.pgcode} {error}"
        finally:
            connection.reset()
        with lock:
            outcome.append(result)

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = {"done", "refused"} | {error.__name__ for error in EXPECTED}
    assert len(outcome) == WRITERS and set(outcome) <= known, outcome
    return outcome.count("done")


def join(cursor, team, organization, name, role="anggota", starts_on="2019-01-01", ends_on=None):
    cursor.execute("INSERT INTO team_member (team_id, name, organization_id, role, starts_on, ends_on) VALUES (%s, %s, %s, %s, %s, %s)",
                   (team, name, organization, role, starts_on, ends_on))


def days(*periods):
    """Each day on which something may begin to be wrong."""
    return sorted({day for begin, end in periods for day in (begin, end and end + datetime.timedelta(days=1)) if day})


def recount(database):
    """Every rule, from the rows alone."""
    database.execute("SELECT id, region_code, formed_on, dissolved_on FROM team")
    teams = database.fetchall()
    database.execute("SELECT level, starts_on, ends_on, max_members FROM team_policy")
    policies = database.fetchall()
    covers = lambda begin, end, day: (begin is None or begin <= day) and (end is None or end >= day)  # noqa: E731
    for code in {team[1] for team in teams}:
        mine = [team for team in teams if team[1] == code]
        for day in days(*[team[2:] for team in mine]):
            assert sum(covers(*team[2:], day) for team in mine) <= 1, f"two live teams in {code} on {day}"
    for team, code, formed_on, dissolved_on in teams:
        database.execute("SELECT coalesce(person_id::text, lower(name), id::text), role, starts_on, ends_on, id FROM team_member WHERE team_id = %s", (team,))
        members = database.fetchall()
        database.execute("SELECT kind, coalesce(valid_from, signed_on), valid_until, max_members FROM team_decree WHERE team_id = %s", (team,))
        decrees = database.fetchall()
        database.execute("SELECT member_id, starts_on, ends_on FROM team_coordinator WHERE team_id = %s", (team,))
        duties = database.fetchall()
        order = ["sk_kepala_dinas", "sk_bupati", "sk_gubernur", "sk_kepala_perpusnas"]
        level = "province" if len(code) == 2 else "regency"
        for day in days(*[m[2:4] for m in members], *[d[1:3] for d in decrees], *[p[1:3] for p in policies], *[c[1:3] for c in duties]):
            here = [m for m in members if covers(m[2], m[3], day)]
            ruling = [d for d in decrees if covers(d[1], d[2], day) and d[3] is not None]
            limit = max(ruling, key=lambda d: (order.index(d[0]), d[1]))[3] if ruling else \
                next((p[3] for p in policies if p[0] == level and covers(p[1], p[2], day)), None)
            assert limit is None or len(here) <= limit, f"{len(here)} members of {limit} in {team} on {day}"
            for office in ("penanggung_jawab", "ketua", "sekretaris"):
                assert sum(m[1] == office for m in here) <= 1, f"two {office} in {team} on {day}"
            assert len({m[0] for m in here}) == len(here), f"somebody twice in {team} on {day}"
            on_duty = [c for c in duties if covers(c[1], c[2], day)]
            assert len(on_duty) <= 1, f"two coordinators in {team} on {day}"
            assert all(any(m[4] == c[0] for m in here) for c in on_duty), f"a coordinator who is no member in {team} on {day}"
            assert not here or covers(formed_on, dissolved_on, day), f"members of a team that is not there: {team} on {day}"


def test_the_last_seat(database, organization):
    team = new_team(database)
    for n in range(9):
        join(database, team, organization, f"Tetap {n}")
    assert race(lambda cursor, n: join(cursor, team, organization, f"Baru {n}", starts_on=f"20{20 + n % 5}-0{1 + n % 9}-01")) == 1
    recount(database)


def test_one_ketua(database, organization):
    team = new_team(database)
    assert race(lambda cursor, n: join(cursor, team, organization, f"Ketua {n}", "ketua", f"2020-01-{10 + n}")) == 1
    recount(database)


def test_one_person_once(database, organization):
    team = new_team(database, "regency")
    database.execute("INSERT INTO person (name) VALUES ('Rina Wati') RETURNING id")
    person = database.fetchone()[0]

    def work(cursor, n):
        if n % 2:
            join(cursor, team, organization, ("rina wati", "RINA  WATI", "Rína Wati")[n % 3])
        else:
            cursor.execute("INSERT INTO team_member (team_id, person_id, organization_id, starts_on) VALUES (%s, %s, %s, '2020-01-01')", (team, person, organization))

    assert race(work) == 1


def test_one_live_team(database):
    code = region(database, "regency")
    assert race(lambda cursor, n: cursor.execute("INSERT INTO team (region_code, formed_on) VALUES (%s, %s)", (code, f"2020-01-{10 + n}"))) == 1
    recount(database)


def test_one_substitute(database, organization):
    team = new_team(database)
    join(database, team, organization, "Lama", "ketua")
    database.execute("SELECT id FROM team_member WHERE team_id = %s", (team,))
    leaving = database.fetchone()[0]
    done = race(lambda cursor, n: cursor.execute("SELECT team_substitute(%s, %s, '2020-07-01', 'moved_office', uuidv7(), NULL, %s, NULL, %s, NULL, NULL)",
                                                 (team, leaving, f"Pengganti {n}", organization)))
    assert done == 1
    recount(database)


def test_one_coordinator_a_day(database, organization):
    team = new_team(database)
    for n in range(8):
        join(database, team, organization, f"Anggota {n}")
    database.execute("SELECT id FROM team_member WHERE team_id = %s", (team,))
    everybody = [row[0] for row in database.fetchall()]

    def work(cursor, n):
        if n % 2:
            cursor.execute("INSERT INTO team_coordinator (team_id, member_id, starts_on) VALUES (%s, %s, %s)", (team, everybody[n % 8], f"2020-01-{10 + n}"))
        else:
            cursor.execute("UPDATE team_member SET ends_on = '2020-01-20' WHERE id = %s", (everybody[(n + 1) % 8],))

    race(work)
    recount(database)


@pytest.mark.parametrize("what", ["policy", "decree"])
def test_a_limit_lowered_while_members_join(database, organization, what):
    team = new_team(database)
    for n in range(8):
        join(database, team, organization, f"Tetap {n}")
    database.execute("INSERT INTO team_decree (team_id, kind, number, signed_on, max_members) VALUES (%s, 'sk_gubernur', %s, '2018-01-01', 12) RETURNING id",
                     (team, uuid.uuid4().hex))
    decree = database.fetchone()[0]
    if what == "policy":  # then the policy alone rules
        database.execute("DELETE FROM team_decree WHERE id = %s", (decree,))

    def work(cursor, n):
        if n % 4:
            join(cursor, team, organization, f"Baru {n}")
        elif what == "decree":
            cursor.execute("UPDATE team_decree SET max_members = 9 WHERE id = %s", (decree,))
        else:
            cursor.execute("UPDATE team_policy SET max_members = 9 WHERE level = 'province' AND ends_on IS NULL")

    assert race(work) >= 1
    recount(database)
    if what == "policy":
        database.execute("UPDATE team_policy SET max_members = 10 WHERE level = 'province' AND ends_on IS NULL")


def test_a_policy_lowered_while_teams_are_made(database, organization):
    """A team that the policy's writer cannot see yet obeys it too."""
    codes = []
    for _ in range(WRITERS):
        database.execute("""SELECT r.code FROM region r WHERE length(r.code) = 5 AND r.valid_to IS NULL AND r.code <> ALL (%s)
                            AND NOT EXISTS (SELECT FROM team t WHERE t.region_code = r.code) ORDER BY r.code LIMIT 1""", (codes,))
        codes.append(database.fetchone()[0])

    def work(cursor, n):
        if n % 4:
            cursor.execute("INSERT INTO team (region_code, formed_on) VALUES (%s, '2015-01-01') RETURNING id", (codes[n],))
            team = cursor.fetchone()[0]
            for i in range(4):
                join(cursor, team, organization, f"Anggota {i}")
        else:
            cursor.execute("UPDATE team_policy SET max_members = 3 WHERE level = 'regency' AND ends_on IS NULL")

    assert race(work) >= 1
    recount(database)
    database.execute("UPDATE team_policy SET max_members = NULL WHERE level = 'regency' AND ends_on IS NULL")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_sequences(database, organization, seed):
    """Several writers do what comes to their mind, each in many small transactions."""
    teams = [new_team(database), new_team(database, "regency")]
    database.execute("SELECT count(*) FROM audit WHERE table_name = 'team_member' AND action = 'insert'")
    audited_before = database.fetchone()[0]
    database.execute("SELECT count(*) FROM team_member")
    members_before = database.fetchone()[0]
    database.execute("INSERT INTO person (name) SELECT 'Orang ' || n FROM generate_series(1, 6) n RETURNING id")
    people = [row[0] for row in database.fetchall()]
    faults = []

    def day(random_):
        return str(datetime.date(2019, 1, 1) + datetime.timedelta(days=random_.randrange(0, 3000)))

    def act(cursor, random_, n):
        team, begin, end = random_.choice(teams), *sorted((day(random_), day(random_)))
        role = random_.choice(["anggota", "anggota", "anggota", "ketua", "sekretaris"])
        end = random_.choice([None, end])
        kind = random_.randrange(8)
        if kind < 3:
            person = random_.choice([None, random_.choice(people)])
            cursor.execute("INSERT INTO team_member (team_id, person_id, name, organization_id, role, starts_on, ends_on) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                           (team, person, None if person else f"Orang {random_.randrange(8)}", organization, role, begin, end))
            return
        cursor.execute("SELECT id FROM team_member WHERE team_id = %s ORDER BY random() LIMIT 1", (team,))
        member = cursor.fetchone()
        if kind == 3 and member:
            cursor.execute("UPDATE team_member SET starts_on = %s, ends_on = %s, end_reason = NULL WHERE id = %s", (begin, end, member))
        elif kind == 4 and member:
            cursor.execute("SELECT team_substitute(%s, %s, %s, 'resigned', uuidv7(), NULL, %s, 'Kepala', %s, NULL, NULL)", (team, member, end or begin, f"Orang {random_.randrange(9)}", organization))
        elif kind == 5 and member:
            cursor.execute("SELECT team_coordinate(%s, %s, %s)", (team, member, begin))
        elif kind == 6 and member:
            cursor.execute("UPDATE team_member SET role = %s WHERE id = %s", (role, member))
        elif kind == 7:
            cursor.execute("""INSERT INTO team_decree (team_id, kind, number, signed_on, valid_from, valid_until, max_members)
                              VALUES (%s, 'sk_kepala_dinas', %s, '2019-01-01', %s, %s, %s)""", (team, uuid.uuid4().hex, begin, end, random_.randrange(3, 9)))

    def writer(n):
        random_ = random.Random(seed * 100 + n)
        connection = SESSIONS[n]
        connection.set_session(isolation_level=LEVELS[n % len(LEVELS)])
        for _ in range(25):
            try:
                with connection.cursor() as cursor:
                    for _ in range(random_.choice([1, 1, 2])):
                        act(cursor, random_, n)
                connection.commit()
            except psycopg2.Error as error:
                connection.rollback()
                if error.pgcode != REFUSED and not isinstance(error, EXPECTED):
                    faults.append(f"{error.pgcode} {error}")
        connection.reset()

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    recount(database)
    database.execute("SELECT count(*) FROM team_member")
    made = database.fetchone()[0] - members_before
    database.execute("SELECT count(*) FROM audit WHERE table_name = 'team_member' AND action = 'insert'")
    assert made > 10 and database.fetchone()[0] - audited_before == made
