"""Helpers of the tests of signals, lost databases and bad clients."""

import threading
import time

import pytest

from harness.waiting import PATIENCE_SECONDS, until


@pytest.fixture
def eventually():
    """Asks until the answer is true; gives the answer. How soon a test expects it is a remark for the reader: whatever the
    machine is busy with, nobody fails for being slow."""

    def wait(question, seconds=None, pause=0.02):
        return until(question, pause)

    return wait


class Background:
    """A function on a thread of its own; result() gives what it returned or raises what it raised."""

    def __init__(self, function, *arguments, **options):
        self.value = self.error = None
        self.seconds = None

        def run():
            began = time.monotonic()
            try:
                self.value = function(*arguments, **options)
            except BaseException as error:  # handed to result()
                self.error = error
            self.seconds = time.monotonic() - began

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def running(self):
        return self.thread.is_alive()

    def result(self, seconds=PATIENCE_SECONDS):
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"still running after {seconds} s"
        if self.error:
            raise self.error
        return self.value


@pytest.fixture
def background():
    return Background


class Lock:
    """Holds a table so that reads of it wait; `waiting()` counts the service's sessions that do."""

    def __init__(self, cluster, database, table):
        self.cluster, self.database = cluster, database
        self.connection = cluster.connect(database)
        self.connection.autocommit = False
        self.connection.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def waiting(self):
        with self.cluster.owner(self.database).cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'tpbis_api'"
                           " AND wait_event_type = 'Lock'", (self.database,))
            return cursor.fetchone()[0]

    def release(self):
        self.connection.close()


@pytest.fixture
def lock():
    return Lock
