"""The second factor for the tests: what an authenticator app computes, and the secret as the service keeps it."""

import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import re
import secrets
import struct
import time
from pathlib import Path

STEP_SECONDS = 30
KEY_FILE = "second-factor.key"
SECOND_FACTOR = "urn:tpbis:acr:second-factor"


def code_of(secret, at=None, offset=0):
    """RFC 6238 of a secret in base 32, with SHA-1: six digits; `offset` steps from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    step = int(time.time() if at is None else at) // STEP_SECONDS + offset
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


def new_secret():
    return base64.b32encode(secrets.token_bytes(20)).decode()


def seal(keys_dir, user_id, secret):
    """The secret sealed for that account, and the name of the key: libsodium's secretbox, behind its nonce."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    key = (Path(keys_dir) / KEY_FILE).read_bytes()
    plain, nonce = user_id.encode() + base64.b32decode(secret), secrets.token_bytes(24)
    sealed = ctypes.create_string_buffer(len(plain) + 16)
    assert sodium.crypto_secretbox_easy(sealed, plain, ctypes.c_ulonglong(len(plain)), nonce, key) == 0
    return nonce + sealed.raw, hashlib.sha256(key).hexdigest()[:16]


def secret_on(page):
    """The secret that a page offers, from its link for authenticator apps."""
    return re.search(r"otpauth://totp/[^\"]*[?]secret=([A-Z2-7]{32})&amp;", page.text).group(1)
