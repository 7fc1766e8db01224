-- Libraries and their hierarchy in time.
--
-- Where a library stands and who supervises it is a dated placement; the columns region_code, supervisor_id,
-- placed_from and closed_on of library are the latest placement's, kept by trigger. A library inserted with a region_code
-- (or of kind national) gets its first placement from its own columns: region_code, supervisor_id, founded_on as the
-- start, closed_on as the end. A library inserted without one must get a placement before its transaction ends.
CREATE TABLE library (
    id              uuid NOT NULL DEFAULT uuidv7(),
    npp             text COLLATE "C",
    name            text COLLATE "C" NOT NULL,
    words           tsvector NOT NULL GENERATED ALWAYS AS (words_vector(name)) STORED,
    kind            text COLLATE "C" NOT NULL,
    status          text COLLATE "C" NOT NULL DEFAULT 'active',
    region_code     text COLLATE "C",
    supervisor_id   uuid,
    placed_from     date,                        -- since when it stands there; NULL: before anything we know
    place           text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(region_code, '')) STORED,
    address         text,
    postal_code     text,
    latitude        double precision,
    longitude       double precision,
    location        cube GENERATED ALWAYS AS (earth_point(latitude, longitude)) STORED,
    located         boolean NOT NULL GENERATED ALWAYS AS (latitude IS NOT NULL) STORED,
    phone           text,
    email           text,
    contact_public  boolean NOT NULL,            -- unless told: true, but false for village and tbm
    website         text,
    founded_on      date,
    computers       integer,                     -- these seven are the latest of library_fact
    servers         integer,
    internet_mbps   double precision,
    staff_count     integer,
    titles          integer,
    copies          integer,
    digital_titles  integer,
    applications    jsonb NOT NULL DEFAULT '[]', -- [{name, version}]
    identifiers     jsonb NOT NULL DEFAULT '[]', -- [{scheme, value}], kept by trigger from library_identifier
    closed_on       date,                        -- the last day it was open
    closed_at       timestamptz,                 -- when that was recorded
    row_version     bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT library_pkey PRIMARY KEY (id),
    CONSTRAINT library_npp_key UNIQUE (npp),
    CONSTRAINT library_npp_check CHECK (npp ~ '^[0-9]{7}[A-Z][0-9]{7}$'),
    CONSTRAINT library_name_check CHECK (btrim(name) <> '' AND length(name) <= 300),
    CONSTRAINT library_kind_check CHECK (kind IN ('national', 'provincial', 'regency', 'district', 'village', 'tbm')),
    CONSTRAINT library_status_check CHECK (status IN ('planned', 'active', 'inactive', 'closed')),
    CONSTRAINT library_closed_check CHECK ((status = 'closed') = (closed_on IS NOT NULL)
                                           AND (status = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT library_closed_on_check CHECK (isfinite(closed_on)),
    CONSTRAINT library_address_check CHECK (btrim(address) <> '' AND length(address) <= 1000),
    CONSTRAINT library_postal_code_check CHECK (postal_code ~ '^[0-9]{5}$'),
    CONSTRAINT library_location_check CHECK ((latitude IS NULL) = (longitude IS NULL)),
    CONSTRAINT library_latitude_check CHECK (latitude BETWEEN -90 AND 90),
    CONSTRAINT library_longitude_check CHECK (longitude BETWEEN -180 AND 180),
    CONSTRAINT library_phone_check CHECK (btrim(phone) <> '' AND length(phone) <= 60),
    CONSTRAINT library_email_check CHECK (email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 320),
    CONSTRAINT library_website_check CHECK (btrim(website) <> '' AND length(website) <= 2048),
    CONSTRAINT library_placed_from_check CHECK (isfinite(placed_from)),
    CONSTRAINT library_founded_on_check CHECK (isfinite(founded_on)),
    CONSTRAINT library_computers_check CHECK (computers >= 0),
    CONSTRAINT library_servers_check CHECK (servers >= 0),
    CONSTRAINT library_internet_mbps_check CHECK (internet_mbps >= 0 AND internet_mbps < 'Infinity'),
    CONSTRAINT library_staff_count_check CHECK (staff_count >= 0),
    CONSTRAINT library_titles_check CHECK (titles >= 0),
    CONSTRAINT library_copies_check CHECK (copies >= 0),
    CONSTRAINT library_digital_titles_check CHECK (digital_titles >= 0),
    CONSTRAINT library_applications_check CHECK (jsonb_typeof(applications) = 'array'),
    CONSTRAINT library_identifiers_check CHECK (jsonb_typeof(identifiers) = 'array')
);
CREATE UNIQUE INDEX library_national_key ON library (kind) WHERE kind = 'national';
-- The orders of lists. What else is asked of them stands behind the key, so that a filter is decided
-- in the index and a rare match does not cost a walk over the table.
CREATE INDEX library_place_idx ON library
    (place, id, kind, status, updated_at, coalesce(placed_from, '-infinity'), coalesce(closed_on, 'infinity'));
CREATE INDEX library_name_idx ON library
    (name, id, kind, status, updated_at, coalesce(placed_from, '-infinity'), coalesce(closed_on, 'infinity'));
CREATE INDEX library_updated_at_idx ON library
    (updated_at, id, kind, status, coalesce(placed_from, '-infinity'), coalesce(closed_on, 'infinity'));
CREATE INDEX library_supervisor_idx ON library (supervisor_id, place, id, kind, status, updated_at);
CREATE INDEX library_located_idx ON library (located, place, id, kind, status, updated_at);
CREATE INDEX library_words_idx ON library USING gin (words) WITH (fastupdate = off);
CREATE INDEX library_location_idx ON library USING gist (location);
SELECT audit_attach('library', '{id}', '{phone,email}', '{row_version,updated_at,words,place,location,located,placed_from}');

-- The owner of every rule that spans several libraries. Whoever writes a placement first makes a new version of
-- these rows, of the library and its supervisors, in the order of their ids: so two writers whose changes
-- could break a rule together collide here, at every isolation level, and never on a foreign key.
CREATE TABLE library_lock (
    library_id  uuid NOT NULL,
    holder      xid8 NOT NULL,                   -- the last transaction that held it
    held_at     timestamptz NOT NULL,
    CONSTRAINT library_lock_pkey PRIMARY KEY (library_id),
    CONSTRAINT library_lock_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id)
);

