-- Regions by their official dotted Kemendagri codes. Level and parent are what the code says; a region is
-- retired by an edition (valid_to), never removed, and its code never changes.
CREATE TABLE region (
    code         text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    level        text COLLATE "C" GENERATED ALWAYS AS (region_level(code)) STORED, -- never NULL, by region_code_check
    type         text COLLATE "C" NOT NULL,
    words        tsvector NOT NULL GENERATED ALWAYS AS (words_vector(name)) STORED,
    parent_code  text COLLATE "C" GENERATED ALWAYS AS (region_parent(code)) STORED,
    valid_from   date,                           -- NULL: before anything we know
    valid_to     date,                           -- the last day; NULL: in force
    successors   jsonb NOT NULL DEFAULT '[]',    -- codes, kept by trigger from region_successor
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT region_pkey PRIMARY KEY (code),
    CONSTRAINT region_parent_code_fkey FOREIGN KEY (parent_code) REFERENCES region (code),
    CONSTRAINT region_code_check CHECK (code ~ '^[0-9]{2}(\.(0[1-9]|[1-6][0-9]|7[1-9]|[89][0-9])(\.[0-9]{2}(\.[123][0-9]{3})?)?)?$'),
    CONSTRAINT region_name_check CHECK (btrim(name) <> '' AND length(name) <= 200),
    CONSTRAINT region_type_check CHECK (CASE length(code)
        WHEN 2 THEN type = 'provinsi'
        WHEN 5 THEN type = ANY (CASE WHEN substr(code, 4, 2) < '70' THEN '{kabupaten,kabupaten_administrasi}'
                                     ELSE '{kota,kota_administrasi}' END::text[])
        WHEN 8 THEN type = 'kecamatan'
        WHEN 13 THEN type = CASE substr(code, 10, 1) WHEN '1' THEN 'kelurahan' WHEN '2' THEN 'desa' ELSE 'desa_adat' END
        ELSE false END),
    CONSTRAINT region_validity_check CHECK (isfinite(valid_from) AND isfinite(valid_to) AND valid_from <= valid_to),
    CONSTRAINT region_successors_check CHECK (jsonb_typeof(successors) = 'array')
);
-- The orders of lists, whole and by each filter; updated_at stands behind the key, so that a poll of what
-- changed is decided in the index.
CREATE INDEX region_code_idx ON region (code, updated_at);
CREATE INDEX region_name_idx ON region (name, code, updated_at);
CREATE INDEX region_updated_at_idx ON region (updated_at, code, level, type);
CREATE INDEX region_parent_code_idx ON region (parent_code, code, updated_at);
CREATE INDEX region_parent_name_idx ON region (parent_code, name, code);
CREATE INDEX region_level_code_idx ON region (level, code, updated_at, type);
CREATE INDEX region_level_name_idx ON region (level, name, code, updated_at, type);
CREATE INDEX region_type_code_idx ON region (type, code, updated_at);
CREATE INDEX region_type_name_idx ON region (type, name, code, updated_at);
CREATE INDEX region_words_idx ON region USING gin (words) WITH (fastupdate = off);
SELECT audit_attach('region', '{code}', '{}', '{row_version,updated_at,words}');

-- What a retired code became, where that is certain.
CREATE TABLE region_successor (
    code            text COLLATE "C" NOT NULL,
    successor_code  text COLLATE "C" NOT NULL,
    rule            text NOT NULL DEFAULT 'by_hand', -- how it is known
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT region_successor_pkey PRIMARY KEY (code, successor_code),
    CONSTRAINT region_successor_code_fkey FOREIGN KEY (code) REFERENCES region (code),
    CONSTRAINT region_successor_successor_code_fkey FOREIGN KEY (successor_code) REFERENCES region (code),
    CONSTRAINT region_successor_self_check CHECK (code <> successor_code),
    CONSTRAINT region_successor_level_check CHECK (length(code) = length(successor_code))
);
CREATE INDEX region_successor_successor_idx ON region_successor (successor_code);
SELECT audit_attach('region_successor', '{code,successor_code}');

-- The editions of the codes that were loaded.
CREATE TABLE region_edition (
    edition        text COLLATE "C" NOT NULL,
    in_force_from  date NOT NULL,
    source         text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT region_edition_pkey PRIMARY KEY (edition),
    CONSTRAINT region_edition_in_force_from_key UNIQUE (in_force_from),
    CONSTRAINT region_edition_in_force_from_check CHECK (isfinite(in_force_from))
);
SELECT audit_attach('region_edition', '{edition}');
