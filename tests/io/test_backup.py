"""Backups that were tried: what pg_dump and a base backup with its WAL give back, by the recipes of db/README.md.

Rule: a restored service answers as the lost one did, byte for byte."""

import os
import pwd
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from harness import libraries, programs, replications, teams
from harness.client import Api
from harness.cluster import Cluster
from harness.service import Service
from harness.walk import Walk, differences

BIN = Path("/usr/lib/postgresql/15/bin")
BANGKA = "19.01"
# Constraints that hold for new rows alone.
UNCHECKED = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"


def as_owner(data, *words):
    """A command as the system user whose data directory it is, as db/cluster runs its own."""
    owner = data.stat().st_uid
    words = [str(word) for word in words]
    if owner != os.getuid():
        words = ["setpriv", "--reuid", str(owner), "--regid", str(pwd.getpwuid(owner).pw_gid), "--clear-groups", *words]
    return subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=300, cwd="/")


def sql(cluster, database, text):
    with cluster.connect(database) as connection, connection.cursor() as cursor:
        for statement in [text] if isinstance(text, str) else text:
            cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def socket_of(cluster):
    return parse_qs(urlsplit(cluster.owner_url).query)["host"][0]


@pytest.fixture
def other_cluster(binary, directory):
    """A fresh cluster, as on another machine."""
    made = []

    def make(name):
        cluster = Cluster(binary.resolve(), directory / name)
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.destroy()


def fill(api):
    """Something of every pillar, through the API alone."""
    one = programs.participation(api)
    assert programs.transit(api, one, "confirmed").status_code == 200
    programs.person(api)
    programs.organization(api)
    replications.at(api, "active")
    library = libraries.made(api, kind="village", region_code="19.01.06.2001", name='Perpustakaan "Pelita", Desa Éla')
    assert libraries.change(api, library, name='Perpustakaan Pelita; Desa, "Kapuk"').status_code == 200
    moved = libraries.made(api, kind="tbm", region_code="19.01.06.2002", founded_on="2015-03-01")
    answer = libraries.move(api, moved, region_code="19.02.05.2003", effective_on="2022-07-01", reason="pindah")
    assert answer.status_code == 200, answer.text
    closed = libraries.made(api)
    assert libraries.close(api, closed).status_code in (200, 204)
    team = teams.team(api, BANGKA, formed_on="2019-01-01")
    teams.join(api, team["id"])
    assert libraries.change(api, library, phone="+62811000111").status_code == 200


def walk(service, contract, token, last=False):
    return Walk(service.address, contract.document, token).run(last)


def test_a_dump_restored_elsewhere_answers_alike(fresh, contract, other_cluster, directory):
    unsealed = {"audit_seal_interval_s": 86400}  # in the midst of a walk the job would change what is walked
    api = fresh(**unsealed)
    fill(api)
    token = api.token("national_admin")
    before = walk(api.service, contract, token, last=True)
    assert len(before.operations) >= 40 and {"get_team_member", "get_replication", "list_participation_history",
                                             "get_library_contact", "list_regions"} <= before.operations, before.without

    # db/README.md, "A dump"
    dump = directory / "tpbis.dump"
    cluster, database = api.service.cluster, api.service.database
    subprocess.run([BIN / "pg_dump", "-Fc", "-f", dump, cluster.url(database, owner=True)], check=True)
    assert api.service.stop() == 0

    began = time.monotonic()
    elsewhere = other_cluster("elsewhere")
    elsewhere.stop()
    data = (elsewhere.state / "postgresql").resolve()
    as_owner(data, BIN / "pg_resetwal", "--epoch=1", data)
    elsewhere.start()
    with elsewhere.connect("postgres") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE restored TEMPLATE template0")
    subprocess.run([BIN / "pg_restore", "--exit-on-error", "--jobs=2", "-d", elsewhere.url("restored", owner=True), dump],
                   check=True)
    migrated = elsewhere.run("restored", "migrate").stdout
    print(f"restored {dump.stat().st_size >> 10} KiB in {time.monotonic() - began:.1f} s")
    assert ", 0 applied now" in migrated, migrated  # all of them were in the dump, with their checksums
    sql(elsewhere, "restored", "ANALYZE")
    # Transactions go on where the lost ones ended: what is new is newer than all that was restored.
    assert sql(elsewhere, "restored", "SELECT max(xid) < pg_snapshot_xmin(pg_current_snapshot()) FROM audit")

    service = Service(elsewhere, "restored", directory / "restored", keys=api.service.keys_dir, base_url=api.service.base_url, **unsealed)
    after = walk(service, contract, token)
    found = differences(before, after)
    assert not found, "\n".join(found[:10])
    assert after.operations == before.operations

    # What a client remembered of the lost service still holds, and one can go on writing.
    tag = before.pages["/v1/regions", "application/json"][1]
    assert after.get("/v1/regions", **{"If-None-Match": tag}).status_code == 304
    again = Api(service, api.clients, contract)
    programs.program(again)
    libraries.made(again)
    assert sql(elsewhere, "restored", UNCHECKED) == sql(api.service.cluster, api.service.database, UNCHECKED)
    assert not [line for line in service.log_lines() if line["event"] == "audit_from_elsewhere"]
    assert service.stop() == 0


