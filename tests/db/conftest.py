"""The tests of the database stand on the cluster of tests/harness; each file makes the databases that it needs there."""

import pytest

import schema


@pytest.fixture(scope="session", autouse=True)
def _known(cluster):
    schema.CLUSTER = cluster


@pytest.fixture
def copy(cluster):
    """The name of a copy of the loaded database, to write in."""
    name = cluster.make_database()
    yield name
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def shared_copy(cluster):
    """The name of a copy of the loaded database that a whole file shares."""
    name = cluster.make_database()
    yield name
    cluster.drop_database(name)
