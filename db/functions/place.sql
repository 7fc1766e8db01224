-- The rules of place: in which places an operation is let through for a caller with a limited reach. Each rule is told once, as the
-- function place_<rule>. The contract names the rule of an operation (x-place), its gate asks the function, and GET /v1/me/can asks
-- the same one by its name (me_can.sql). The reach of the nation is asked nothing.

-- What is the nation's: no limited reach is enough.
CREATE OR REPLACE FUNCTION place_nation() RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN false;

-- A library of that rank, standing in that place ('' is the nation).
CREATE OR REPLACE FUNCTION place_library(place text, rank integer, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN in_reach(place, rank, froms, tos, ranks);

-- The same, and the libraries that the caller is charged with.
CREATE OR REPLACE FUNCTION place_own_library(library uuid, place text, rank integer, froms text[], tos text[], ranks bigint[],
    libraries uuid[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(library = ANY (libraries), false) OR in_reach(place, rank, froms, tos, ranks);

-- What is no library and stands in that region ('' is the nation). It is written by everybody who writes the lowest library there,
-- so a role of rank 7 writes none.
CREATE OR REPLACE FUNCTION place_area(area text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN in_reach(area, 6, froms, tos, ranks);

-- What is done in a village.
CREATE OR REPLACE FUNCTION place_village(village text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN in_reach(village, 5, froms, tos, ranks);

-- What is inside the caller's regions, whatever the caller may write there.
CREATE OR REPLACE FUNCTION place_inside(place text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN in_reach(place, 7, froms, tos, ranks);

-- A participant's certificate: by who writes the participant's library; without one (`rank` is NULL) by who writes the area.
CREATE OR REPLACE FUNCTION place_certification(place text, rank integer, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN in_reach(place, coalesce(rank, 6), froms, tos, ranks);

-- What a reach means for teams. The rank of a role is that of libraries (1 national .. 7 none); for teams it says:
--   1 to 3 (the nation, a provincial coordinator): every team in the region, its decrees and its funding too;
--   4 (a regency facilitator): the region's own team, but neither its decrees nor its funding;
--   7 (a team member): the region's own team's work, which is its meetings, visits and work plan.

-- May this part (work, team, basis) of the region's team be written?
CREATE OR REPLACE FUNCTION team_in_reach(region_code text, part text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS (SELECT FROM unnest(froms, tos, ranks) AS range(from_code, to_code, highest)
    WHERE CASE WHEN range.highest <= 3 THEN region_code COLLATE "C" >= range.from_code AND region_code COLLATE "C" < range.to_code
               WHEN range.highest = 4 THEN region_code = range.from_code AND part IN ('work', 'team')
               ELSE region_code = range.from_code AND part = 'work' END);

CREATE OR REPLACE FUNCTION place_team(region_code text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN team_in_reach(region_code, 'team', froms, tos, ranks);

CREATE OR REPLACE FUNCTION place_team_work(region_code text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN team_in_reach(region_code, 'work', froms, tos, ranks);

CREATE OR REPLACE FUNCTION place_team_basis(region_code text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN team_in_reach(region_code, 'basis', froms, tos, ranks);

-- A visit to a library: by who writes the library, or as the work of the team of that region (NULL: it is no team's).
CREATE OR REPLACE FUNCTION place_visit(place text, rank integer, of_team text, froms text[], tos text[], ranks bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN in_reach(place, rank, froms, tos, ranks) OR team_in_reach(of_team, 'work', froms, tos, ranks);
