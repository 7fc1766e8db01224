"""CSV as the contract describes it: data that is hard on it, what its guard does to text undone, and cells as a reader makes them
who thinks of another separator."""

import re
import unicodedata

from harness import libraries, programs, walk

FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
PASSED_OVER = "\"'\u2800\ufffc\u115f\u1160\u3164\uffa0"  # and what is blank, a control or a format character
PIECE = re.compile(r"[^,;\t\r\n]*[,;\t\r\n]|[^,;\t\r\n]+")
TEXTS = [
    "=1+1", "+62 812 3456", "-1+2", "@SUM(A1)", "  =1+1", "\u00a0=1", "\u3000\u2003=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", "\u22121", "Dinas;=1+1",
    "Dinas,=1+1", "Dinas; =1+1", "Dinas;\"=1+1\"", "Dinas,\" =1+1&\"", "Dinas\n=1+1", "Dinas\r\n\uff1d1", "a;b,+c", "'=1+1", "Dinas;'=1", "Dinas;;,=1", "'", "''@",
    "19.01.06", "19.01", "0001234", "1234", "0812 3456 789", "1.5", "1,5", "1e5", "3/4", "12:30", "3 Mei 2020", "Maret 2020", "5-3", "12%", "Rp 5000", "(021) 555",
    "Perpustakaan 17 Agustus", "Jl. Mawar No. 5; RT 1, RW 2", "komma, \"kutip\"", "biasa", "a\ufeff=1", "\"", "\"=1\"", "=HYPERLINK(\"http://x\";\"y\")"]


def is_passed_over(letter):
    return letter in PASSED_OVER or letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def begins_formula(piece):
    """Would a cell that begins so be a formula, blanks, quotes and apostrophes aside?"""
    rest = piece
    while rest and is_passed_over(rest[0]) and rest[0] not in ",;\t\r\n":
        rest = rest[1:]
    return rest[:1] != "" and rest[0] in FORMULA


def undone(cell):
    """The text of a cell, as the contract says that machines get it back."""
    cell = cell.removeprefix("\t")
    pieces = PIECE.findall(cell)
    return "".join(piece[1:] if piece[:1] == "'" and (begins_formula(piece) or at == 0 and re.match("'+[\t\r\n]", cell)) else piece
                   for at, piece in enumerate(pieces))


def value_of(item, column):
    """What JSON has where CSV has this column."""
    for name in column.split("."):
        item = item.get(name) if item is not None else None
    return item


def split_anywhere(text):
    """The beginnings of all cells that any reader could see: parted at every separator and line end, quotes or not."""
    return re.split("[,;\t\r\n]", text.removeprefix("\ufeff"))


def is_run(piece):
    """Is the cell that begins so a formula, and not a number that stands bare?"""
    rest = piece
    while rest and is_passed_over(rest[0]) and rest[0] != "'":
        rest = rest[1:]
    return rest[:1] != "" and rest[0] in FORMULA and not re.fullmatch(r"-[0-9]+([.,][0-9]+)?(e[+-]?[0-9]+)?", piece)


def awkward(api):
    """Texts that are hard on CSV, in what people may write."""
    for number, text in enumerate(TEXTS):
        line = re.sub(r"[\r\n]+", " ", text).strip("\ufeff \u00a0\u3000").replace("\ufeff", "")
        name = line if re.search(r"[^\W_]", line) else line + "A"
        libraries.made(api, name=name, address=text.strip(), phone=f"0812 00{number:04}", contact_public=True, postal_code=f"{number:05}",
                       latitude=-2.5 - number / 64, longitude=106.25, founded_on="2001-02-03", computers=number,
                       applications=[{"name": name, "version": "3.2"}])
    library = libraries.made(api, name="TBM Beridentitas", phone="+62 717 1", contact_public=True)
    for scheme, value in (("npsn", "0001234"), ("other", "19.01.06")):
        made = api.put(f"{libraries.path_of(library)}/identifiers/{scheme}", json={"value": value}, token="national_admin")
        assert made.status_code == 201, made.text
    office = programs.organization(api, name="Dinas;=1+1")
    person = programs.person(api, name="Dinas,=1+1 Uji", position="@sekretaris;+1")
    training = programs.training(api)
    programs.participant(api, training, person_id=person["id"])
    programs.participant(api, training, name="Peserta;-1")
    return office


class Tables:
    """Every operation of the contract that answers text/csv, at up to two real addresses each."""

    def __init__(self, api, contract):
        self.api = api
        self.walk = walk.Walk(api.address, contract.document, api.token("national_admin"))
        self.operations = []
        for path, methods in contract.document["paths"].items():
            operation = contract.resolve(methods.get("get", {"responses": {"200": {}}}))
            if "text/csv" in contract.resolve(operation["responses"]["200"]).get("content", {}):
                self.operations.append((path, operation))

    def addresses(self):
        for template, operation in self.operations:
            token = self.api.fitting(operation)
            for path in self.walk.paths(template)[:2]:
                yield template, path, token
