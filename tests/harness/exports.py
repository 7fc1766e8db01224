"""Whole lists on their way."""

from harness.wire import Wire

STREAM = "/v1/regions?format=csv"  # long enough to be on its way for as long as a test wants


def sip(wire, size=1 << 16):
    """Takes some of it, so that its client is not too slow for the service."""
    while size > 0:
        size -= len(wire.socket.recv(size)) or size


def open_stream(api, token=None, receive_buffer=4096, address=None):
    """A connection on which the first bytes of a whole list have come; a small buffer leaves the rest with the service.

    `address`: of the client, as a proxy tells it."""
    wire = Wire(api.service.port, receive_buffer=receive_buffer)
    head = f"GET {STREAM} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token or api.token()}\r\n"
    head += (f"X-Forwarded-For: {address}\r\n" if address else "") + "\r\n"
    wire.send(head.encode())
    wire.until(rb"\r\n\r\n.")
    return wire
