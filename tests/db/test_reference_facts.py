"""The facts an installation is born with: programmes, figures, participations, replications and a Tim Sinergi, each as its
file says, brought in once and never again over what people made of it.

What public documents say stands here a second time, by hand, so that a slip in a file is seen."""

import csv
import uuid

import pytest

from test_reference import Database
from harness.sources import S0, S1, S2, S3, S4

FILES = {"organizations": "organization", "programs": "program", "program_organizations": "program_organization", "phases": "phase",
         "phase_targets": "phase_target", "published_figures": "published_figure", "participations": "participation",
         "replications": "replication", "teams": "team", "team_decrees": "team_decree", "team_members": "team_member",
         "team_meetings": "team_meeting", "team_work_plans": "team_work_plan"}
KEYS = {"program": ["slug"], "program_organization": ["program_slug", "organization_id", "role"], "phase_target": ["phase_id", "measure"]}
ALL = 145  # rows in all files but libraries.csv
VILLAGES = {f"{kabupaten}.{rest}" for kabupaten, rests in {
    "19.01": ["06.2002", "03.2007", "01.2007", "05.2005", "03.2005", "08.2007"],
    "19.02": ["05.2003", "05.2001", "05.2002", "01.2010", "04.2001", "02.2009"],
    "19.06": ["03.2001", "04.2003", "04.2006", "05.2003", "06.2003"]}.items() for rest in rests}
SULAWESI = ["72.01", "72.03", "72.10", "73.08", "73.09", "73.12"]
OFFICES = [("penanggung_jawab", "library_agency"), ("ketua", "library_agency"), ("sekretaris", "library_agency"),
           ("anggota", "media"), ("anggota", "planning_agency"), ("anggota", "reading_community"), ("anggota", "university"),
           ("anggota", "village_empowerment")]
# source, programme or phase, measure: the values, in order
FIGURES = {
    (S0, "perpuseru-1"): {"libraries": [34], "provinces": [16]},
    (S0, "perpuseru"): {"regency_libraries": [104], "village_and_tbm_libraries": [768], "provinces": [18], "staff_trained": [2300],
                          "managers_trained": [1800]},
    (S3, "perpuseru"): {"regencies": [104], "provinces": [21]},
    (S1, "perpuseru"): {"regencies": [34], "village_libraries": [70], "tbm": [6], "provinces": [19],
                          "partner_libraries_with_raised_budget": [80], "budget_raise_least": [100], "budget_raise_most": [200]},
    (S0, "tpbis-2018"): {"provinces": [21], "regencies": [60]},
    (S3, "tpbis-2019"): {"provinces": [21], "regencies": [60], "villages": [300]},
    (S4, "tpbis"): {"provinces": [21], "regency_libraries": [60], "village_libraries": [300], "facilitators_trained": [156],
                      "managers_trained": [900], "activities": [8635], "activity_participants": [259944],
                      "stakeholder_meetings": [965], "stakeholder_representatives": [2258]},
    (S2, "tpbis"): {"villages": [3505], "regencies": [399], "provinces": [34]},
    (S2, "tpbis-2023"): {"plm_participants": [309], "plm_provincial_libraries": [17], "plm_regency_libraries": [66],
                           "plm_village_libraries": [266]},
    ("press", "tpbis-2020-2022"): {"package_servers": [1], "package_computers": [3], "package_printers": [1], "package_smart_tvs": [1],
                                   "package_books": [700], "package_bookshelves": [2]},
    ("press", "tpbis"): {"provinces": [33, 34, 38], "regencies": [296, 296, 399], "villages": [1696, 2396, 3505],
                         "replications": [3237], "people": [8200000]},
    ("press (another report)", "tpbis"): {"villages": [3535]},
    ("press", "tpbis-2023"): {"villages": [450], "regencies": [136]},
    ("press", "tpbis-2024"): {"village_libraries_given_books": [10000]},
}


