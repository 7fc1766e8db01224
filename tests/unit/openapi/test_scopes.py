"""Every operation stands under the scope whose words say what it does. The table is written from the words of the page of consent and
from the programme's list of scopes, not from the contract: what an operation does decides where it stands here."""

import json
import re

import pytest
from unit.openapi.test_contract import compile_real
from unit.openapi.tiny import ROOT

# What a person reads at the page of consent, and the operations that these words cover.
COVERED = {
    # read everything that is published
    "published:read": """
        list_libraries get_library list_identifiers list_ancestors list_descendants list_placements list_lineage list_regions get_region
        list_enumerations list_programs get_program list_program_phases list_phases get_phase get_phase_progress list_participations
        get_participation list_participation_history list_participation_plan get_participation_plan list_trainings get_training
        list_training_participants get_training_participant list_facilitators list_organizations get_organization list_people get_person
        list_teams get_team list_team_members get_team_member list_position_changes get_position_change list_substitutions
        get_substitution get_team_coordinator list_team_decrees get_team_decree list_team_meetings get_team_meeting list_team_work_plan
        get_team_task list_team_funding get_team_funding list_team_policies get_team_policy list_replications get_replication
        list_replication_history list_replication_facilitators list_visits get_visit list_personal_data_categories list_audit_seals""",
    # read contacts in your area
    "contacts:read": "get_library_contact get_organization_contact get_person_contact get_team_member_contact",
    # libraries, with their work plans and identifiers
    "libraries:write": """
        create_library update_library delete_library move_library put_identifier delete_identifier
        create_participation_plan update_participation_plan delete_participation_plan""",
    # programmes, phases and the organizations that take part, with their contacts
    "programs:write": """
        create_program update_program create_phase update_phase
        create_organization update_organization put_organization_contact delete_organization_contact""",
    # which libraries take part, and their work plans
    "participations:write": """
        create_participation update_participation move_participation
        create_participation_plan update_participation_plan delete_participation_plan""",
    # trainings and their participants, and people and organizations with their contacts
    "trainings:write": """
        create_training update_training create_training_participant update_training_participant delete_training_participant
        create_person update_person put_person_contact delete_person_contact
        create_organization update_organization put_organization_contact delete_organization_contact""",
    # give certificates, and take them back
    "trainings:certify": "put_certification delete_certification",
    # replications, with their facilitators and visits
    "replications:write": """
        create_replication update_replication move_replication put_replication_facilitator delete_replication_facilitator
        create_visit update_visit""",
    "replications:approve": "move_replication",
    # Tim Sinergi, members, decrees, work and visits, and people and organizations with their contacts
    "teams:write": """
        create_team update_team create_team_member update_team_member create_position_change create_substitution put_team_coordinator
        create_team_decree update_team_decree create_team_meeting update_team_meeting create_team_task update_team_task
        create_team_funding update_team_funding create_team_policy create_visit update_visit
        create_person update_person put_person_contact delete_person_contact
        create_organization update_organization put_organization_contact delete_organization_contact""",
    # monthly statistics, and identifiers of libraries
    "statistics:write": "put_identifier delete_identifier",
    # appoint people, and manage their accounts
    "assignments:write": """
        create_assignment update_assignment end_assignment list_assignments get_assignment
        create_user update_user list_users get_user invite_user reset_user_password""",
    # erase the personal data of people for good, or restrict their use
    "people:erase": "erase_person_data delete_person restrict_person lift_person_restriction",
    # your account, where you are logged in, and all personal data held about you
    "account:read": "get_my_personal_data list_my_personal_data_requests get_my_personal_data_request list_my_sessions",
    # change your account, password and second factor, end your logins, and file requests
    "account:write": "update_me change_my_password remove_my_factor create_my_personal_data_request end_my_session",
    "audit:read": "list_audit",
    # users, apps and assignments; read all personal data of anybody and answer their requests
    "admin": """
        create_user update_user list_users get_user invite_user reset_user_password disable_user enable_user list_user_sessions end_user_session
        reset_user_factor
        list_clients get_client create_client update_client suspend_client reinstate_client list_client_secrets create_client_secret
        delete_client_secret list_api_keys create_api_key revoke_api_key
        get_person_personal_data get_user_personal_data list_personal_data_requests get_personal_data_request
        answer_personal_data_request list_personal_data_purges""",
}
# What no single scope's words say: each of these is needed.
TOGETHER = {"erase_user_data": {"admin", "people:erase"}}
# What says to the bearer of any token what that very token is and may do.
ANY_TOKEN = {"get_me", "get_me_can"}


def covering():
    """operation -> the alternatives that its words allow."""
    found = {}
    for scope, operations in COVERED.items():
        for operation in operations.split():
            found.setdefault(operation, set()).add(frozenset([scope]))
    found.update({operation: {frozenset(scopes)} for operation, scopes in TOGETHER.items()})
    found.update({operation: {frozenset()} for operation in ANY_TOKEN})
    return found


@pytest.fixture(scope="module")
def document():
    return json.loads(compile_real()["openapi.json"])


def test_no_operation_stands_under_a_scope_whose_words_do_not_say_it(document):
    stands = {operation["operationId"]: {frozenset(alternative["oauth2"]) for alternative in operation["security"]}
              for item in document["paths"].values() for operation in item.values()
              if isinstance(operation, dict) and operation.get("security")}
    expected = covering()
    assert not set(stands) - set(expected), "say in the table which words cover it"
    assert not set(expected) - set(stands)
    assert {operation: alternatives for operation, alternatives in stands.items() if alternatives != expected[operation]} == {}


def test_the_words_are_those_of_the_page_of_consent(document):
    text = (ROOT / "api/handlers/scopes.def").read_text(encoding="utf-8")
    words = dict(re.findall(r'^SCOPE\("([^"]+)", "[^"]+",\s+"([^"]+)"\)', text, re.M))
    for flow in document["components"]["securitySchemes"]["oauth2"]["flows"].values():
        assert list(flow["scopes"].items()) == list(words.items())


def test_the_scopes_are_the_programmes(document):
    """In the order of the programme's list of scopes."""
    scopes = document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]["scopes"]
    assert list(scopes) == (
        "published:read contacts:read libraries:write programs:write participations:write trainings:write trainings:certify replications:write "
        "replications:approve teams:write figures:write statistics:write reports:verify reports:approve assignments:write people:erase "
        "account:read account:write audit:read admin").split()
