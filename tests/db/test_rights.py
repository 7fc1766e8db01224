"""What roles of the database may run: the service exactly what its statements run, a role of somebody else nothing of ours."""
import psycopg2
import pytest

import schema

SELECTING = "SELECT p.oid, p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace"
OF_EXTENSION = ("EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')")


@pytest.fixture(scope="module")
def owner():
    url, _ = schema.fresh_database("tpbis_rights")
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE bi_reader LOGIN; GRANT SELECT ON library TO bi_reader; GRANT USAGE ON SCHEMA public TO bi_reader")
    connection.commit()
    yield connection
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("DROP OWNED BY bi_reader; DROP ROLE bi_reader")
    connection.commit()
    connection.close()
    schema.drop_database("tpbis_rights")


@pytest.fixture
def cursor(owner):
    with owner.cursor() as cursor:
        yield cursor
    owner.rollback()


def runs(cursor, role):
    cursor.execute(f"{SELECTING} AND NOT {OF_EXTENSION} AND has_function_privilege(%s, p.oid, 'EXECUTE')", (role,))
    return {name for _, name in cursor.fetchall()}


def test_the_service_runs_what_its_statements_run_and_nothing_else(cursor):
    cursor.execute(SELECTING)
    there = {name for _, name in cursor.fetchall()}
    assert schema.CATALOGUE.granted - there <= {"problem_text"}, "which db/embed.py makes"
    assert runs(cursor, "tpbis_api") == schema.CATALOGUE.granted & there
    for owners in ("audit_payload_erase", "audit_attach", "user_create", "user_reset", "personal_data_purge", "personal_data_forget", "login_key"):
        assert owners not in schema.CATALOGUE.granted, owners


def test_a_role_of_somebody_else_runs_nothing_of_ours(cursor):
    assert runs(cursor, "bi_reader") == set()
    cursor.execute(f"""SELECT format('%%s(%%s)', p.oid::regproc, (SELECT string_agg(format('NULL::%%s', format_type(a, NULL)), ', ')
                       FROM unnest(p.proargtypes) a)) {SELECTING.removeprefix("SELECT p.oid, p.proname")}
                       AND NOT {OF_EXTENSION} AND p.prorettype <> 'trigger'::regtype AND NOT p.proisstrict""", ())
    # A strict one of nothing but NULL is never called.
    calls = [call for call, in cursor.fetchall()]
    assert len(calls) > 150
    cursor.execute("SET LOCAL SESSION AUTHORIZATION bi_reader")
    cursor.execute("SELECT count(*) FROM library")  # what it was given, it has
    cursor.execute("SAVEPOINT before")
    for call in calls:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(f"SELECT {call}")
        cursor.execute("ROLLBACK TO before")
    for statement in ("CREATE TEMPORARY TABLE x (a integer)", "CREATE TABLE public.x (a integer)",
                      "CREATE FUNCTION public.x() RETURNS integer LANGUAGE sql RETURN 1"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)
        cursor.execute("ROLLBACK TO before")


def test_what_the_owner_makes_by_hand_later_is_nobody_elses(cursor):
    cursor.execute("CREATE FUNCTION by_hand() RETURNS integer LANGUAGE sql SECURITY DEFINER RETURN 1")
    cursor.execute("SELECT has_function_privilege('bi_reader', 'by_hand()', 'EXECUTE'), has_function_privilege('tpbis_api', 'by_hand()', 'EXECUTE')")
    assert cursor.fetchone() == (False, False)
