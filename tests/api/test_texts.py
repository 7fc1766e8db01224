"""One rule for text that people type: every text of every body and query of the contract, then what is stored, compared and found."""

import unicodedata
from urllib.parse import quote

import psycopg2
import pytest

from harness import teams
from harness.client import problem
from harness.libraries import change, create, ids, made, path_of
from harness.users import PATH as USERS
from harness.users import body_of

UNSEEN = "\u00ad \u034f \u115f \u1160 \u180e \u200b \u200e \u202a \u202e \u2060 \u2066 \u2069 \u2800 \u3164 \ufe0f \ufeff \uffa0 \U000e0041".split(" ")
NO_CHARACTER = "\ue000 \ufdd0 \ufffe \U0010ffff \U000f0000 \u0378".split(" ")
BLANKS = [" ", "\u00a0", "\u3000", "\u2009", "\u2028"]
TYPED = ("code", "line", "name", "free")


@pytest.fixture(scope="module")
def api(own_api):
    return own_api


@pytest.fixture
def database(own_database):
    return own_database


# ---- the whole contract ---------------------------------------------------------------------------------------------

class Texts:
    """A body that gives each text of its schema, and the pointers at which they stand."""

    def __init__(self, contract, schema, text):
        self.contract, self.text, self.told = contract, text, {}
        self.body = self.build(schema, "")

    def build(self, schema, pointer, nullable=False):
        schema = self.contract.resolve(schema)
        kinds = schema.get("type", [])
        kinds = ([kinds] if isinstance(kinds, str) else kinds) + ["null"] * nullable
        branches = [self.contract.resolve(part) for part in schema.get("anyOf", []) + schema.get("oneOf", []) + schema.get("allOf", [])]
        nullable = any(part.get("type") == "null" for part in branches)
        if schema.get("x-text") in TYPED:
            self.told[pointer] = (schema["x-text"], "null" in kinds)
            return self.text
        found = {}
        for name, part in schema.get("properties", {}).items():
            value = self.build(part, f"{pointer}/{name}")
            if value is not None:
                found[name] = value
        for part in branches:
            value = self.build(part, pointer, nullable)
            if isinstance(value, dict):
                found.update(value)
            elif value is not None:
                return value
        if "items" in schema:
            item = self.build(schema["items"], pointer + "/0")
            return None if item is None else [item]
        return found or None


def bodies(contract):
    """(method, address, content type, schema) of every body that people's text may come in."""
    for path, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            for media, content in operation.get("requestBody", {}).get("content", {}).items() if isinstance(operation, dict) else ():
                if media.endswith("json") and path.startswith("/v1/"):
                    yield method.upper(), contract.address(path), media, content["schema"]


def told_of(api, method, address, media, texts):
    """Pointer -> codes of the faults of a body; it has an unknown field as well, so that nothing is ever written."""
    token = api.fitting(api.contract.find(method, address))
    answer = api.request(method, address, token=token, headers={"Content-Type": media, "If-Match": '"1.0"'}, json={**texts.body, "@": 1})
    found = {}
    for error in problem(answer, 422, "invalid_body")["errors"]:
        found.setdefault(error["pointer"], set()).add(error["code"])
    return found


def walked(api, deal):
    """What each text of each body is told, where `deal` gives the text for a body by its number."""
    count = 0
    for number, (method, address, media, schema) in enumerate(bodies(api.contract)):
        text = deal(number)
        texts = Texts(api.contract, schema, text)
        if texts.told:
            found = told_of(api, method, address, media, texts)
            for pointer, (kind, optional) in texts.told.items():
                count += 1
                yield f"{method} {address} {pointer} {text!r}", kind, optional, found.get(pointer, set()), text
    assert count > 120


def each(api, text):
    """That text in every body."""
    for where, kind, optional, codes, _ in walked(api, lambda number: text):
        yield where, kind, optional, codes


def dealt(api, texts):
    """Every body with one of the texts, and every text in the bodies of one resource, which have every kind of text."""
    yield from walked(api, lambda number: texts[number % len(texts)])
    for text in texts:
        kinds = set()
        for method, address, media, schema in (row for row in bodies(api.contract) if row[1] == "/v1/libraries"):
            given = Texts(api.contract, schema, text)
            found = told_of(api, method, address, media, given)
            for pointer, (kind, optional) in given.told.items():
                kinds.add(kind)
                yield f"{method} {address} {pointer} {text!r}", kind, optional, found.get(pointer, set()), text
        assert kinds >= {"line", "name", "free"}, kinds


