-- Personal data (Law 27/2022, UU PDP): what is kept about people, why, on which ground and how long; what they asked for, and
-- what was destroyed when its time had come. A category is policy: it changes by a migration.
CREATE TABLE personal_data_category (
    code              text COLLATE "C" NOT NULL,
    title_id          text NOT NULL,
    title_en          text NOT NULL,
    purpose_id        text NOT NULL,
    purpose_en        text NOT NULL,
    legal_basis       text NOT NULL,
    legal_reference   text NOT NULL,             -- article of the law
    retention_months  integer,                   -- NULL: as long as the record it belongs to
    retention_from    text NOT NULL,             -- of what the months are counted
    retention_id      text NOT NULL,             -- the rule in words
    retention_en      text NOT NULL,
    readers_id        text NOT NULL,
    readers_en        text NOT NULL,
    stored_in         text[] NOT NULL,           -- table.column
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT personal_data_category_pkey PRIMARY KEY (code),
    CONSTRAINT personal_data_category_code_check CHECK (code ~ '^[a-z][a-z_]{1,40}$'),
    CONSTRAINT personal_data_category_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation', 'vital_interest',
        'public_task', 'legitimate_interest')),
    CONSTRAINT personal_data_category_retention_check CHECK (retention_months BETWEEN 1 AND 1200
        AND retention_from IN ('collected', 'last_activity', 'end', 'record')
        AND (retention_months IS NULL) = (retention_from = 'record')),
    CONSTRAINT personal_data_category_stored_in_check CHECK (cardinality(stored_in) BETWEEN 1 AND 100)
);
SELECT audit_attach('personal_data_category', '{code}', '{}', '{updated_at}');

INSERT INTO personal_data_category (code, title_id, title_en, purpose_id, purpose_en, legal_basis, legal_reference, retention_months,
    retention_from, retention_id, retention_en, readers_id, readers_en, stored_in) VALUES
('account', 'Akun pengguna', 'User accounts',
    'Masuk ke aplikasi, pemberian hak, dan pertanggungjawaban atas perubahan data.',
    'Logging in, giving rights, and answering for changes of data.',
    'public_task', 'UU 27/2022 Pasal 20 ayat (2) huruf e', 24, 'end',
    'Selama akun aktif, lalu 24 bulan setelah dinonaktifkan.', 'While the account is active, then 24 months after it is disabled.',
    'Pemilik akun; administrator nasional; yang mengundang dan yang menugaskan, di wilayahnya.',
    'The user; national administrators; whoever invites and assigns, in their reach.',
    '{app_user.username,app_user.name,app_user.email,app_user.phone}'),
('actor', 'Pelaku program', 'People who act in the programme',
    'Mencatat siapa yang bertindak dalam program: anggota tim, fasilitator, pengelola perpustakaan.',
    'Recording who acts in the programme: members of teams, facilitators, managers of libraries.',
    'public_task', 'UU 27/2022 Pasal 20 ayat (2) huruf e', 60, 'last_activity',
    '60 bulan setelah kegiatan terakhir dalam program.', '60 months after the last activity in the programme.',
    'Semua klien bila bertindak dalam tim publik atau bersertifikat fasilitator; selain itu hanya yang wilayah tugasnya mencakup orang itu.',
    'Every client while acting in a public team or certified as a facilitator; else only those in whose reach the person works.',
    '{person.name,person.position}'),
('contact', 'Kontak orang', 'Contacts of people',
    'Menghubungi pelaku program untuk keperluan yang tertulis pada kontaknya.',
    'Reaching somebody who acts in the programme, for what is written with the contact.',
    'public_task', 'UU 27/2022 Pasal 20 ayat (2) huruf e', 24, 'last_activity',
    '24 bulan setelah dicatat, diperpanjang selama orangnya bertindak dalam program.',
    '24 months after it was recorded, extended while the person acts in the programme.',
    'Yang memegang contacts:read dan wilayah tugasnya mencakup orang atau timnya; setiap pembacaan dicatat.',
    'Holders of contacts:read in whose reach the person or the team is; every read is recorded.',
    '{person_contact.phone,person_contact.email,person_contact.address}'),
