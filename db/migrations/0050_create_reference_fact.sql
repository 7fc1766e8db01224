-- Which shipped facts were brought in, so that none comes twice: one that somebody removed or replaced stays as it was left.
CREATE TABLE reference_fact (
    kind       text COLLATE "C" NOT NULL,        -- the table it stands in
    key        text COLLATE "C" NOT NULL,        -- its key there
    loaded_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reference_fact_pkey PRIMARY KEY (kind, key)
);
SELECT audit_attach('reference_fact', '{kind,key}');
