"""Replications through the API: the facilitator's walk from proposed to active, what is refused and why, lists, lineage, visits."""

import concurrent.futures
import datetime
import uuid

import pytest

from harness import libraries, programs
from harness import replications as r
from harness.client import Api, problem

NOBODY = str(uuid.UUID(int=0))
VILLAGE = "19.01.07.2004"
TODAY = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=7)).date()


@pytest.fixture(scope="module")
def belitung(own_api, cluster, contract):
    """An Api whose `facilitator` is charged with 19.02."""
    client = cluster.make_client(own_api.service.database, "regency_facilitator", region="19.02")
    return Api(own_api.service, {**cluster.clients, "facilitator": client}, contract)


class TestTheFacilitatorsWalk:
    """A facilitator of 19.01 takes a new village from proposed to active, and sees at each step what is missing."""

    def test_from_proposed_to_active(self, own_api, belitung):
        api = own_api
        fac, prov = {"token": "regency_facilitator"}, {"token": "provincial_coordinator"}
        body = {"program": "tpbis", "phase_id": "tpbis-2026", "replicator_id": libraries.BANGKA, "village_code": VILLAGE,
                "funding": [{"source": "dana_desa", "amount": 25000000}]}

        # one of 19.02 may not
        problem(belitung.post("/v1/replications", json=body, token="facilitator"), 403, "out_of_reach")
        made = api.post("/v1/replications", json=body, **fac)
        assert made.status_code == 201, made.text
        one = made.json()
        path = f"/v1/replications/{one['id']}"
        assert made.headers["Location"].endswith(path)
        assert one["status"] == "proposed" and one["library_id"] is None and one["self_funded"] and one["commitment"] is None

        def seen(**who):
            return r.transitions(api.get(path, **who).json())

        def refused_as_seen(to, **who):
            """The first thing that GET says is missing is what POST refuses with."""
            code, status = seen(**who)[to][0], 409
            if code in ("replication_needs_province", "out_of_reach", "insufficient_scope"):
                status = 403
            problem(r.step(api, one, to, **who), status, code)

        assert seen(**fac) == {"committed": ["replication_commitment_missing"], "rejected": ["replication_needs_province"], "cancelled": []}
        assert seen(**prov) == {"committed": ["insufficient_scope", "replication_commitment_missing"], "rejected": [],
                                "cancelled": ["insufficient_scope"]}
        refused_as_seen("committed", **fac)
        refused_as_seen("rejected", **fac)
        refused_as_seen("cancelled", **prov)
        problem(r.step(belitung, one, "cancelled", token="facilitator"), 403, "out_of_reach")
        assert r.transitions(belitung.get(path, token="facilitator").json())["cancelled"] == ["out_of_reach"]

        # a village already replicated has its own problem
        problem(api.post("/v1/replications", json=body, **fac), 409, "village_already_replicated")

        # committed
        commitment = {"kind": "surat_komitmen", "number": "12/DS-KPK/XI/2026", "signed_on": str(TODAY)}
        late = {**commitment, "signed_on": str(TODAY + datetime.timedelta(1))}
        problem(r.step(api, one, "committed", commitment=late, **fac), 409, "date_in_future")
        one = r.stepped(api, one, "committed", commitment=commitment, note="Kepala desa hadir", **fac)
        assert one["commitment"] == commitment

        # approved by the province, and only by it
        refused_as_seen("approved", **fac)
        problem(r.step(belitung, one, "approved", token="facilitator"), 403, "replication_needs_province")
        one = r.stepped(api, one, "approved", **prov)

        # training: a facilitator whom the province certifies
        assert seen(**fac)["training"] == ["replication_facilitator_missing"]
        refused_as_seen("training", **fac)
        training = programs.training(api, token="regency_facilitator", kind="fasilitator", starts_on="2026-01-10", ends_on=None)
        him = programs.participant(api, training, token="regency_facilitator", role="fasilitator", library_id=libraries.BANGKA)
        problem(programs.certify(api, him, certified_on="2026-01-14", **fac), 403, "insufficient_scope")
        refused_as_seen("training", **fac)
        assert programs.certify(api, him, certified_on="2026-01-14", **prov).status_code == 201
        one = r.stepped(api, one, "training", **fac)

        # mentoring, with that facilitator
        one = r.stepped(api, one, "mentoring", **fac)
        person = api.get(f"/v1/trainings/{training['id']}/participants/{him['id']}", token="national_admin").json()["person_id"]
        put = api.put(f"{path}/facilitators/{person}", json={}, **fac)
        assert put.status_code == 201 and put.json()["starts_on"] == str(TODAY), put.text
        assert [f["person_id"] for f in api.pages(path + "/facilitators")] == [person]
        [mentor] = [f for f in api.pages("/v1/facilitators?within=19.01") if f["id"] == person]
        assert mentor["villages_mentored"] == 1

        # active: the village library, and a trained manager
        assert seen(**fac)["active"] == ["replication_library_missing"]
        refused_as_seen("active", **fac)
        library = libraries.made(api, token="regency_facilitator", kind="village", region_code=VILLAGE)
        assert seen(**fac)["active"] == ["replication_manager_missing"]
        refused_as_seen("active", **fac)
        programs.participant(api, training, token="regency_facilitator", role="pengelola", library_id=library["id"])
        assert seen(**fac)["active"] == []
        one = r.stepped(api, one, "active", **fac)

        # which made the library a participant
        assert one["library_id"] == library["id"]
        participation = api.get(f"/v1/participations/{one['participation_id']}").json()
        assert (participation["library_id"], participation["phase_id"], participation["status"], participation["support"]) == \
            (library["id"], "tpbis-2026", "active", "self_replication")

        # every transition is kept with its day, its actor and what proved it
        history = list(api.pages(path + "/history", **fac))
        assert [h["to"] for h in history] == ["proposed", "committed", "approved", "training", "mentoring", "active"]
        assert [h["from"] for h in history] == [None] + [h["to"] for h in history[:-1]]
        assert all(h["on"] == str(TODAY) and h["actor"] for h in history)
        assert history[1]["note"] == "Kepala desa hadir" and history[1]["evidence"] == {"commitment": commitment}
        assert history[2]["evidence"]["approver"] == "provincial" and history[2]["actor"] != history[1]["actor"]
        assert history[3]["evidence"]["facilitators"] == [{"person_id": person, "certified_on": "2026-01-14"}]
        assert history[5]["evidence"]["participation_id"] == one["participation_id"]
        assert {h["note"] for h in api.pages(path + "/history")} == {None}  # notes are for those in reach

        # and who replicated whom is known from both ends
        [up] = [g for g in api.pages(f"/v1/libraries/{library['id']}/lineage")]
        assert (up["generation"], up["replicator"]["id"], up["status"]) == (-1, libraries.BANGKA, "active")
        down = list(api.pages(f"/v1/libraries/{libraries.BANGKA}/lineage?limit=3"))
        assert len(down) == 7 and {g["generation"] for g in down} == {1}  # six of the past, and this one
        assert library["id"] in [g["library"]["id"] for g in down]

    def test_words_are_the_callers(self, own_api):
        one = r.proposed(own_api, token="national_admin")
        path = f"/v1/replications/{one['id']}"
        for language, word in (("id", "dokumen komitmen"), ("en", "commitment document")):
            shown = own_api.get(path, token="national_admin", headers={"Accept-Language": language}).json()
            [missing] = shown["allowed_transitions"][0]["missing"]
            refusal = own_api.post(path + "/transitions", json={"to": "committed"}, token="national_admin",
                                   headers={"Accept-Language": language}).json()
            assert missing == {"code": refusal["code"], "detail": refusal["detail"]} and word in missing["detail"]


