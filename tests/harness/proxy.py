"""A proxy between the service and PostgreSQL that loses connections at will.

It listens where a PostgreSQL would, on a unix socket in a directory of its own, so that the service needs only another
`host` in its URL. PostgreSQL sees the user of this process, which its peer authentication lets in."""

import contextlib
import os
import selectors
import socket
import tempfile
import threading
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

SOCKET_NAME = ".s.PGSQL.5432"
BLOCK = 65536


class Rule:
    """What happens to a connection on which the service sends these bytes.

    `answer_bytes` None: it is cut before PostgreSQL sees them. Otherwise PostgreSQL gets them, so much of its
    answer gets back, and then the connection is cut. `times`: how often, None for always. `answered` is called when
    PostgreSQL has answered and nothing has gone back yet."""

    def __init__(self, match, answer_bytes=None, times=1, answered=None):
        self.answered = answered
        self.match, self.answer_bytes, self.times = match, answer_bytes, times
        self.used = 0


class Proxy:
    """Close it in the end; `rules` may be changed at any time, `down()` and `up()` stop and start the "server"."""

    def __init__(self, cluster, database):
        parts = urlsplit(cluster.url(database))
        self.target = str(Path(parse_qs(parts.query)["host"][0]) / SOCKET_NAME)
        self.directory = tempfile.mkdtemp(prefix="tpbis-proxy-", dir="/tmp")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path}?host={quote(self.directory, safe='')}"
        self.rules = []
        self.lock = threading.Lock()
        self.pairs = set()
        self.listener = None
        self.up()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()
        os.rmdir(self.directory)

    def up(self):
        path = os.path.join(self.directory, SOCKET_NAME)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(100)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def down(self):
        """No new connection, and no old one."""
        if not self.listener:
            return
        os.unlink(os.path.join(self.directory, SOCKET_NAME))
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.listener = None
        self.cut()

    def cut(self):
        """Loses every connection there is."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            _shut(pair)

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                server.close()
                continue
            with self.lock:
                gone = self.listener is not listener
                if not gone:
                    self.pairs.add((client, server))
            if gone:
                client.close()
                server.close()
                return
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _rule(self, data):
        with self.lock:
            for rule in self.rules:
                if rule.match in data and (rule.times is None or rule.used < rule.times):
                    rule.used += 1
                    return rule
        return None

    def _carry(self, client, server):
        """Both directions of one connection, until one side ends it or a rule cuts it."""
        left = answered = None  # bytes of an answer until the cut
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(client, selectors.EVENT_READ)
                selector.register(server, selectors.EVENT_READ)
                while True:
                    for key, _ in selector.select():
                        data = key.fileobj.recv(BLOCK)
                        if not data:
                            return
                        if key.fileobj is client:
                            rule = self._rule(data)
                            if rule and rule.answer_bytes is None:
                                return
                            left, answered = (rule.answer_bytes, rule.answered) if rule else (left, answered)
                            server.sendall(data)
                        elif left is None:
                            client.sendall(data)
                        else:
                            if answered:
                                answered()
                            client.sendall(data[:left])
                            return
        except OSError:
            return
        finally:
            with self.lock:
                self.pairs.discard((client, server))
            _shut((client, server))
            client.close()
            server.close()


def _shut(pair):
    for end in pair:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
