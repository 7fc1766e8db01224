"""What the programme's people come for, told as they would do it."""

import json
from pathlib import Path

import pytest

from harness.client import problem
from harness.libraries import rows_of
from harness.waiting import until

BELITONG_VILLAGES = 17


def resident_bytes(api):
    status = Path(f"/proc/{api.service.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) * 1024


def new_library(api, **fields):
    body = {"name": "Perpustakaan Percobaan", "kind": "village", "region_code": "19.01.06.2001", **fields}
    answer = api.post("/v1/libraries", json=body, token="national_admin")
    assert answer.status_code == 201, answer.text
    return answer


class TestPortal:
    """A provincial portal: a token, its village libraries in three formats, and cheap polling."""

    path = "/v1/libraries?within=19&kind=village"

    def test_the_17_villages_in_three_formats(self, fresh):
        api = fresh()
        page = api.get(self.path).json()
        assert len(page["items"]) == BELITONG_VILLAGES and page["next"] is None
        assert api.get(self.path + "&count=exact").json()["total"] == BELITONG_VILLAGES
        ids = {item["id"] for item in page["items"]}

        by_header = api.get(self.path, headers={"Accept": "text/csv"})
        assert by_header.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert {row["id"] for row in rows_of(by_header.text)} == ids
        assert {row["id"] for row in rows_of(api.get(self.path + "&format=csv").text)} == ids

        places = api.get(self.path, headers={"Accept": "application/geo+json"})
        assert places.headers["Content-Type"] == "application/geo+json"
        collection = places.json()
        assert collection["type"] == "FeatureCollection"
        assert {feature["id"] for feature in collection["features"]} == ids
        assert all(feature["geometry"] is None for feature in collection["features"])  # nobody published them

    @pytest.mark.one_process
    def test_polling_gives_304_until_somebody_writes(self, fresh):
        api = fresh()
        first = api.get(self.path)
        tag = first.headers["ETag"]
        for _ in range(3):
            again = api.get(self.path, headers={"If-None-Match": tag})
            assert again.status_code == 304 and again.headers["ETag"] == tag and again.content == b""
        new_library(api)
        after = api.get(self.path, headers={"If-None-Match": tag})
        assert after.status_code == 200 and after.headers["ETag"] != tag
        assert len(after.json()["items"]) == BELITONG_VILLAGES + 1

    def test_a_change_by_plain_sql_ends_the_304_too(self, fresh):
        api = fresh()
        tag = api.get(self.path).headers["ETag"]
        assert api.get(self.path, headers={"If-None-Match": tag}).status_code == 304
        with api.service.owner.cursor() as cursor:
            cursor.execute("UPDATE library SET name = name || ' Jaya' WHERE region_code = '19.01.06.2002'")
        seen = []
        until(lambda: (seen.append(api.get(self.path, headers={"If-None-Match": tag})) or seen[-1]).status_code == 200)
        changed = seen[-1]
        assert changed.status_code == 200 and changed.headers["ETag"] != tag


class TestEveryVillage:
    """83,762 villages: by pages, and as one CSV in constant memory."""

    def test_pages_give_each_code_once(self, api):
        codes = [item["code"] for item in api.pages("/v1/regions?level=village&limit=500&fields=code")]
        assert len(codes) == 83762 and len(set(codes)) == 83762

    def test_csv_of_all_in_constant_memory(self, api):
        path = "/v1/regions?level=village&format=csv"
        api.get("/v1/regions?level=village&limit=500&format=csv")  # warm
        before = peak = resident_bytes(api)
        answer = api.get(path, stream=True)
        assert answer.status_code == 200
        body = bytearray()
        for chunk in answer.iter_content(1 << 16):
            body += chunk
            peak = max(peak, resident_bytes(api))
        codes = [row["code"] for row in rows_of(body.decode())]
        assert len(codes) == 83762 and len(set(codes)) == 83762
        limit = 8 << 20
        if "asan" not in str(api.service.cluster.binary) and "tsan" not in str(api.service.cluster.binary):
            assert peak - before < limit, f"grew {(peak - before) >> 10} KiB"
        else:  # a sanitizer keeps freed memory in quarantine: the bound is on what it may add
            assert peak - before < limit + (256 << 20)


class TestMovedLibrary:
    """A library that moved in 2022 is counted where it stood in 2021."""

    def test_counted_in_its_old_kabupaten(self, fresh):
        api = fresh()
        made = new_library(api, name="TBM Pindahan", kind="tbm", region_code="19.01.06.2002", founded_on="2015-03-01")
        library = made.json()
        moved = api.post(f"/v1/libraries/{library['id']}/moves", token="national_admin",
                         json={"region_code": "19.02.05.2003", "supervisor_id": None, "effective_on": "2022-07-01",
                               "reason": "rumah pengelola pindah"})
        assert moved.status_code == 200, moved.text
        assert moved.json()["region_code"] == "19.02.05.2003"

        def ids(query):
            return {item["id"] for item in api.pages(f"/v1/libraries?{query}&kind=tbm")}
        assert library["id"] in ids("within=19.01&as_of=2021-12-31")
        assert library["id"] not in ids("within=19.02&as_of=2021-12-31")
        assert library["id"] in ids("within=19.02&as_of=2022-07-01")
        assert library["id"] not in ids("within=19.01") and library["id"] in ids("within=19.02")
        assert library["id"] not in ids("within=19&as_of=2015-02-28")  # not founded yet

        history = list(api.pages(f"/v1/libraries/{library['id']}/placements"))
        assert [(p["region_code"], p["starts_on"], p["ends_on"]) for p in history] == [
            ("19.01.06.2002", "2015-03-01", "2022-06-30"), ("19.02.05.2003", "2022-07-01", None)]
        assert history[1]["reason"] == "rumah pengelola pindah"


class TestFaultsAreNamed:
    """A moved, wrong, missing or duplicated field, an unknown parameter, a wrong media type, a stale tag."""

    def post(self, api, body):
        return api.post("/v1/libraries", data=body, token="national_admin", headers={"Content-Type": "application/json"})

    def test_every_fault_of_a_body(self, api):
        body = {"kind": "vilage", "region_code": "1901062002", "latitude": 100, "colour": "red",
                "applications": [{"name": "Inlislite", "edition": 3}], "phone": 5}
        faults = {(e["pointer"], e["code"]) for e in problem(self.post(api, json.dumps(body)), 422, "invalid_body")["errors"]}
        assert {("/name", "required"), ("/kind", "enum"), ("/region_code", "undotted_code"), ("/latitude", "maximum"),
                ("/colour", "unknown_field"), ("/phone", "type"), ("/applications/0/edition", "unknown_field")} <= faults

    def test_a_moved_field(self, api):
        body = {"name": "X", "kind": "tbm", "region_code": "19.01.06.2002", "version": "3.2"}
        [fault] = problem(self.post(api, json.dumps(body)), 422, "invalid_body")["errors"]
        assert fault["pointer"] == "/version" and fault["code"] == "misplaced_field" and "applications" in fault["detail"]

    def test_a_duplicated_field(self, api):
        raw = '{"name": "A", "kind": "tbm", "region_code": "19.01.06.2002", "name": "B"}'
        [fault] = problem(self.post(api, raw), 422, "invalid_body")["errors"]
        assert (fault["pointer"], fault["code"]) == ("/name", "duplicate_field")

    def test_an_unknown_parameter(self, api):
        [fault] = problem(api.get("/v1/libraries?witin=19"), 400, "invalid_parameter")["errors"]
        assert (fault["parameter"], fault["code"]) == ("witin", "unknown_parameter")

    def test_an_undotted_code_says_why(self, api):
        for path in ("/v1/libraries?within=1901062002", "/v1/regions/1901062002", "/v1/regions?parent=1901"):
            [fault] = problem(api.get(path), 400, "invalid_parameter")["errors"]
            assert fault["code"] == "undotted_code" and "BPS" in fault["detail"]

    def test_a_wrong_media_type(self, api):
        answer = api.post("/v1/libraries", data="name=X", token="national_admin",
                          headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert "application/json" in problem(answer, 415, "unsupported_media_type")["detail"]

    def test_a_stale_tag(self, api):
        made = new_library(api, region_code="19.01.06.2003")
        path = f"/v1/libraries/{made.json()['id']}"
        tag = made.headers["ETag"]
        assert api.patch(path, {"website": "https://a.example.id"}, etag=tag, token="national_admin").status_code == 200
        problem(api.patch(path, {"website": "https://b.example.id"}, etag=tag, token="national_admin"), 412,
                "precondition_failed")
        problem(api.patch(path, {"website": "https://b.example.id"}, token="national_admin"), 428, "precondition_required")
        assert api.get(path).json()["website"] == "https://a.example.id"
