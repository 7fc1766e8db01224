-- Rules of decrees: their kind fits the team's region, one that replaces another ends it, and the number of members a decree
-- names holds on every day it is in force.

-- Which kinds a region's team can have: a provinsi's SK Gubernur, a kabupaten's SK Bupati, a kota's SK Wali Kota.
CREATE OR REPLACE FUNCTION team_decree_fits(kind text, region_code text) RETURNS boolean
LANGUAGE sql STABLE
RETURN kind IN ('sk_kepala_dinas', 'sk_kepala_perpusnas')
    OR kind = (SELECT CASE WHEN r.type = 'provinsi' THEN 'sk_gubernur' WHEN r.type LIKE 'kabupaten%' THEN 'sk_bupati'
                           WHEN r.type LIKE 'kota%' THEN 'sk_wali_kota' END FROM region r WHERE r.code = region_code);

CREATE OR REPLACE FUNCTION team_decree_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t team := team_lock(CASE WHEN TG_OP = 'DELETE' THEN OLD.team_id ELSE NEW.team_id END);
BEGIN
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSIF TG_OP = 'UPDATE' AND (NEW.id, NEW.team_id, NEW.origin) IS DISTINCT FROM (OLD.id, OLD.team_id, OLD.origin) THEN
        RAISE EXCEPTION 'the id, the team and the origin of decree % never change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'team_decree_team_fixed';
    END IF;
    NEW.origin := coalesce(NEW.origin, 'recorded');
    IF NOT team_decree_fits(NEW.kind, t.region_code) THEN
        PERFORM refuse('decree_kind_mismatch', jsonb_build_object('kind', NEW.kind, 'region', t.region_code));
    ELSIF NEW.origin = 'historical' AND NEW.source IS NULL THEN
        PERFORM refuse('source_required');
    ELSIF NEW.origin = 'recorded' AND (num_nulls(NEW.number, NEW.signed_on) > 0
                                       OR coalesce(NEW.signed_on_precision, 'day') <> 'day') THEN
        PERFORM refuse('decree_incomplete');
    END IF;
    PERFORM date_require_past(NEW.signed_on);
    PERFORM period_require(coalesce(NEW.valid_from, NEW.signed_on), NEW.valid_until);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE OR DELETE ON team_decree
    FOR EACH ROW EXECUTE FUNCTION team_decree_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_decree
    FOR EACH ROW EXECUTE FUNCTION touch('strength', 'period');
CREATE OR REPLACE TRIGGER keep BEFORE TRUNCATE ON team_decree
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

CREATE OR REPLACE FUNCTION team_decree_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    begins date;
    before team_decree;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM team_check_size(OLD.team_id);
        RETURN NULL;
    END IF;
    begins := lower(NEW.period);
    IF NEW.replaces_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.replaces_id IS DISTINCT FROM OLD.replaces_id
                                        OR begins IS DISTINCT FROM lower(OLD.period)) THEN
        SELECT * INTO before FROM team_decree d WHERE d.id = NEW.replaces_id AND d.team_id = NEW.team_id;
        IF NOT FOUND THEN
            PERFORM refuse('decree_unknown');
        ELSIF begins <= lower(before.period) THEN
            PERFORM refuse('date_before_previous', jsonb_build_object('on', begins::text, 'previous', lower(before.period)::text));
        END IF;
        UPDATE team_decree SET valid_until = begins - 1
        WHERE id = before.id AND coalesce(valid_until, 'infinity') >= begins;
    END IF;
    PERFORM team_check_size(NEW.team_id);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON team_decree
    FOR EACH ROW EXECUTE FUNCTION team_decree_follow();
