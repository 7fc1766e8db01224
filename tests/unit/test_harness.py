"""What the HTTP tests stand on, tried by itself."""

import socket

import pytest

from harness import client
from harness.contract import Contract
from harness.service import free_port
from harness.witness import WRITES_PER_FILE, faults_of


class TestTokensAreRenewed:
    """No test may fail because the run has taken longer than a token lives."""

    @pytest.fixture
    def clock(self, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr(client.time, "monotonic", lambda: now[0])
        return now

    def test_at_half_their_life(self, clock):
        fetched = iter(range(9))
        token = client.Renewed(lambda: {"access_token": f"a.{next(fetched)}", "expires_in": 600})
        assert token() == token() == "a.0"
        clock[0] += 299
        assert token() == "a.0"
        clock[0] += 1
        assert token() == "a.1" == token()

    def test_a_function_is_asked_at_each_request(self):
        api = client.Api.__new__(client.Api)
        texts = iter(["a.1", "a.2"])
        assert [api.spelled(lambda: next(texts)) for _ in range(2)] == ["a.1", "a.2"]


class TestFreePorts:
    def test_nobody_else_gets_one(self):
        """Whoever binds any port gets another, as often as they ask, with SO_REUSEADDR and without."""
        port = free_port()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        for reuse in (0, 1):
            taken = []
            for _ in range(200):
                taken.append(socket.socket())
                taken[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
                taken[-1].bind(("127.0.0.1", 0))
            assert port not in [one.getsockname()[1] for one in taken]
            for one in taken:
                one.close()
        thief = socket.socket()
        with pytest.raises(OSError, match="in use"):
            thief.bind(("127.0.0.1", port))
        thief.close()

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0"])
    def test_a_server_may_listen_there_again_and_again(self, address):
        port = free_port()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for _ in range(2):
            with socket.create_server((address, port), family=family):
                socket.create_connection(("127.0.0.1" if address == "0.0.0.0" else address, port)).close()


class TestThePriceOfAFile:
    """A resource costs the run seconds: counted in requests that write, and not in time."""

    def of(self, **writes):
        contract = Contract({"paths": {}})
        contract.writes.update(writes)
        return [fault for fault in faults_of(contract) if "requests that write" in fault]

    def test_is_bounded(self):
        assert self.of(test_one=WRITES_PER_FILE) == []
        [fault] = self.of(test_one=WRITES_PER_FILE, test_two=WRITES_PER_FILE + 1)
        assert fault.startswith(f"test_two sent {WRITES_PER_FILE + 1} ")

    def test_is_put_together_from_the_workers(self):
        parts = [Contract.parse('{"paths": {}}') for _ in range(2)]
        for part in parts:
            part.writes["test_one"] = 5
        parts[0].remember(parts[1].memory())
        assert parts[0].writes == {"test_one": 10}
