"""The owner's session that the tests of a run share: nothing that one test does to it reaches the next."""

from harness.cluster import put_back


def state(cluster):
    return cluster.sql("postgres", "SELECT current_setting('session_replication_role'), current_setting('default_transaction_isolation')")


def test_what_a_test_sets_ends_with_it(cluster):
    before = state(cluster)
    cluster.sql("postgres", "SET session_replication_role = replica; SET default_transaction_isolation = 'serializable'")
    assert state(cluster) == ("replica", "serializable")
    put_back()
    assert state(cluster) == before == ("origin", "read committed")


def test_what_a_test_begins_ends_with_it(cluster):
    cluster.owner("postgres").autocommit = False
    first = cluster.sql("postgres", "SELECT now()")
    assert cluster.sql("postgres", "SELECT now()") == first  # one transaction
    put_back()
    assert cluster.owner("postgres").autocommit
    assert cluster.sql("postgres", "SELECT now()") > first


def test_a_session_that_was_ended_is_another(cluster):
    cluster.sql("postgres", "SELECT 1")
    with cluster.connect("postgres") as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid = %s",
                       (cluster.owner("postgres").info.backend_pid,))
    assert cluster.sql("postgres", "SELECT 1") == (1,)
