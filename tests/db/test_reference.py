"""Reference data: what an installation is born with, and what a new edition of the region codes does to it.

Each test that changes something works on a copy of the loaded database, and the editions it loads are the shipped one with
a few codes changed, in full size, as an operator would load them.
"""

import csv
import gzip
import io
import subprocess
import uuid

import pytest
from harness.cluster import TEMPLATE
from harness.sources import S3

EDITION_DAY, DAY_BEFORE = "2026-01-01", "2025-12-31"
KAPUK, SIJUK, BADAU, CENDIL = "19.01.06.2002", "19.02.04.2001", "19.02.05.2001", "19.06.04.2003"
FILES = {"provinces": "code,name", "regencies": "code,province_code,name", "districts": "code,regency_code,name",
         "villages": "code,district_code,name"}
LEVEL_FILE = {2: "provinces", 5: "regencies", 8: "districts", 13: "villages"}


class Database:
    """One database of the cluster."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.connection = cluster.connect(name)

    def rows(self, sql, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, *values):
        return self.rows(sql, *values)[0][0]

    def run(self, *words, good=True):
        """A subcommand of the binary; what it printed."""
        done = self.cluster.run(self.name, *map(str, words), check=False)
        assert (done.returncode == 0) == good, done.stdout + done.stderr
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return done.stdout

    def load(self, *words, good=True):
        return self.run("load-reference", *words, good=good)

    def library(self, code):
        return self.value("SELECT id FROM library WHERE region_code = %s", code)

    def placements(self, library):
        return self.rows("SELECT region_code, starts_on::text, ends_on::text, supervisor_id, reason, source, note "
                         "FROM library_placement WHERE library_id = %s ORDER BY starts_on NULLS FIRST", library)

    def review(self):
        return {(code, reason): (library, note) for code, reason, library, note in self.rows(
            "SELECT region_code, reason, library_id::text, note FROM region_review WHERE edition <> '4.0.1'")}

    def add_district_library(self, code, supervised):
        """A kecamatan's library under its kabupaten's, which takes the village's library over."""
        self.rows("INSERT INTO library (name, kind, region_code, supervisor_id) VALUES ('Perpustakaan Kecamatan', "
                  "'district', %s, (SELECT id FROM library WHERE region_code = left(%s, 5)))", code, code)
        self.rows("UPDATE library_placement SET supervisor_id = %s WHERE library_id = %s",
                  self.library(code), self.library(supervised))
        return self.library(code)


@pytest.fixture(scope="session")
def shipped(root):
    """The shipped edition's rows, by code."""
    found = {}
    for name, header in FILES.items():
        data = gzip.decompress((root / "db/reference/idn-area-data/4.0.1" / f"{name}.csv.gz").read_bytes()).decode()
        assert data.split("\n", 1)[0] == header
        found.update({row["code"]: row["name"] for row in csv.DictReader(io.StringIO(data, newline=""))})
    return found


@pytest.fixture(scope="module")
def loaded(cluster, shared_copy):
    """The reference data as an installation is born with; nobody writes here."""
    database = Database(cluster, shared_copy)
    yield database
    database.connection.close()


@pytest.fixture
def make_database(cluster):
    """Makes databases: copies of the loaded one, or of another."""
    made = []

    def make(template=TEMPLATE):
        made.append(Database(cluster, cluster.make_database(template)))
        return made[-1]

    yield make
    for database in made:
        database.connection.close()
        cluster.drop_database(database.name)


@pytest.fixture
def database(make_database):
    """A copy of the loaded database, to write in."""
    return make_database()


@pytest.fixture
def empty(make_database):
    """The schema, and nothing in it."""
    database = make_database("template1")
    database.run("migrate")
    return database


