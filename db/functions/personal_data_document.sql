-- Everything that is held about somebody, as one document (Law 27/2022, Art. 7 and 13). Never to be broken: it shows whole what is
-- about the subject, and of others no more than the id of who acted.

-- The record of what was read or changed about the subject, the latest first. Keys are rows of the audit.
CREATE OR REPLACE FUNCTION personal_data_record(of_user uuid, of_person uuid) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('at', rfc3339(a.at), 'actor', a.actor, 'client_id', a.client_id,
               'operation', a.operation, 'what', a.table_name, 'action', a.action,
               'fields', ARRAY(SELECT k FROM jsonb_object_keys(coalesce(a.before, '{}') || coalesce(a.after, '{}')) k ORDER BY k))
               ORDER BY a.id DESC), '[]')
    FROM (SELECT a.* FROM (VALUES ('app_user', jsonb_build_object('id', of_user)),
                                  ('user_password', jsonb_build_object('user_id', of_user)),
                                  ('user_factor', jsonb_build_object('user_id', of_user)),
                                  ('person', jsonb_build_object('id', of_person)), ('person_contact', jsonb_build_object('id', of_person)),
                                  ('person_contact', jsonb_build_object('person_id', of_person))) AS about (name, key)
          CROSS JOIN LATERAL (SELECT w.* FROM audit w WHERE w.table_name = about.name AND w.row_key = about.key
                              ORDER BY w.id DESC LIMIT 1000) a
          WHERE about.key::text NOT LIKE '%null%'
          ORDER BY a.id DESC LIMIT 1000) a
$$;

CREATE OR REPLACE FUNCTION personal_data_account(of_user uuid) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', u.id, 'username', u.username, 'name', u.name, 'email', u.email, 'phone', u.phone,
        'language', u.language, 'status', u.status, 'person_id', u.person_id, 'purpose', u.purpose, 'legal_basis', u.legal_basis,
        'collected_at', rfc3339(u.collected_at), 'retain_until', u.retain_until,
        'password_set_at', (SELECT rfc3339(w.updated_at) FROM user_password w WHERE w.user_id = u.id),
        'second_factor_set_up_at', (SELECT rfc3339(f.created_at) FROM user_factor f WHERE f.user_id = u.id),
        'assignments', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'role', a.role, 'national', a.national,
            'region_code', a.region_code, 'library_id', a.library_id, 'starts_on', a.starts_on, 'ends_on', a.ends_on)
            ORDER BY a.starts_on, a.id), '[]') FROM (SELECT * FROM assignment a WHERE a.user_id = u.id ORDER BY a.starts_on LIMIT 1000) a),
        'sessions', (SELECT coalesce(jsonb_agg(jsonb_build_object('client_id', g.client_id, 'client', c.name, 'scopes', g.scopes,
            'began_at', rfc3339(g.created_at), 'expires_at', rfc3339(g.expires_at), 'network', g.network::text, 'ended', r.id IS NOT NULL) ORDER BY g.created_at DESC), '[]')
            FROM (SELECT * FROM oauth_grant g WHERE g.user_id = u.id ORDER BY g.created_at DESC LIMIT 1000) g
            JOIN client c ON c.id = g.client_id LEFT JOIN oauth_revocation r ON r.id = g.id),
        'consents', (SELECT coalesce(jsonb_agg(jsonb_build_object('client_id', n.client_id, 'client', c.name, 'scopes', n.scopes,
            'given_at', rfc3339(n.updated_at)) ORDER BY n.client_id), '[]')
            FROM (SELECT * FROM oauth_consent n WHERE n.user_id = u.id ORDER BY n.client_id LIMIT 1000) n JOIN client c ON c.id = n.client_id))
    FROM app_user u WHERE u.id = of_user
$$;