class TestOnePerVillage:
    def test_16_attempts_leave_one(self, own_api, own_database):
        library, phase = r.replicator(own_api)
        api = own_api
        api.token("regency_facilitator"), api.token("national_admin")

        def attempt(number):
            with_session = Api(api.service, api.clients, api.contract)
            return r.propose(with_session, token=("regency_facilitator", "national_admin")[number % 2], replicator_id=library["id"],
                             phase_id=phase["id"], village_code="19.01.07.2006")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(attempt, range(16)))
        assert sorted(a.status_code for a in answers) == [201] + [409] * 15
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"village_already_replicated"}
        with own_database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM replication WHERE program_slug = %s", (phase["program"],))
            assert cursor.fetchone() == (1,)

    def test_16_transitions_happen_once(self, own_api):
        one = r.proposed(own_api)

        def attempt(_):
            return r.step(Api(own_api.service, own_api.clients, own_api.contract), one, "committed", commitment=r.COMMITMENT)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(attempt, range(16)))
        assert sorted(a.status_code for a in answers) == [200] + [409] * 15
        assert [h["to"] for h in own_api.pages(f"/v1/replications/{one['id']}/history")] == ["proposed", "committed"]


REFUSALS = [
    ({"replicator_id": NOBODY}, "reference_unknown"),
    ({"replicator_id": libraries.KAPUK}, "replicator_level"),
    ({"village_code": "19.02.01.1001"}, "village_elsewhere"),
    ({"village_code": "19.01.07.2999"}, "reference_unknown"),
    ({"phase_id": "tak-ada"}, "reference_unknown"),
    ({"phase_id": "tak-ada", "program": "tpbis"}, "reference_unknown"),
    ({"phase_id": None}, "replication_program_missing"),
    ({"program": "tpbis"}, "phase_of_other_program"),
    ({"program": "tak-ada", "phase_id": None}, "reference_unknown"),
    ({"status": "training"}, "replication_beginning"),
    ({"status_on": "2999-01-01"}, "date_in_future"),
    ({"library_id": NOBODY}, "reference_unknown"),
    ({"library_id": libraries.BANGKA}, "replication_library_kind"),
    ({"library_id": libraries.KAPUK}, "replication_library_elsewhere"),
    ({"partner_organization_id": NOBODY}, "reference_unknown"),
    ({"undocumented": ["commitment"]}, "record_not_historical"),
    ({"status_on_precision": "year"}, "record_not_historical"),
    ({"origin": "historical"}, "source_required"),
    ({"commitment": {"kind": "mou", "number": None, "signed_on": None}}, "replication_commitment_missing"),
]


