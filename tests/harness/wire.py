"""Raw bytes over a socket: what no HTTP library would send, and what none would show."""

import re
import socket
import ssl
import time

STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


class Wire:
    """One connection, through `tls` (a context) where given. A small `receive_buffer` makes the sender feel a slow reader early."""

    def __init__(self, port, host="127.0.0.1", timeout=10, receive_buffer=None, tls=None):
        self.timeout = timeout
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.received = b""
        self.closed = False  # by the other side

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the other side has closed: it may answer and close before it has read everything."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            return False

    def receive(self, count=65536):
        """Some more bytes; b"" at the end of the connection."""
        try:
            data = self.socket.recv(count)
        except ConnectionResetError:
            data = b""
        self.closed = self.closed or not data
        self.received += data
        return data

    def until(self, pattern):
        """Reads until the pattern was received, at most for the timeout."""
        end = time.monotonic() + self.timeout
        while not re.search(pattern, self.received, re.DOTALL):
            assert time.monotonic() < end, f"no {pattern!r} in {self.received[-500:]!r}"
            assert self.receive(), f"closed before {pattern!r}: {self.received[-500:]!r}"

    def rest(self, seconds=None):
        """Everything up to the end of the connection; TimeoutError when it does not end."""
        end = time.monotonic() + (seconds or self.timeout)
        while not self.closed:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            self.receive()
        return self.received


def statuses(received):
    """The status of every answer in what a connection received."""
    return [int(status) for status in STATUS_LINE.findall(received)]


def headers_of(received):
    """The header of the first answer, names in lower case."""
    head = received.partition(b"\r\n\r\n")[0].decode("latin-1")
    pairs = [line.split(":", 1) for line in head.split("\r\n")[1:]]
    return {name.strip().lower(): value.strip() for name, value in pairs}


def body_of(received):
    return received.partition(b"\r\n\r\n")[2]


def unchunk(body):
    """A chunked body and whether its terminating chunk was there."""
    data, rest = b"", body
    while True:
        size_line, mark, rest = rest.partition(b"\r\n")
        if not mark or not re.fullmatch(rb"[0-9A-Fa-f]+", size_line):
            return data, False
        size = int(size_line, 16)
        if size == 0:
            return data, rest.startswith(b"\r\n")
        if len(rest) < size + 2:
            return data + rest[:size], False
        data, rest = data + rest[:size], rest[size + 2:]
