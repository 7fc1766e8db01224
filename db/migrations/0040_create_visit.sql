-- Visits to a library, to mentor it or to monitor it, with the team or the replication they belong to.
CREATE TABLE visit (
    id                 uuid NOT NULL DEFAULT uuidv7(),
    library_id         uuid NOT NULL,
    kind               text COLLATE "C" NOT NULL,
    visited_on         date NOT NULL,
    team_id            uuid,
    replication_id     uuid,
    person_id          uuid,                     -- who visited: a facilitator or a member of the team
    findings           text,
    recommendations    text,
    follow_up          text,
    follow_up_done_on  date,
    row_version        bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT visit_pkey PRIMARY KEY (id),
    CONSTRAINT visit_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT visit_team_id_fkey FOREIGN KEY (team_id) REFERENCES team (id),
    CONSTRAINT visit_replication_id_fkey FOREIGN KEY (replication_id) REFERENCES replication (id),
    CONSTRAINT visit_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT visit_kind_check CHECK (kind IN ('mentoring', 'monitoring')),
    CONSTRAINT visit_dates_check CHECK (isfinite(visited_on) AND isfinite(follow_up_done_on) AND visited_on <= follow_up_done_on),
    CONSTRAINT visit_findings_check CHECK (btrim(findings) <> '' AND length(findings) <= 4000),
    CONSTRAINT visit_recommendations_check CHECK (btrim(recommendations) <> '' AND length(recommendations) <= 4000),
    CONSTRAINT visit_follow_up_check CHECK (btrim(follow_up) <> '' AND length(follow_up) <= 4000)
);
CREATE INDEX visit_date_idx ON visit (visited_on, id, kind, updated_at);
CREATE INDEX visit_kind_idx ON visit (kind, visited_on, id);
CREATE INDEX visit_library_idx ON visit (library_id, visited_on, id);
CREATE INDEX visit_team_idx ON visit (team_id, visited_on, id);
CREATE INDEX visit_replication_idx ON visit (replication_id, visited_on, id);
CREATE INDEX visit_person_idx ON visit (person_id);
CREATE INDEX visit_updated_at_idx ON visit (updated_at, id);
SELECT audit_attach('visit', '{id}', '{}', '{row_version,updated_at}');