def write_edition(directory, rows, name="5.0.0", day=EDITION_DAY, changes=None, zipped=False):
    directory.mkdir(exist_ok=True)
    for file, header in FILES.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header.split(","))
        for code, place in sorted(rows.items()):
            if LEVEL_FILE[len(code)] == file:
                writer.writerow([code, place] if len(code) == 2 else [code, code.rpartition(".")[0], place])
        data = text.getvalue().encode()
        (directory / f"{file}.csv{'.gz' if zipped else ''}").write_bytes(gzip.compress(data) if zipped else data)
    lines = [f"edition={name}", f"in_force_from={day}"]
    if changes is not None:
        (directory / "changes.csv").write_text("change,code,level,name,successor_code,new_name,rule\n" + changes)
        lines.append("changes=changes.csv")
    (directory / "EDITION").write_text("\n".join(lines) + "\n")
    return directory


def recoded(rows, pairs):
    """The rows with those codes, and all below them, under other codes."""
    changed = {}
    for code, name in rows.items():
        for old, new in pairs.items():
            if code == old or code.startswith(old + "."):
                code = new + code[len(old):]
                break
        changed[code] = name
    return changed


# ---- what is shipped ------------------------------------------------------------------------------------


def test_counts_of_the_pinned_edition(loaded):
    counts = dict(loaded.rows("SELECT type, count(*) FROM region WHERE valid_to IS NULL GROUP BY type"))
    assert counts == {"provinsi": 38, "kabupaten": 415, "kabupaten_administrasi": 1, "kota": 93, "kota_administrasi": 5,
                      "kecamatan": 7285, "kelurahan": 8496, "desa": 75252, "desa_adat": 14}
    assert loaded.value("SELECT count(*) FROM region WHERE level = 'village' AND valid_to IS NULL") == 83762


def test_every_region_is_the_files(loaded, shipped):
    assert dict(loaded.rows("SELECT code, name FROM region WHERE valid_to IS NULL")) == shipped


@pytest.mark.parametrize("code, name, level, kind, parent", [
    ("19", "Kepulauan Bangka Belitung", "province", "provinsi", None),
    ("19.01", "Kabupaten Bangka", "regency", "kabupaten", "19"),
    ("19.71", "Kota Pangkal Pinang", "regency", "kota", "19"),
    ("31.01", "Kabupaten Administrasi Kepulauan Seribu", "regency", "kabupaten_administrasi", "31"),
    ("31.71", "Kota Administrasi Jakarta Pusat", "regency", "kota_administrasi", "31"),
    ("19.01.03", "Merawang", "district", "kecamatan", "19.01"),
    ("32.73.19.1001", "Braga", "village", "kelurahan", "32.73.19"),
    (KAPUK, "Kapuk", "village", "desa", "19.01.06"),
])
def test_level_type_and_parent(loaded, code, name, level, kind, parent):
    assert loaded.rows("SELECT name, level, type, parent_code FROM region WHERE code = %s", code) == [
        (name, level, kind, parent)]


def test_names_are_no_keys(loaded):
    share = loaded.value("""SELECT 100.0 * sum(n) FILTER (WHERE n > 1) / sum(n) FROM (
        SELECT count(*) AS n FROM region WHERE level = 'village' AND valid_to IS NULL GROUP BY left(code, 5), name) AS g""")
    assert round(float(share), 1) == 5.8


def test_what_the_edition_before_had(loaded):
    assert loaded.rows("SELECT valid_to::text, count(*) FROM region WHERE valid_to IS NOT NULL GROUP BY 1") == [
        ("2025-04-24", 117)]
    assert loaded.rows("SELECT valid_from::text, count(*) FROM region WHERE valid_from IS NOT NULL GROUP BY 1") == [
        ("2025-04-25", 124)]
    assert dict(loaded.rows("SELECT rule, count(*) FROM region_successor GROUP BY rule")) == {
        "same_name_in_district": 18, "same_name_in_regency": 89}
    assert loaded.value("SELECT successors FROM region WHERE code = '72.01.09.2012'") == ["72.01.24.2007"]
    assert loaded.value("SELECT successors FROM region WHERE code = '81.05.02.2046'") == []  # Kwawor is not Kwamor
    assert dict(loaded.rows("SELECT reason, count(*) FROM region_review WHERE edition = '4.0.1' GROUP BY reason")) == {
        "no_successor": 10, "reassigned": 14}