class TestRefusals:
    @pytest.fixture(scope="class")
    def who(self, own_api):
        return r.replicator(own_api)

    @pytest.mark.parametrize("fields, code", REFUSALS, ids=[f"{code}-{'-'.join(f)}" for f, code in REFUSALS])
    def test_of_a_proposal(self, own_api, who, fields, code):
        library, phase = who
        body = {"replicator_id": library["id"], "phase_id": phase["id"], **fields}
        if code == "replicator_level":
            body["village_code"] = "19.01.06.2002"
        problem(r.propose(own_api, **body), 422 if code == "reference_unknown" else 409, code)

    def test_who_takes_no_part(self, own_api):
        library = programs.library(own_api, "regency")
        phase = programs.phase(own_api)
        problem(r.propose(own_api, replicator_id=library["id"], phase_id=phase["id"]), 409, "replicator_not_participant")
        programs.participation(own_api, library_id=library["id"], phase_id=phase["id"])  # nominated only
        problem(r.propose(own_api, replicator_id=library["id"], phase_id=phase["id"]), 409, "replicator_not_participant")

    def test_a_closed_phase(self, own_api, who):
        phase = programs.phase(own_api, status="closed")
        problem(r.propose(own_api, replicator_id=who[0]["id"], phase_id=phase["id"]), 409, "phase_closed")

    def test_records_of_the_past_are_the_nations(self, own_api):
        body = {"program": "tpbis", "replicator_id": libraries.BANGKA, "village_code": "19.01.07.2007", "origin": "historical",
                "source": "S9", "status": "mentoring", "status_on": "2018-01-01", "status_on_precision": "year"}
        problem(own_api.post("/v1/replications", json=body, token="regency_facilitator"), 403, "historical_needs_nation")
        made = own_api.post("/v1/replications", json=body, token="national_admin")
        assert made.status_code == 201, made.text
        one = made.json()
        assert one["undocumented"] == ["commitment", "approval", "facilitator"] and one["status"] == "mentoring"
        path = f"/v1/replications/{one['id']}"
        problem(programs.change(own_api, path, token="regency_facilitator", undocumented=[]), 403, "historical_needs_nation")
        assert programs.change(own_api, path, undocumented=["approval"], commitment=r.COMMITMENT).json()["undocumented"] == ["approval"]
        problem(programs.change(own_api, path, commitment={**r.COMMITMENT, "number": "13"}), 409, "replication_committed")
        assert r.transitions(own_api.get(path, token="national_admin").json()) == {
            "active": ["replication_phase_missing", "replication_library_missing"], "cancelled": []}

    def test_of_changes(self, own_api):
        one = r.at(own_api, "active")
        path = f"/v1/replications/{one['id']}"
        problem(programs.change(own_api, path, phase_id=None), 409, "replication_settled")
        problem(programs.change(own_api, path, library_id=None), 409, "replication_settled")
        problem(r.step(own_api, one, "active"), 409, "replication_transition")
        problem(r.step(own_api, one, "lapsed", on="2024-05-31"), 409, "date_before_previous")
        problem(r.step(own_api, one, "lapsed", on="2999-01-01"), 409, "date_in_future")
        tag = programs.tag_of(own_api, path)
        assert programs.change(own_api, path, note="Rajin").json()["note"] == "Rajin"
        problem(own_api.post(path + "/transitions", json={"to": "lapsed"}, token="national_admin", headers={"If-Match": tag}), 412,
                "precondition_failed")
        changed = programs.change(own_api, path, funding=[{"source": "apbn", "amount": 5}], partner_organization_id=programs.organization(own_api)["id"])
        assert changed.json()["funding"] == [{"source": "apbn", "amount": 5}] and not changed.json()["self_funded"]

    def test_a_transition_wears_an_etag(self, own_api):
        one = r.proposed(own_api)
        tag = programs.tag_of(own_api, f"/v1/replications/{one['id']}")
        answer = own_api.post(f"/v1/replications/{one['id']}/transitions", json={"to": "cancelled"}, token="national_admin", headers={"If-Match": tag})
        assert answer.status_code == 200 and answer.json()["allowed_transitions"] == []

    def test_centre_funds_are_full_support(self, own_api):
        one = r.at(own_api, "active", funding=[{"source": "apbn", "amount": 1}])
        assert own_api.get(f"/v1/participations/{one['participation_id']}").json()["support"] == "full"

    def test_facilitators(self, own_api):
        one = r.proposed(own_api)
        path = f"/v1/replications/{one['id']}/facilitators"
        stranger = programs.person(own_api)
        problem(own_api.put(f"{path}/{stranger['id']}", json={}, token="national_admin"), 409, "facilitator_not_certified")
        problem(own_api.put(f"{path}/{NOBODY}", json={}, token="national_admin"), 409, "facilitator_not_certified")
        of_belitung = programs.facilitator(own_api, "19.02")["person_id"]
        problem(own_api.put(f"{path}/{of_belitung}", json={}, token="national_admin"), 409, "facilitator_not_certified")
        him = programs.facilitator(own_api)["person_id"]
        problem(own_api.put(f"{path}/{him}", json={"starts_on": "2024-05-04"}, token="national_admin"), 409, "facilitator_not_certified")
        ended = own_api.put(f"{path}/{him}", json={"starts_on": "2024-05-05", "ends_on": "2024-07-01"}, token="regency_facilitator")
        assert ended.status_code == 201 and ended.json()["ends_on"] == "2024-07-01" and ended.json()["name"]
        problem(own_api.put(f"{path}/{him}", json={"ends_on": "2024-05-01"}, token="national_admin"), 409, "period_reversed")
        assert len(list(own_api.pages(path + "?limit=1"))) == 1
        assert own_api.delete(f"{path}/{him}", token="regency_facilitator").status_code == 204
        problem(own_api.delete(f"{path}/{him}", token="regency_facilitator"), 404, "not_found")

    def test_a_client_id_is_taken_once(self, own_api):
        library, phase = r.replicator(own_api)
        body = {"id": libraries.KAPUK[:-4] + "beef", "replicator_id": library["id"], "phase_id": phase["id"], "village_code": VILLAGE}
        first = own_api.post("/v1/replications", json=body, token="national_admin")
        again = own_api.post("/v1/replications", json=body, token="national_admin")
        assert (first.status_code, again.status_code) == (201, 200) and first.json()["id"] == again.json()["id"]
        problem(own_api.post("/v1/replications", json={**body, "note": "x"}, token="national_admin"), 409, "id_taken")


