"""The pgTAP files beside this one: each is a transaction that is rolled back, on a copy of the loaded database."""

import subprocess
import urllib.parse

import pytest

import schema

FILES = sorted((schema.ROOT / "tests/db").glob("*_test.sql"))


@pytest.fixture(scope="module")
def where(cluster, shared_copy):
    """How pg_prove reaches the database."""
    cluster.run(shared_copy, "migrate")  # the rights of the database itself are not copied
    with cluster.connect(shared_copy) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pgtap")
    url = urllib.parse.urlsplit(cluster.url(shared_copy, owner=True))
    host = urllib.parse.parse_qs(url.query)["host"][0]
    return ["--host", host, "--username", url.username, "--dbname", shared_copy]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file(where, file):
    done = subprocess.run(["pg_prove", "--verbose", *where, str(file)], text=True, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if not line.startswith("ok ")) + done.stderr
    assert "Result: PASS" in done.stdout


def test_there_are_files():
    assert len(FILES) >= 19
