"""What the engine owes every client, asked of every operation of clients, secrets and API keys."""

import pytest

from harness import machines
from harness.sweep import NOBODY, sweep, write_sweep

ONE = {  # a body that is right, of the operations that have one
    "create_client": {"name": "Uji", "type": "public", **machines.OWNER}, "update_client": {"name": "Uji"},
    "suspend_client": {"reason": "uji"}, "create_client_secret": {}, "create_api_key": {"name": "Uji"},
}


@pytest.fixture(scope="module")
def there(own_api):
    one = machines.client(own_api)
    return {"client_id": one["id"], "secrets": machines.secret(own_api, one).json()["id"],
            "api-keys": machines.api_key(own_api, one).json()["id"]}


def test_sweep(own_api, contract, there):
    swept = set()
    for path, methods in contract.document["paths"].items():
        if not path.startswith("/v1/clients"):
            continue
        for method, operation in methods.items():
            if not isinstance(operation, dict):
                continue
            operation, method = contract.resolve(operation), method.upper()
            place, lost = path.replace("{client_id}", there["client_id"]), path.replace("{client_id}", "c_nobody").replace("{id}", NOBODY)
            for part in ("secrets", "api-keys"):
                if part in path:
                    place = place.replace("{id}", there[part])
            sweep(own_api, method, place, operation, lost=lost)
            body = ONE.get(operation["operationId"])
            if body is not None:
                write_sweep(own_api, method, place, operation, body, lost)
            swept.add(operation["operationId"])
    assert set(ONE) <= swept and len(swept) == 12
