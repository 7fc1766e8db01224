"""Clients, secrets and API keys for the tests, made through the API."""

import uuid
import zlib

PATH = "/v1/clients"
OWNER = {"owner_name": "Dinas Perpustakaan Uji", "owner_email": "pemilik@example.id"}
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def path_of(client):
    return f"{PATH}/{client['id']}"


def client(api, type="confidential", token="national_admin", **fields):
    """A new client as the answer that makes it shows it, its secret included."""
    answer = api.post(PATH, token=token, once=True, json={"name": f"Klien {uuid.uuid4().hex[:8]}", "type": type, **OWNER, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def assign(database, one, role="portal", region=None):
    """Charges the client with a role (of the whole nation unless told otherwise); the assignment's id."""
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO assignment (client_id, role, national, region_code) VALUES (%s, %s, %s, %s) RETURNING id",
                       (one["id"], role, region is None, region))
        made = cursor.fetchone()[0]
    database.commit()
    return str(made)


def credentials(one, secret=None):
    """As `harness.tokens.grant` takes them."""
    return {"client_id": one["id"], "client_secret": secret or one["client_secret"]}


def secret(api, one, token="national_admin", **fields):
    return api.post(path_of(one) + "/secrets", json=fields, token=token)


def api_key(api, one, token="national_admin", **fields):
    return api.post(path_of(one) + "/api-keys", json={"name": "Uji", **fields}, token=token)


def checksum(text):
    """CRC-32 in base 62, as anybody can compute it."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits


def sound(text, kind):
    return text.startswith(f"tpbis_{kind}_") and len(text) == 57 and text[-6:] == checksum(text[:-6])
