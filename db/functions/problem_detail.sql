-- A problem in words, as the service itself would say it: its text (problem_text(), made from api/base/problems.def) with the
-- arguments in their places; a place without an argument is left empty.
CREATE OR REPLACE FUNCTION problem_detail(code text, arguments jsonb, language text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    said text := problem_text(code, language);
    argument record;
BEGIN
    FOR argument IN SELECT key, value FROM jsonb_each_text(arguments) LOOP
        said := replace(said, '{' || argument.key || '}', coalesce(argument.value, ''));
    END LOOP;
    RETURN regexp_replace(said, '\{[a-z_]+\}', '', 'g');
END
$$;
