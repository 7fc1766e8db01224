"""Who administers machines: the national administrators, wherever nobody else may even look, and they for the whole nation only."""

import uuid

import pytest

from harness import machines
from harness.client import problem
from harness.people import People
from harness.rights import EVERYBODY, Stage, assert_refused

READS = {"list_clients", "get_client", "list_client_secrets", "list_api_keys"}
WRITES = {"create_client", "update_client", "suspend_client", "reinstate_client", "create_client_secret", "delete_client_secret",
          "create_api_key", "revoke_api_key"}
ADMINISTRATORS = {"national_admin"}


class Attempt:
    """Does one operation with everything about the request right except, perhaps, the caller."""

    def __init__(self, api, token, stage):
        self.api, self.token, self.stage = api, token, stage
        self.one = stage.get("client", lambda: machines.client(api))
        self.path = machines.path_of(self.one)

    def list_clients(self):
        return self.api.get(machines.PATH, token=self.token)

    def get_client(self):
        return self.api.get(self.path, token=self.token)

    def create_client(self):
        return self.api.post(machines.PATH, token=self.token, json={"name": "Hak", "type": "public", **machines.OWNER})

    def update_client(self):
        tag = self.api.get(self.path, token="national_admin").headers["ETag"]
        return self.api.patch(self.path, {"name": uuid.uuid4().hex}, etag=tag, token=self.token)

    def suspend_client(self):
        return self.api.post(self.path + "/suspend", token=self.token, json={"reason": "uji hak"})

    def reinstate_client(self):
        suspended = self.api.post(self.path + "/suspend", token="national_admin", json={"reason": "uji hak"})
        assert suspended.status_code == 200 or suspended.json()["code"] == "client_status_same", suspended.text
        return self.api.post(self.path + "/reinstate", token=self.token)

    def list_client_secrets(self):
        return self.api.get(self.path + "/secrets", token=self.token)

    def create_client_secret(self):
        return machines.secret(self.api, self.one, self.token)

    def delete_client_secret(self):
        one = self.stage.get(("secret", self.path), lambda: machines.secret(self.api, self.one).json()["id"])
        return self.api.delete(f"{self.path}/secrets/{one}", token=self.token)

    def list_api_keys(self):
        return self.api.get(self.path + "/api-keys", token=self.token)

    def create_api_key(self):
        return machines.api_key(self.api, self.one, self.token)

    def revoke_api_key(self):
        one = self.stage.get(("key", self.path), lambda: machines.api_key(self.api, self.one).json()["id"])
        return self.api.delete(f"{self.path}/api-keys/{one}", token=self.token)


@pytest.fixture(scope="module")
def stage():
    return Stage()


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(READS | WRITES))
def test_cell(api, stage, operation, role):
    answer = getattr(Attempt(api, role, stage), operation)()
    if role in ADMINISTRATORS:
        assert answer.status_code < 300, answer.text
        stage.spend()
    else:
        assert_refused(answer)
    stage.keep()


@pytest.fixture(scope="module")
def provincial(api):
    """Somebody whom a mistake has made administrator of one province."""
    people = People(api)
    user = people.user()
    people.sql("SELECT set_config('session_replication_role', 'replica', true); "  # the rules of assignments would not have it
               "INSERT INTO assignment (user_id, role, region_code) VALUES (%s, 'national_admin', '19')", user["id"])
    return people.renewed(user)


@pytest.mark.parametrize("operation", sorted(WRITES))
def test_a_part_of_the_nation_writes_nothing(api, stage, provincial, operation):
    problem(getattr(Attempt(api, provincial, stage), operation)(), 403, "out_of_reach")


def test_a_part_of_the_nation_reads_nothing(api, stage, provincial):
    attempt = Attempt(api, provincial, stage)
    assert attempt.list_clients().json()["items"] == []
    for answer in (attempt.get_client(), attempt.list_client_secrets(), attempt.list_api_keys()):
        problem(answer, 403, "out_of_reach")