CREATE OR REPLACE FUNCTION personal_data_person(of_person uuid) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', p.id, 'name', p.name, 'position', p.position, 'organization_id', p.organization_id,
        'library_id', p.library_id, 'region_code', p.region_code, 'published', p.published,
        'restricted_at', rfc3339(p.restricted_at), 'restricted_until', p.restricted_until, 'purpose', p.purpose,
        'legal_basis', p.legal_basis, 'collected_at', rfc3339(p.collected_at), 'retain_until', p.retain_until,
        'contact', (SELECT jsonb_build_object('phone', c.phone, 'email', c.email, 'address', c.address, 'purpose', c.purpose,
            'legal_basis', c.legal_basis, 'collected_at', rfc3339(c.collected_at), 'retain_until', c.retain_until)
            FROM person_contact c WHERE c.person_id = p.id),
        'trainings', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'training_id', t.training_id, 'title', g.title,
            'role', t.role, 'attended', t.attended, 'certified_on', t.certified_on, 'certificate_until', t.certificate_until,
            'library_id', t.library_id) ORDER BY t.id), '[]')
            FROM (SELECT * FROM training_participant t WHERE t.person_id = p.id ORDER BY t.id LIMIT 1000) t JOIN training g ON g.id = t.training_id),
        'teams', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'team_id', m.team_id, 'team', t.name, 'role', m.role,
            'position', m.position, 'organization_id', m.organization_id, 'starts_on', m.starts_on, 'ends_on', m.ends_on) ORDER BY m.id), '[]')
            FROM (SELECT * FROM team_member m WHERE m.person_id = p.id ORDER BY m.id LIMIT 1000) m JOIN team t ON t.id = m.team_id),
        'replications', (SELECT coalesce(jsonb_agg(jsonb_build_object('replication_id', f.replication_id, 'starts_on', f.starts_on,
            'ends_on', f.ends_on) ORDER BY f.replication_id), '[]')
            FROM (SELECT * FROM replication_facilitator f WHERE f.person_id = p.id ORDER BY f.replication_id LIMIT 1000) f),
        'visits', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'library_id', v.library_id, 'kind', v.kind,
            'visited_on', v.visited_on) ORDER BY v.id), '[]')
            FROM (SELECT * FROM visit v WHERE v.person_id = p.id ORDER BY v.id DESC LIMIT 1000) v))
    FROM person p WHERE p.id = of_person AND p.erased_at IS NULL
$$;

-- One row when the user or the person is there. A user's person is in the user's document.
-- `own`: the holder of the account asks, and is shown the account's person where the nation has confirmed that it is the holder.
CREATE OR REPLACE FUNCTION personal_data_document(of_user uuid, of_person uuid, own boolean)
RETURNS TABLE (account jsonb, person jsonb, requests jsonb, record jsonb, categories jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    of_person := coalesce(of_person, (SELECT u.person_id FROM app_user u WHERE u.id = of_user AND (u.person_confirmed OR NOT own)));
    IF NOT EXISTS (SELECT FROM app_user u WHERE u.id = of_user)
       AND NOT EXISTS (SELECT FROM person p WHERE p.id = of_person AND p.erased_at IS NULL) THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT personal_data_account(of_user), personal_data_person(of_person),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind, 'status', r.status, 'reason', r.reason,
            'reference', r.reference, 'received_on', r.received_on, 'due_at', rfc3339(r.due_at), 'until', r.until,
            'answered_at', rfc3339(r.answered_at)) ORDER BY r.id), '[]')
         FROM (SELECT * FROM personal_data_request r WHERE r.person_id = of_person OR r.user_id = of_user
               ORDER BY r.id DESC LIMIT 1000) r),
        personal_data_record(of_user, of_person),
        (SELECT jsonb_agg(jsonb_build_object('code', c.code, 'title', jsonb_build_object('id', c.title_id, 'en', c.title_en),
            'purpose', jsonb_build_object('id', c.purpose_id, 'en', c.purpose_en), 'legal_basis', c.legal_basis,
            'retention', jsonb_build_object('id', c.retention_id, 'en', c.retention_en)) ORDER BY c.code)
         FROM personal_data_category c);
END
$$;

-- As the version before calls it.
CREATE OR REPLACE FUNCTION personal_data_document(of_user uuid, of_person uuid)
RETURNS TABLE (account jsonb, person jsonb, requests jsonb, record jsonb, categories jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM personal_data_document(of_user, of_person, false)
$$;

-- The nation's: whoever holds the scope over less than Indonesia does not read somebody's whole document. The document of an account
-- shows its person, so that the read is on record for both; `own` is as of personal_data_document(), and a person who is not shown was not read.
CREATE OR REPLACE FUNCTION gate_personal_data(of_user uuid, of_person uuid, own boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM app_user u WHERE u.id = of_user AND u.erased_at IS NULL)
       AND NOT EXISTS (SELECT FROM person p WHERE p.id = of_person AND p.erased_at IS NULL) THEN
        PERFORM refuse('not_found');
    END IF;
    IF of_user IS NOT NULL THEN
        PERFORM audit_read('app_user', of_user);
        of_person := coalesce(of_person, (SELECT u.person_id FROM app_user u WHERE u.id = of_user AND (u.person_confirmed OR NOT own)));
    END IF;
    RETURN of_person IS NULL OR audit_read('person', of_person);
END
$$;

-- As the version before calls it.
CREATE OR REPLACE FUNCTION gate_personal_data(of_user uuid, of_person uuid) RETURNS boolean
LANGUAGE sql
RETURN gate_personal_data(of_user, of_person, false);
