-- What the service's own role may do with programmes, participations, trainings, organizations and people: read what it
-- serves, write what its operations write. Histories, published names and certificates' authors are written for it by
-- triggers of the owner.
GRANT SELECT ON organization, organization_contact, person, person_contact, program, program_organization, phase, phase_target,
    published_figure, participation, participation_history, participation_work_plan, training, training_participant
    TO tpbis_api;

GRANT INSERT (id, name, sector, region_code, website, note), UPDATE (name, sector, region_code, website, note, row_version)
    ON organization TO tpbis_api;
GRANT INSERT (organization_id, phone, email, address, purpose), UPDATE (phone, email, address, purpose), DELETE
    ON organization_contact TO tpbis_api;
GRANT INSERT (id, name, position, organization_id, library_id, region_code),
    UPDATE (name, position, organization_id, library_id, region_code, erased_at, row_version) ON person TO tpbis_api;
GRANT INSERT (person_id, phone, email, address, purpose), UPDATE (phone, email, address, purpose), DELETE
    ON person_contact TO tpbis_api;
GRANT INSERT (slug, name, description, started_on, started_on_precision, ended_on, ended_on_precision, legal_basis, sdgs, note,
    source), UPDATE (name, description, started_on, started_on_precision, ended_on, ended_on_precision, legal_basis, sdgs, note,
    source, row_version) ON program TO tpbis_api;
GRANT INSERT (program_slug, organization_id, role), DELETE ON program_organization TO tpbis_api;
GRANT INSERT (id, program_slug, name, starts_on, starts_on_precision, ends_on, ends_on_precision, status, funding_sources, note,
    source), UPDATE (name, starts_on, starts_on_precision, ends_on, ends_on_precision, status, funding_sources, note, source,
    row_version) ON phase TO tpbis_api;
GRANT INSERT (phase_id, measure, value, note), DELETE ON phase_target TO tpbis_api;
GRANT INSERT (program_slug, phase_id, measure, value, unit, scope, region_code, as_of, as_of_precision, source, note), DELETE
    ON published_figure TO tpbis_api;
GRANT INSERT (id, phase_id, library_id, support, status, status_on, status_note, joined_on, joined_on_precision, ended_on,
    proposed_by_team_id, origin, source, note), UPDATE (support, status, status_on, status_note, proposed_by_team_id, source,
    note, row_version) ON participation TO tpbis_api;
GRANT INSERT (id, participation_id, title, kind, due_on, status, result), UPDATE (title, kind, due_on, status, result,
    row_version), DELETE ON participation_work_plan TO tpbis_api;
GRANT INSERT (id, phase_id, kind, title, starts_on, starts_on_precision, ends_on, region_code, place, organizer_id, origin,
    source, note), UPDATE (phase_id, kind, title, starts_on, starts_on_precision, ends_on, region_code, place, organizer_id,
    source, note, row_version) ON training TO tpbis_api;
GRANT INSERT (id, training_id, person_id, name, library_id, role, attended, certified_on, certificate_until),
    UPDATE (person_id, name, library_id, role, attended, certified_on, certificate_until, erased_at, row_version), DELETE
    ON training_participant TO tpbis_api;
