-- What the service's own role may do with replications and visits. Histories, targets and participations are written for it by
-- triggers of the owner; policies only by the owner.
GRANT SELECT ON replication, replication_history, replication_facilitator, replication_policy, visit TO tpbis_api;
GRANT INSERT (id, program_slug, phase_id, replicator_id, partner_organization_id, village_code, library_id, status, status_on,
    status_on_precision, status_note, funding, commitment_kind, commitment_number, commitment_signed_on, origin, source,
    undocumented, note), UPDATE (phase_id, partner_organization_id, library_id, status, status_on, status_note, funding,
    commitment_kind, commitment_number, commitment_signed_on, source, undocumented, note, row_version)
    ON replication TO tpbis_api;
GRANT INSERT (replication_id, person_id, starts_on, ends_on), UPDATE (starts_on, ends_on), DELETE
    ON replication_facilitator TO tpbis_api;
GRANT INSERT (id, library_id, kind, visited_on, team_id, replication_id, person_id, findings, recommendations, follow_up,
    follow_up_done_on), UPDATE (kind, visited_on, team_id, replication_id, person_id, findings, recommendations, follow_up,
    follow_up_done_on, row_version) ON visit TO tpbis_api;