def test_the_rule_gives_the_shipped_list(empty, root, shipped, tmp_path):
    """The edition before, rebuilt from the list of changes and loaded first: the loader itself finds the same."""
    with open(root / "db/reference/idn-area-data/changes-3.1.2-4.0.1.csv", newline="", encoding="utf-8") as file:
        changes = list(csv.DictReader(file))
    before = dict(shipped)
    for row in changes:
        if row["change"] == "added":
            del before[row["code"]]
    before.update({row["code"]: row["name"] for row in changes if row["change"] in ("retired", "reassigned")})
    empty.load("--edition", write_edition(tmp_path / "before", before, "3.1.2", "2022-11-09"))
    assert empty.value("SELECT count(*) FROM region WHERE valid_from IS NOT NULL") == 0
    printed = empty.load("--edition", write_edition(tmp_path / "after", shipped, "4.0.1", "2025-04-25"))
    assert "124 added, 14 changed, 117 retired, 107 of them with a successor" in printed
    assert set(empty.rows("SELECT code, successor_code, rule FROM region_successor")) == {
        (row["code"], row["successor_code"], row["rule"]) for row in changes if row["successor_code"]}
    assert set(empty.rows("SELECT region_code, reason FROM region_review")) == {
        (row["code"], "reassigned") for row in changes if row["change"] == "reassigned"} | {
        (row["code"], "no_successor") for row in changes if row["change"] == "retired" and not row["successor_code"]}


def test_libraries_of_the_documents(loaded):
    assert dict(loaded.rows("SELECT kind, count(*) FROM library GROUP BY kind")) == {
        "national": 1, "provincial": 6, "regency": 12, "village": 17}
    assert set(loaded.rows("SELECT starts_on::text, starts_on_precision, source, count(*) FROM library_placement p "
                           "JOIN library l ON l.id = p.library_id WHERE l.kind = 'village' GROUP BY 1, 2, 3")) == {
        ("2019-01-01", "year", S3, 17)}
    assert loaded.value("SELECT count(*) FROM library_placement WHERE starts_on IS NOT NULL") == 17
    assert loaded.value("SELECT count(*) FROM library_placement WHERE source !~ '^S[0-4] [(]' OR source IS NULL") == 0
    assert dict(loaded.rows("SELECT left(region_code, 5), count(*) FROM library WHERE kind = 'village' GROUP BY 1")) == {
        "19.01": 6, "19.02": 6, "19.06": 5}
    assert loaded.value("SELECT note FROM library_placement WHERE region_code = '19.02.02.2009'").startswith("Unconfirmed")
    chain = loaded.rows("""WITH RECURSIVE up AS (
        SELECT id, supervisor_id, kind, 1 AS step FROM library WHERE region_code = %s
        UNION ALL SELECT l.id, l.supervisor_id, l.kind, step + 1 FROM library l JOIN up ON l.id = up.supervisor_id)
        SELECT kind FROM up ORDER BY step""", KAPUK)
    assert chain == [("village",), ("regency",), ("provincial",), ("national",)]


def test_ids_are_those_of_the_file(loaded, root):
    with open(root / "db/reference/facts/libraries.csv", newline="", encoding="utf-8") as file:
        facts = {row["id"]: (row["name"], row["kind"], row["region_code"] or None) for row in csv.DictReader(file)}
    assert {row[0]: row[1:] for row in loaded.rows("SELECT id::text, name, kind, region_code FROM library")} == facts
    assert all(uuid.UUID(key).version == 7 for key in facts)


def test_regions_are_one_summary_in_the_audit(loaded):
    rows = loaded.rows("SELECT action, after FROM audit WHERE table_name = 'region' ORDER BY id")
    assert len(rows) < 10 and all(set(after) == {"rows"} for _, after in rows)
    assert sum(after["rows"] for action, after in rows if action == "insert") == 91599 + 117
    assert loaded.value("SELECT count(*) FROM audit WHERE table_name = 'library' AND action = 'insert'") == 36


# ---- loading again ----------------------------------------------------------------------------------------


def test_loading_again_changes_nothing(database):
    database.rows("UPDATE library SET name = 'Perpustakaan Desa Kapuk Jaya' WHERE region_code = %s", KAPUK)
    database.rows("UPDATE library SET status = 'closed' WHERE region_code = %s", BADAU)
    before = database.value("SELECT max(id) FROM audit")
    printed = database.load()
    assert "loaded already" in printed
    assert database.value("SELECT max(id) FROM audit") == before
    assert database.value("SELECT count(*) FROM library") == 36