@pytest.mark.parametrize("text", ["Siti\u202eAminah", "Siti\u2066Aminah"])
def test_no_text_turns_round_what_stands_beside_it(api, text):
    for where, _, _, codes in each(api, text):
        assert "invisible_character" in codes, where


def test_nothing_invisible_on_a_line(api):
    for where, kind, _, codes, text in dealt(api, [f"Desa{mark}Kapuk" for mark in UNSEEN] + UNSEEN):
        assert "invisible_character" in codes or (kind == "free" and len(text) > 1) or codes & {"bare_mark"}, where


def test_no_character_without_a_meaning(api):
    for where, kind, _, codes, text in dealt(api, [f"Desa{mark}" for mark in NO_CHARACTER]):
        assert "unknown_character" in codes or (kind == "free" and text.endswith("\u0378")), where


def test_no_mark_without_a_letter(api):
    for where, kind, _, codes in each(api, "\u0301"):
        assert "bare_mark" in codes or kind == "free", where


@pytest.mark.parametrize("text", ["-", "0", " - ", "\u00a00\u3000"])
def test_what_forms_write_for_none(api, text):
    """Optional: as null, so without a fault; required: refused."""
    for where, _, optional, codes in each(api, text):
        assert codes == set() if optional else "absent" in codes, where


@pytest.mark.parametrize("text", BLANKS + ["", "\u00a0 \u2009"])
def test_blanks_alone_are_no_text(api, text):
    for where, kind, _, codes in each(api, text):
        assert codes & {"pattern", "min_length", "format"} or where.split(" ")[2].endswith("/version"), where


def test_every_text_of_a_query(api):
    count = 0
    for path, methods in api.contract.document["paths"].items():
        for parameter in map(api.contract.resolve, methods.get("get", {}).get("parameters", [])):
            if parameter["in"] == "query" and parameter["schema"].get("x-text") in TYPED and path.startswith("/v1/"):
                count += 1
                answer = api.get(f"{api.contract.address(path)}?{parameter['name']}={quote('onesearch:a' + chr(0x200b) + 'b')}", token="national_admin")
                errors = problem(answer, 400, "invalid_parameter")["errors"]
                assert (parameter["name"], "invisible_character") in [(error.get("parameter"), error["code"]) for error in errors], path
    assert count >= 8


# ---- what is stored -------------------------------------------------------------------------------------------------

def test_the_form_that_is_stored(api):
    one = made(api, name="  Perpustakaan\u00a0\u3000Cafe\u0301 ", phone=" 0812  3456 ", address="\nJalan  Satu\n  Kapuk \n", website="-", email=" 0 ",
               contact_public=True)
    assert (one["name"], one["phone"], one["address"]) == ("Perpustakaan Café", "0812 3456", "Jalan  Satu\n  Kapuk")
    assert (one["website"], one["email"]) == (None, None)
    assert unicodedata.is_normalized("NFC", one["name"])
    changed = change(api, one, phone=" - ", address="0")
    assert changed.status_code == 200 and (changed.json()["phone"], changed.json()["address"]) == (None, None)


def test_the_reason_names_the_character(api):
    error = problem(create(api, name="Perpustakaan\u202eDesa"), 422, "invalid_body")["errors"][0]
    assert (error["pointer"], error["code"]) == ("/name", "invisible_character") and "U+202E" in error["detail"]


def test_the_database_keeps_it_too(database):
    for name in ("  Desa", "De  sa", "Desa\u200b", "\u3164", "-", "0", "Cafe\u0301", "Desa\u202e", "\u0301", "..."):
        with database.cursor() as cursor, pytest.raises(psycopg2.errors.CheckViolation) as refusal:
            cursor.execute("INSERT INTO organization (name, sector) VALUES (%s, 'other')", (name,))
        assert refusal.value.diag.constraint_name == "organization_name_text_check", name


# ---- what is compared -----------------------------------------------------------------------------------------------

