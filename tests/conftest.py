"""What every Python test shares: where the project lies and which binary is tried."""

import pathlib

import pytest

pytest_plugins = ["harness.witness", "harness.fixtures"]

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption("--binary", default=str(ROOT / "build/asan/tpbis"), help="the tpbis to test")
    parser.addoption("--processes", type=int, default=1, help="how many API processes serve each shared database, in turns")
    parser.addoption("--whole-contract", action="store_true",
                     help="fail when an operation or status of the contract was never exercised")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def binary(request):
    path = pathlib.Path(request.config.getoption("--binary"))
    if not path.is_file():
        pytest.exit(f"{path} is not there: make build-asan builds it", returncode=2)
    return path
