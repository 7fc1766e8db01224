"""Random sequences by several writers, through the API and by plain SQL at every isolation level; then every rule is counted again over
the tables, by code that knows nothing of the functions that keep it."""

import random
import threading

import psycopg2
import pytest

from harness import libraries, programs
from harness import replications as r
from harness.client import Api

STATES = ["proposed", "committed", "approved", "training", "mentoring", "active", "independent", "lapsed", "rejected", "cancelled"]
NEXT = {"proposed": {"committed", "rejected", "cancelled"}, "committed": {"approved", "rejected", "cancelled"},
        "approved": {"training", "cancelled"}, "training": {"mentoring", "cancelled"}, "mentoring": {"active", "cancelled"},
        "active": {"independent", "lapsed"}, "independent": {"lapsed"}, "lapsed": {"mentoring"}, "rejected": set(), "cancelled": set()}
LIKELY = {"proposed": "committed", "committed": "approved", "approved": "training", "training": "mentoring", "mentoring": "active",
          "active": "lapsed", "independent": "lapsed", "lapsed": "mentoring"}
VILLAGES = ["19.01.07.2004", "19.01.07.2006", "19.01.07.2007", "19.01.07.2008"]
DAYS = ["2024-05-10", "2024-06-01", "2024-06-01", "2024-07-01", "2024-07-01", "2024-08-01"]
STEPS, SECONDS = 150, 120
ENDS = {"active", "lapsed", "rejected", "cancelled"}  # reached by chance, however long that takes


@pytest.fixture(scope="module")
def stage(own_api):
    """A programme with two phases, a kabupaten and its province to replicate, three villages, a facilitator and trained managers."""
    library, phase = r.replicator(own_api)
    second = programs.phase(own_api, program=phase["program"])
    programs.facilitator(own_api)
    training = programs.training(own_api)
    targets = []
    for code in VILLAGES:
        made = r.village(own_api, code)
        programs.participant(own_api, training, library_id=made["id"], role="pengelola")
        tbm = libraries.made(own_api, kind="tbm", region_code=code, founded_on="2012-01-01")
        targets += [(code, made["id"]), (code, tbm["id"])]
    return {"program": phase["program"], "phases": [phase["id"], second["id"]], "targets": targets,
            "replicators": [library["id"], libraries.BANGKA_BELITUNG]}


def turns(least, reached):
    """So many, and then until every end was reached; whoever joins the writer bounds them in time."""
    yield from range(least)
    while not ENDS <= reached:
        yield None


def by_api(api, stage, dice, known, reached, faults):
    mine = Api(api.service, api.clients, api.contract)
    for _ in turns(STEPS, reached):
        if dice.random() < 0.2 or not known:
            code, target = dice.choice(stage["targets"])
            answer = r.propose(mine, replicator_id=dice.choice(stage["replicators"]), phase_id=dice.choice(stage["phases"]), village_code=code,
                               library_id=dice.choice([target, None]), funding=dice.choice([[], [{"source": "apbn"}], [{"source": "csr"}]]))
            if answer.status_code == 201:
                known.append(answer.json()["id"])
        else:
            one = dice.choice(known)
            shown = mine.get(f"/v1/replications/{one}", token="national_admin").json()
            to = LIKELY.get(shown["status"]) if dice.random() < 0.7 else None
            body = {"on": dice.choice(DAYS), **({"commitment": r.COMMITMENT} if dice.random() < 0.8 and shown["commitment"] is None else {})}
            to = to or dice.choice(STATES)
            answer = r.step(mine, {"id": one}, to, **body)
            if answer.ok:
                reached.add(to)
        if answer.status_code not in (200, 201, 409, 503):
            faults.append(answer.text)


def by_sql(api, stage, dice, known, reached, faults):
    levels = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
    with psycopg2.connect(api.service.cluster.url(api.service.database, owner=True)) as connection:
        for _ in turns(STEPS * 2, reached):
            with connection.cursor() as cursor:
                try:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL " + dice.choice(levels))
                    if dice.random() < 0.25 or not known:
                        code, target = dice.choice(stage["targets"])
                        cursor.execute("INSERT INTO replication (program_slug, phase_id, replicator_id, village_code, library_id, status, status_on)"
                                       " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id", (
                                           stage["program"], dice.choice(stage["phases"]), dice.choice(stage["replicators"]), code, target,
                                           "proposed" if dice.random() < 0.9 else dice.choice(STATES), dice.choice(DAYS)))
                        made = cursor.fetchone()[0]
                        connection.commit()
                        known.append(made)
                    else:
                        some = dice.sample(known, min(len(known), dice.choice([1, 1, 2])))
                        status = dice.choice(STATES) if dice.random() < 0.5 else None
                        became = set()
                        for one in some:
                            cursor.execute("UPDATE replication SET status = coalesce(%s, ('{\"proposed\": \"committed\", \"committed\": \"approved\","
                                           " \"approved\": \"training\", \"training\": \"mentoring\", \"mentoring\": \"active\", \"active\": \"lapsed\","
                                           " \"lapsed\": \"mentoring\"}'::jsonb) ->> status, status), status_on = %s, status_note = NULL,"
                                           " commitment_kind = coalesce(commitment_kind, 'mou'), commitment_number = coalesce(commitment_number, '1'),"
                                           " commitment_signed_on = coalesce(commitment_signed_on, '2024-05-02') WHERE id = %s"
                                           " RETURNING status", (status, dice.choice(DAYS), one))
                            became |= {row[0] for row in cursor.fetchall()}
                        connection.commit()
                        reached |= became
                except psycopg2.Error as error:
                    connection.rollback()
                    # refusals, kept rules, lost races; nothing that would be a fault of ours
                    if (error.pgcode or "")[:2] not in ("TB", "23", "40"):
                        faults.append(repr(error))


