-- What `tpbis client create` asks before it writes, so that it can name every fault at once. role_rank is NULL
-- when there is no such role, region_level when no such region is in force.
-- name: client_create_facts :one internal owner
SELECT (SELECT r.rank FROM role r WHERE r.name = :assignment.role) AS role_rank,
       (SELECT g.level FROM region g
        WHERE g.code = :assignment.region AND (g.valid_to IS NULL OR g.valid_to >= today())) AS region_level,
       EXISTS (SELECT FROM library l WHERE l.id = nullif(:assignment.library, '')::uuid) AS library_known