def test_the_first_load_shows_its_progress(empty):
    """Here somebody began without the facts: their national library stays, and supervises the provinces'."""
    empty.rows("INSERT INTO library (name, kind) VALUES ('Perpusnas', 'national')")
    indexes = empty.rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'region' ORDER BY 1")
    lines = empty.load().splitlines()
    counted = [line for line in lines if line.endswith(" of 91,599")]
    assert len(counted) > 4 and counted[-1] == "regions: 91,599 of 91,599" and len(set(counted)) == len(counted)
    assert "libraries: 35 loaded" in lines
    assert empty.value("SELECT count(*) FROM library l JOIN library s ON s.id = l.supervisor_id "
                       "WHERE l.kind = 'provincial' AND s.name = 'Perpusnas'") == 6
    assert empty.rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'region' ORDER BY 1") == indexes


# ---- a new edition -------------------------------------------------------------------------------------------


@pytest.fixture
def edition(shipped):
    """The shipped edition with one of everything that happens to codes."""
    rows = recoded(shipped, {
        KAPUK: "19.01.06.2099",      # a new number in the same kecamatan
        "19.06.04": "19.06.94",      # a whole kecamatan, one to one
        SIJUK: "19.02.01.2099",      # into another kecamatan
    })
    del rows[BADAU]                  # split: nobody has its name
    rows.update({"19.02.05.2091": "Badau Barat", "19.02.05.2092": "Badau Timur"})
    rows["11.01.01.2001"] = "Keude Bakongan Lama"
    rows["73.09.12.1001"], rows["73.09.12.1002"] = rows["73.09.12.1002"], rows["73.09.12.1001"]
    return rows


def test_a_new_edition(database, edition, tmp_path):
    kapuk, sijuk, badau, cendil = (database.library(code) for code in (KAPUK, SIJUK, BADAU, CENDIL))
    kelapa_kampit = database.add_district_library("19.06.04", CENDIL)
    sijuk_district = database.add_district_library("19.02.04", SIJUK)
    regency = database.library("19.01")
    database.rows("INSERT INTO client (id, name) VALUES ('c_test', 'test')")
    database.rows("INSERT INTO assignment (client_id, role, region_code) VALUES ('c_test', 'integration', '19.06.04')")

    printed = database.load("--edition", write_edition(tmp_path / "new", edition, zipped=True))
    assert "11 added, 3 changed, 10 retired, 9 of them with a successor" in printed

    # the codes
    assert database.rows("SELECT valid_to::text, successors FROM region WHERE code = %s", KAPUK) == [
        (DAY_BEFORE, ["19.01.06.2099"])]
    assert database.rows("SELECT valid_from::text, valid_to, type FROM region WHERE code = '19.01.06.2099'") == [
        (EDITION_DAY, None, "desa")]
    assert database.rows("SELECT valid_to::text, successors FROM region WHERE code = %s", BADAU) == [(DAY_BEFORE, [])]
    assert dict(database.rows("SELECT code, rule FROM region_successor WHERE code ~ '^19'")) == {
        KAPUK: "same_name_in_district", SIJUK: "same_name_in_regency", "19.06.04": "same_name_in_regency",
        **{f"19.06.04.200{n}": "same_name_in_district" for n in (1, 2, 3, 5, 6, 7)}}
    assert database.value("SELECT name FROM region WHERE code = '11.01.01.2001'") == "Keude Bakongan Lama"

    # a library follows its code, with its past
    source = "idn-area-data 5.0.0"
    assert database.placements(kapuk) == [
        (KAPUK, "2019-01-01", DAY_BEFORE, regency, None, S3, None),
        ("19.01.06.2099", EDITION_DAY, None, regency, f"region code {KAPUK} became 19.01.06.2099", source, None)]
    assert database.library("19.01.06.2099") == kapuk
    # a supervisor and its library go together
    assert database.library("19.06.94") == kelapa_kampit
    assert [row[:4] for row in database.placements(cendil)][1] == ("19.06.94.2003", EDITION_DAY, None, kelapa_kampit)
    assert database.value("SELECT count(*) FROM audit WHERE table_name = 'library_placement' AND action = 'insert' "
                          "AND after ->> 'starts_on' = %s", EDITION_DAY) == 4  # each on record: Mayang, too

    # what needs a person, in the table and on the screen
    review = database.review()
    assert set(review) == {(BADAU, "no_successor"), (BADAU, "library"), (SIJUK, "library"), ("19.06.04", "assignment"),
                           ("73.09.12.1001", "reassigned"), ("73.09.12.1002", "reassigned")}
    assert review[(BADAU, "library")] == (badau, "its region: no_successor")
    assert review[(SIJUK, "library")][0] == sijuk and "supervisor_elsewhere" in review[(SIJUK, "library")][1]
    assert review[("19.06.04", "assignment")][1] == "client c_test"
    assert printed.count("needs a person: ") == 6 and str(badau) in printed and "6 need a person" in printed
    assert [row[:2] for row in database.placements(sijuk)] == [(SIJUK, "2019-01-01")]
    assert database.library("19.02.04") == sijuk_district

    # loading it again, or the older one, is no work
    last = database.value("SELECT max(id) FROM audit")
    assert "loaded already" in database.load("--edition", tmp_path / "new")
    assert "loaded already" in database.load()
    assert database.value("SELECT max(id) FROM audit") == last

    # and a person can settle what is left
    database.rows("UPDATE library_placement SET ends_on = %s WHERE library_id = %s", DAY_BEFORE, badau)
    database.rows("INSERT INTO library_placement (library_id, region_code, supervisor_id, starts_on) "
                  "SELECT library_id, '19.02.05.2091', supervisor_id, %s FROM library_placement WHERE library_id = %s",
                  EDITION_DAY, badau)
    assert database.library("19.02.05.2091") == badau