def rows(cursor, text, *arguments):
    cursor.execute(text, arguments)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def test_every_rule_still_holds(own_api, own_database, stage):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    own_api.token("national_admin")
    known, seen, faults = [], set(), []
    writers = [threading.Thread(target=write, args=(own_api, stage, random.Random(seed + n), known, seen, faults))
               for n, write in enumerate([by_api, by_sql] * 4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(SECONDS)
        assert not writer.is_alive(), "a writer hangs"
    assert not faults, (seed, faults[:3])

    with own_database.cursor() as cursor:
        replications = rows(cursor, "SELECT * FROM replication WHERE program_slug = %s", stage["program"])
        history = rows(cursor, "SELECT h.* FROM replication_history h JOIN replication r ON r.id = h.replication_id WHERE r.program_slug = %s"
                               " ORDER BY h.number", stage["program"])
        kinds = dict((row["id"], row) for row in rows(cursor, "SELECT id, kind, region_code FROM library"))
        participations = dict((row["id"], row) for row in rows(cursor, "SELECT * FROM participation"))
        audited = rows(cursor, "SELECT table_name, row_key ->> 'id' AS id, action, xid::text, after ->> 'status' AS status FROM audit"
                               " WHERE table_name IN ('replication', 'replication_history')")
    assert len(replications) > 15 and len(history) > 60, (len(replications), len(history))
    reached = {step["to_status"] for step in history}
    assert ENDS <= reached, reached

    # one live replication of a target
    live = [(one["library_id"] if kinds.get(one["library_id"], {}).get("kind") == "tbm" else one["village_code"])
            for one in replications if one["status"] not in ("rejected", "cancelled", "lapsed")]
    assert len(live) == len(set(live)), seed
    steps_of = {}
    for step in history:
        steps_of.setdefault(step["replication_id"], []).append(step)
    for one in replications:
        steps = steps_of[one["id"]]
        # a beginning as proposed, states that follow each other, days in order, and the last one is the status
        assert steps[0]["from_status"] is None and steps[0]["to_status"] == "proposed"
        for before, after in zip(steps, steps[1:]):
            assert after["from_status"] == before["to_status"] and after["to_status"] in NEXT[before["to_status"]], (seed, one["id"])
            assert before["happened_on"] <= after["happened_on"], (seed, one["id"])
        assert (steps[-1]["to_status"], steps[-1]["happened_on"]) == (one["status"], one["status_on"]), (seed, one["id"])
        # a place that fits, a replicator above the village
        assert kinds[one["replicator_id"]]["kind"] in ("regency", "provincial") and one["village_code"].startswith(
            kinds[one["replicator_id"]]["region_code"] + ".")
        assert one["library_id"] is None or kinds[one["library_id"]]["region_code"] == one["village_code"]
        states = {step["to_status"] for step in steps}
        if "committed" in states:
            committed = next(step for step in steps if step["to_status"] == "committed")
            assert one["commitment_number"] and one["commitment_signed_on"] <= committed["happened_on"], seed
        for step in steps:
            if step["to_status"] == "training":  # the only facilitator is certified since 2024-05-05
                assert step["evidence"]["facilitators"] and str(step["happened_on"]) >= "2024-05-05", seed
        if "active" in states:
            taking_part = participations[one["participation_id"]]
            assert (taking_part["library_id"], taking_part["phase_id"]) == (one["library_id"], one["phase_id"]), seed
            assert taking_part["status"] == "active" and kinds[one["library_id"]]["kind"] == "village", seed  # no TBM has a trained manager
        else:
            assert one["participation_id"] is None, seed
    # at most once in a phase
    pairs = [(p["phase_id"], p["library_id"]) for p in participations.values()]
    assert len(pairs) == len(set(pairs))

    # every transition has its audit rows: of its history, and of the replication in that state in the same transaction
    recorded = {row["id"]: row["xid"] for row in audited if row["table_name"] == "replication_history" and row["action"] == "insert"}
    changed = {(row["id"], row["xid"], row["status"]) for row in audited if row["table_name"] == "replication"}
    for step in history:
        assert str(step["id"]) in recorded, seed
        assert (str(step["replication_id"]), recorded[str(step["id"])], step["to_status"]) in changed, (seed, step)