def identify(api, library, value, scheme="onesearch"):
    return api.put(f"{path_of(library)}/identifiers/{scheme}", json={"value": value}, token="national_admin")


def found(api, identifier):
    return ids(api.get(f"/v1/libraries?identifier={quote(identifier)}").json()["items"])


def test_one_identifier_one_key(api):
    first, second = made(api), made(api)
    assert identify(api, first, "IOS7701 ").status_code in (200, 201)
    for same in ("IOS7701", "IOS7701 ", " ios7701", "IOS7701\u00a0", "\uff29\uff2f\uff33\uff17\uff17\uff10\uff11", "Ios7701"):
        problem(identify(api, second, same), 409, "identifier_taken")
        assert found(api, "onesearch:" + same) == [first["id"]]
    problem(identify(api, second, "IOS7701\u200b"), 422, "invalid_body")
    assert identify(api, second, "IOS7702").status_code in (200, 201)
    assert api.get(path_of(first)).json()["identifiers"] == [{"scheme": "onesearch", "value": "IOS7701"}]


def test_each_scheme_has_its_rule(api):
    first, second = made(api), made(api)
    assert identify(api, first, "K9 Abc", "other").status_code in (200, 201)
    assert identify(api, second, "K9 ABC", "other").status_code in (200, 201)
    assert found(api, "other:K9 ABC") == [second["id"]]
    assert identify(api, first, "6970 1234", "npsn").status_code in (200, 201)
    problem(identify(api, second, "69701234", "npsn"), 409, "identifier_taken")
    assert found(api, "npsn:6970-1234") == [first["id"]]


def test_none_is_no_identifier(api):
    for value in ("-", "0", " - "):
        assert problem(identify(api, made(api), value), 422, "invalid_body")["errors"][0]["code"] == "absent"


def test_an_npp_between_blanks(api):
    one = made(api, npp=" 1906012D9907701 ")
    assert one["npp"] == "1906012D9907701"
    assert ids(api.get("/v1/libraries?npp=%201906012D9907701%C2%A0").json()["items"]) == [one["id"]]


def test_one_organization_on_record(api, database):
    team = teams.team(api, "19.02", formed_on="2018-01-01")
    found_ids = set()
    for turn, name in enumerate(("Bank Uji BRI", "bank uji bri", "Bank  Uji\u00a0BRI", "Bank Uji BRI ", "\uff22ank Uji BRI")):
        body = teams.member_body(name=f"Anggota {turn}", organization={"name": name, "sector": "bank"})
        found_ids.add(teams.made(teams.add(api, team["id"], "members", **body))["organization"]["id"])
    assert len(found_ids) == 1


def test_a_decree_has_one_number(api):
    team = teams.team(api, "19.03", formed_on="2018-01-01")
    body = {"kind": "sk_bupati", "number": "188.45/77/DKP", "signed_on": "2024-01-05", "valid_from": "2024-01-05"}
    assert teams.add(api, team["id"], "decrees", **body).status_code == 201
    problem(teams.add(api, team["id"], "decrees", **{**body, "number": " 188.45/77/dkp "}), 409, "decree_exists")


def test_a_user_name_is_looked_up_in_its_form(api):
    body = body_of()
    assert api.post(USERS, token="national_admin", json=body).status_code == 201
    for typed in (body["username"].upper(), f" {body['username']}\u00a0"):
        items = api.get(f"{USERS}?username={quote(typed)}", token="national_admin").json()["items"]
        assert [item["username"] for item in items] == [body["username"]]


def test_the_command_line_gives_a_client_the_same_form(api):
    service = api.service
    words = ["client", "create", "--type", "public", "--name", "  Aplikasi \u00a0 e\u0301  ", "--owner-name", " Bu  Ani ", "--owner-email", " ani@example.id ",
             "--redirect-uri", "https://example.id/kembali"]
    service.cluster.run(service.database, *words)
    found = [one for one in api.pages("/v1/clients", token="national_admin") if one["name"] == "Aplikasi \u00e9"]
    whole = [api.get("/v1/clients/" + one["id"], token="national_admin").json() for one in found]
    assert [(one["owner_name"], one["owner_email"]) for one in whole] == [("Bu Ani", "ani@example.id")]
