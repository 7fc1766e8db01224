"""Clients that never stop asking, and remember everything that went wrong."""

import http.client
import itertools
import json
import threading
import time
from urllib.parse import urlsplit

from harness.waiting import until

PAUSE_SECONDS = 0.004  # of a client that never stops asking: so it leaves the machine to the other parts of the tests


class Load:
    """`with Load(address, token) as load`: readers on kept connections, readers on a new connection each time, and
    with `write` (a function from a number to method, path, body) a writer. A request fails when its answer is not
    2xx, or does not come: nothing is tried again. Only a connection that the last answer said would close is replaced
    in silence, for that is what the header is for."""

    def __init__(self, address, token, path="/v1/regions/19.01", kept=3, fresh=3, write=None, write_token=None):
        self.where, self.token, self.path = urlsplit(address), token, path
        self.write, self.write_token = write, write_token
        self.faults, self.counts, self.acknowledged = [], {"kept": 0, "fresh": 0, "write": 0}, []
        self.slowest = 0.0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.read, args=("kept",)) for _ in range(kept)]
        self.threads += [threading.Thread(target=self.read, args=("fresh",)) for _ in range(fresh)]
        if write:
            self.threads.append(threading.Thread(target=self.do_writes))

    def connect(self):
        return http.client.HTTPConnection(self.where.hostname, self.where.port, timeout=30)

    def ask(self, connection, kind, method, path, body=None, token=None, headers=None):
        """The status and the document, or None after having noted the fault."""
        began = time.monotonic()
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Authorization": "Bearer " + (token or self.token), "Content-Type": "application/json",
                                **(headers or {}), **({"Connection": "close"} if kind == "fresh" else {})})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.faults.append((round(time.time(), 3), kind, repr(error)))
            connection.close()
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.counts[kind] += 1
        if not 200 <= answer.status < 300:
            self.faults.append((round(time.time(), 3), kind, answer.status, text[:200]))
            return None
        return answer, json.loads(text)

    def read(self, kind):
        connection = self.connect()
        while not self.stopping.is_set():
            self.ask(connection, kind, "GET", self.path)
            if kind == "fresh":
                connection.close()
                connection = self.connect()
            self.stopping.wait(PAUSE_SECONDS)
        connection.close()

    def do_writes(self):
        connection = self.connect()
        for number in itertools.count():
            if self.stopping.is_set():
                break
            method, path, body = self.write(number)
            made = self.ask(connection, "write", method, path, body, self.write_token)
            if made:
                self.acknowledged.append(made[1])
            time.sleep(0.01)
        connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def run_for(self, seconds):
        """Lets it run for so long, and until every kind has been at work meanwhile."""
        before = dict(self.counts)
        time.sleep(seconds)
        kinds = ["kept", "fresh", *(["write"] if self.write else [])]
        until(lambda: all(self.counts[kind] > before[kind] for kind in kinds) or self.faults)