class Facts(Database):
    """One database of the cluster, with what these tests ask again and again."""

    def members(self, day):
        return self.rows("SELECT m.role, o.sector FROM team_member m JOIN team t ON t.id = m.team_id "
                         "JOIN organization o ON o.id = m.organization_id "
                         "WHERE t.region_code = '19' AND m.period @> %s::date ORDER BY m.role_rank, o.sector", day)

    def last_audit(self):
        return self.value("SELECT max(id) FROM audit")

    def told(self):
        """What loading says of the facts."""
        return [line for line in self.load().splitlines() if line.startswith("facts:")]

    def counts(self):
        return {table: self.value(f"SELECT count(*) FROM {table}") for table in FILES.values()}


@pytest.fixture(scope="module")
def facts(cluster, shared_copy):
    """To read."""
    database = Facts(cluster, shared_copy)
    yield database
    database.connection.close()


@pytest.fixture
def mine(cluster, copy):
    """To write in."""
    database = Facts(cluster, copy)
    yield database
    database.connection.close()


@pytest.fixture(scope="module")
def files(root):
    found = {}
    for name in FILES:
        with open(root / f"db/reference/facts/{name}.csv", newline="", encoding="utf-8") as file:
            found[name] = list(csv.DictReader(file))
    return found


# ---- the files --------------------------------------------------------------------------------------------------


def test_every_row_says_its_source_and_has_an_id_for_ever(files):
    seen = set()
    for name, rows in files.items():
        for row in rows:
            assert row["source"] or row.get("id") == "tpbis-2026", (name, row)
            if "id" in row and name != "phases":
                assert uuid.UUID(row["id"]).version == 7 and row["id"] not in seen
                seen.add(row["id"])
    assert sum(map(len, files.values())) == ALL


def test_all_of_it_is_there(facts, files):
    for name, table in FILES.items():
        keys = KEYS.get(table, ["id"])
        found = {row for row in facts.rows(f"SELECT {', '.join(key + '::text' for key in keys)} FROM {table}")}
        assert found == {tuple(row[key] for key in keys) for row in files[name]}, table
    assert facts.value("SELECT count(*) FROM reference_fact") == ALL
    assert facts.value("SELECT count(*) FROM audit WHERE table_name = 'published_figure' AND action = 'insert' AND row_key IS NOT NULL") == 58


# ---- programmes and phases ----------------------------------------------------------------------------------------


def test_programmes(facts):
    assert facts.rows("SELECT slug, started_on::text, started_on_precision, ended_on::text, ended_on_precision, sdgs FROM program ORDER BY slug") == [
        ("perpuseru", "2011-11-01", "month", "2018-07-31", "month", []), ("tpbis", "2018-01-01", "year", None, None, [2, 4, 5, 8])]
    note = facts.value("SELECT note FROM program WHERE slug = 'tpbis'")
    assert "'Goal 9'" in note and "2020 to 2025" in note  # what is flagged
    basis = facts.value("SELECT legal_basis FROM program WHERE slug = 'tpbis'")
    assert len(basis) == 9 and "RPJMN 2020-2024" in basis and any("3/2023" in text for text in basis)
    assert facts.rows("SELECT m.program_slug, o.name, o.sector FROM program_organization m JOIN organization o ON o.id = m.organization_id "
                      "ORDER BY 1, 2") == [
        ("perpuseru", "Bill & Melinda Gates Foundation", "foundation"), ("perpuseru", "Coca-Cola Foundation Indonesia", "foundation"),
        ("tpbis", "Bappenas", "ministry"), ("tpbis", "Perpustakaan Nasional Republik Indonesia", "library_agency")]


