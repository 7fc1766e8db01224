"""Which erasures `tpbis audit verify` believes: those that were asked for by whom the data are about, or by a purge."""

import uuid

import pytest

from harness.sealed import sealed_audit


@pytest.fixture
def sealed(cluster):
    with sealed_audit(cluster) as one:
        yield one


@pytest.mark.parametrize("asks", [
    "INSERT INTO personal_data_request (kind, person_id, reason, received_on, status, answered_at) VALUES ('access', %(own)s, 'x', today(), 'done', now())",
    "INSERT INTO personal_data_request (kind, person_id, reason, received_on) VALUES ('erasure', %(own)s, 'x', today())",
    "INSERT INTO personal_data_request (kind, person_id, reason, received_on, status, answered_at, counts) "
    "VALUES ('erasure', %(other)s, 'x', today(), 'done', now(), '{}')",
    "UPDATE person SET erased_at = now() WHERE id = %(other)s"],
    ids=["another kind of request", "a request not carried out", "somebody else's request", "somebody else made anonymous"])
def test_only_the_erasure_of_whose_data_they_are_blanks_rows(sealed, asks):
    (own, rows), (other, _) = sealed.person(), sealed.person()
    with sealed.cluster.connect(sealed.database) as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute(asks, {"own": own, "other": other})
        cursor.execute("SELECT audit_payload_erase('person', jsonb_build_object('id', %s))", (own,))
        connection.commit()
    status, text = sealed.verify()
    assert status == 1 and f"erased, and no request and no purge asked for it: row {rows[0]}" in text, text


def test_all_that_is_erased_with_a_person_and_an_account_is_accounted_for(sealed):
    """Contact, participation, membership and requests, and an account with a request of its own."""
    person, _ = sealed.person()
    training, team, organization, user = (str(uuid.uuid4()) for _ in range(4))
    sealed.sql("INSERT INTO person_contact (person_id, phone, purpose) VALUES (%s, '0812', 'uji')", person)
    sealed.sql("INSERT INTO training (id, kind, title, starts_on, region_code) VALUES (%s, 'tik', 'TIK', '2020-03-01', '19.01')", training)
    sealed.sql("INSERT INTO training_participant (training_id, person_id, role) VALUES (%s, %s, 'staf')", training, person)
    sealed.sql("INSERT INTO organization (id, name, sector, region_code) VALUES (%s, 'Bappeda', 'planning_agency', '19.01')", organization)
    sealed.sql("INSERT INTO team (id, name, region_code, formed_on) VALUES (%s, 'Tim', '19.01', '2020-01-01')", team)
    sealed.sql("INSERT INTO team_member (team_id, person_id, organization_id, starts_on) VALUES (%s, %s, %s, '2020-01-01')", team, person, organization)
    sealed.sql("SELECT person_restrict(%s, NULL, 'keberatan', 'S-1', NULL, NULL)", person)
    sealed.sql("INSERT INTO app_user (id, username, name, status) VALUES (%s, 'siti.uji', 'Siti', 'active')", user)
    sealed.sql("INSERT INTO personal_data_request (kind, user_id, reason) VALUES ('erasure', %s, 'uji')", user)
    sealed.seal()
    sealed.sql("SELECT person_erase(%s, 'Diminta', NULL, NULL)", person)
    sealed.sql("SELECT user_erase(%s, 'Diminta', NULL, NULL)", user)
    assert sealed.verify()[0] == 0 and sealed.blank() >= 9, sealed.verify()[1]


def test_a_participant_taken_off_after_the_erasure_is_accounted_for(sealed):
    """The row names nobody any more: whose erasure blanked its rows stays true."""
    person, _ = sealed.person()
    training, participant = (str(uuid.uuid4()) for _ in range(2))
    sealed.sql("INSERT INTO training (id, kind, title, starts_on, region_code) VALUES (%s, 'tik', 'TIK', '2020-03-01', '19.01')", training)
    sealed.sql("INSERT INTO training_participant (id, training_id, person_id, role, attended) VALUES (%s, %s, %s, 'staf', true)",
               participant, training, person)
    sealed.seal()
    sealed.sql("SELECT person_erase(%s, 'Diminta', NULL, NULL)", person)
    sealed.sql("SELECT training_participant_remove(%s)", participant)
    assert sealed.sql("SELECT person_id IS NULL AND erased_at IS NOT NULL FROM training_participant WHERE id = %s", participant)[0]
    sealed.seal()
    assert sealed.verify()[0] == 0, sealed.verify()[1]
