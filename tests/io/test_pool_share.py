"""Many who want to change one row leave the others their share of the database, and who has left wants nothing any more."""

import socket
import threading
import time

import pytest

WRITERS = 20


@pytest.fixture
def held(fresh):
    """A service, a library whose row somebody holds, and how many of the service's sessions wait for it."""
    api = fresh(statement_timeout_ms=30000, pool_wait_ms=20000)
    database, watcher = (api.service.cluster.connect(api.service.database) for _ in range(2))
    database.autocommit = False
    with database.cursor() as cursor:
        cursor.execute("SELECT id::text FROM library WHERE kind = 'village' ORDER BY id LIMIT 1 FOR UPDATE")
        library = cursor.fetchone()[0]

    def waiting():
        with watcher.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tpbis_api'"
                           " AND wait_event_type = 'Lock'")
            return cursor.fetchone()[0]

    yield api, library, waiting, database
    database.close()
    watcher.close()


def patch(api, library):
    """Begins a PATCH on a connection of its own; the socket."""
    body = b'{"staff_count": 3}'
    one = socket.create_connection(("127.0.0.1", api.service.port))
    one.sendall((f"PATCH /v1/libraries/{library} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token('national_admin')}\r\n"
                 f"Content-Type: application/merge-patch+json\r\nIf-Match: *\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
    return one


def test_readers_keep_their_share(held, eventually):
    api, library, waiting, database = held
    writers = [patch(api, library) for _ in range(WRITERS)]
    eventually(lambda: waiting() == 9)  # of twelve connections three are for the others
    assert api.figure("tpbis_pool_writing") == 9
    times = []
    for _ in range(10):
        begun = time.monotonic()
        assert api.get("/v1/libraries?limit=3").status_code == 200
        times.append(time.monotonic() - begun)
    assert max(times) < 1.5, times
    database.rollback()
    for one in writers:
        one.settimeout(20)
        assert one.recv(20).startswith(b"HTTP/1.1 200"), "and each writer has its turn"
        one.close()
    eventually(lambda: api.figure("tpbis_pool_writing") == 0)


def test_who_has_left_frees_the_place(held, eventually):
    api, library, waiting, database = held
    writers = [patch(api, library) for _ in range(WRITERS)]
    eventually(lambda: waiting() == 9)
    for one in writers:
        one.close()
    eventually(lambda: waiting() == 0, seconds=8)  # long before their thirty seconds are over
    eventually(lambda: api.figure("tpbis_pool_writing") == 0)
    eventually(lambda: api.figure("tpbis_pool_waiting") == 0)
    assert api.figure("tpbis_clients_left_total") >= 9
    database.rollback()
    with patch(api, library) as one:
        one.settimeout(20)
        assert one.recv(20).startswith(b"HTTP/1.1 200")


def test_many_writers_of_other_rows_are_served(held):
    """The share bounds how many wait at once, not how many are served."""
    api, _, _, database = held
    database.rollback()
    with database.cursor() as cursor:
        cursor.execute("SELECT id::text FROM library WHERE kind = 'village' ORDER BY id LIMIT 20")
        libraries = [row[0] for row in cursor.fetchall()]
    database.rollback()
    answers = []

    def write(one):
        connection = patch(api, one)
        connection.settimeout(30)
        answers.append(connection.recv(20))
        connection.close()

    threads = [threading.Thread(target=write, args=(one,)) for one in libraries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one.startswith(b"HTTP/1.1 200") for one in answers) and len(answers) == len(libraries)