def test_nine_phases(facts):
    assert facts.rows("SELECT id, program_slug, starts_on::text, starts_on_precision, ends_on::text, ends_on_precision, status FROM phase "
                      "ORDER BY starts_on") == [
        ("perpuseru-1", "perpuseru", "2011-11-01", "month", "2015-12-31", "year", "closed"),
        ("perpuseru-2", "perpuseru", "2016-01-01", "year", "2018-07-31", "month", "closed"),
        ("tpbis-2018", "tpbis", "2018-01-01", "year", "2018-12-31", "year", "closed"),
        ("tpbis-2019", "tpbis", "2019-01-01", "year", "2019-12-31", "year", "closed"),
        ("tpbis-2020-2022", "tpbis", "2020-01-01", "year", "2022-12-31", "year", "closed"),
        ("tpbis-2023", "tpbis", "2023-01-01", "year", "2023-12-31", "year", "closed"),
        ("tpbis-2024", "tpbis", "2024-01-01", "year", "2024-12-31", "year", "closed"),
        ("tpbis-2025", "tpbis", "2025-01-01", "year", "2025-12-31", "year", "closed"),
        ("tpbis-2026", "tpbis", "2026-01-01", "year", "2026-12-31", "year", "open")]
    assert facts.rows("SELECT phase_id, measure, value FROM phase_target ORDER BY 1") == [
        ("perpuseru-2", "provinces", 25.0), ("tpbis-2019", "villages", 300.0)]
    assert "allocation" in facts.value("SELECT note FROM phase_target WHERE phase_id = 'tpbis-2019'")


def test_figures_stand_as_printed(facts):
    found = {}
    for source, whose, measure, value in facts.rows(
            "SELECT source, coalesce(phase_id, program_slug), measure, value FROM published_figure ORDER BY value"):
        found.setdefault((source, whose), {}).setdefault(measure, []).append(value)
    assert found == FIGURES
    # no day is made up: where none is known there is none, and every other one says how exact it is
    assert facts.value("SELECT count(*) FROM published_figure WHERE as_of_precision IS NULL OR (as_of IS NULL) <> (as_of_precision = 'unknown')") == 0
    assert {row[0] for row in facts.rows("SELECT DISTINCT source FROM published_figure WHERE as_of IS NULL")} == {S0, S1, S4}
    assert facts.value("SELECT count(*) FROM published_figure WHERE scope IS NULL") == 0


def test_contradictions_are_kept_side_by_side(facts):
    assert facts.rows("SELECT source, value FROM published_figure WHERE program_slug = 'perpuseru' AND phase_id IS NULL "
                      "AND measure = 'provinces' AND left(source, 2) IN ('S0', 'S3') ORDER BY 1") == [(S0, 18.0), (S3, 21.0)]
    assert facts.rows("SELECT value, count(*) FROM published_figure WHERE measure = 'villages' AND scope ~ 'with replication' GROUP BY 1 ORDER BY 1") == [
        (3505.0, 1), (3535.0, 1)]
    assert facts.value("SELECT count(*) FROM published_figure WHERE note ~ 'contradicted|disagrees|garbled'") == 9


# ---- participations and replications ------------------------------------------------------------------------------


def test_participations(facts):
    found = facts.rows("SELECT p.phase_id, l.region_code, p.support, p.status, p.origin, p.source FROM participation p "
                       "JOIN library l ON l.id = p.library_id ORDER BY l.region_code")
    assert {row[1] for row in found if row[3] == "confirmed"} == VILLAGES and len(VILLAGES) == 17
    assert {row[:1] + row[2:] for row in found if row[1] in VILLAGES} == {("tpbis-2019", "full", "confirmed", "historical", S3)}
    assert [row for row in found if len(row[1]) == 5] == (
        [("tpbis-2019", code, "full", "active", "historical", S3) for code in ("19.01", "19.02", "19.06")]
        + [("perpuseru-1", "62.01", "full", "active", "historical", S1)]
        + [("tpbis-2018", code, "full", "active", "historical", S0) for code in SULAWESI])
    notes = [row[0] for row in facts.rows("SELECT note FROM participation WHERE phase_id = 'tpbis-2018'")]
    assert len(notes) == 6 and all("3 computers, 1 server, books, Inlislite and Kunang-kunang" in note for note in notes)
    assert facts.value("SELECT note FROM participation p JOIN library l ON l.id = p.library_id WHERE l.region_code = '62.01'").startswith("A reading")
    # nobody published a day
    assert facts.value("SELECT count(*) FROM participation WHERE num_nonnulls(status_on, joined_on, ended_on) > 0") == 0
    assert facts.value("SELECT count(*) FROM participation_history WHERE happened_on IS NULL AND from_status IS NULL") == 27