class TestLists:
    @pytest.fixture(scope="class")
    def some(self, own_api):
        library, phase = r.replicator(own_api)
        partner = programs.organization(own_api)["id"]
        made = [r.proposed(own_api, replicator_id=library["id"], phase_id=phase["id"], village_code=f"19.01.07.20{n:02}",
                           **({"partner_organization_id": partner} if n == 4 else {"funding": [{"source": "csr"}]}))
                for n in (4, 6, 7, 8)]
        r.stepped(own_api, made[3], "cancelled", on="2024-08-01")
        return library, phase, partner, made

    def ids(self, api, query, **options):
        return [one["id"] for one in api.pages("/v1/replications?" + query, **options)]

    def test_filters(self, own_api, some):
        library, phase, partner, made = some
        ids = [one["id"] for one in made]
        of = f"phase={phase['id']}"
        for query, wanted in [
                (f"replicator={library['id']}", ids), (f"program={phase['program']}", ids), (of + "&village_code=19.01.07.2006", ids[1:2]),
                (of + "&within=19.01.07.2007", ids[2:3]), (of + "&within=19.02", []), (of + "&status=cancelled", ids[3:]),
                (of + "&status=proposed,approved", ids[:3]), (of + "&as_of=2024-07-31&status=proposed", ids), (of + "&as_of=2024-04-30", []),
                (of + "&as_of=2024-08-01&status=cancelled", ids[3:]), (f"partner={partner}", ids[:1]), (of + "&self_funded=true", ids[1:]),
                (of + "&origin=historical", []), (f"library={libraries.BANGKA}", []), (f"facilitator={NOBODY}", []),
                (of + "&updated_since=2999-01-01T00:00:00Z", [])]:
            assert sorted(self.ids(own_api, query + "&limit=2")) == sorted(wanted), query
            assert own_api.get(f"/v1/replications?{query}&count=exact&limit=1").json()["total"] == len(wanted)

    def test_orders_and_shapes(self, own_api, some):
        _, phase, _, made = some
        of = f"phase={phase['id']}&limit=2"
        assert self.ids(own_api, of + "&sort=region") == [one["id"] for one in made]
        assert sorted(self.ids(own_api, of + "&sort=id")) == sorted(self.ids(own_api, of + "&sort=updated_at"))
        item = own_api.get(f"/v1/replications?{of}&expand=region,replicator,library,phase&sort=region").json()["items"][0]
        assert item["region"]["regency"]["code"] == "19.01" and item["replicator"]["kind"] == "regency"
        assert item["library"] is None or item["library"]["kind"] == "village"
        assert item["phase"]["id"] == phase["id"] and "allowed_transitions" not in item
        shown = own_api.get(f"/v1/replications?{of}&expand=allowed_transitions&sort=region", token="regency_facilitator").json()["items"][0]
        assert r.transitions(shown)["committed"] == ["replication_commitment_missing"]
        single = own_api.get(f"/v1/replications/{item['id']}?expand=region,replicator,library,phase").json()
        assert single["region"] == item["region"] and single["phase"] == item["phase"]
        thin = own_api.get(f"/v1/replications?{of}&fields=id,status").json()["items"][0]
        assert set(thin) == {"id", "status"}
        rows = libraries.rows_of(own_api.get(f"/v1/replications?phase={phase['id']}&format=csv").text)
        assert len(rows) == 4 and "commitment.kind" in rows[0]

    def test_the_past_is_marked(self, own_api):
        past = list(own_api.pages("/v1/replications?origin=historical&program=tpbis&within=19"))
        assert len([one for one in past if one["phase_id"] == "tpbis-2019"]) == 17
        assert all(one["source"] and one["undocumented"] for one in past)

    def test_polling(self, own_api, some):
        path = f"/v1/replications?phase={some[1]['id']}"
        tag = own_api.get(path).headers["ETag"]
        assert own_api.get(path, headers={"If-None-Match": tag}).status_code == 304
        single = f"/v1/replications/{some[3][0]['id']}"
        mine = own_api.get(single, token="regency_facilitator")
        theirs = own_api.get(single, token="provincial_coordinator")
        assert mine.headers["ETag"] != theirs.headers["ETag"]  # what may follow is said to the one who asks
        assert own_api.get(single, token="regency_facilitator", headers={"If-None-Match": mine.headers["ETag"]}).status_code == 304


