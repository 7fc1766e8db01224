"""What tests of libraries and lists do again and again."""

import csv
import io
import re
import uuid

NATIONAL = "01a1fdc3-5781-7371-a3b9-cb527f786aee"
BANGKA_BELITUNG = "01a1fdc3-5782-7f66-88c7-b2181ec9ada5"
BANGKA = "01a1fdc3-5788-74ef-88d8-7b1110c832f2"
BELITUNG = "01a1fdc3-5789-7e78-9d39-14e0f5a3975a"
KAPUK = "01a1fdc3-5794-7ad4-bf33-412c110bd3ca"  # the village library in 19.01.06.2002
VILLAGE = "19.01.06.2002"


def create(api, token="national_admin", once=False, **fields):
    """The answer to a POST of a library; a TBM in Kapuk unless told."""
    body = {"name": f"Perpustakaan uji {uuid.uuid4().hex[:8]}", "kind": "tbm", "region_code": VILLAGE, **fields}
    body = {name: value for name, value in body.items() if value is not ...}
    return api.post("/v1/libraries", json=body, token=token, once=once)


def made(api, **fields):
    """A new library as the API shows it."""
    answer = create(api, once=True, **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def path_of(library):
    return f"/v1/libraries/{library if isinstance(library, str) else library['id']}"


def tag_of(api, library):
    answer = api.get(path_of(library))
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def change(api, library, token="national_admin", **fields):
    """A PATCH with the tag as it is now."""
    return api.patch(path_of(library), fields, etag=tag_of(api, library), token=token)


def close(api, library, on=None, token="national_admin"):
    return api.delete(path_of(library) + (f"?closed_on={on}" if on else ""), token=token,
                      headers={"If-Match": tag_of(api, library)})


def move(api, library, token="national_admin", **fields):
    return api.post(path_of(library) + "/moves", json=fields, token=token)


def ids(items):
    return [item["id"] for item in items]


def rows_of(text):
    """A CSV document as dictionaries; strict, as RFC 4180 has it, without what format=csv adds for spreadsheets."""
    assert text.endswith("\r\n")
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    return [{name: cell.removeprefix("\t") for name, cell in row.items()} for row in rows]


def follow_links(api, path, **options):
    """Every page of a list by its Link header, taken literally."""
    for _ in range(2000):
        answer = api.get(path, **options)
        assert answer.status_code == 200, answer.text
        yield answer
        link = answer.headers.get("Link")
        if link is None:
            return
        path = re.fullmatch(r'<([^<>]*)>; rel="next"', link).group(1)
    raise AssertionError("a list without end")