def test_replications(facts):
    found = facts.rows("SELECT r.village_code, p.region_code, l.region_code, r.program_slug, r.phase_id, r.status, r.status_on::text, "
                       "r.status_on_precision, r.origin, r.source, r.undocumented, r.funding, r.commitment_kind FROM replication r "
                       "JOIN library l ON l.id = r.library_id JOIN library p ON p.id = r.replicator_id")
    assert {row[0] for row in found} == VILLAGES and len(found) == 17
    for village, replicator, library, *rest in found:
        assert replicator == village[:5] and library == village
        assert rest == ["tpbis", "tpbis-2019", "training", "2019-01-01", "year", "historical", S3,
                        ["commitment", "approval", "facilitator"], [], None]
    assert facts.value("SELECT count(*) FROM replication WHERE note ~ '^A reading'") == 17
    assert "Unconfirmed" in facts.value("SELECT note FROM replication WHERE village_code = '19.02.02.2009'")
    assert facts.value("SELECT count(*) FROM person") == 0 and facts.value("SELECT count(*) FROM training") == 0


def test_a_village_of_the_past_obeys_the_rules_from_here_on(mine):
    """What lacks proof is forgiven for the past alone: mentoring comes next, active needs a trained manager."""
    mine.rows("UPDATE replication SET status = 'mentoring' WHERE village_code = '19.01.06.2002'")
    with pytest.raises(Exception, match="replication_manager_missing"):
        mine.rows("UPDATE replication SET status = 'active', status_on = NULL WHERE village_code = '19.01.06.2002'")
    with pytest.raises(Exception, match="replication_live_key"):
        mine.rows("INSERT INTO replication (program_slug, replicator_id, village_code) SELECT 'tpbis', replicator_id, village_code "
                  "FROM replication WHERE village_code = '19.01.06.2002'")


# ---- Tim Sinergi ---------------------------------------------------------------------------------------------------


def test_the_team(facts):
    assert facts.rows("SELECT name, region_code, formed_on::text, formed_on_precision, dissolved_on, origin, source FROM team") == [
        ("Tim Sinergi Kepulauan Bangka Belitung", "19", "2018-11-28", "day", None, "historical", S3)]
    assert facts.value("SELECT jsonb_array_length(undocumented) FROM team") == 4
    assert facts.rows("SELECT kind, number, signed_on, valid_from::text, valid_until, origin FROM team_decree") == [
        ("sk_kepala_dinas", None, None, "2018-11-28", None, "historical")]


def test_who_was_in_the_team(facts):
    assert facts.members("2018-11-27") == []
    assert facts.members("2018-11-28") == OFFICES
    assert facts.members("2019-06-17") == OFFICES
    assert facts.members("2019-07-01") == OFFICES and facts.members("2026-11-21") == OFFICES  # another member, of the same office
    assert facts.value("SELECT count(*) FROM team_member WHERE name IS NOT NULL OR person_id IS NOT NULL OR position IS NULL") == 0
    assert facts.rows("SELECT n.starts_on::text, n.starts_on_precision, o.ends_on::text, o.ends_on_precision, o.end_reason, n.decree_id "
                      "FROM team_member n JOIN team_member o ON o.id = n.replaces_id") == [
        ("2019-07-01", "unknown", "2019-06-30", "unknown", None, None)]


def test_what_the_team_planned(facts):
    assert facts.rows("SELECT kind, status, planned_for::text, planned_for_precision, held_on, origin FROM team_meeting ORDER BY planned_for") == [
        ("stakeholder", "planned", "2019-07-01", "month", None, "historical"), ("stakeholder", "planned", "2019-08-01", "month", None, "historical")]
    assert facts.rows("SELECT kind, title, status, due_on FROM team_work_plan ORDER BY kind") == [
        ("advocacy", "Advokasi kepada pemerintah dan swasta", "planned", None), ("legal_basis", "SK Gubernur", "planned", None),
        ("monitoring", "Pemantauan", "planned", None)]


