"""Participations under many writers: whatever they try, in whatever order, a plain recount finds every rule kept."""

import random
import threading

import psycopg2
import pytest

WRITERS, STEPS, SEEDS = 8, 60, (1, 20261121)
NEXT = {None: {"nominated"}, "nominated": {"confirmed", "withdrawn"}, "confirmed": {"active", "withdrawn"},
        "active": {"graduated", "withdrawn"}, "graduated": set(), "withdrawn": set()}


@pytest.fixture
def url(cluster, copy):
    return cluster.url(copy, owner=True)


def write(url, seed, phases, libraries, refusals):
    chance = random.Random(seed)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tpbis.actor', %s, false)", (f"penulis {seed}",))
        for _ in range(STEPS):
            phase, library = chance.choice(phases), chance.choice(libraries)
            day = f"today() - {chance.randrange(-1, 4)}"
            try:
                if chance.random() < 0.3:
                    cursor.execute("INSERT INTO participation (phase_id, library_id, support, status_on) "
                                   f"VALUES (%s, %s, 'full', {day})", (phase, library))
                elif chance.random() < 0.1:
                    cursor.execute("SELECT participation_join(%s, %s, 'self_replication', today(), 'replikasi')", (phase, library))
                else:
                    cursor.execute(f"UPDATE participation SET status = %s, status_on = {day}, status_note = %s "
                                   "WHERE (phase_id, library_id) = (%s, %s)",
                                   (chance.choice([s for s in NEXT if s]), f"alasan {chance.random()}", phase, library))
            except psycopg2.Error as refusal:
                refusals.append((refusal.pgcode, refusal.diag.constraint_name))
    connection.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_rule_in_a_recount(url, seed):
    connection = psycopg2.connect(url)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("INSERT INTO program (slug, name) VALUES ('balapan', 'Balapan')")
    cursor.execute("INSERT INTO phase (id, program_slug, name, status) SELECT 'balapan-' || n, 'balapan', n, 'open' "
                   "FROM generate_series(1, 2) n")
    cursor.execute("SELECT id::text FROM library WHERE kind = 'village' ORDER BY id LIMIT 4")
    libraries, phases, refusals = [row[0] for row in cursor.fetchall()], ["balapan-1", "balapan-2"], []
    writers = [threading.Thread(target=write, args=(url, seed * 100 + n, phases, libraries, refusals)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert not writer.is_alive()
    assert {code for code, _ in refusals} <= {"TB001", "23505", "23001"}, refusals  # 23001: a day without a step
    assert {"participation_transition", "date_in_future", "participation_library_key"} <= {name for _, name in refusals}

    cursor.execute("SELECT phase_id, library_id, count(*) FROM participation WHERE phase_id LIKE 'balapan-%' GROUP BY 1, 2")
    counts = cursor.fetchall()
    assert len(counts) == len(phases) * len(libraries) and {count for _, _, count in counts} == {1}
    cursor.execute("SELECT p.id::text, p.status, p.status_on, p.joined_on, p.ended_on FROM participation p WHERE phase_id LIKE 'balapan-%'")
    for one, status, status_on, joined_on, ended_on in cursor.fetchall():
        cursor.execute("SELECT from_status, to_status, happened_on, actor FROM participation_history WHERE participation_id = %s "
                       "ORDER BY number", (one,))
        steps = cursor.fetchall()
        assert [step[0] for step in steps] == [None] + [step[1] for step in steps[:-1]]
        assert all(to in NEXT[before] for before, to, _, _ in steps)
        days = [step[2] for step in steps]
        assert days == sorted(days) and (steps[-1][1], days[-1]) == (status, status_on)
        assert all(actor.startswith("penulis ") for _, _, _, actor in steps)
        reached = {to: on for _, to, on, _ in steps}
        assert joined_on == reached.get("confirmed") and ended_on == (reached.get("graduated") or reached.get("withdrawn"))
        cursor.execute("SELECT after ->> 'status' FROM audit WHERE table_name = 'participation' AND row_key ->> 'id' = %s "
                       "AND after ? 'status' ORDER BY id", (one,))
        assert [row[0] for row in cursor.fetchall()] == [step[1] for step in steps]
    connection.close()
