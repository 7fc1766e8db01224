"""Every table of format=csv in LibreOffice Calc with Indonesian settings, cell by cell: codes, identifiers and phone numbers stay text,
numbers and days become what they are, and nothing is a formula, whichever separator the file is opened with."""

import re
import subprocess
import xml.etree.ElementTree

import pytest
from harness import tables

INDONESIAN, UTF8 = 1057, 76
SIGNS = {"comma": ",", "semicolon": ";"}
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def opened(files, separator, directory):
    """Each file as Calc opens it, special numbers (dates, exponents) looked for: name -> rows of cells."""
    out = directory / f"by-{separator}"
    read = f"Text - txt - csv (StarCalc):{ord(SIGNS[separator])},34,{UTF8},1,,{INDONESIAN},false,true"
    subprocess.run(["soffice", f"-env:UserInstallation=file://{directory}/profile", "--headless", f"--infilter={read}", "--convert-to", "fods",
                    "--outdir", out, *files], check=True, capture_output=True, timeout=600)
    return {file.name: list(rows_of(out / (file.stem + ".fods"))) for file in files}


def rows_of(path):
    """The rows of the one sheet, without the blank ones at its end: each cell is (type, value, shown, formula)."""
    for row in xml.etree.ElementTree.parse(path).iter(TABLE + "table-row"):
        cells = []
        for cell in row:
            kind = cell.get(OFFICE + "value-type")
            value = cell.get(OFFICE + "date-value") or cell.get(OFFICE + "value") or cell.get(OFFICE + "boolean-value")
            shown = "\n".join(text_of(line) for line in cell.findall(TEXT + "p"))
            times = int(cell.get(TABLE + "number-columns-repeated", "1"))
            cells += [(kind, value, shown, cell.get(TABLE + "formula"))] * (times if kind else min(times, 200))
        if any(kind for kind, *_ in cells):
            yield cells


def text_of(node):
    """What a paragraph says: several blanks, tabs and line ends are elements of their own."""
    said = node.text or ""
    for part in node:
        inner = {TEXT + "s": " " * int(part.get(TEXT + "c", "1")), TEXT + "tab": "\t", TEXT + "line-break": "\n"}
        said += inner.get(part.tag, text_of(part)) + (part.tail or "")
    return said


@pytest.fixture(scope="module")
def exports(own_api, contract, tmp_path_factory):
    """(path, separator) -> the file; and the items of each path as JSON has them."""
    tables.awkward(own_api)
    directory = tmp_path_factory.mktemp("calc")
    files, items = {}, {}
    for _, path, token in tables.Tables(own_api, contract).addresses():
        items[path] = own_api.get(f"{path}?limit=500", token=token).json()["items"]
        for separator in SIGNS:
            files[path, separator] = directory / f"{len(files):03}-{separator}.csv"
            files[path, separator].write_bytes(own_api.get(f"{path}?limit=500&format=csv&separator={separator}", token=token).content)
    sheets = {separator: opened(list(files.values()), separator, directory) for separator in SIGNS}
    return files, items, sheets


def fault_of(value, cell, separator):
    """Why the cell is not what JSON has, or None."""
    kind, held, shown, _ = cell
    if value is None or value == "":
        return None if kind is None else "not empty"
    if isinstance(value, bool):
        return None if kind in ("boolean", "string", "float") else "no truth value"
    if isinstance(value, (int, float)):
        if isinstance(value, float) and not value.is_integer() and separator == "comma":
            return None  # whoever wants numbers with Indonesian settings asks for the semicolon
        return None if kind == "float" and abs(float(held) - value) < 1e-9 else "no number"
    if isinstance(value, str) and DAY.fullmatch(value):
        return None if kind == "date" and held.startswith(value) else "no day"
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return None if kind in ("string", "date") else "no moment"
    if kind != "string":
        return f"became {kind} {held}"
    return None if not isinstance(value, str) or tables.undone(shown).replace("\r\n", "\n") == value.replace("\r\n", "\n") else "another text"


@pytest.mark.parametrize("separator", SIGNS)
def test_every_cell_is_what_it_is(exports, separator):
    files, items, sheets = exports
    wrong, cells, kinds = [], 0, {}
    for path, rows in items.items():
        header, *body = sheets[separator][files[path, separator].name]
        assert len(body) == len(rows), path
        for item, row in zip(rows, body):
            for (_, _, column, _), cell in zip(header, row + [(None, None, "", None)] * len(header)):
                if column:
                    value = tables.value_of(item, column)
                    why = fault_of(value, cell, separator)
                    cells, kinds[cell[0]] = cells + 1, kinds.get(cell[0], 0) + 1
                    if why:
                        wrong.append((path, column, value, cell, why))
    print(f"{separator}: {len(items)} tables, {cells} cells: {kinds}")
    assert cells > 1000 and not wrong, wrong[:20]


@pytest.mark.parametrize("reader", SIGNS)
def test_nothing_is_a_formula_whatever_the_reader_thinks(exports, reader):
    files, _, sheets = exports
    names = {file.name: key for key, file in files.items()}
    cells = [(names[name], cell) for name, rows in sheets[reader].items() for row in rows for cell in row if cell[0]]
    print(f"opened with {reader}: {len(sheets[reader])} files, {len(cells)} cells")
    assert not [one for one in cells if one[1][3] is not None]
