"""One cluster, one service and one witness for the whole run, or for each worker of `-n`; `fresh` gives a service on a database
of its own."""

import shutil
import tempfile
from pathlib import Path

import pytest

from harness.client import Api
from harness.cluster import Cluster, put_back
from harness.contract import Contract
from harness.service import Service
from harness.witness import CONTRACT


MEMORY, ENOUGH_BYTES = "/dev/shm", 6 << 30


@pytest.fixture(scope="session")
def directory():
    """Where clusters and services live: in memory where there is much of it, for databases are made and dropped by the hundred."""
    spacious = Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    path = Path(tempfile.mkdtemp(prefix="tpbis-test-", dir=MEMORY if spacious else None))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(binary, directory):
    cluster = Cluster.with_template(binary.resolve(), directory / "state")
    yield cluster
    cluster.destroy()


@pytest.fixture(scope="session")
def contract(request, cluster):
    contract = Contract.parse(cluster.run("postgres", "openapi").stdout)
    request.config.stash[CONTRACT] = contract
    return contract


@pytest.fixture(scope="session")
def twins(request):
    """How many processes stand beside the first one of each service that tests share."""
    return request.config.getoption("--processes") - 1


@pytest.fixture(scope="session")
def service(cluster, directory, twins):
    service = Service(cluster, cluster.make_database(), directory / "service", twins=twins,
                      cors_origins="https://portal.example.id", statement_timeout_ms=20000)
    yield service
    assert service.stop() == 0


@pytest.fixture(scope="session")
def api(service, cluster, contract):
    return Api(service, cluster.clients, contract)


@pytest.fixture(autouse=True)
def one_process(request):
    """Heeds the marker of that name."""
    Api.one_process = request.node.get_closest_marker("one_process") is not None
    yield
    Api.one_process = False


@pytest.fixture(autouse=True)
def kept_sessions():
    """What a test has set in one of them ends with the test."""
    yield
    put_back()


@pytest.fixture
def database(service):
    """A session of the owner in the service's database, for what no endpoint shows."""
    return service.owner


@pytest.fixture
def fresh(cluster, directory, contract):
    """Makes services on databases of their own, each of one process unless told: fresh(setting=value) -> Api."""
    made = []

    def make(**settings):
        database = cluster.make_database()
        service = Service(cluster, database, directory / database, **settings)
        made.append(service)
        return Api(service, cluster.clients, contract)

    yield make
    for service in made:
        if service.process.poll() is None:
            assert service.stop() == 0
        cluster.drop_database(service.database)


@pytest.fixture(scope="module")
def own_api(cluster, directory, contract, twins):
    """One service on a database that a whole file of tests has to itself."""
    database = cluster.make_database()
    service = Service(cluster, database, directory / database, twins=twins, statement_timeout_ms=20000,
                      cors_origins="https://portal.example.id,http://localhost:3000")
    yield Api(service, cluster.clients, contract)
    assert service.stop() == 0
    cluster.drop_database(database)


@pytest.fixture
def own_database(own_api):
    """A session of the owner in that file's database."""
    return own_api.service.owner
