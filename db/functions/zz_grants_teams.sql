-- What the service's own role may do with Tim Sinergi (after zz_grants.sql, which takes everything away first).
-- Positions, coordinators, policies and who was at a meeting are written by functions of the owner.
GRANT SELECT ON team, team_policy, team_decree, team_member, team_member_position, team_coordinator, team_meeting,
    team_meeting_organization, team_work_plan, team_funding TO tpbis_api;
GRANT INSERT (id, name, region_code, formed_on, formed_on_precision, origin, source, undocumented),
    UPDATE (name, formed_on, formed_on_precision, dissolved_on, source, undocumented, row_version) ON team TO tpbis_api;
GRANT INSERT (id, team_id, person_id, name, position, organization_id, role, starts_on, starts_on_precision, ends_on, ends_on_precision,
    end_reason, decree_id, source, person_vouched), UPDATE (person_id, name, role, starts_on, starts_on_precision, ends_on, ends_on_precision,
    end_reason, decree_id, source, person_vouched, row_version) ON team_member TO tpbis_api;
GRANT INSERT (id, team_id, kind, number, issued_by, signed_on, signed_on_precision, valid_from, valid_until, max_members, replaces_id,
    origin, source), UPDATE (number, issued_by, signed_on, signed_on_precision, valid_from, valid_until, max_members, replaces_id,
    source, row_version) ON team_decree TO tpbis_api;
GRANT INSERT (id, team_id, kind, status, planned_for, planned_for_precision, held_on, held_on_precision, place, region_code, agenda,
    outcome, attendees_count, commitments, origin, source), UPDATE (kind, status, planned_for, planned_for_precision, held_on,
    held_on_precision, place, region_code, agenda, outcome, attendees_count, commitments, source, row_version) ON team_meeting TO tpbis_api;
GRANT INSERT (id, team_id, title, kind, due_on, due_on_precision, status, responsible_member_id, result, source), UPDATE (title, kind,
    due_on, due_on_precision, status, responsible_member_id, result, source, row_version) ON team_work_plan TO tpbis_api;
GRANT INSERT (id, team_id, year, source, form, amount, organization_id, note), UPDATE (year, source, form, amount, organization_id, note,
    row_version) ON team_funding TO tpbis_api;
