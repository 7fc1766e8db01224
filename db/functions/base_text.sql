-- The one form of text that people type, for every writer (api/base/text.h holds the service's own side of the rule):
-- NFC, no blanks at the ends; on one line single spaces between words and nothing that nobody sees. CHECKs and indexes
-- rest on these functions, so they are never changed in their results: a new one gets a new name and a migration.
-- The lists of characters are written out, for the database knows no categories of Unicode; the service refuses a few
-- more (characters that Unicode has not assigned, rarer combining marks).

-- One line as it is stored: NFC, each run of blanks (White_Space) one space, none at the ends.
CREATE OR REPLACE FUNCTION text_line(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(normalize(value, NFC) COLLATE "C",
    '[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+', ' ', 'g'));

-- Several lines as they are stored: NFC, no blanks at the ends.
CREATE OR REPLACE FUNCTION text_free(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(normalize(value, NFC) COLLATE "C",
    '^[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+'
    '|[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+$', '', 'g');

-- Is it one line in its form? "-" and "0" mean that there is nothing, and NULL says that.
CREATE OR REPLACE FUNCTION is_line(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value COLLATE "C" ~ '^[!-~]+( [!-~]+)*$' THEN value NOT IN ('-', '0')
ELSE value IS NFC NORMALIZED AND value COLLATE "C" !~ ('^$|^ | $|  |[\u0001-\u001F\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]'
    -- marks of joining and direction, fillers
    '|[\u00AD\u034F\u0600-\u0605\u061C\u06DD\u070F\u0890\u0891\u08E2\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E]'
    '|[\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFC\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A]'
    -- private use, no characters
    '|[\uE000-\uF8FF\uFDD0-\uFDEF\uFFFE\uFFFF\U0001FFFE\U0001FFFF\U0002FFFE\U0002FFFF\U0003FFFE-\U0010FFFF]'
    -- combining marks without a letter
    '|(^| )[\u0300-\u036F\u0483-\u0489\u064B-\u065F\u1AB0-\u1ACE\u1DC0-\u1DFF\u20D0-\u20F0\u302A-\u302F\u3099\u309A\uFE20-\uFE2F]')
END;

-- Is it a name: a line with a letter or a digit?
CREATE OR REPLACE FUNCTION is_name(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN is_line(value) AND value COLLATE "C" ~ '[0-9A-Za-z\u00AA-\U0010FFFF]';

-- Is it text in its form, perhaps of several lines? Marks that only join are left to who writes, beside something that is seen;
-- nothing may turn round what stands beside it.
CREATE OR REPLACE FUNCTION is_free(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value COLLATE "C" ~ '^[!-~]([\t\n\r -~]*[!-~])?$' THEN value NOT IN ('-', '0')
ELSE value IS NFC NORMALIZED AND value = text_free(value) AND value COLLATE "C" !~ ('^$|[\u0001-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]'
    '|[\u202A-\u202E\u2066-\u2069]'
    '|[\uE000-\uF8FF\uFDD0-\uFDEF\uFFFE\uFFFF\U0001FFFE\U0001FFFF\U0002FFFE\U0002FFFF\U0003FFFE\U0003FFFF\U000F0000-\U0010FFFF]')
    AND (value IS NULL OR EXISTS (SELECT FROM regexp_split_to_table(value, '') AS seen(letter)
                                  WHERE is_line(seen.letter) OR seen.letter IN ('-', '0')))
END;

-- Is every text inside a line, or free text?
CREATE OR REPLACE FUNCTION are_lines(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT EXISTS (SELECT FROM jsonb_path_query(value, 'strict $.** ? (@.type() == "string")') AS leaf(text) WHERE NOT is_line(leaf.text #>> '{}'));
CREATE OR REPLACE FUNCTION are_free(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT EXISTS (SELECT FROM jsonb_path_query(value, 'strict $.** ? (@.type() == "string")') AS leaf(text) WHERE NOT is_free(leaf.text #>> '{}'));

-- What is compared: letters of any case and any compatible form (full width) are one.
CREATE OR REPLACE FUNCTION text_key(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(text_line(normalize(value, NFKC)) COLLATE "und-x-icu");

-- What is compared of what another system calls a library. Case counts only where nobody knows who made the value (`other`);
-- an NPSN is its letters and digits.
CREATE OR REPLACE FUNCTION identifier_key(scheme text, value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE scheme
    WHEN 'other' THEN text_line(normalize(value, NFKC))
    WHEN 'npsn' THEN coalesce(nullif(regexp_replace(text_key(value), '[^0-9a-z]+', '', 'g'), ''), text_key(value))
    ELSE text_key(value) END;
