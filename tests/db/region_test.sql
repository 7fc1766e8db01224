-- Regions: what a code says, how a region is retired, what became of it.
BEGIN;
\ir fixture.psql
SELECT plan(30);

SELECT is((SELECT array_agg(level ORDER BY code) FROM region WHERE code IN ('97', '97.01', '97.01.01', '97.01.01.2001')),
          '{province,regency,district,village}', 'the level is what the code says');
SELECT is((SELECT parent_code FROM region WHERE code = '97.01.01.2001'), '97.01.01', 'the parent is the prefix');
SELECT is((SELECT parent_code FROM region WHERE code = '97'), NULL, 'a province has no parent');

PREPARE region(text, text) AS INSERT INTO region (code, name, type) VALUES ($1, 'Nama', $2);
SELECT throws_ok(format('EXECUTE region(%L, %L)', code, type), '23514', NULL, code || ' as ' || type || ' is refused')
FROM (VALUES ('9701', 'kabupaten'), ('97.', 'kabupaten'), ('97.1', 'kabupaten'), ('97.00', 'kabupaten'), ('97.70', 'kota'),
             ('97.03', 'kota'), ('97.72', 'kabupaten'), ('97.01.02', 'desa'), ('97.01.01.4001', 'desa'),
             ('97.01.01.1004', 'desa'), ('97.01.01.2004', 'kelurahan'), ('97.01.01.3001', 'desa'), ('96', 'kota'),
             ('97.01.01.2001.1', 'desa')) AS wrong (code, type);
SELECT lives_ok($$EXECUTE region('97.69', 'kabupaten_administrasi')$$, 'a kabupaten may be 69');
SELECT lives_ok($$EXECUTE region('97.99', 'kota_administrasi')$$, 'a kota may be 99');
SELECT throws_ok($$EXECUTE region('97.55.01', 'kecamatan')$$, '23503', NULL, 'a region without its parent is refused');
SELECT throws_ok($$INSERT INTO region (code, name, type) VALUES ('96', ' ', 'provinsi')$$, '23514', NULL, 'a region has a name');
SELECT throws_ok($$UPDATE region SET valid_to = 'infinity' WHERE code = '97.71'$$, '23514', NULL, 'validity is finite');
SELECT throws_ok($$UPDATE region SET valid_from = '2020-01-02', valid_to = '2020-01-01' WHERE code = '97.71'$$, '23514', NULL,
                 'validity does not end before it begins');

SELECT throws_ok($$DELETE FROM region WHERE code = '97.01.01.1003'$$, '23001', NULL, 'a region is never deleted');
SELECT throws_ok($$TRUNCATE region CASCADE$$, '23001', NULL, 'nor are all of them');
SELECT throws_ok($$UPDATE region SET code = '97.01.01.1005' WHERE code = '97.01.01.1003'$$, '23001', NULL, 'a code never changes');

SELECT throws_ok($$INSERT INTO region_successor (code, successor_code) VALUES ('97.01.01.2001', '97.01.01.2002')$$, '23514', NULL,
                 'a region in force has no successor');
INSERT INTO region_successor (code, successor_code) VALUES ('97.01.01.2009', '97.01.01.3004'), ('97.01.01.2009', '97.01.01.2001');
SELECT is((SELECT successors FROM region WHERE code = '97.01.01.2009'), '["97.01.01.2001", "97.01.01.3004"]',
          'a retired region shows its successors, and that is a new version of it');
DELETE FROM region_successor WHERE successor_code = '97.01.01.2001';
SELECT is((SELECT (successors, row_version)::text FROM region WHERE code = '97.01.01.2009'), '("[""97.01.01.3004""]",3)',
          'and follows when one is taken back');
SELECT throws_ok($$UPDATE region SET valid_to = NULL WHERE code = '97.01.01.2009'$$, '23514', NULL,
                 'a region with successors does not come into force again');

SELECT finish();
ROLLBACK;
