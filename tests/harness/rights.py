"""What every oracle of rights stands on: who is charged where, and which operations the oracles know between them.

An oracle is a file tests/api/test_rights*.py, written from the programme's table of rights, not from the contract. It says in
READS and WRITES which operations it decides about."""

import importlib.util
from pathlib import Path

import pytest

from harness.client import Api

NATION, BANGKA, BELITUNG, SULSEL = "", "19.01", "19.02", "73.08"
PROVINCE = "19"
OWN_LIBRARY = "own"  # the village library of the library roles, in Bangka
OWN_VILLAGE = "19.01.06.2002"

# role -> where it is charged (how the test clients are made)
CHARGED = {
    "national_admin": NATION, "national_analyst": NATION, "provincial_coordinator": PROVINCE, "team_member": PROVINCE,
    "regency_facilitator": BANGKA, "library_manager": OWN_LIBRARY, "integration": OWN_LIBRARY, "portal": NATION,
    "public_app": NATION,
}
EVERYBODY = set(CHARGED)
# "regency libraries and below", "district, village and TBM libraries of the kabupaten/kota"
WRITES_VILLAGES = {"national_admin", "provincial_coordinator", "regency_facilitator"}
WRITES_REGENCIES = {"national_admin", "provincial_coordinator"}
WRITES_PROVINCES = {"national_admin"}
WRITERS_BY_KIND = {"village": WRITES_VILLAGES, "tbm": WRITES_VILLAGES, "regency": WRITES_REGENCIES,
                   "provincial": WRITES_PROVINCES}

# A village of each place that is not the library roles' own.
SPOTS = {BANGKA: "19.01.07.2004", BELITUNG: "19.02.01.1001", SULSEL: "73.08.01.1001"}


class Stage:
    """Objects that the cells of an oracle share: each is made when a cell first needs it, and stays until a cell has spent it.

    A refused attempt leaves the object as it was, so that the next cell may use it again. This keeps the price of an oracle at
    about one request for a cell."""

    def __init__(self):
        self.kept, self.used = {}, set()

    def get(self, key, make):
        self.used.add(key)
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def spend(self):
        """What was used since the last call is another thing now, and the next cell gets a new one."""
        for key in self.used:
            self.kept.pop(key, None)
        self.used = set()

    def keep(self):
        self.used = set()


@pytest.fixture(scope="module")
def stage(who):
    return Stage()


def try_row(cells, attempt, judge, allowed):
    """One operation as one role in all its cells.

    `attempt(*cell)` gives the answer, `judge(answer, *cell)` asserts that it is the right one, and `allowed(*cell)` says whether
    the oracle allows the cell. The scopes of a token are asked for before anything else of a request, wherever its object lies.
    So a caller who lacks the scope is tried in the first cell only, and must be allowed in none."""
    for number, cell in enumerate(cells):
        answer = attempt(*cell)
        if number == 0 and answer.status_code == 403 and answer.json()["code"] == "insufficient_scope":
            wanted = [cell for cell in cells if allowed(*cell)]
            assert not wanted, f"without the scope, and yet allowed in {wanted}: {answer.text}"
            return
        try:
            judge(answer, *cell)
        except AssertionError as fault:
            raise AssertionError(f"in the cell {cell}: {answer.status_code} {answer.text}") from fault


@pytest.fixture(autouse=True, scope="module", params=["clients", "people"])
def who(request):
    """An oracle that imports this is asked twice: of machines with their roles, and of users with the same ones."""
    Api.as_people = request.param == "people"
    yield request.param
    Api.as_people = False


def reaches(role, place):
    """Does the role's charge cover that place, whatever the role may do there?"""
    charged = CHARGED[role]
    if place == OWN_LIBRARY:
        return charged == OWN_LIBRARY or reaches(role, BANGKA)
    return charged == NATION or charged == place or place.startswith(charged + ".")


def assert_refused(answer, *codes):
    """403, of the token or of the place; or of one of the codes that a rule of rights has of its own."""
    assert answer.status_code == 403, f"{answer.status_code} {answer.text}"
    assert answer.json()["code"] in ("insufficient_scope", "out_of_reach", *codes), answer.text


def decided():
    """The operations that the oracles decide about, each with the oracles that do."""
    found = {}
    for path in sorted((Path(__file__).resolve().parents[1] / "api").glob("test_rights*.py")):
        specification = importlib.util.spec_from_file_location("oracle_" + path.stem, path)
        oracle = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(oracle)
        for operation in [*oracle.READS, *oracle.WRITES]:
            found.setdefault(operation, []).append(path.name)
    return found
