"""Refusals of a transition that are rare: each is told by allowed_transitions beforehand, and then by POST transitions."""

from harness import libraries, programs
from harness import replications as r
from harness.client import problem


def missing(api, one, to):
    """What GET says stands between the replication and that state, for one who may do everything."""
    return r.transitions(api.get(f"/v1/replications/{one['id']}", token="national_admin").json())[to]


class TestOfActivation:
    def test_a_library_that_withdrew(self, own_api):
        """It withdrew from the phase while it was mentored, and does not come back by being activated."""
        one = r.at(own_api, "mentoring")
        programs.participant(own_api, programs.training(own_api), library_id=one["library_id"], role="pengelola")
        assert missing(own_api, one, "active") == []
        participation = programs.participation(own_api, library_id=one["library_id"], phase_id=one["phase_id"])
        assert missing(own_api, one, "active") == []  # a nomination is no obstacle
        assert programs.transit(own_api, participation, "withdrawn").status_code == 200
        assert missing(own_api, one, "active") == ["participation_withdrawn"]
        problem(r.step(own_api, one, "active"), 409, "participation_withdrawn")
        assert own_api.get(f"/v1/participations/{participation['id']}").json()["status"] == "withdrawn"

    def test_no_phase_chosen(self, own_api):
        """A record of the past may name the programme alone; whoever continues it chooses the phase first."""
        library, phase = r.replicator(own_api)
        village = r.village(own_api)
        one = r.proposed(own_api, program=phase["program"], replicator_id=library["id"], library_id=village["id"],
                         origin="historical", source="S9", status="mentoring", status_on="2023-05-01")
        programs.participant(own_api, programs.training(own_api), library_id=village["id"], role="pengelola")
        assert one["phase_id"] is None and missing(own_api, one, "active") == ["replication_phase_missing"]
        problem(r.step(own_api, one, "active"), 409, "replication_phase_missing")
        assert programs.change(own_api, f"/v1/replications/{one['id']}", phase_id=phase["id"]).status_code == 200
        assert missing(own_api, one, "active") == []
        assert r.stepped(own_api, one, "active")["library_id"] == village["id"]


class TestOfACommitment:
    def test_signed_after_the_day(self, own_api):
        """GET tells of today, when every signed document is already signed; a transition of an earlier day finds it is not."""
        one = r.proposed(own_api, commitment={**r.COMMITMENT, "signed_on": "2024-05-10"})
        assert missing(own_api, one, "committed") == []
        detail = problem(r.step(own_api, one, "committed", on="2024-05-09"), 409, "replication_commitment_late")["detail"]
        assert "2024-05-10" in detail and "2024-05-09" in detail
        assert r.stepped(own_api, one, "committed", on="2024-05-10")["status_on"] == "2024-05-10"


class TestOfAVisit:
    def test_a_client_id_is_taken_once(self, own_api):
        body = {"id": libraries.KAPUK[:-4] + "f00d", "library_id": libraries.KAPUK, "kind": "monitoring", "visited_on": "2024-06-10"}
        first = own_api.post("/v1/visits", json=body, token="national_admin")
        again = own_api.post("/v1/visits", json=body, token="national_admin")
        assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
        problem(own_api.post("/v1/visits", json={**body, "kind": "mentoring"}, token="national_admin"), 409, "id_taken")