('trainee', 'Peserta pelatihan', 'Participants of trainings',
    'Kehadiran dan sertifikat pelatihan.', 'Attendance and certificates of trainings.',
    'public_task', 'UU 27/2022 Pasal 20 ayat (2) huruf e', 60, 'last_activity',
    '60 bulan setelah dicatat atau setelah sertifikat berakhir; hitungan peserta tetap.',
    '60 months after it was recorded or the certificate ended; the counts stay.',
    'Yang wilayah tugasnya mencakup pelatihan atau perpustakaan pesertanya.',
    'Those in whose reach the training or the participant''s library is.',
    '{training_participant.name}'),
('team_member', 'Anggota Tim Sinergi', 'Members of Tim Sinergi',
    'Susunan tim menurut surat keputusan; arsip jabatan publik.', 'Who is in a team by its decree; a public record of office.',
    'legal_obligation', 'UU 27/2022 Pasal 20 ayat (2) huruf c', NULL, 'record',
    'Selama surat keputusannya disimpan; nama dihapus atas permintaan tanpa mengubah keputusan.',
    'As long as the decree is kept; the name is erased on request, the decree stands.',
    'Semua klien.', 'Every client.',
    '{team_member.name,team_member.name_key}'),
('client_owner', 'Penanggung jawab aplikasi', 'Owners of clients',
    'Menghubungi penanggung jawab aplikasi dan kuncinya.', 'Reaching who answers for an application and its keys.',
    'contract', 'UU 27/2022 Pasal 20 ayat (2) huruf b', 24, 'end',
    'Selama klien aktif, lalu 24 bulan setelah dihentikan.', 'While the client is active, then 24 months after it is suspended.',
    'Administrator nasional.', 'National administrators.',
    '{client.owner_name,client.owner_email}'),
('office_contact', 'Kontak lembaga', 'Contacts of organizations',
    'Menghubungi lembaga mitra untuk keperluan yang tertulis pada kontaknya.', 'Reaching a stakeholder, for what is written with the contact.',
    'public_task', 'UU 27/2022 Pasal 20 ayat (2) huruf e', 60, 'collected',
    '60 bulan setelah dicatat; mencatatnya lagi memperbaruinya.', '60 months after it was recorded; recording it again renews it.',
    'Yang memegang contacts:read di wilayah itu; setiap pembacaan dicatat.', 'Holders of contacts:read in that region; every read is recorded.',
    '{organization_contact.phone,organization_contact.email,organization_contact.address}'),
('library_contact', 'Kontak perpustakaan', 'Contacts of libraries',
    'Menghubungi perpustakaan; di desa dan TBM sering nomor pribadi pengelola.', 'Reaching a library; in villages and TBM often a person''s own number.',
    'public_task', 'UU 27/2022 Pasal 20 ayat (2) huruf e', 12, 'end',
    'Selama perpustakaan berjalan, lalu 12 bulan setelah ditutup.', 'While the library is open, then 12 months after it is closed.',
    'Semua klien bila ditandai publik; selain itu yang boleh menulis perpustakaan itu, dan setiap pembacaan dicatat.',
    'Every client when marked public; else whoever may write the library, and every read is recorded.',
    '{library.phone,library.email}'),
('request', 'Permintaan subjek data', 'Requests of data subjects',
    'Bukti bahwa permintaan subjek data ditangani.', 'Proof that requests of data subjects were dealt with.',
    'legal_obligation', 'UU 27/2022 Pasal 20 ayat (2) huruf c, Pasal 31', 60, 'collected',
    '60 bulan setelah diterima.', '60 months after it was received.',
    'Administrator nasional dan subjeknya.', 'National administrators and the subject.',
    '{personal_data_request.reason,personal_data_request.reference}'),
