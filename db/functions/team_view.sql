-- What a team is on a day. One row, whatever the day.
--
-- status: active, dissolved, or not_formed on a day before the team was formed. next_meeting_due: so many months (the policy in
-- force) after the last stakeholder meeting held by that day, else after the team was formed.
CREATE OR REPLACE FUNCTION team_standing(wanted uuid, of_level text, formed_on date, dissolved_on date, day date)
RETURNS TABLE (status text, member_count integer, max_members integer, present text[], missing text[], vacancies text[],
               decree_id uuid, decree_valid_until date, next_meeting_due date, meeting_overdue boolean)
LANGUAGE sql STABLE AS $$
    SELECT s.status, coalesce(m.member_count, 0), team_limit_on(wanted, of_level, day), coalesce(m.present, '{}'),
        ARRAY(SELECT w.sector FROM unnest(p.wanted_sectors) WITH ORDINALITY AS w (sector, place)
              WHERE s.status = 'active' AND w.sector <> ALL (coalesce(m.present, '{}')) ORDER BY w.place),
        ARRAY(SELECT o.role FROM unnest('{penanggung_jawab,ketua,sekretaris}'::text[]) WITH ORDINALITY AS o (role, place)
              WHERE s.status = 'active' AND o.role <> ALL (coalesce(m.roles, '{}')) ORDER BY o.place),
        d.id, d.valid_until, n.due, coalesce(n.due < day, false)
    FROM (SELECT CASE WHEN dissolved_on < day THEN 'dissolved' WHEN formed_on > day THEN 'not_formed' ELSE 'active' END) s (status)
    LEFT JOIN LATERAL (
        SELECT count(*)::integer AS member_count, array_agg(DISTINCT o.sector ORDER BY o.sector) AS present,
               array_agg(DISTINCT w.role) AS roles
        FROM team_member w
        JOIN team_member_position h ON h.member_id = w.id AND h.period @> day
        JOIN organization o ON o.id = h.organization_id
        WHERE w.team_id = wanted AND w.starts_on <= day AND coalesce(w.ends_on, 'infinity') >= day) m ON true
    LEFT JOIN LATERAL (
        SELECT q.wanted_sectors, q.meeting_interval_months FROM team_policy q WHERE q.level = of_level AND q.period @> day) p ON true
    LEFT JOIN LATERAL (
        SELECT w.id, w.valid_until FROM team_decree w WHERE w.team_id = wanted AND w.period @> day
        ORDER BY w.strength DESC, coalesce(w.valid_from, w.signed_on) DESC NULLS LAST, w.id DESC LIMIT 1) d ON true
    LEFT JOIN LATERAL (
        SELECT (coalesce((SELECT max(g.held_on) FROM team_meeting g
                          WHERE g.team_id = wanted AND g.kind = 'stakeholder' AND g.status = 'held' AND g.held_on <= team_standing.day), formed_on)
                + make_interval(months => p.meeting_interval_months))::date AS due
        WHERE s.status = 'active') n ON true
$$;

-- Who coordinates on a day, with the office of that day.
CREATE OR REPLACE FUNCTION team_coordinator_on(wanted uuid, day date)
RETURNS TABLE (member_id uuid, name text, "position" text, organization_id uuid, organization_name text, organization_sector text,
               starts_on date, ends_on date)
LANGUAGE sql STABLE AS $$
    SELECT m.id, coalesce(m.name, CASE WHEN p.published THEN p.name END), h.position, o.id, o.name, o.sector, c.starts_on, c.ends_on
    FROM team_coordinator c
    JOIN team_member m ON m.id = c.member_id
    JOIN team_member_position h ON h.member_id = m.id AND h.period @> day
    JOIN organization o ON o.id = h.organization_id
    LEFT JOIN person p ON p.id = m.person_id
    WHERE c.team_id = wanted AND c.period @> day
$$;
