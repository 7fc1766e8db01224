"""85,000 libraries for the benchmark: names, addresses and figures as long as real ones, made up, in bulk.

One per village of the reference data, then reading gardens (tbm) until there are enough. Row triggers are left out
(as a restore leaves them out), because they cost minutes; everything they would have written is written here, and
`check` proves it, so that the tables are what the service itself would have made of the same libraries."""

LIBRARIES = 85000
MARK = b".example.id"  # once in each
WITHIN = "33.05"  # a kabupaten with 460 villages: every page of 50 is full and has a next one

FILL = """
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT uuidv7() AS id, v.kind, v.code AS region_code, v.name, v.n
FROM (SELECT r.code, r.name, k.kind, row_number() OVER (ORDER BY k.kind DESC, md5(r.code)) AS n
      FROM region r CROSS JOIN (VALUES ('village'), ('tbm')) AS k (kind)
      WHERE r.level = 'village' AND r.valid_to IS NULL) v
WHERE v.n <= %(count)s;

INSERT INTO library (id, name, kind, status, region_code, address, postal_code, latitude, longitude, contact_public,
    website, computers, internet_mbps, titles, copies, applications)
SELECT id, 'Perpustakaan "Cendekia" ' || name || ' – ' || n, kind, 'active', region_code,
    'Jalan Raya No. ' || n || E'\\nDesa ' || name, lpad((n %% 100000)::text, 5, '0'),
    -- scattered over the country: points on a line would make the GiST index split at every insert
    round((-10.9 + 16.8 * (n * 7919 %% 104729) / 104729.0)::numeric, 6),
    round((95.0 + 45.9 * (n * 15485863 %% 99991) / 99991.0)::numeric, 6), false,
    'https://desa-' || n || '.example.id', (n * 7) %% 20, (n * 7) %% 100, (n * 7) %% 3000, (n * 7) %% 9000,
    '[{"name": "Inlislite", "version": "3.2"}]'
FROM made;

INSERT INTO library_lock (library_id, holder, held_at) SELECT id, pg_current_xact_id(), now() FROM made;
INSERT INTO library_placement (library_id, kind, region_code) SELECT id, kind, region_code FROM made;
INSERT INTO library_fact (library_id, fact, value)
SELECT l.id, f.fact, f.value
FROM made JOIN library l USING (id)
CROSS JOIN LATERAL (VALUES ('computers', l.computers::double precision), ('internet_mbps', l.internet_mbps),
                           ('titles', l.titles), ('copies', l.copies)) AS f (fact, value);
"""

# Libraries that are not as the triggers keep them.
WRONG = """
SELECT count(*)
FROM library l
LEFT JOIN library_lock k ON k.library_id = l.id
LEFT JOIN library_placement p ON p.library_id = l.id AND p.ends_on IS NULL
LEFT JOIN region r ON r.code = l.region_code
LEFT JOIN (SELECT library_id, max(value) FILTER (WHERE fact = 'computers') AS computers,
                  max(value) FILTER (WHERE fact = 'titles') AS titles,
                  max(value) FILTER (WHERE fact = 'copies') AS copies,
                  max(value) FILTER (WHERE fact = 'internet_mbps') AS internet_mbps
           FROM library_fact WHERE recorded_on = today() GROUP BY library_id) f ON f.library_id = l.id
WHERE l.website LIKE 'https://desa-%%.example.id'
  AND (k.library_id IS NULL OR r.level IS DISTINCT FROM 'village'
       OR (p.kind, p.region_code, p.supervisor_id) IS DISTINCT FROM (l.kind, l.region_code, l.supervisor_id)
       OR (f.computers, f.titles, f.copies, f.internet_mbps)
          IS DISTINCT FROM (l.computers::float8, l.titles::float8, l.copies::float8, l.internet_mbps))
"""


def fill(connection):
    """Fills the database; gives the id of one library and the kabupaten that the page benchmark asks for."""
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"count": LIBRARIES})
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(WRONG, {})
        wrong = cursor.fetchone()[0]
        assert wrong == 0, f"{wrong} libraries are not as the triggers would have made them"
        cursor.execute("SELECT id::text FROM library WHERE kind = 'village' AND region_code LIKE %s ORDER BY id LIMIT 1",
                       (WITHIN + ".%",))
        return cursor.fetchone()[0], WITHIN