('audit', 'Jejak audit', 'The audit',
    'Siapa mengubah atau membaca apa; kolom pribadi hanya sebagai sidik bergaram.', 'Who changed or read what; private columns only as salted digests.',
    'legal_obligation', 'UU 27/2022 Pasal 20 ayat (2) huruf c, Pasal 31, 35 dan 37', NULL, 'record',
    'Tetap; isinya dihapus bersama subjeknya, barisnya tinggal.', 'For good; the contents go with their subject, the row stays.',
    'Yang memegang audit:read; subjeknya atas catatan tentang dirinya.', 'Holders of audit:read; subjects, of what is about them.',
    '{audit.actor,audit.before,audit.after}');

-- A request of a data subject, and what was done about it. The law gives three times 24 hours.
CREATE TABLE personal_data_request (
    id           uuid NOT NULL DEFAULT uuidv7(),
    kind         text COLLATE "C" NOT NULL,
    person_id    uuid,
    user_id      uuid,
    reason       text,                           -- NULL once the subject is erased
    reference    text,                           -- of the letter or ticket; never a name
    received_on  date NOT NULL DEFAULT today(),
    due_at       timestamptz NOT NULL DEFAULT now() + interval '72 hours',
    until        date,                           -- of a restriction: the last day, NULL until lifted
    status       text COLLATE "C" NOT NULL DEFAULT 'open',
    answered_at  timestamptz,
    counts       jsonb,                          -- of an erasure: how many records of each kind it touched
    purpose      text NOT NULL,
    legal_basis  text NOT NULL,
    collected_at timestamptz NOT NULL,
    retain_until date,
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT personal_data_request_pkey PRIMARY KEY (id),
    CONSTRAINT personal_data_request_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT personal_data_request_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id),
    CONSTRAINT personal_data_request_subject_check CHECK (num_nonnulls(person_id, user_id) = 1),
    CONSTRAINT personal_data_request_kind_check CHECK (kind IN ('access', 'correction', 'restriction', 'objection', 'erasure')),
    CONSTRAINT personal_data_request_status_check CHECK (status IN ('open', 'done', 'lifted', 'refused')),
    CONSTRAINT personal_data_request_answered_check CHECK ((status = 'open') = (answered_at IS NULL)),
    CONSTRAINT personal_data_request_reason_check CHECK (btrim(reason) <> '' AND length(reason) <= 1000),
    CONSTRAINT personal_data_request_reference_check CHECK (btrim(reference) <> '' AND length(reference) <= 200),
    CONSTRAINT personal_data_request_received_on_check CHECK (isfinite(received_on)),
    CONSTRAINT personal_data_request_until_check CHECK (isfinite(until)),
    CONSTRAINT personal_data_request_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation', 'vital_interest',
        'public_task', 'legitimate_interest')),
    CONSTRAINT personal_data_request_retain_until_check CHECK (isfinite(retain_until))
);
CREATE INDEX personal_data_request_person_idx ON personal_data_request (person_id, id);
CREATE INDEX personal_data_request_user_idx ON personal_data_request (user_id, id);
CREATE INDEX personal_data_request_retain_idx ON personal_data_request (retain_until);
SELECT audit_attach('personal_data_request', '{id}', '{reason,reference}', '{row_version,updated_at}');

-- What a purge did, a row for each category: numbers, no names.
CREATE TABLE personal_data_purge (
    id          uuid NOT NULL DEFAULT uuidv7(),
    run_id      uuid NOT NULL,
    category    text COLLATE "C" NOT NULL,
    due_count       integer NOT NULL,            -- records whose day had come
    removed_count   integer NOT NULL,            -- destroyed or made anonymous
    extended_count  integer NOT NULL,            -- still needed, and given a later day
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT personal_data_purge_pkey PRIMARY KEY (id),
    CONSTRAINT personal_data_purge_run_key UNIQUE (run_id, category),
    CONSTRAINT personal_data_purge_category_fkey FOREIGN KEY (category) REFERENCES personal_data_category (code),
    CONSTRAINT personal_data_purge_counts_check CHECK (removed_count >= 0 AND extended_count >= 0
        AND due_count = removed_count + extended_count)
);
CREATE INDEX personal_data_purge_category_idx ON personal_data_purge (category, id);
SELECT audit_attach('personal_data_purge', '{id}');

