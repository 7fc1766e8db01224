-- Personal data: what every record says, restriction, erasure, and the purge.
BEGIN;
\ir fixture.psql
SELECT plan(80);

CREATE FUNCTION pg_temp.p(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8001-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.t(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8002-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.m(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8003-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.o(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8004-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.u(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8005-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.months(n integer) RETURNS date LANGUAGE sql STABLE RETURN (today() + make_interval(months => n))::date;

-- ---- the list is whole ---------------------------------------------------------------------------------------------
SELECT is_empty($$
    SELECT c.oid::regclass::text || '.' || private FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid,
        LATERAL unnest((string_to_array(encode(t.tgargs, 'escape'), '\000'))[2]::text[]) private
    WHERE t.tgname = 'audit_insert' AND private NOT LIKE '%hash'
    EXCEPT SELECT unnest(stored_in) FROM personal_data_category
$$, 'every column that the audit holds private stands in a category');
SELECT is_empty($$
    SELECT place FROM personal_data_category, unnest(stored_in) place
    WHERE NOT EXISTS (SELECT FROM information_schema.columns i WHERE i.table_schema = 'public' AND i.table_name || '.' || i.column_name = place)
$$, 'and every category names columns that are there');
SELECT is_empty($$
    SELECT DISTINCT split_part(place, '.', 1) FROM personal_data_category, unnest(stored_in) place WHERE code <> 'audit'
    EXCEPT SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name ~ '(^|_)retain_until$'
$$, 'every table of a category says until when it keeps');

-- ---- what a record says --------------------------------------------------------------------------------------------
INSERT INTO organization (id, name, sector, region_code) VALUES (pg_temp.o(1), 'Bappeda', 'planning_agency', '97.01');
INSERT INTO person (id, name, position, region_code, organization_id) SELECT pg_temp.p(n), 'Orang ' || n, 'Staf', '97.01', pg_temp.o(1) FROM generate_series(1, 9) n;
SELECT is((SELECT (purpose, legal_basis, retain_until)::text FROM person WHERE id = pg_temp.p(1)), format('(actor,public_task,%s)', pg_temp.months(60)), 'a person');
SELECT is((SELECT collected_at FROM person WHERE id = pg_temp.p(1)), now(), 'collected now');
INSERT INTO person (id, name, region_code, collected_at) VALUES (pg_temp.p(20), 'Dulu', '97.01', '2015-03-01T00:00:00Z');
SELECT is((SELECT retain_until FROM person WHERE id = pg_temp.p(20)), '2020-03-01', 'or as the writer says');
INSERT INTO person_contact (person_id, phone, purpose) SELECT pg_temp.p(n), '0812-' || n, 'Pendampingan' FROM generate_series(1, 6) n;
SELECT is((SELECT (purpose, legal_basis, retain_until)::text FROM person_contact WHERE person_id = pg_temp.p(1)), format('(Pendampingan,public_task,%s)', pg_temp.months(24)), 'a contact, with a purpose of its own');
UPDATE person_contact SET retain_until = today() - 1, collected_at = now() - interval '3 years' WHERE person_id = pg_temp.p(1);
UPDATE person_contact SET phone = '0813' WHERE person_id = pg_temp.p(1);
SELECT is((SELECT (collected_at, retain_until)::text FROM person_contact WHERE person_id = pg_temp.p(1)), (SELECT (now(), pg_temp.months(24))::text), 'a new number is collected now');
UPDATE person_contact SET phone = '0814', retain_until = '2050-01-01' WHERE person_id = pg_temp.p(1);
SELECT is((SELECT retain_until FROM person_contact WHERE person_id = pg_temp.p(1)), '2050-01-01', 'and kept until the day that is named');
INSERT INTO organization_contact (organization_id, phone, purpose) VALUES (pg_temp.o(1), '0717', 'Undangan');
SELECT is((SELECT retain_until FROM organization_contact), pg_temp.months(60), 'an office''s contact');
INSERT INTO training (id, kind, title, starts_on, region_code) VALUES (pg_temp.t(1), 'tik', 'TIK', '2020-03-01', '97.01');
INSERT INTO training_participant (id, training_id, name, role, attended) SELECT pg_temp.m(n), pg_temp.t(1), 'Nama ' || n, 'staf', true FROM generate_series(1, 3) n;
INSERT INTO training_participant (id, training_id, person_id, role, attended) VALUES (pg_temp.m(4), pg_temp.t(1), pg_temp.p(4), 'staf', true);
SELECT is((SELECT count(*) FROM training_participant WHERE purpose = 'trainee' AND retain_until = pg_temp.months(60)), 4::bigint, 'participants');
INSERT INTO team (id, name, region_code, formed_on) VALUES (pg_temp.t(2), 'Tim', '97.01', '2020-01-01');
INSERT INTO team_member (id, team_id, person_id, name, position, organization_id, starts_on) VALUES
    (pg_temp.m(11), pg_temp.t(2), pg_temp.p(2), NULL, 'Kepala', pg_temp.o(1), '2020-01-01'), (pg_temp.m(12), pg_temp.t(2), NULL, 'Budi Nama', NULL, pg_temp.o(1), '2020-01-01');
SELECT is((SELECT (purpose, legal_basis, retain_until)::text FROM team_member WHERE id = pg_temp.m(12)), '(team_member,legal_obligation,)', 'members are kept with the decree');
INSERT INTO client (id, name) VALUES ('uji-a', 'A'), ('uji-b', 'B');
SELECT is((SELECT owner_purpose FROM client WHERE id = 'uji-a'), NULL, 'a client without an owner says nothing');
UPDATE client SET owner_name = 'Rini', owner_email = 'rini@example.id' WHERE id = 'uji-a';
SELECT is((SELECT (owner_purpose, owner_legal_basis, owner_collected_at, owner_retain_until)::text FROM client WHERE id = 'uji-a'), (SELECT ('client_owner'::text, 'contract'::text, now(), NULL::date)::text), 'with one it does');
UPDATE client SET status = 'suspended' WHERE id = 'uji-a';
SELECT is((SELECT owner_retain_until FROM client WHERE id = 'uji-a'), pg_temp.months(24), 'suspended, the owner is kept so long');
UPDATE client SET status = 'active' WHERE id = 'uji-a';
SELECT is((SELECT owner_retain_until FROM client WHERE id = 'uji-a'), NULL, 'and as before when it goes on');
SELECT is((SELECT (contact_purpose, contact_legal_basis, contact_retain_until)::text FROM library WHERE id = pg_temp.l(5)), '(library_contact,public_task,)', 'a library with a phone');
SELECT is((SELECT num_nonnulls(contact_purpose, contact_legal_basis, contact_collected_at) FROM library WHERE id = pg_temp.l(6)), 0, 'none without');
UPDATE library SET status = 'closed', closed_on = '2024-01-01' WHERE id = pg_temp.l(6);
UPDATE library SET status = 'closed', closed_on = '2024-01-01' WHERE id = pg_temp.l(5);
SELECT is((SELECT array_agg(contact_retain_until ORDER BY id) FROM library WHERE id IN (pg_temp.l(5), pg_temp.l(6))), ARRAY[pg_temp.months(12), NULL], 'closed, its phone is kept a year');
UPDATE library SET phone = NULL, email = NULL WHERE id = pg_temp.l(5);
SELECT is((SELECT num_nonnulls(contact_purpose, contact_legal_basis, contact_collected_at, contact_retain_until) FROM library WHERE id = pg_temp.l(5)), 0, 'nothing is said of what is gone');
UPDATE library SET email = 'lagi@example.id' WHERE id = pg_temp.l(5);
INSERT INTO app_user (id, username, name, email, status, person_id) VALUES (pg_temp.u(1), 'siti.uji', 'Siti', 'siti@rahasia.example.id', 'active', pg_temp.p(3)), (pg_temp.u(2), 'budi.uji', 'Budi', NULL, 'active', NULL);
UPDATE app_user SET status = 'disabled' WHERE id = pg_temp.u(2);
SELECT is((SELECT retain_until FROM app_user WHERE id = pg_temp.u(2)), pg_temp.months(24), 'a disabled account');
UPDATE app_user SET status = 'active' WHERE id = pg_temp.u(2);
SELECT is((SELECT retain_until FROM app_user WHERE id = pg_temp.u(2)), NULL, 'enabled again');
SELECT throws_ok($$DELETE FROM personal_data_category$$, '23001', NULL, 'the list is policy');

-- ---- restriction ---------------------------------------------------------------------------------------------------
SELECT is((SELECT published FROM person WHERE id = pg_temp.p(2)), true, 'a member''s name is published');
SELECT person_restrict(pg_temp.p(2), NULL, 'keberatan', 'S-1', NULL, today() + 30);
SELECT is((SELECT (published, restricted_until)::text FROM person WHERE id = pg_temp.p(2)), format('(f,%s)', today() + 30), 'restricted it is not');
SELECT throws_ok(format('INSERT INTO training_participant (training_id, person_id, role) VALUES (%L, %L, ''staf'')', pg_temp.t(1), pg_temp.p(2)), 'TB001', 'refused: person_restricted', 'no training');
SELECT throws_ok(format('INSERT INTO visit (library_id, kind, visited_on, person_id) VALUES (%L, ''mentoring'', ''2024-01-01'', %L)', pg_temp.l(3), pg_temp.p(2)), 'TB001', 'refused: person_restricted', 'no visit');
SELECT throws_ok(format('INSERT INTO team_member (team_id, person_id, organization_id, starts_on) VALUES (%L, %L, %L, ''2019-01-01'')', pg_temp.t(2), pg_temp.p(2), pg_temp.o(1)), 'TB001', 'refused: person_restricted', 'no team');
SELECT throws_ok(format('UPDATE training_participant SET name = NULL, person_id = %L WHERE id = %L', pg_temp.p(2), pg_temp.m(1)), 'TB001', 'refused: person_restricted', 'nor instead of a name');
SELECT throws_ok($$UPDATE person_contact SET phone = '1' WHERE person_id = pg_temp.p(2)$$, 'TB001', 'refused: person_restricted', 'no new contact');
UPDATE person_contact SET retain_until = today() - 1 WHERE person_id = pg_temp.p(2);
SELECT ok(personal_data_purge_row('contact', pg_temp.p(2)::text), 'but the one there is may be needed longer');
SELECT ok((SELECT retain_until > today() FROM person_contact WHERE person_id = pg_temp.p(2)), 'until a day to come');
SELECT lives_ok($$UPDATE person SET name = 'Orang Dua' WHERE id = pg_temp.p(2)$$, 'but correction');
SELECT lives_ok($$UPDATE team_member SET ends_on = '2024-01-01', end_reason = 'resigned' WHERE id = pg_temp.m(11)$$, 'and what is on record may end');
SELECT throws_ok($$SELECT person_restrict(pg_temp.p(2), NULL, 'x', NULL, NULL, today() - 1)$$, 'TB001', 'refused: period_reversed', 'no restriction in the past');
SELECT throws_ok($$SELECT person_restrict(pg_temp.p(2), NULL, 'x', NULL, today() + 1, NULL)$$, 'TB001', 'refused: date_in_future', 'nor asked for tomorrow');
SELECT person_restrict(pg_temp.p(2), 'objection', 'keberatan', 'S-2', NULL, NULL);
SELECT is((SELECT array_agg(kind || ' ' || status ORDER BY id) FROM personal_data_request WHERE person_id = pg_temp.p(2)), '{"restriction lifted","objection done"}', 'a later request stands for the earlier one');
SELECT is(personal_data_lift_expired(), 0, 'without a last day it stays');
UPDATE person SET restricted_until = today() WHERE id = pg_temp.p(2);
SELECT is(personal_data_lift_expired(), 0, 'on the last day too');
UPDATE person SET restricted_until = today() - 1 WHERE id = pg_temp.p(2);
SELECT is(personal_data_lift_expired(), 1, 'after it, it ends');
SELECT is((SELECT published FROM person WHERE id = pg_temp.p(2)), true, 'and the name is published again');
SELECT is((SELECT count(*) FROM personal_data_request WHERE person_id = pg_temp.p(2) AND status = 'done'), 0::bigint, 'the register says so');

-- ---- erasure -------------------------------------------------------------------------------------------------------
SELECT isnt_empty($$SELECT FROM audit WHERE table_name = 'person' AND row_key = jsonb_build_object('id', pg_temp.p(4)) AND after IS NOT NULL$$, 'the audit has a picture of a person');
SELECT person_erase(pg_temp.p(n), 'diminta', 'S-' || n, NULL) FROM generate_series(3, 4) n;
SELECT is((SELECT num_nonnulls(name, position, organization_id, library_id) FROM person WHERE id = pg_temp.p(4)), 0, 'erased, nothing says who it was');
SELECT is((SELECT region_code FROM person WHERE id = pg_temp.p(4)), '97.01', 'but where the count belongs');
SELECT is((SELECT count(*) FROM training_participant WHERE training_id = pg_temp.t(1) AND attended), 4::bigint, 'the count stands');
SELECT is((SELECT count(*) FROM person_contact WHERE person_id IN (pg_temp.p(3), pg_temp.p(4))), 0::bigint, 'contacts are gone');
SELECT is((SELECT person_id FROM app_user WHERE id = pg_temp.u(1)), NULL, 'the account is no longer the person''s');
SELECT is((SELECT counts FROM personal_data_request WHERE person_id = pg_temp.p(4)), '{"contacts": 1, "trainings": 1, "teams": 0, "replications": 0, "visits": 0}'::jsonb, 'the register says what it touched');
SELECT is_empty($$SELECT before, after FROM audit WHERE coalesce(before, after) IS NOT NULL AND table_name IN ('person', 'person_contact', 'training_participant')
    AND row_key IN (jsonb_build_object('id', pg_temp.p(4)), jsonb_build_object('person_id', pg_temp.p(4)), jsonb_build_object('id', pg_temp.m(4)))$$, 'the audit tells nothing of it any more');
SELECT isnt_empty($$SELECT FROM audit WHERE table_name = 'person' AND row_key = jsonb_build_object('id', pg_temp.p(4)) AND action = 'update'$$, 'but that it was');
SELECT person_erase(pg_temp.p(4), 'lagi', NULL, NULL);
SELECT is((SELECT count(*) FROM personal_data_request WHERE person_id = pg_temp.p(4)), 1::bigint, 'once');
INSERT INTO user_password (user_id, hash) VALUES (pg_temp.u(1), '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA');
INSERT INTO assignment (user_id, role, region_code, starts_on) VALUES (pg_temp.u(1), 'regency_facilitator', '97.01', '2020-01-01'), (pg_temp.u(1), 'team_member', '97.01', today());
SELECT user_anonymise(pg_temp.u(1));
SELECT is((SELECT (username, name, email, status)::text FROM app_user WHERE id = pg_temp.u(1)), format('(erased-%s,,,erased)', pg_temp.u(1)), 'an account becomes nobody''s');
SELECT is_empty($$SELECT FROM user_password WHERE user_id = pg_temp.u(1)$$, 'without a password');
SELECT is((SELECT array_agg(ends_on - today() ORDER BY starts_on) FROM assignment WHERE user_id = pg_temp.u(1)), '{-1,0}', 'its rights end');
SELECT is_empty($$SELECT before, after FROM audit WHERE coalesce(before, after) IS NOT NULL AND table_name = 'app_user' AND row_key = jsonb_build_object('id', pg_temp.u(1))$$, 'and the audit forgets');

-- ---- the purge -----------------------------------------------------------------------------------------------------
CREATE FUNCTION pg_temp.purge(keep boolean, wanted text) RETURNS text LANGUAGE sql
AS $$SELECT due || ' ' || removed || ' ' || extended FROM personal_data_purge(keep) WHERE category = wanted$$;
UPDATE person SET retain_until = today() - 1 WHERE id IN (pg_temp.p(2), pg_temp.p(5), pg_temp.p(6), pg_temp.p(7));
UPDATE person SET retain_until = today() WHERE id = pg_temp.p(8);
INSERT INTO visit (library_id, kind, visited_on, person_id) VALUES (pg_temp.l(3), 'mentoring', today() - 100, pg_temp.p(6)), (pg_temp.l(3), 'mentoring', today() - 3000, pg_temp.p(7));
UPDATE person_contact SET retain_until = today() - 1 WHERE person_id IN (pg_temp.p(1), pg_temp.p(2), pg_temp.p(5), pg_temp.p(6));
UPDATE organization_contact SET retain_until = today() - 1;
UPDATE training_participant SET retain_until = today() - 1 WHERE id IN (pg_temp.m(1), pg_temp.m(2));
UPDATE training_participant SET certified_on = '2024-01-01', retain_until = today() - 1 WHERE id = pg_temp.m(3);
UPDATE client SET owner_retain_until = today() - 1 WHERE id = 'uji-a';
UPDATE library SET contact_retain_until = today() - 1 WHERE id = pg_temp.l(5);
UPDATE app_user SET retain_until = today() - 1 WHERE id = pg_temp.u(2);
SELECT is(pg_temp.purge(false, 'actor'), (SELECT (count(*) + 5) || ' ' || (count(*) + 3) || ' 2' FROM person WHERE retain_until < today() AND region_code NOT LIKE '97%'), 'a dry run says what is due');
SELECT is((SELECT count(*) FROM person WHERE retain_until < today() AND erased_at IS NULL AND region_code LIKE '97%'), 5::bigint, 'and does nothing');
SELECT is_empty($$SELECT FROM personal_data_purge$$, 'nor says that it did');
CREATE TEMPORARY TABLE done AS SELECT * FROM personal_data_purge(true);
SELECT is((SELECT array_agg(id ORDER BY id) FROM person WHERE erased_at IS NOT NULL AND id IN (pg_temp.p(2), pg_temp.p(5), pg_temp.p(6), pg_temp.p(7), pg_temp.p(8), pg_temp.p(20))),
          ARRAY[pg_temp.p(5), pg_temp.p(7), pg_temp.p(20)], 'who has done nothing for so long is erased; who has, and whose day is today, is not');
SELECT is((SELECT retain_until FROM person WHERE id = pg_temp.p(6)), (today() - 100 + interval '60 months')::date, 'who was active is kept from then on');
SELECT is((SELECT array_agg(person_id ORDER BY person_id) FROM person_contact), ARRAY[pg_temp.p(6)], 'contacts go, but of the active');
SELECT is_empty($$SELECT FROM organization_contact$$, 'an office''s too');
SELECT is((SELECT array_agg(name ORDER BY id) FROM training_participant WHERE training_id = pg_temp.t(1)), ARRAY[NULL, NULL, 'Nama 3', NULL], 'trainees'' names go, but of the certified');
SELECT is((SELECT count(*) FROM training_participant WHERE training_id = pg_temp.t(1) AND attended), 4::bigint, 'and are counted still');
SELECT is((SELECT num_nonnulls(owner_name, owner_email, owner_purpose) FROM client WHERE id = 'uji-a'), 0, 'the owner of a client');
SELECT is((SELECT num_nonnulls(phone, email, contact_purpose) FROM library WHERE id = pg_temp.l(5)), 0, 'the contact of a closed library');
SELECT is((SELECT status FROM app_user WHERE id = pg_temp.u(2)), 'erased', 'the account nobody used');
SELECT is((SELECT array_agg(category ORDER BY category) FROM personal_data_purge), (SELECT array_agg(code ORDER BY code) FROM personal_data_category WHERE code <> 'audit'), 'the report has every category');
SELECT is_empty($$SELECT category, due, removed, extended FROM done EXCEPT SELECT category, due_count, removed_count, extended_count FROM personal_data_purge$$, 'with the numbers it answered');
SELECT is((SELECT sum(due) FROM personal_data_purge(true)), 0::bigint, 'a second one finds nothing');
CREATE TEMPORARY TABLE held AS
    SELECT 'actor' AS category, id::text AS key FROM person UNION ALL SELECT 'contact', person_id::text FROM person_contact
    UNION ALL SELECT 'trainee', id::text FROM training_participant UNION ALL SELECT 'team_member', id::text FROM team_member
    UNION ALL SELECT 'office_contact', organization_id::text FROM organization_contact UNION ALL SELECT 'account', id::text FROM app_user
    UNION ALL SELECT 'client_owner', id FROM client UNION ALL SELECT 'library_contact', id::text FROM library
    UNION ALL SELECT 'request', id::text FROM personal_data_request;
INSERT INTO app_user (id, username, name, status) VALUES (pg_temp.u(77), 'aktif.lagi', 'Aktif Lagi', 'active');
INSERT INTO held VALUES ('account', pg_temp.u(77)::text);
SELECT is_empty($$SELECT category, key FROM held WHERE personal_data_purge_row(category, key) IS NOT NULL$$, 'what is not due, or is so no more, is left alone');
SELECT is((SELECT name FROM app_user WHERE id = pg_temp.u(77)), 'Aktif Lagi', 'an account that was enabled meanwhile, say');
SELECT is_empty($$SELECT code FROM personal_data_category WHERE code <> 'audit' AND (personal_data_due_rows(code)).rows IS NULL$$, 'every category says what of it is due');
UPDATE team_member SET retain_until = today() - 1 WHERE id = pg_temp.m(12);
SELECT is(pg_temp.purge(true, 'team_member'), '1 1 0', 'a member''s name goes when a day was set');
SELECT is((SELECT num_nonnulls(name, name_key, person_id) FROM team_member WHERE id = pg_temp.m(12)), 0, 'and the membership stays');
UPDATE personal_data_request SET retain_until = today() - 1, status = 'open', answered_at = NULL WHERE person_id = pg_temp.p(4);
UPDATE personal_data_request SET retain_until = today() - 1 WHERE person_id = pg_temp.p(3);
SELECT is(pg_temp.purge(true, 'request'), '1 1 0', 'requests go when they were answered');

-- One row of each category that is due cannot be purged, and does not keep another from it, nor another category.
CREATE FUNCTION pg_temp.stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) ->> TG_ARGV[0] = TG_ARGV[1] THEN
        PERFORM refuse('reference_unknown');
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TEMPORARY TABLE stuck (category text, name regclass, key text, day text, value text);
INSERT INTO person (id, name, region_code) SELECT pg_temp.p(n), 'Orang', '97.01' FROM generate_series(31, 34) n;
INSERT INTO person_contact (person_id, phone, purpose) SELECT pg_temp.p(n), '0812', 'Pendampingan' FROM generate_series(33, 34) n;
INSERT INTO organization (id, name, sector, region_code) SELECT pg_temp.o(n), 'Dinas', 'planning_agency', '97.01' FROM generate_series(31, 32) n;
INSERT INTO organization_contact (organization_id, phone, purpose) SELECT pg_temp.o(n), '0717', 'Undangan' FROM generate_series(31, 32) n;
INSERT INTO training_participant (id, training_id, name, role) SELECT pg_temp.m(n), pg_temp.t(1), 'Nama', 'staf' FROM generate_series(31, 32) n;
INSERT INTO team_member (id, team_id, name, organization_id, starts_on) SELECT pg_temp.m(n), pg_temp.t(2), 'Nama ' || n, pg_temp.o(1), '2020-01-01' FROM generate_series(33, 34) n;
INSERT INTO app_user (id, username, name, status) SELECT pg_temp.u(n), 'akun.' || n, 'Akun', 'active' FROM generate_series(31, 32) n;
INSERT INTO client (id, name, owner_name) VALUES ('uji-y', 'Y', 'Rini'), ('uji-z', 'Z', 'Rini');
UPDATE library SET phone = '0717' WHERE id IN (pg_temp.l(3), pg_temp.l(4));
INSERT INTO personal_data_request (id, kind, user_id, reason, status, answered_at) SELECT pg_temp.t(n), 'access', pg_temp.u(31), 'ingin tahu', 'done', now() FROM generate_series(31, 32) n;
INSERT INTO stuck VALUES ('actor', 'person', 'id', 'retain_until', pg_temp.p(31)), ('actor', 'person', 'id', 'retain_until', pg_temp.p(32)),
    ('contact', 'person_contact', 'person_id', 'retain_until', pg_temp.p(33)), ('contact', 'person_contact', 'person_id', 'retain_until', pg_temp.p(34)),
    ('office_contact', 'organization_contact', 'organization_id', 'retain_until', pg_temp.o(31)), ('office_contact', 'organization_contact', 'organization_id', 'retain_until', pg_temp.o(32)),
    ('trainee', 'training_participant', 'id', 'retain_until', pg_temp.m(31)), ('trainee', 'training_participant', 'id', 'retain_until', pg_temp.m(32)),
    ('team_member', 'team_member', 'id', 'retain_until', pg_temp.m(33)), ('team_member', 'team_member', 'id', 'retain_until', pg_temp.m(34)),
    ('account', 'app_user', 'id', 'retain_until', pg_temp.u(31)), ('account', 'app_user', 'id', 'retain_until', pg_temp.u(32)),
    ('client_owner', 'client', 'id', 'owner_retain_until', 'uji-y'), ('client_owner', 'client', 'id', 'owner_retain_until', 'uji-z'),
    ('library_contact', 'library', 'id', 'contact_retain_until', pg_temp.l(3)), ('library_contact', 'library', 'id', 'contact_retain_until', pg_temp.l(4)),
    ('request', 'personal_data_request', 'id', 'retain_until', pg_temp.t(31)), ('request', 'personal_data_request', 'id', 'retain_until', pg_temp.t(32));
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT *, min(value) OVER (PARTITION BY category) = value AS first FROM stuck LOOP
        EXECUTE format('UPDATE %s SET %I = today() - 1 WHERE %I::text = %L', one.name, one.day, one.key, one.value);
        IF one.first THEN
            EXECUTE format('CREATE TRIGGER stay BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION pg_temp.stay(%I, %L)', one.name, one.key, one.value);
        END IF;
    END LOOP;
END
$$;
SET client_min_messages = error;
CREATE TEMPORARY TABLE half AS SELECT * FROM personal_data_purge(true);
RESET client_min_messages;
SELECT results_eq($$SELECT category COLLATE "C", due, removed, extended, failed FROM half ORDER BY category$$,
    $$SELECT c.code, 2, 1, 0, 1 FROM personal_data_category c WHERE c.code <> 'audit' ORDER BY c.code$$, 'a row that cannot be purged keeps no other row and no category from it');
SELECT is((SELECT sum(failed_count) FROM personal_data_purge), (SELECT count(DISTINCT category) FROM stuck), 'and the report counts it');

-- Nor does one that was chosen to end a deadlock, which the next purge takes.
CREATE OR REPLACE FUNCTION pg_temp.stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) ->> TG_ARGV[0] = TG_ARGV[1] THEN
        RAISE EXCEPTION USING ERRCODE = 'deadlock_detected';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
SET client_min_messages = error;
CREATE TEMPORARY TABLE locked AS SELECT * FROM personal_data_purge(true);
RESET client_min_messages;
SELECT results_eq($$SELECT category COLLATE "C", due, removed, extended, failed FROM locked ORDER BY category$$,
    $$SELECT c.code, 1, 0, 0, 1 FROM personal_data_category c WHERE c.code <> 'audit' ORDER BY c.code$$, 'a deadlock over one row stops no purge');

SELECT finish();
ROLLBACK;