def test_numbers_of_another_history_are_told(fresh, eventually):
    """Restored without that step: transactions begin again at a low number. Nothing stale is served, and the log says so."""
    api = fresh()
    path = "/v1/regions?parent=19&format=csv"
    assert eventually(lambda: api.get(path).headers.get("ETag"))
    sql(api.service.cluster, api.service.database, [
        "SET session_replication_role = replica",  # the audit refuses everybody else
        "UPDATE audit SET xid = '99999999999' WHERE table_name = 'region'"])
    assert api.service.stop() == 0
    api.service.start()
    assert [line["level"] for line in api.service.log_lines() if line["event"] == "audit_from_elsewhere"] == ["warning"]
    assert "ETag" not in api.get(path).headers  # nobody can know whether it changed
    code = "19.01"
    tag = api.get(f"/v1/regions/{code}").headers["ETag"]
    assert api.get(f"/v1/regions/{code}", headers={"If-None-Match": tag}).status_code == 304
    sql(api.service.cluster, api.service.database, f"UPDATE region SET name = name || ' Baru' WHERE code = '{code}'")
    eventually(lambda: api.get(f"/v1/regions/{code}", headers={"If-None-Match": tag}).status_code == 200)


def archive_wal(cluster, archive):
    """The settings of db/README.md, "To a moment", and the line that lets pg_basebackup in; the data directory."""
    data = (cluster.state / "postgresql").resolve()
    sql(cluster, "postgres", [
        "ALTER SYSTEM SET archive_mode = on", "ALTER SYSTEM SET archive_timeout = '60s'",
        f"ALTER SYSTEM SET archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'",
        "ALTER SYSTEM SET full_page_writes = on"])  # a throw-away cluster does without
    cluster.stop()
    cluster.start()
    with open(data / "pg_hba.conf", "a", encoding="ascii") as rules:
        rules.write("local replication all peer map=tpbis\n")
    sql(cluster, "postgres", "SELECT pg_reload_conf()")
    return data


def recover(data, archive, moment):
    """Brings a base backup to that moment and ends the recovery there."""
    with open(data / "postgresql.auto.conf", "a", encoding="ascii") as settings:
        settings.write(f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_time = '{moment}'\n"
                       "recovery_target_action = 'promote'\narchive_mode = off\n")
    as_owner(data, "touch", data / "recovery.signal")
    as_owner(data, "mkdir", data / "recovery")
    as_owner(data, BIN / "pg_ctl", "start", "-w", "-D", data, "-l", data / "recovery.log", "-o",
             f"-c unix_socket_directories={data}/recovery")
    end = time.monotonic() + 60
    while subprocess.run([BIN / "psql", "-XAtq", "-h", data / "recovery", "-U", "tpbis_owner", "-d", "tpbis", "-c",
                          "SELECT pg_is_in_recovery()"], capture_output=True, text=True, check=False).stdout != "f\n":
        assert time.monotonic() < end, (data / "recovery.log").read_text(encoding="utf-8")
        time.sleep(0.1)
    as_owner(data, BIN / "pg_ctl", "stop", "-w", "-D", data)
    (data / "tpbis.socket").unlink()  # db/cluster is to make a place of its own


def test_recovery_to_a_moment(other_cluster, contract, directory, eventually):
    """Base backup and WAL archive: what was acknowledged before the moment is there, what came after it is not."""
    lost = other_cluster("lost")
    lost.run("tpbis", "migrate")
    clients = {"national_admin": lost.make_client("tpbis", "national_admin")}
    archive, state = directory / "archive", directory / "recovered"
    for path in (archive, state):
        path.mkdir()
        path.chmod(0o777)
    data = archive_wal(lost, archive)
    base = state / "postgresql"
    as_owner(data, BIN / "pg_basebackup", "-h", socket_of(lost), "-U", "tpbis_owner", "-D", base, "-X", "none", "-c", "fast")
    as_owner(data, BIN / "pg_verifybackup", "--no-parse-wal", base)

    service = Service(lost, "tpbis", directory / "lost-service")
    api = Api(service, clients, contract)
    before = programs.program(api, name="Sebelum")
    moment = sql(lost, "tpbis", "SELECT clock_timestamp()::text")
    after = programs.program(api, name="Sesudah")
    tag = api.get(f"/v1/programs/{before['slug']}", token="national_admin").headers["ETag"]
    segment = sql(lost, "tpbis", "SELECT pg_walfile_name(pg_switch_wal())")
    eventually((archive / segment).exists, seconds=60)
    assert service.stop() == 0
    lost.destroy()  # the machine is gone; base backup, archive and keys are left

    began = time.monotonic()
    recover(base, archive, moment)
    print(f"recovered in {time.monotonic() - began:.1f} s")
    again = Service(other_cluster("recovered"), "tpbis", directory / "recovered-service", keys=service.keys_dir,
                    base_url=service.base_url)
    api = Api(again, clients, contract)
    shown = api.get(f"/v1/programs/{before['slug']}", token="national_admin")
    assert shown.status_code == 200 and shown.headers["ETag"] == tag
    assert api.get(f"/v1/programs/{after['slug']}", token="national_admin").status_code == 404
    programs.program(api, name="Sesudahnya")  # and life goes on
    assert again.stop() == 0
