-- Organizations and people. Contacts stand in tables of their own, which no list and no published answer reads.
CREATE TABLE organization (
    id           uuid NOT NULL DEFAULT uuidv7(),
    name         text COLLATE "C" NOT NULL,
    sector       text COLLATE "C" NOT NULL,
    region_code  text COLLATE "C",               -- NULL: of the whole nation, or not known
    place        text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(region_code, '')) STORED,
    website      text,
    note         text,
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organization_pkey PRIMARY KEY (id),
    CONSTRAINT organization_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT organization_name_check CHECK (btrim(name) <> '' AND length(name) <= 300),
    CONSTRAINT organization_sector_check CHECK (sector IN ('library_agency', 'planning_agency', 'village_empowerment',
        'other_regional_agency', 'university', 'private_sector', 'chamber_of_commerce', 'bank', 'media', 'reading_community',
        'profession_forum', 'civil_society', 'foundation', 'ministry', 'other')),
    CONSTRAINT organization_website_check CHECK (btrim(website) <> '' AND length(website) <= 2048),
    CONSTRAINT organization_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX organization_name_idx ON organization (name, id, sector, updated_at);
CREATE INDEX organization_place_idx ON organization (place, name, id);
CREATE INDEX organization_region_idx ON organization (region_code);
CREATE INDEX organization_sector_idx ON organization (sector, name, id);
CREATE INDEX organization_updated_at_idx ON organization (updated_at, id);
CREATE INDEX organization_words_idx ON organization USING gin (words_vector(name)) WITH (fastupdate = off);
SELECT audit_attach('organization', '{id}', '{}', '{row_version,updated_at,place}');

CREATE TABLE organization_contact (
    organization_id  uuid NOT NULL,
    phone            text,
    email            text,
    address          text,
    purpose          text NOT NULL,              -- what it is kept for
    row_version      bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organization_contact_pkey PRIMARY KEY (organization_id),
    CONSTRAINT organization_contact_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization (id),
    CONSTRAINT organization_contact_phone_check CHECK (btrim(phone) <> '' AND length(phone) <= 60),
    CONSTRAINT organization_contact_email_check CHECK (email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 320),
    CONSTRAINT organization_contact_address_check CHECK (btrim(address) <> '' AND length(address) <= 1000),
    CONSTRAINT organization_contact_purpose_check CHECK (btrim(purpose) <> '' AND length(purpose) <= 1000)
);
SELECT audit_attach('organization_contact', '{organization_id}', '{phone,email,address}', '{row_version,updated_at}');

-- A person is published (name, position, organization) while acting in a public team or certified as a facilitator;
-- everybody else's name is for those in whose reach the person works. An erased person keeps the row, so that
-- counts and decrees stand.
CREATE TABLE person (
    id               uuid NOT NULL DEFAULT uuidv7(),
    name             text COLLATE "C",           -- NULL only when erased
    position         text,
    organization_id  uuid,
    library_id       uuid,
    region_code      text COLLATE "C",           -- where the person works; unless told the library's, else the organization's
    place            text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(region_code, '')) STORED,
    acts_in_team     boolean NOT NULL DEFAULT false, -- kept by the rules of Tim Sinergi
    facilitates      boolean NOT NULL DEFAULT false, -- kept by the rules of certification
    published        boolean NOT NULL GENERATED ALWAYS AS (acts_in_team OR facilitates) STORED,
    erased_at        timestamptz,
    row_version      bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT person_pkey PRIMARY KEY (id),
    CONSTRAINT person_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization (id),
    CONSTRAINT person_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT person_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT person_name_check CHECK (btrim(name) <> '' AND length(name) <= 200),
    CONSTRAINT person_erased_check CHECK ((name IS NULL) = (erased_at IS NOT NULL)),
    CONSTRAINT person_position_check CHECK (btrim(position) <> '' AND length(position) <= 200)
);
CREATE INDEX person_organization_idx ON person (organization_id, id);
CREATE INDEX person_library_idx ON person (library_id, id);
CREATE INDEX person_region_idx ON person (region_code);
CREATE INDEX person_place_idx ON person (place, id, published);
CREATE INDEX person_published_idx ON person (published, id);
CREATE INDEX person_updated_at_idx ON person (updated_at, id, published);
CREATE INDEX person_words_idx ON person USING gin (words_vector(name)) WITH (fastupdate = off);
SELECT audit_attach('person', '{id}', '{name,position}', '{row_version,updated_at,place,published}');

CREATE TABLE person_contact (
    person_id    uuid NOT NULL,
    phone        text,
    email        text,
    address      text,
    purpose      text NOT NULL,                  -- what it is kept for
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT person_contact_pkey PRIMARY KEY (person_id),
    CONSTRAINT person_contact_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT person_contact_phone_check CHECK (btrim(phone) <> '' AND length(phone) <= 60),
    CONSTRAINT person_contact_email_check CHECK (email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 320),
    CONSTRAINT person_contact_address_check CHECK (btrim(address) <> '' AND length(address) <= 1000),
    CONSTRAINT person_contact_purpose_check CHECK (btrim(purpose) <> '' AND length(purpose) <= 1000)
);
SELECT audit_attach('person_contact', '{person_id}', '{phone,email,address}', '{row_version,updated_at}');