class TestVisits:
    def test_a_visit(self, own_api):
        one = r.at(own_api, "mentoring")
        body = {"library_id": one["library_id"], "kind": "mentoring", "visited_on": "2024-06-10", "replication_id": one["id"],
                "findings": "Internet jalan", "recommendations": "Tambah jam buka", "follow_up": "Jadwal baru"}
        made = own_api.post("/v1/visits", json=body, token="regency_facilitator")
        assert made.status_code == 201, made.text
        path = f"/v1/visits/{made.json()['id']}"
        assert own_api.get(path).json()["findings"] is None  # a portal
        assert own_api.get(path, token="provincial_coordinator").json()["findings"] == "Internet jalan"
        done = programs.change(own_api, path, token="regency_facilitator", follow_up_done_on="2024-07-01", kind="monitoring")
        assert done.status_code == 200 and done.json()["follow_up_done_on"] == "2024-07-01"
        for query, count in [(f"replication={one['id']}", 1), (f"library={one['library_id']}&within=19.01&kind=monitoring", 1),
                             (f"library={one['library_id']}&kind=mentoring", 0), (f"library={one['library_id']}&from=2024-06-10&to=2024-06-10", 1),
                             (f"library={one['library_id']}&from=2024-06-11", 0),
                             (f"library={one['library_id']}&updated_since=2999-01-01T00:00:00Z", 0)]:
            assert len(list(own_api.pages("/v1/visits?sort=updated_at&" + query))) == count, query
        shown = own_api.get(f"/v1/visits?library={one['library_id']}&expand=library,region&count=exact").json()
        assert shown["total"] == 1 and shown["items"][0]["region"]["province"]["code"] == "19"
        assert len(libraries.rows_of(own_api.get(f"/v1/visits?library={one['library_id']}&format=csv").text)) == 1

    def test_refusals(self, own_api):
        one = r.at(own_api, "mentoring")
        body = {"library_id": libraries.KAPUK, "kind": "mentoring"}
        for fields, code in [({"replication_id": one["id"]}, "visit_replication_mismatch"), ({"replication_id": NOBODY}, "reference_unknown"),
                             ({"team_id": NOBODY}, "reference_unknown"), ({"library_id": NOBODY}, "reference_unknown"),
                             ({"person_id": NOBODY}, "reference_unknown"), ({"visited_on": "2999-01-01"}, "date_in_future"),
                             ({"visited_on": "2024-01-02", "follow_up_done_on": "2024-01-01"}, "period_reversed")]:
            problem(own_api.post("/v1/visits", json={**body, **fields}, token="national_admin"), 422 if code == "reference_unknown" else 409, code)
        visit = programs.post(own_api, "/v1/visits", body)
        problem(programs.change(own_api, f"/v1/visits/{visit['id']}", visited_on="2999-01-01"), 409, "date_in_future")

    def test_by_the_team(self, own_api):
        """A team member writes the visits of the own team, no others."""
        team = next(own_api.pages("/v1/tim-sinergi?within=19"))
        body = {"library_id": libraries.KAPUK, "kind": "monitoring", "team_id": team["id"]}
        visit = programs.post(own_api, "/v1/visits", body, token="team_member")
        assert programs.change(own_api, f"/v1/visits/{visit['id']}", token="team_member", findings="Ramai").json()["findings"] == "Ramai"
        problem(own_api.post("/v1/visits", json={**body, "team_id": None}, token="team_member"), 403, "out_of_reach")
        other = programs.post(own_api, "/v1/visits", {**body, "team_id": None})
        problem(programs.change(own_api, f"/v1/visits/{other['id']}", token="team_member", team_id=team["id"]), 403, "out_of_reach")
        elsewhere = libraries.made(own_api, kind="village", region_code="73.08.01.1001", founded_on="2012-01-01")
        problem(own_api.post("/v1/visits", json={**body, "library_id": elsewhere["id"]}, token="national_admin"), 409, "visit_team_elsewhere")