def test_a_code_that_comes_back(database, edition, shipped, tmp_path):
    database.load("--edition", write_edition(tmp_path / "new", edition))
    rows = dict(edition)
    rows[BADAU], rows[KAPUK] = shipped[BADAU], shipped[KAPUK]
    del rows["19.01.06.2099"]
    database.load("--edition", write_edition(tmp_path / "newer", rows, "5.1.0", "2026-07-01"))
    assert database.rows("SELECT valid_from::text, valid_to, successors FROM region WHERE code = %s", KAPUK) == [
        ("2026-07-01", None, [])]
    assert {key for key in database.review() if key[1] == "returned"} == {(BADAU, "returned"), (KAPUK, "returned")}
    # Kapuk's code has gone back to where it was: so has its library
    assert [row[:3] for row in database.placements(database.library(KAPUK))] == [
        (KAPUK, "2019-01-01", DAY_BEFORE), ("19.01.06.2099", EDITION_DAY, "2026-06-30"), (KAPUK, "2026-07-01", None)]


def test_a_placement_made_after_the_edition_is_put_right(database, edition, tmp_path):
    """Somebody entered a library in the old code after the decree, before the edition was loaded."""
    database.rows("UPDATE library_placement SET starts_on = '2026-03-01' WHERE library_id = %s", database.library(KAPUK))
    database.load("--edition", write_edition(tmp_path / "new", edition))
    (row,) = database.placements(database.library("19.01.06.2099"))
    assert row[:3] == ("19.01.06.2099", "2026-03-01", None) and row[6] == f"region code {KAPUK} recoded by edition 5.0.0"