-- Where a library stood, and under whom, from a day to a day (both included). On a day without one it was not there.
CREATE TABLE library_placement (
    id                   uuid NOT NULL DEFAULT uuidv7(),
    library_id           uuid NOT NULL,
    kind                 text COLLATE "C" NOT NULL, -- the library's, which never changes; kept by trigger
    region_code          text COLLATE "C",       -- NULL: the national library
    supervisor_id        uuid,
    place                text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(region_code, '')) STORED,
    starts_on            date,                   -- NULL: before anything we know
    starts_on_precision  text,
    ends_on              date,                   -- NULL: until now
    period               daterange NOT NULL GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
    reason               text,
    source               text,
    note                 text,
    row_version          bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT library_placement_pkey PRIMARY KEY (id),
    CONSTRAINT library_placement_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT library_placement_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT library_placement_supervisor_id_fkey FOREIGN KEY (supervisor_id) REFERENCES library (id),
    CONSTRAINT library_placement_period_excl EXCLUDE USING gist (library_id WITH =, period WITH &&)
        DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT library_placement_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on),
    CONSTRAINT library_placement_precision_check CHECK (starts_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT library_placement_reason_check CHECK (btrim(reason) <> '' AND length(reason) <= 1000)
);
-- The first is that of a hierarchy as of a day: whether a placement covers it is decided in the index. The second
-- is of those that have ended, which a list as of a day adds to the libraries that stand where they stood.
CREATE INDEX library_placement_place_idx ON library_placement
    (place, library_id, kind, coalesce(starts_on, '-infinity'), coalesce(ends_on, 'infinity'));
CREATE INDEX library_placement_ended_idx ON library_placement (place, library_id, ends_on) WHERE ends_on IS NOT NULL;
CREATE INDEX library_placement_supervisor_idx ON library_placement (supervisor_id, place, library_id);
CREATE INDEX library_placement_library_idx ON library_placement (library_id, starts_on);
CREATE INDEX library_placement_region_idx ON library_placement (region_code);
SELECT audit_attach('library_placement', '{id}', '{}', '{row_version,updated_at,place,period,kind}');

-- One dated fact each; the latest of a kind is shown in the library's profile. A NULL value: no longer known.
CREATE TABLE library_fact (
    library_id   uuid NOT NULL,
    fact         text COLLATE "C" NOT NULL,
    recorded_on  date NOT NULL DEFAULT today(),
    value        double precision,
    source       text,
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT library_fact_pkey PRIMARY KEY (library_id, fact, recorded_on),
    CONSTRAINT library_fact_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT library_fact_fact_check CHECK (fact IN ('computers', 'servers', 'internet_mbps', 'staff_count',
                                                       'titles', 'copies', 'digital_titles')),
    CONSTRAINT library_fact_recorded_on_check CHECK (isfinite(recorded_on)),
    CONSTRAINT library_fact_value_check CHECK (value >= 0 AND value < 'Infinity'
                                               AND (fact = 'internet_mbps' OR value = floor(value) AND value < 2147483648))
);
SELECT audit_attach('library_fact', '{library_id,fact,recorded_on}', '{}', '{row_version,updated_at}');

-- What other systems call a library.
CREATE TABLE library_identifier (
    library_id   uuid NOT NULL,
    scheme       text COLLATE "C" NOT NULL,
    value        text COLLATE "C" NOT NULL,
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT library_identifier_pkey PRIMARY KEY (library_id, scheme),
    CONSTRAINT library_identifier_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT library_identifier_value_key UNIQUE (scheme, value),
    CONSTRAINT library_identifier_scheme_check CHECK (scheme IN ('inlislite_registration', 'inlislite_kii', 'onesearch',
                                                                 'npsn', 'sim_tpbis', 'other')),
    CONSTRAINT library_identifier_value_check CHECK (btrim(value) <> '' AND length(value) <= 200)
);
SELECT audit_attach('library_identifier', '{library_id,scheme}', '{}', '{row_version,updated_at}');

-- What a new edition of the codes left for a person to settle.
CREATE TABLE region_review (
    id           uuid NOT NULL DEFAULT uuidv7(),
    edition      text COLLATE "C" NOT NULL,
    region_code  text COLLATE "C" NOT NULL,
    reason       text NOT NULL,
    library_id   uuid,
    note         text,
    settled_on   date,
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT region_review_pkey PRIMARY KEY (id),
    CONSTRAINT region_review_edition_fkey FOREIGN KEY (edition) REFERENCES region_edition (edition),
    CONSTRAINT region_review_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT region_review_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT region_review_settled_on_check CHECK (isfinite(settled_on))
);
CREATE INDEX region_review_edition_idx ON region_review (edition);
CREATE INDEX region_review_region_idx ON region_review (region_code);
CREATE INDEX region_review_library_idx ON region_review (library_id);
SELECT audit_attach('region_review', '{id}', '{}', '{row_version,updated_at}');
