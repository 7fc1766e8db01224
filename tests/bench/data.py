"""85,000 libraries for the benchmark: names, addresses and figures as real ones have, made up, in bulk."""

LIBRARIES = 85000
# A kabupaten with enough villages that a page of 50 is full.
WITHIN = "33.05"

FILL = """
SET tpbis.bulk = 'on';
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT uuidv7() AS id, r.code AS region_code, r.name, row_number() OVER (ORDER BY md5(r.code)) AS n
FROM region r WHERE r.level = 'village' AND r.valid_to IS NULL
ORDER BY md5(r.code) LIMIT %(count)s;
INSERT INTO library (id, name, kind, status, address, postal_code, latitude, longitude, website, applications)
SELECT id, 'Perpustakaan "Cendekia" ' || name || ' – ' || n, 'village', 'active',
       'Jalan Raya No. ' || n || E'\\nDesa ' || name, lpad((n %% 100000)::text, 5, '0'),
       -10 + (n %% 1500) / 100.0, 95 + (n %% 4600) / 100.0, 'https://desa-' || n || '.example.id',
       '[{"name": "Inlislite", "version": "3.2"}]'
FROM made;
INSERT INTO library_placement (library_id, region_code) SELECT id, region_code FROM made;
INSERT INTO library_fact (library_id, fact, recorded_on, value)
SELECT m.id, f.fact, DATE '2025-01-01', (m.n * 7) %% f.top
FROM made m, (VALUES ('computers', 20), ('titles', 3000), ('copies', 9000), ('internet_mbps', 100)) AS f (fact, top);
RESET tpbis.bulk;
"""


def fill(connection):
    """Fills the database; gives the id of one library and the kabupaten that the page benchmark asks for."""
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"count": LIBRARIES})
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT id::text FROM library WHERE region_code LIKE %s ORDER BY id LIMIT 1", (WITHIN + ".%",))
        return cursor.fetchone()[0], WITHIN