-- ---- every personal record says why it is kept, on which ground, since when and until when --------------------------------
-- db/functions/personal_data.sql fills these from the category (personal_data_stamp).

ALTER TABLE person ADD COLUMN purpose text, ADD COLUMN legal_basis text, ADD COLUMN collected_at timestamptz, ADD COLUMN retain_until date,
    ADD COLUMN restricted_at timestamptz, ADD COLUMN restricted_until date;
ALTER TABLE training_participant ADD COLUMN purpose text, ADD COLUMN legal_basis text, ADD COLUMN collected_at timestamptz,
    ADD COLUMN retain_until date;
ALTER TABLE team_member ADD COLUMN purpose text, ADD COLUMN legal_basis text, ADD COLUMN collected_at timestamptz,
    ADD COLUMN retain_until date, ADD COLUMN erased_at timestamptz;
ALTER TABLE person_contact ADD COLUMN legal_basis text, ADD COLUMN collected_at timestamptz, ADD COLUMN retain_until date;
ALTER TABLE organization_contact ADD COLUMN legal_basis text, ADD COLUMN collected_at timestamptz, ADD COLUMN retain_until date;
ALTER TABLE client ADD COLUMN owner_purpose text, ADD COLUMN owner_legal_basis text, ADD COLUMN owner_collected_at timestamptz,
    ADD COLUMN owner_retain_until date;
ALTER TABLE library ADD COLUMN contact_purpose text, ADD COLUMN contact_legal_basis text, ADD COLUMN contact_collected_at timestamptz,
    ADD COLUMN contact_retain_until date;

-- What is there already: collected when it was made. No version of a record changes by this.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM (VALUES ('person', 'actor', '', true, 'true'), ('training_participant', 'trainee', '', true, 'true'),
                                     ('team_member', 'team_member', '', true, 'true'), ('person_contact', 'contact', '', false, 'true'),
                                     ('organization_contact', 'office_contact', '', false, 'true'),
                                     ('client', 'client_owner', 'owner_', true, 'num_nonnulls(owner_name, owner_email) > 0'),
                                     ('library', 'library_contact', 'contact_', true, 'num_nonnulls(phone, email) > 0'))
                             AS t (name, category, prefix, with_purpose, has_data) LOOP
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', one.name);
        EXECUTE format('UPDATE %I SET %2$slegal_basis = c.legal_basis, %2$scollected_at = %1$I.created_at'
            ', %2$sretain_until = CASE WHEN c.retention_from IN (''collected'', ''last_activity'')'
            '  THEN (%1$I.created_at AT TIME ZONE ''Asia/Jakarta'' + make_interval(months => c.retention_months))::date END'
            || CASE WHEN one.with_purpose THEN ', %2$spurpose = c.code' ELSE '' END
            || ' FROM personal_data_category c WHERE c.code = %3$L AND ' || one.has_data, one.name, one.prefix, one.category);
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', one.name);
    END LOOP;
END
$$;

ALTER TABLE person ALTER COLUMN purpose SET NOT NULL, ALTER COLUMN legal_basis SET NOT NULL, ALTER COLUMN collected_at SET NOT NULL,
    ADD CONSTRAINT person_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation', 'vital_interest',
        'public_task', 'legitimate_interest')),
    ADD CONSTRAINT person_retain_until_check CHECK (isfinite(retain_until)),
    ADD CONSTRAINT person_restricted_check CHECK (isfinite(restricted_until) AND (restricted_at IS NOT NULL OR restricted_until IS NULL));
