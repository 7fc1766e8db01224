-- Rules of regions: a code is for ever, a region is retired and not removed, and one that is in force has no successor.

CREATE OR REPLACE FUNCTION region_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.code <> OLD.code THEN
        RAISE EXCEPTION 'the code of region % never changes: retire it, and name its successor', OLD.code
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'region_code_fixed';
    END IF;
    NEW.successors := (SELECT coalesce(jsonb_agg(s.successor_code ORDER BY s.successor_code), '[]')
                       FROM region_successor s WHERE s.code = NEW.code);
    IF NEW.valid_to IS NULL AND NEW.successors <> '[]' THEN
        RAISE EXCEPTION 'region % has successors and cannot be in force', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'region_successor_of_retired';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE UPDATE ON region
    FOR EACH ROW EXECUTE FUNCTION region_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON region
    FOR EACH ROW EXECUTE FUNCTION touch('words', 'level', 'parent_code');

CREATE OR REPLACE FUNCTION region_born() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.successors := '[]';
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_born BEFORE INSERT ON region
    FOR EACH ROW EXECUTE FUNCTION region_born();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON region
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- The region's row is the lock: its retirement and its successors cannot pass each other by.
CREATE OR REPLACE FUNCTION region_successor_lock() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM FROM region WHERE code = NEW.code FOR NO KEY UPDATE;
        RETURN NEW;
    END IF;
    RETURN OLD;
END
$$;
CREATE OR REPLACE TRIGGER a_lock BEFORE INSERT OR UPDATE OR DELETE ON region_successor
    FOR EACH ROW EXECUTE FUNCTION region_successor_lock();

-- The update of the region lets region_rules() read the successors again.
CREATE OR REPLACE FUNCTION region_successor_follow() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE region SET successors = '[]' WHERE code IN (SELECT code FROM old_rows);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE region SET successors = '[]' WHERE code IN (SELECT code FROM new_rows);
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow_insert AFTER INSERT ON region_successor
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION region_successor_follow();
CREATE OR REPLACE TRIGGER follow_update AFTER UPDATE ON region_successor
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION region_successor_follow();
CREATE OR REPLACE TRIGGER follow_delete AFTER DELETE ON region_successor
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION region_successor_follow();

CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON region_review
    FOR EACH ROW EXECUTE FUNCTION touch();
