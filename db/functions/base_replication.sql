-- What generated columns and checks of replications stand on; before the migrations, like everything that begins with base.

-- Funds of the centre make a replication the centre's; own funds alone make it self-funded; of no funds on record it is
-- not said to be.
CREATE OR REPLACE FUNCTION replication_self_funded(funding jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_array_length(funding) > 0 AND NOT funding @? '$[*] ? (@.source == "apbn" || @.source == "dak_fisik")';

-- Every entry names a source; an amount is whole rupiah.
CREATE OR REPLACE FUNCTION replication_funding_good(funding jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT EXISTS (
    SELECT FROM jsonb_array_elements(funding) AS f (one)
    WHERE jsonb_typeof(f.one) <> 'object'
       OR coalesce(NOT (f.one ->> 'source') = ANY ('{apbn,apbd_provinsi,apbd_kabupaten_kota,apbd,apbdes,dana_desa,dak_fisik,csr,donation,community,other}'::text[]), true)
       OR coalesce(NOT (f.one ->> 'amount') ~ '^[0-9]{1,18}$', false));