ALTER TABLE training_participant ALTER COLUMN purpose SET NOT NULL, ALTER COLUMN legal_basis SET NOT NULL,
    ALTER COLUMN collected_at SET NOT NULL,
    ADD CONSTRAINT training_participant_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation',
        'vital_interest', 'public_task', 'legitimate_interest')),
    ADD CONSTRAINT training_participant_retain_until_check CHECK (isfinite(retain_until));
-- A member whose name was erased may be nobody at all; the membership and the decree stand.
ALTER TABLE team_member ALTER COLUMN purpose SET NOT NULL, ALTER COLUMN legal_basis SET NOT NULL, ALTER COLUMN collected_at SET NOT NULL,
    ADD CONSTRAINT team_member_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation', 'vital_interest',
        'public_task', 'legitimate_interest')),
    ADD CONSTRAINT team_member_retain_until_check CHECK (isfinite(retain_until)),
    DROP CONSTRAINT team_member_who_check,
    ADD CONSTRAINT team_member_who_check CHECK ((num_nonnulls(person_id, name, position) > 0 OR erased_at IS NOT NULL)
        AND num_nonnulls(person_id, name) <= 1 AND (name IS NULL OR erased_at IS NULL));
ALTER TABLE person_contact ALTER COLUMN legal_basis SET NOT NULL, ALTER COLUMN collected_at SET NOT NULL,
    ADD CONSTRAINT person_contact_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation', 'vital_interest',
        'public_task', 'legitimate_interest')),
    ADD CONSTRAINT person_contact_retain_until_check CHECK (isfinite(retain_until));
ALTER TABLE organization_contact ALTER COLUMN legal_basis SET NOT NULL, ALTER COLUMN collected_at SET NOT NULL,
    ADD CONSTRAINT organization_contact_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation',
        'vital_interest', 'public_task', 'legitimate_interest')),
    ADD CONSTRAINT organization_contact_retain_until_check CHECK (isfinite(retain_until));
ALTER TABLE client
    ADD CONSTRAINT client_owner_retain_until_check CHECK (isfinite(owner_retain_until)),
    ADD CONSTRAINT client_owner_legal_basis_check CHECK (num_nonnulls(owner_name, owner_email) = 0
        OR num_nonnulls(owner_purpose, owner_legal_basis, owner_collected_at) = 3);
ALTER TABLE library
    ADD CONSTRAINT library_contact_retain_until_check CHECK (isfinite(contact_retain_until)),
    ADD CONSTRAINT library_contact_legal_basis_check CHECK (num_nonnulls(phone, email) = 0
        OR num_nonnulls(contact_purpose, contact_legal_basis, contact_collected_at) = 3);
ALTER TABLE app_user ADD CONSTRAINT app_user_legal_basis_check CHECK (legal_basis IN ('consent', 'contract', 'legal_obligation',
    'vital_interest', 'public_task', 'legitimate_interest'));

-- What the purge looks for.
CREATE INDEX person_retain_idx ON person (retain_until) WHERE erased_at IS NULL;
CREATE INDEX person_restricted_idx ON person (restricted_until) WHERE restricted_at IS NOT NULL;
CREATE INDEX training_participant_retain_idx ON training_participant (retain_until) WHERE erased_at IS NULL;
CREATE INDEX team_member_retain_idx ON team_member (retain_until) WHERE name IS NOT NULL;
CREATE INDEX person_contact_retain_idx ON person_contact (retain_until);
CREATE INDEX organization_contact_retain_idx ON organization_contact (retain_until);
CREATE INDEX app_user_retain_idx ON app_user (retain_until) WHERE erased_at IS NULL;
CREATE INDEX client_owner_retain_idx ON client (owner_retain_until) WHERE owner_retain_until IS NOT NULL;
CREATE INDEX library_contact_retain_idx ON library (contact_retain_until) WHERE contact_retain_until IS NOT NULL;
