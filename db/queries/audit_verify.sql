-- What `tpbis audit` reads, as the owner. Never to be broken: it computes every digest itself, as db/functions/audit_seal.sql does, and calls
-- no function of the database for it, for whoever altered the audit could have altered that too.

-- The seals in their order.
-- name: audit_seal_numbers :many internal owner
SELECT s.number, encode(s.hash, 'hex') AS hash, cardinality(s.row_ids) AS rows, rfc3339(s.sealed_at) AS sealed_at
FROM audit_seal s
ORDER BY s.number

-- name: audit_unsealed :one internal owner
SELECT count(*) AS rows, (SELECT count(*) FROM audit b WHERE b.digest IS NOT NULL) AS blank
FROM audit a
WHERE a.xid >= coalesce((SELECT max(s.to_xid) FROM audit_seal s), '0'::xid8)

-- What is wrong with one seal: no row when nothing is. id: the row of the audit, NULL where it is the seal itself.
-- name: audit_verify_seal :many internal owner
-- param: seal.number integer
WITH sealed AS MATERIALIZED (
    SELECT s.number, s.from_xid, s.to_xid, s.row_ids, s.row_digests, s.previous, s.hash FROM audit_seal s WHERE s.number = :seal.number),
kept AS (SELECT u.id, substring(s.row_digests FROM (32 * (u.n - 1) + 1)::integer FOR 32) AS digest
         FROM sealed s, unnest(s.row_ids) WITH ORDINALITY AS u (id, n)),
there AS (
    SELECT a.id, a.digest IS NOT NULL AS erased,
           sha256(convert_to((jsonb_build_array(a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.xid::text, a.actor, a.client_id, a.request_id,
               a.operation, a.table_name, a.row_key, a.action, a.place,
               encode(coalesce(a.digest, sha256(convert_to(jsonb_build_array(a.salt, a.before, a.after)::text, 'UTF8'))), 'hex'))
               || CASE WHEN a.caller_request_id IS NULL THEN '[]' ELSE jsonb_build_array(a.caller_request_id) END)::text, 'UTF8')) AS digest,
           num_nonnulls(a.before, a.after, a.salt) > 0 AS has_contents
    FROM audit a, sealed s WHERE a.xid >= s.from_xid AND a.xid < s.to_xid),
-- Of what is blank, the audit's own row of its erasure, and whether something asked for that in the same transaction: a purge on record, or an erasure
-- that was carried out, or the person made anonymous since, whose data these are; or the participant made anonymous since. Other tables hold nobody's
-- data, so nothing ever asks for their erasure. A member's row may have come to name somebody else, and what is gone, or taken off a training, tells
-- nobody: any person's erasure accounts for these.
recorded AS (
    SELECT there.id, e.xid, e.xid IS NOT NULL AS on_record, b.table_name, b.row_key
    FROM there JOIN audit b ON b.id = there.id
    LEFT JOIN audit e ON e.table_name = 'audit_erasure' AND e.action = 'insert' AND e.row_key = jsonb_build_object('audit_id', there.id)
    WHERE there.erased),
asked AS (
    SELECT r.id FROM recorded r
    WHERE r.table_name IN ('app_user', 'organization_contact', 'person', 'person_contact', 'personal_data_request', 'team_member', 'training_participant')
      AND (EXISTS (SELECT FROM audit c WHERE c.xid = r.xid AND c.table_name = 'personal_data_purge' AND c.action = 'insert')
        OR r.table_name = 'training_participant' AND EXISTS (SELECT FROM audit c WHERE c.xid = r.xid AND c.table_name = r.table_name
               AND c.row_key = r.row_key AND c.action = 'update')
           AND EXISTS (SELECT FROM training_participant p WHERE p.id::text = r.row_key ->> 'id' AND p.erased_at IS NOT NULL)
        OR EXISTS (
            SELECT FROM audit c CROSS JOIN LATERAL (SELECT CASE c.table_name
                WHEN 'person' THEN (SELECT p.id::text FROM person p WHERE p.id::text = c.row_key ->> 'id' AND p.erased_at IS NOT NULL AND c.action = 'update')
                WHEN 'personal_data_request' THEN CASE WHEN c.action = 'insert' AND c.after ->> 'kind' = 'erasure' AND c.after ->> 'counts' IS NOT NULL
                    THEN coalesce(c.after ->> 'person_id', c.after ->> 'user_id') END END AS id) subject
            WHERE c.xid = r.xid AND subject.id IS NOT NULL AND CASE r.table_name
                WHEN 'person' THEN r.row_key ->> 'id' = subject.id
                WHEN 'app_user' THEN r.row_key ->> 'id' = subject.id
                WHEN 'person_contact' THEN r.row_key ->> 'person_id' = subject.id
                WHEN 'team_member' THEN true
                WHEN 'training_participant' THEN NOT EXISTS (
                    SELECT FROM training_participant p WHERE p.id::text = r.row_key ->> 'id' AND p.person_id::text IS DISTINCT FROM subject.id
                        AND (p.person_id IS NOT NULL OR p.erased_at IS NULL))
                WHEN 'personal_data_request' THEN NOT EXISTS (
                    SELECT FROM personal_data_request q WHERE q.id::text = r.row_key ->> 'id' AND coalesce(q.person_id, q.user_id)::text <> subject.id)
                ELSE false END)))
SELECT f.fault, f.id FROM (
    SELECT 'the seal before is missing' AS fault, NULL::bigint AS id FROM sealed s
    WHERE s.number > 1 AND NOT EXISTS (SELECT FROM audit_seal p WHERE p.number = s.number - 1)
    UNION ALL
    SELECT 'it does not follow the seal before', NULL FROM sealed s
    WHERE (s.previous, s.from_xid) IS DISTINCT FROM (coalesce((SELECT p.hash FROM audit_seal p WHERE p.number = s.number - 1), decode(repeat('00', 32), 'hex')),
                                                     coalesce((SELECT p.to_xid FROM audit_seal p WHERE p.number = s.number - 1), '0'::xid8))
    UNION ALL
    SELECT 'its hash is not that of its contents', NULL FROM sealed s
    WHERE s.hash IS DISTINCT FROM sha256(s.previous
        || convert_to(jsonb_build_array(s.number, s.from_xid::text, s.to_xid::text, s.row_ids)::text, 'UTF8') || s.row_digests)
    UNION ALL
    SELECT CASE WHEN there.id IS NULL THEN 'deleted' WHEN kept.id IS NULL THEN 'inserted' ELSE 'altered' END, coalesce(kept.id, there.id)
    FROM kept FULL JOIN there ON there.id = kept.id
    WHERE kept.digest IS DISTINCT FROM there.digest
    UNION ALL
    SELECT 'erased without a record of it', there.id FROM there
    WHERE there.erased AND (there.has_contents OR NOT EXISTS (SELECT FROM audit_erasure e WHERE e.audit_id = there.id))
    UNION ALL
    SELECT CASE WHEN r.on_record THEN 'erased, and no request and no purge asked for it' ELSE 'erased, and the audit has no row of that' END, r.id
    FROM recorded r WHERE NOT EXISTS (SELECT FROM asked WHERE asked.id = r.id)) f
ORDER BY f.id NULLS FIRST
LIMIT 100