# ---- loading again ---------------------------------------------------------------------------------------------------


def test_loading_again_changes_nothing(mine):
    before = mine.last_audit()
    assert mine.told() == ["facts: all are loaded already"]
    assert mine.last_audit() == before


def test_what_people_made_of_it_stays(mine):
    mine.rows("UPDATE program SET name = 'TPBIS Perpusnas', note = NULL WHERE slug = 'tpbis'")
    mine.rows("UPDATE phase SET status = 'closed' WHERE id = 'tpbis-2026'")
    mine.rows("DELETE FROM phase_target WHERE phase_id = 'perpuseru-2'")
    mine.rows("UPDATE phase_target SET value = 250 WHERE phase_id = 'tpbis-2019'")
    mine.rows("DELETE FROM program_organization WHERE program_slug = 'tpbis'")
    mine.rows("SELECT published_figures_set('tpbis', 'tpbis-2019', "
              """'[{"measure": "villages", "value": 301, "unit": "villages", "source": "a correction"}]')""")
    mine.rows("UPDATE participation SET status = 'withdrawn' WHERE phase_id = 'tpbis-2018'")
    mine.rows("UPDATE replication SET status = 'cancelled' WHERE village_code = '19.06.06.2003'")
    mine.rows("UPDATE team_member SET decree_id = NULL")
    mine.rows("DELETE FROM team_decree")
    mine.rows("UPDATE team SET dissolved_on = '2020-12-31'")
    counts, before = mine.counts(), mine.last_audit()
    assert mine.told() == ["facts: all are loaded already"]
    assert (mine.counts(), mine.last_audit()) == (counts, before)
    assert mine.rows("SELECT value, source FROM published_figure WHERE phase_id = 'tpbis-2019'") == [(301.0, "a correction")]
    assert mine.members("2019-06-17") == OFFICES and mine.members("2021-01-01") == []


def test_a_fact_of_a_later_release_comes_in_alone(mine):
    """An installation that was born without some of them: as a later release of the files finds it."""
    mine.rows("DELETE FROM published_figure WHERE left(source, 2) = 'S4'")
    mine.rows("DELETE FROM reference_fact f WHERE f.kind = 'published_figure' AND NOT EXISTS "
              "(SELECT FROM published_figure p WHERE p.id::text = f.key)")
    assert mine.told() == ["facts: 9 loaded"]
    assert mine.value("SELECT count(*) FROM published_figure") == 58


def test_somebody_was_here_first(cluster):
    """A team, a programme and a participation of their own stay; what cannot stand beside them is left out and told."""
    database = Facts(cluster, cluster.make_database("template1"))
    try:
        database.run("migrate")
        database.rows("INSERT INTO region (code, name, type) VALUES ('19', 'Kepulauan Bangka Belitung', 'provinsi')")
        database.rows("INSERT INTO team (region_code, formed_on) VALUES ('19', '2018-01-01')")
        database.rows("INSERT INTO program (slug, name) VALUES ('tpbis', 'Our TPBIS')")
        *left_out, last = database.told()
        assert {line.split()[1] for line in left_out} == {"team", "team_decree", "team_member", "team_meeting", "team_work_plan"}
        assert len(left_out) == 16 and any("team_one_live_excl" in line for line in left_out)
        assert last == f"facts: {ALL - 16 - 1} loaded"
        assert database.rows("SELECT name, sdgs FROM program WHERE slug = 'tpbis'") == [("Our TPBIS", [])]
        assert database.value("SELECT count(*) FROM phase WHERE program_slug = 'tpbis'") == 7
        before = database.last_audit()
        assert database.told() == left_out + ["facts: all are loaded already"]
        assert database.last_audit() == before
    finally:
        database.connection.close()
        cluster.drop_database(database.name)
