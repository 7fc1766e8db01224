-- The ground: days, ids, words, ranges, refusals, claims.
BEGIN;
\ir fixture.psql
SELECT plan(42);

SELECT is(today(), (now() AT TIME ZONE 'Asia/Jakarta')::date, 'a day is a day in Asia/Jakarta');
SET LOCAL timezone = 'America/New_York';
SELECT is(today(), (now() AT TIME ZONE 'Asia/Jakarta')::date, 'wherever the session thinks it is');
SELECT is(rfc3339('2026-11-21 06:00:00.5-05'), '2026-11-21T11:00:00.500000Z', 'timestamps in JSON are UTC');
SELECT matches(uuidv7()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'a UUID of version 7');
SELECT ok(abs(('x' || left(replace(uuidv7()::text, '-', ''), 12))::bit(48)::bigint - extract(epoch FROM clock_timestamp()) * 1000) < 1000,
          'begins with the time');
SELECT isnt(uuidv7(), uuidv7(), 'no two are equal');

SELECT is(words('  Désa  Ma''rang-2, (Lama) '), '{desa,ma,rang,2,lama}', 'words without accents, case and signs');
SELECT ok(name_vector('Perpustakaan Désa Mawar') @@ name_query(q), format('%L finds Désa Mawar', q))
FROM (VALUES ('mawar'), ('MAW'), ('desa maw'), ('perp, mawar'), ('Désa')) AS q (q);
SELECT ok(NOT name_vector('Perpustakaan Désa Mawar') @@ name_query(q), format('%L does not', q))
FROM (VALUES ('awar'), ('mawar melati'), ('...'), (' '), ('''')) AS q (q);
SELECT is_empty($$
    SELECT n, q FROM (VALUES
        ('Sitio-tio', ARRAY['sitio-tio', 'sitiotio', 'sitio tio', 'sitio', 'tio', 'TIO Sit', E'Sitio\u2011tio', 'si''tiotio']),
        ('Sitiotio', ARRAY['sitio-tio', 'sitiotio']), ('Sitio Tio', ARRAY['sitio-tio', 'sitio tio']),
        ('Ma''rang', ARRAY['marang', 'ma''rang', E'Ma\u2019rang', 'ma rang', 'ma-rang', 'mar']), ('Marang', ARRAY['ma''rang', 'ma`rang']),
        ('Sa''dan-Ulu', ARRAY['sadanulu', 'sa''dan ulu', 'sadan-ulu', 'sa dan ulu', 'danulu', 'ulu']),
        ('TBM ''Mawar''', ARRAY['mawar', '''mawar''', '''maw']), ('Baca- -Baca', ARRAY['baca baca', '-baca', 'baca-'])) AS names (n, queries), unnest(queries) q
    WHERE NOT name_vector(n) @@ name_query(q)$$, 'a name is found with its apostrophes and hyphens, without them, and by blanks in their place');
SELECT is_empty($$
    SELECT n, q FROM (VALUES ('Danau Sarang Elang', 'sa''dan'), ('Sitio-tio', 'itio'), ('Sitiotio', 'tio'), ('Ma''rang', 'arang'), ('Tio', 'sitio-tio')) AS names (n, q)
    WHERE name_vector(n) @@ name_query(q)$$, 'and by nothing else');
SELECT is_empty($$
    SELECT n FROM regexp_split_to_table(E'''`\u00B4\u02B9\u02BB\u02BC\u02BD\u02BE\u02BF\u02C0\u02C8\u02CA\u02CB\u2018\u2019\u201B\u2032\u2035\uA78C\uFF07'
        || E'-\u00AD\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uFE63\uFF0D', '') sign, unnest(ARRAY['Ma' || sign || 'rang', 'Ma' || sign || sign || 'rang']) n
    WHERE NOT (name_vector(n) @@ name_query('marang') AND name_vector(n) @@ name_query('rang') AND name_vector('Marang') @@ name_query(n))$$,
    'whatever sign is written for an apostrophe or a hyphen');

SELECT is(text_line(E'  Perpustakaan\u00A0\u3000Cafe\u0301\n'), 'Perpustakaan Café', 'one line in its form');
SELECT is(text_free(E'\n satu\n\n  dua \r\n'), E'satu\n\n  dua', 'several lines keep theirs');
SELECT ok(is_name(n) AND is_line(n) AND is_free(n), format('%L is a name', n)) FROM (VALUES ('Ma''rang'), ('Café 2')) AS n (n);
SELECT is_empty($$
    SELECT n FROM unnest(ARRAY['', ' a', 'a ', 'a  b', '-', '0', E'a\tb', E'a\u00A0b', E'a\u200B', E'a\u202Eb', E'\u2800', E'\u3164', E'\u115F', E'\uFEFFa', E'a\uFE0F',
                               E'\u00AD', E'\u0301', E'a \u0301', E'\uE000', E'\uFFFE', U&'\+10FFFF', U&'\+0E0041', E'e\u0301', E'a\u0085b', E'a\u2028b']) n
    WHERE is_line(n) OR is_name(n)$$, 'none of these is a line');
SELECT is((SELECT array_agg(is_free(n)) FROM unnest(ARRAY[E'\u200B', E'\u200B \u2060', E'\u0301', E'a\u200Bb', E'\u200B-', NULL]) n), '{f,f,f,t,t,NULL}',
    'free text may have marks that only join, beside something that is seen');
SELECT is(text_key(E' BANK\u00A0 \uFF22RI '), text_key('bank bri'), 'names compare without case, blanks and width');
SELECT is((SELECT array_agg(identifier_key(s, a) = identifier_key(s, b)) FROM (VALUES ('onesearch', 'IOS1', ' ios1'), ('other', 'Ab', 'AB'), ('npsn', '6970-1234', '69701234')) v (s, a, b)),
    '{t,f,t}', 'identifiers compare as their scheme has it');

SELECT is((SELECT array_agg(library_rank(k)) FROM unnest('{national,provincial,regency,district,village,tbm}'::text[]) k), '{1,2,3,4,5,6}',
          'kinds in the order of the hierarchy');
SELECT ok(region_contains('19', '19.01') AND region_contains('19', '19') AND region_contains(NULL, NULL) AND region_contains(NULL, '19')
          AND NOT region_contains('19.01', '19') AND NOT region_contains('19.01', '19.010') AND NOT region_contains('19', '20.19')
          AND NOT region_contains('19', NULL), 'a region contains itself and what is below it');
SELECT ok(in_reach('19.01', 3, '{19}', '{19/}', '{3}'), 'in reach');
SELECT ok(NOT in_reach('19.01', 2, '{19}', '{19/}', '{3}'), 'but not above its rank');
SELECT ok(NOT in_reach('20', 3, '{19}', '{19/}', '{3}'), 'nor elsewhere');
SELECT ok(in_reach('20', 6, '{19,20}', '{19/,20/}', '{3,5}') AND NOT in_reach('20', 4, '{19,20}', '{19/,20/}', '{3,5}'), 'each range has its own rank');
SELECT ok(NOT in_reach('19', 6, NULL, NULL, NULL), 'no list, no reach');
SELECT ok(in_reach('', 1, '{""}', '{~}', '{1}') AND in_reach('19', 6, '{""}', '{~}', '{1}'), 'the whole nation');

SELECT throws_ok($$SELECT refuse('npp_taken', '{"a": "b"}')$$, 'TB001', 'refused: npp_taken', 'a refusal has a SQLSTATE of its own');

SELECT is(claim_id(pg_temp.l(50), 'c1', 'create_library', '\x01'), 'new', 'an id is new once');
SELECT is(claim_id(pg_temp.l(50), 'c1', 'create_library', '\x01'), 'same', 'and then the same, for the same caller and body');
SELECT throws_ok(format('SELECT claim_id(pg_temp.l(50), %s)', other), 'TB001', 'refused: id_taken', other || ' is another')
FROM (VALUES ($$'c2', 'create_library', '\x01'$$), ($$'c1', 'move_library', '\x01'$$), ($$'c1', 'create_library', '\x02'$$)) AS o (other);

SELECT finish();
ROLLBACK;
