"""How one process follows another on one address: by a listening socket that both hold, or, for a version that cannot take
one, by a small front that sends each new connection to whoever is in charge."""

import contextlib
import select
import socket
import subprocess
import threading

from harness.service import Service

# LISTEN_PID must be the process' own id, which only a shell on its way to exec can know.
HAND_OVER = 'exec 3<&"$1"; shift; export LISTEN_PID=$$ LISTEN_FDS=$1; shift; exec "$@"'


def handed(listener, fds, *words):
    """The words of a command that gets the socket as descriptor 3, as systemd hands it over; `pass_fds` belongs to it."""
    return ["bash", "-c", HAND_OVER, "hand-over", str(listener.fileno()), fds, *words]


class Handed(Service):
    def __init__(self, listener, *arguments, **options):
        self.listener = listener
        super().__init__(*arguments, port=listener.getsockname()[1], **options)

    def popen(self, environment, log):
        return subprocess.Popen(handed(self.listener, "1", self.binary, "serve"), env=environment, stdout=log, stderr=log,
                                pass_fds=[self.listener.fileno()], start_new_session=True)


class Front:
    """A TCP proxy: a connection goes to the port that `target` named when it came, and stays there."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.target = None
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.relay, args=(client,), daemon=True).start()

    def relay(self, client):
        """Ends when either side does, after having passed on what it still said."""
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.target)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    (server if one is client else client).sendall(data)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