@pytest.mark.parametrize("other", ["stays", "is renamed"])
def test_same_names_are_not_guessed(database, shipped, tmp_path, other):
    """Two villages of one name in the kabupaten: which of them moved, the codes do not say."""
    twins = database.rows("""SELECT min(code), max(code) FROM region WHERE level = 'village' AND valid_to IS NULL
        GROUP BY left(code, 5), region_name_key(name)
        HAVING count(*) = 2 AND left(min(code), 8) <> left(max(code), 8) ORDER BY 1 LIMIT 1""")[0]
    rows = dict(shipped)
    name = rows.pop(twins[0])
    district = next(code for code in rows if len(code) == 8 and code.startswith(twins[0][:5])
                    and code not in (twins[0][:8], twins[1][:8]))
    rows[f"{district}.2099"] = name
    if other == "is renamed":
        rows[twins[1]] = "Nama Baru Sekali"
    database.load("--edition", write_edition(tmp_path / "new", rows))
    expected = {(twins[0], "no_successor"): (None, name)}
    if other == "is renamed":  # or did its name go elsewhere?
        expected[(twins[1], "reassigned")] = (None, f"{shipped[twins[1]]}, now Nama Baru Sekali")
    assert database.review() == expected


def test_the_list_of_changes_overrides_the_rule(database, edition, tmp_path):
    changes = (f"retired,{BADAU},village,Badau,19.02.05.2091,Badau Barat,Perda 1/2026\n"
               f"retired,{KAPUK},village,Kapuk,,,\n")
    badau = database.library(BADAU)
    database.load("--edition", write_edition(tmp_path / "new", edition, changes=changes))
    assert database.library("19.02.05.2091") == badau
    assert database.value("SELECT rule FROM region_successor WHERE code = %s", BADAU) == "Perda 1/2026"
    assert (KAPUK, "no_successor") in database.review() and (KAPUK, "library") in database.review()


# ---- what is refused --------------------------------------------------------------------------------------------


def refused(database, directory, message):
    before = database.rows("SELECT max(id), (SELECT count(*) FROM region), (SELECT count(*) FROM region_edition) FROM audit")
    assert message in database.load("--edition", directory, good=False)
    assert database.rows("SELECT max(id), (SELECT count(*) FROM region), (SELECT count(*) FROM region_edition) FROM audit") == before


def test_faulty_editions_change_nothing(database, shipped, tmp_path):
    good = write_edition(tmp_path / "good", shipped)
    (good / "villages.csv").rename(good / "away")
    refused(database, good, "cannot read")
    (good / "villages.csv").write_text((good / "away").read_text()[:1000000].rpartition("\n")[0] + "\n")
    refused(database, good, "that is part of an edition")
    (good / "villages.csv").write_text((good / "away").read_text().replace("district_code", "kecamatan", 1))
    refused(database, good, "villages.csv")
    (good / "villages.csv").write_bytes(gzip.compress((good / "away").read_bytes())[:300000])
    refused(database, good, "damaged")
    (good / "away").rename(good / "villages.csv")
    (good / "EDITION").unlink()
    refused(database, good, "EDITION")
    (good / "EDITION").write_text("edition=5.0.0\n")
    refused(database, good, "in_force_from")
    (good / "EDITION").write_text("edition=5.0.0\nin_force_from=2026-01-01\nin_force=x\n")
    refused(database, good, "unknown key")


@pytest.mark.parametrize("code, day, message", [
    ("19.01.77.2001", EDITION_DAY, "below a code that the edition lacks"),
    ("19.01.06.9001", EDITION_DAY, "malformed"),
    (None, "2024-01-01", "not newer than edition 4.0.1"),
    (None, "2099-01-01", "a day that has not come"),
    (None, "2026-13-01", "out of range"),
])
def test_editions_that_cannot_be(database, shipped, tmp_path, code, day, message):
    rows = dict(shipped, **({code: "Baru"} if code else {}))
    refused(database, write_edition(tmp_path / "bad", rows, day=day), message)


def test_every_shipped_file_says_where_it_is_from(root):
    folder = root / "db/reference/idn-area-data/4.0.1"
    notice = (folder / "NOTICE.md").read_text(encoding="utf-8")
    assert "Open Database License" in (folder / "LICENSE-ODbL-1.0.md").read_text(encoding="utf-8")
    assert (folder / "LICENSE-MIT.txt").read_text(encoding="utf-8").startswith("MIT License")
    for file in folder.glob("*.csv.gz"):
        assert file.name[: -len(".gz")] in notice
        assert subprocess.run(["sha256sum"], input=gzip.decompress(file.read_bytes()), capture_output=True,
                              check=True).stdout.decode().split()[0] in notice
