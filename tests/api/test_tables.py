"""CSV of every operation: for machines by Accept, for people by format=csv. No cell is a formula, whichever separator it is read with,
and what the guard does is undone by what the contract says."""

import csv
import io
import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from harness import tables
from harness.client import problem

CSV = {"Accept": "text/csv"}


@pytest.fixture(scope="module")
def every(own_api, contract):
    """Each address with its token: of every operation that answers text/csv there is one."""
    tables.awkward(own_api)
    every = tables.Tables(own_api, contract)
    found = list(every.addresses())
    assert len(every.operations) > 30
    without = {template for template, _ in every.operations} - {template for template, _, _ in found}
    assert without <= {"/v1/participations/{id}/history"}, without
    return found


def query(path, more):
    return f"{path}?limit=100{more}"


def rows(text, separator):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=True))


def expect_cell(column, value, cell, separator=","):
    """`cell` is as the reader of the right separator has it."""
    if value is None:
        assert cell == "", (column, cell)
    elif isinstance(value, bool):
        assert cell == str(value).lower(), column
    elif isinstance(value, (int, float)):
        assert float(cell.replace(",", ".") if separator == ";" else cell) == value, (column, value, cell)
        assert separator == "," or "." not in cell, (column, cell)
    elif isinstance(value, (list, dict)):
        assert json.loads(cell) == value, (column, cell)
    else:
        assert tables.undone(cell) == value, (column, value, cell)


def expect_table(text, items, separator=","):
    header, *body = rows(text, separator)
    assert len(body) == len(items)
    for item, row in zip(items, body):
        for column, cell in zip(header, row, strict=True):
            expect_cell(column, tables.value_of(item, column), cell, separator)


def test_machines_get_every_text_back(own_api, every):
    for _, path, token in every:
        items = own_api.get(query(path, ""), token=token).json()["items"]
        answer = own_api.get(query(path, ""), token=token, headers=CSV)
        assert not answer.content.startswith(b"\xef\xbb\xbf") and "Content-Disposition" not in answer.headers, path
        assert "\t" not in re.sub("'[^,]*", "", answer.text), path
        expect_table(answer.text, items)


@pytest.mark.parametrize("separator,sign", [("", ","), ("&separator=comma", ","), ("&separator=semicolon", ";")])
def test_people_get_a_file_for_a_spreadsheet(own_api, every, separator, sign):
    for template, path, token in every:
        items = own_api.get(query(path, ""), token=token).json()["items"]
        answer = own_api.get(query(path, "&format=csv" + separator), token=token)
        assert answer.content.startswith(b"\xef\xbb\xbf"), path
        day = datetime.now(timezone(timedelta(hours=7))).date()
        names = "-".join(part for part in template.split("/")[2:] if not part.startswith("{"))
        assert answer.headers["Content-Disposition"] in {f'attachment; filename="{names}-{one}.csv"' for one in (day, day - timedelta(1))}, path
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        expect_table(answer.text, items, sign)


@pytest.mark.parametrize("asked", ["", "&format=csv", "&format=csv&separator=semicolon"])
@pytest.mark.parametrize("reader", [",", ";"])
def test_no_cell_is_a_formula_whoever_reads(own_api, every, asked, reader):
    for _, path, token in every:
        text = own_api.get(query(path, asked), token=token, headers=CSV).text.removeprefix("\ufeff")
        cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=reader) for cell in row]
        cells += [piece for line in re.split("[\r\n]", text) for piece in line.split(reader)] + tables.split_anywhere(text)
        assert not [cell for cell in cells if tables.is_run(cell)], path


def test_codes_are_text_for_people(own_api, every):
    """A tab stands before what is no number in JSON and looks like one, and before nothing else."""
    for _, path, token in every:
        items = own_api.get(query(path, ""), token=token).json()["items"]
        for separator, sign in (("comma", ","), ("semicolon", ";")):
            header, *body = rows(own_api.get(query(path, f"&format=csv&separator={separator}"), token=token).text, sign)
            for item, row in zip(items, body):
                for column, cell in zip(header, row):
                    value = tables.value_of(item, column)
                    if isinstance(value, str) and re.fullmatch(r"[0-9][0-9. ,:/]*", value):
                        assert cell == "\t" + value, (path, column)
                    if not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?|[0-9a-f-]{36}", value) or not re.search(r"\d", value):
                        assert not cell.startswith("\t"), (path, column, cell)


@pytest.mark.parametrize("text,tab", [
    ("19.01.06", True), ("0001234", True), ("1.5", True), ("1e5", True), ("3 Mei 2020", True), ("Maret 2020", True), ("(021) 555", True), ("Rp 5000", True),
    ("12%", True), ("5-3", True), ("biasa", False), ("Perpustakaan 17 Agustus", False), ("Jl. Mawar No. 5; RT 1, RW 2", False)])
def test_what_looks_like_a_number(own_api, every, text, tab):
    cells = [row["address"] for row in csv.DictReader(io.StringIO(own_api.get("/v1/libraries?kind=tbm&format=csv").text, newline=""))]
    assert (("\t" if tab else "") + text in cells) and (("" if tab else "\t") + text not in cells)


def test_a_whole_list_is_as_its_pages(own_api, every):
    """Streams and small answers say the same of text, byte for byte."""
    for asked in ("&format=csv", "&format=csv&separator=semicolon", ""):
        headers = {} if asked else CSV
        whole = own_api.get("/v1/libraries?kind=tbm" + asked, headers=headers)
        page = own_api.get("/v1/libraries?kind=tbm&limit=500" + asked, headers=headers)
        assert whole.content == page.content and whole.headers.get("Content-Disposition") == page.headers.get("Content-Disposition")


def test_head_and_tags(own_api, every):
    """Two representations, two tags, of streams and of pages."""
    for more in ("", "&limit=100"):
        path = "/v1/regions?parent=19" + more
        told = [own_api.get(path, headers=CSV), own_api.get(path + "&format=csv"), own_api.get(path + "&format=csv&separator=semicolon"), own_api.get(path)]
        assert len({answer.headers["ETag"] for answer in told}) == 4
        for answer, asked in zip(told[:3], ("", "&format=csv", "&format=csv&separator=semicolon")):
            assert "Accept" in answer.headers["Vary"].split(", ")
            head = own_api.request("HEAD", path + asked, headers=CSV)
            assert head.headers.get("Content-Disposition") == answer.headers.get("Content-Disposition") and head.headers["ETag"] == answer.headers["ETag"]
            for other in told:
                same = other.headers["ETag"] == answer.headers["ETag"]
                again = own_api.get(path + asked, headers={**CSV, "If-None-Match": other.headers["ETag"]})
                assert again.status_code == (304 if same else 200) and (not same or "Content-Disposition" not in again.headers)


@pytest.mark.parametrize("asked", ["separator=semicolon", "separator=comma&format=json", "separator=semicolon&format=geojson"])
def test_a_separator_is_for_people(own_api, asked):
    for headers in ({}, CSV):
        fault, = problem(own_api.get("/v1/libraries?" + asked, headers=headers), 400, "invalid_parameter")["errors"]
        assert (fault["parameter"], fault["code"]) == ("separator", "needs")
    problem(own_api.get("/v1/libraries?format=csv&separator=tab"), 400, "invalid_parameter")


def test_a_problem_is_no_file(own_api):
    assert "Content-Disposition" not in own_api.get("/v1/libraries?format=csv&limit=0").headers
