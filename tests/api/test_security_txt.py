"""security.txt (RFC 9116): whom to tell of a hole."""

import datetime

from harness.client import problem

PATH = "/.well-known/security.txt"


def test_it_names_whom_to_tell(fresh):
    api = fresh(security_contact="mailto:siber@perpusnas.example.id  https://example.id/lapor", base_url="https://api.example.id/")
    answer = api.get(PATH, token=None)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    fields = [tuple(line.split(": ", 1)) for line in answer.text.splitlines()]
    assert [name for name, _ in fields] == ["Contact", "Contact", "Expires", "Preferred-Languages", "Canonical"]
    assert fields[0][1] == "mailto:siber@perpusnas.example.id" and fields[1][1] == "https://example.id/lapor"
    expires = datetime.datetime.fromisoformat(fields[2][1].replace("Z", "+00:00"))
    assert datetime.timedelta(days=90) < expires - datetime.datetime.now(datetime.timezone.utc) < datetime.timedelta(days=365)
    assert fields[3][1] == "id, en" and fields[4][1] == "https://api.example.id" + PATH
    assert api.get(PATH, token=None, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_nobody_is_named(api):
    problem(api.get(PATH, token=None), 404, "not_found")
