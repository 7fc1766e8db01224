"""Two writers of one account at once: whoever uses a link, and whoever makes or voids one, lock the account first and wait for no ring."""
import threading

import psycopg2
import pytest
import schema

from harness.waiting import until

NAME = "tpbis_account_races"
TOKEN = "tpl_uji"
FIXTURE = f"""
INSERT INTO app_user (id, username, name) VALUES ('00000000-0000-7000-8000-000000000001', 'siti', 'Siti');
INSERT INTO user_link (user_id, kind, hash, delivery, expires_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'invitation', sha256('{TOKEN}'), 'answer', now() + interval '1 hour');
"""


@pytest.fixture
def url():
    url, _ = schema.fresh_database(NAME)
    yield url
    schema.drop_database(NAME)


def test_a_link_is_used_while_it_is_voided(url):
    """The one who voids it holds the account; the one who uses it waits for the account, and holds nothing meanwhile."""
    voiding, using, watching = (psycopg2.connect(url) for _ in range(3))
    watching.autocommit = True
    found = []

    def use():
        with using, using.cursor() as cursor:
            cursor.execute("SELECT user_link_use(%s, '$argon2id$x')", (TOKEN,))
            found.append(cursor.fetchone()[0])

    def waits():
        with watching.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (using.info.backend_pid,))
            return cursor.fetchone()[0]
    with watching.cursor() as cursor:
        cursor.execute(FIXTURE)
    thread = threading.Thread(target=use)
    with voiding, voiding.cursor() as cursor:
        cursor.execute("SELECT FROM app_user WHERE username = 'siti' FOR NO KEY UPDATE")
        thread.start()
        until(waits)
        cursor.execute("DELETE FROM user_link")
    thread.join()
    assert found == [False]
    for connection in (voiding, using, watching):
        connection.close()
