"""Accounts for the tests, made as an administrator makes them."""

import uuid
from urllib.parse import parse_qs, urlsplit

PATH = "/v1/users"
PASSWORD = "rawa teduh kuda laut 7"


def body_of(**fields):
    """A body that may be invited; `...` leaves a field out."""
    body = {"username": f"uji-{uuid.uuid4().hex[:12]}@example.id", "name": "Siti Aminah", **fields}
    return {name: value for name, value in body.items() if value is not ...}


def invite(api, token="national_admin", **fields):
    answer = api.post(PATH, token=token, once=True, json=body_of(**fields))
    assert answer.status_code == 201, answer.text
    return answer.json()


def token_of(link):
    """The token in a one-time link."""
    [token] = parse_qs(urlsplit(link["url"]).query)["token"]
    return token


def etag(api, one):
    return api.get(f"{PATH}/{one['id']}", token="national_admin").headers["ETag"]


def charge(database, one, role, region=None, library=None, starts_on="2020-01-01", ends_on=None):
    """An assignment, straight into the database."""
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO assignment (user_id, role, national, region_code, library_id, starts_on, ends_on) "
                       "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                       (one["id"], role, not region and not library, region, library, starts_on, ends_on))
