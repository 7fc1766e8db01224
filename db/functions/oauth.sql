-- Grants of people to apps. Rule: a secret comes in as its SHA-256 and never leaves; whoever presents an old one ends the grant.
-- An outcome is a word, not an exception: what a refusal changes (the end of a grant) must be committed.

-- Where an address is, coarsely: the /24 or /48 around it. NULL for what is no address.
CREATE OR REPLACE FUNCTION address_network(address text) RETURNS cidr
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN address ~ '^[0-9.]+$' THEN network(set_masklen(address::inet, 24))
            WHEN address ~ '^[0-9a-f:.]+/64$' THEN network(set_masklen(address::inet, 48)) END;

-- Ends a grant: its refresh token is dead at once, its access tokens within the watch's interval, and the browser it was given
-- in is logged out, so that the next person at a shared computer does not find it open.
CREATE OR REPLACE FUNCTION oauth_grant_end(ended uuid, why text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO oauth_revocation (id, kind, reason) VALUES (ended, 'grant', why) ON CONFLICT DO NOTHING;
    DELETE FROM login_session s USING oauth_grant g WHERE g.id = ended AND s.hash = g.session_hash;
END
$$;

-- Ends all that a user is logged in with, but one grant where that is given: after another password, say. How many they were.
CREATE OR REPLACE FUNCTION user_sessions_end(ended_user uuid, why text, but_grant uuid DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended integer;
BEGIN
    DELETE FROM login_session s WHERE s.user_id = ended_user;
    DELETE FROM oauth_code c WHERE c.user_id = ended_user AND c.grant_id IS NULL;
    INSERT INTO oauth_revocation (id, kind, reason)
    SELECT g.id, 'grant', why FROM oauth_grant g
    WHERE g.user_id = ended_user AND g.expires_at > now() AND g.id IS DISTINCT FROM but_grant
      AND NOT EXISTS (SELECT FROM oauth_revocation r WHERE r.id = g.id)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;

CREATE OR REPLACE FUNCTION login_session_begin(session bytea, of_user uuid, seconds integer) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO login_session (hash, user_id, expires_at) VALUES (session, of_user, now() + seconds * interval '1 second')
$$;

CREATE OR REPLACE FUNCTION login_session_end(session bytea) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login_session s WHERE s.hash = session
$$;

-- Remembers what the user agreed to, when they were asked, and keeps the code. False when the user may not log in any more, or has
-- not shown the second factor that the account needs.
CREATE OR REPLACE FUNCTION oauth_code_issue(code bytea, session bytea, of_user uuid, to_client text, back_to text, with_challenge text,
    for_scopes text[], seconds integer, remember boolean, from_address text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM login_session s JOIN app_user u ON u.id = s.user_id
                   WHERE s.hash = session AND s.user_id = of_user AND s.expires_at > now() AND u.status = 'active')
       OR NOT login_session_complete(session, of_user) THEN
        RETURN false;
    END IF;
    IF remember THEN
        INSERT INTO oauth_consent AS c (user_id, client_id, scopes) VALUES (of_user, to_client, for_scopes)
        ON CONFLICT ON CONSTRAINT oauth_consent_pkey DO UPDATE
        SET scopes = ARRAY(SELECT DISTINCT s FROM unnest(c.scopes || excluded.scopes) s ORDER BY s), updated_at = now()
        WHERE NOT c.scopes @> excluded.scopes;
    END IF;
    INSERT INTO oauth_code (hash, user_id, client_id, redirect_uri, challenge, scopes, session_hash, network, expires_at, authenticated_at, amr)
    SELECT code, of_user, to_client, back_to, with_challenge, for_scopes, session, address_network(from_address),
        now() + seconds * interval '1 second', s.created_at, s.amr
    FROM login_session s WHERE s.hash = session;
    RETURN true;
END
$$;

-- Exchanges a code for a grant with its first refresh token. outcome: issued, or why not: unknown, client, expired, redirect,
-- challenge, inactive; used ends what its first use gave.
CREATE OR REPLACE FUNCTION oauth_code_redeem(code bytea, by_client text, back_to text, of_challenge text, new_grant uuid, new_refresh bytea,
    idle_seconds integer, longest_seconds integer, OUT outcome text, OUT user_id uuid, OUT scopes text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found oauth_code;
BEGIN
    SELECT * INTO found FROM oauth_code c WHERE c.hash = code FOR UPDATE;
    IF found.hash IS NULL THEN
        outcome := 'unknown';
    ELSIF found.client_id <> by_client THEN
        outcome := 'client';
    ELSIF found.grant_id IS NOT NULL THEN
        PERFORM oauth_grant_end(found.grant_id, 'code used twice');
        outcome := 'used';
    ELSIF found.expires_at <= now() THEN
        outcome := 'expired';
    ELSIF back_to IS NOT NULL AND back_to <> found.redirect_uri THEN
        outcome := 'redirect';
    ELSIF of_challenge IS DISTINCT FROM found.challenge THEN
        outcome := 'challenge';
    ELSIF NOT EXISTS (SELECT FROM app_user u WHERE u.id = found.user_id AND u.status = 'active') THEN
        outcome := 'inactive';
    ELSE
        INSERT INTO oauth_grant (id, user_id, client_id, scopes, session_hash, network, expires_at, authenticated_at, amr)
        VALUES (new_grant, found.user_id, found.client_id, found.scopes, found.session_hash, found.network, now() + longest_seconds * interval '1 second',
                found.authenticated_at, found.amr);
        INSERT INTO oauth_refresh (grant_id, hash, expires_at)
        VALUES (new_grant, new_refresh, now() + least(idle_seconds, longest_seconds) * interval '1 second');
        UPDATE oauth_code c SET grant_id = new_grant WHERE c.hash = code;
        outcome := 'issued';
        user_id := found.user_id;
        scopes := array_to_string(found.scopes, ' ');
    END IF;
END
$$;

-- What the refresh token before the one in force is answered, as long as its successor was not used: again, as its first use was, or why not. An
-- answer can get lost, and the app learns that only when it gives up waiting: so it is given again, however late. A client that proves who it is
-- needs no more. Of one without a secret, who asks may be a thief: the answer is given again only to the network that the first one went to
-- (else: elsewhere), and of turns that are repeated one after the other, later than racing requests are, only the first three (else: repeated).
-- Once it was refused to anybody it is given to nobody (repeated): its use would end the login.
DROP FUNCTION IF EXISTS oauth_refresh_repeatable(oauth_refresh, boolean, cidr, integer); -- the version before
CREATE OR REPLACE FUNCTION oauth_refresh_repeat(live oauth_refresh, secretless boolean, from_network cidr, racing_seconds integer) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN NOT secretless THEN 'again'
            WHEN (live).network IS DISTINCT FROM from_network THEN 'elsewhere'
            WHEN (live).contested THEN 'repeated'
            WHEN clock_timestamp() <= (live).rotated_at + racing_seconds * interval '1 second'
                 OR (live).repeated OR (live).repeated_turns < 3 THEN 'again'
            ELSE 'repeated' END;

-- Uses a refresh token that carries our mark. outcome: issued (sealed is what was brought), again (sealed is what the first use
-- got), or why not: unknown, client, revoked, expired, inactive, scope, elsewhere, repeated. reused ends the grant: two have had its token, for one
-- that was followed by another which was used is brought, or the one in force after an older one was refused. Two at once wait for each other.
CREATE OR REPLACE FUNCTION oauth_refresh_use(of_grant uuid, presented bytea, by_client text, wanted_scopes text[], new_refresh bytea,
    new_sealed bytea, idle_seconds integer, racing_seconds integer, from_address text DEFAULT NULL,
    OUT outcome text, OUT user_id uuid, OUT scopes text, OUT sealed bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given oauth_grant;
    live oauth_refresh;
    from_network cidr := address_network(from_address);
BEGIN
    SELECT * INTO given FROM oauth_grant g WHERE g.id = of_grant;
    IF given.id IS NULL THEN
        outcome := 'unknown';
        RETURN;
    ELSIF given.client_id <> by_client THEN
        outcome := 'client';
        RETURN;
    END IF;
    SELECT * INTO live FROM oauth_refresh r WHERE r.grant_id = of_grant FOR UPDATE;
    IF live.grant_id IS NULL OR EXISTS (SELECT FROM oauth_revocation r WHERE r.id = of_grant) THEN
        outcome := 'revoked';
    ELSIF live.hash <> presented AND live.previous_hash IS DISTINCT FROM presented OR live.hash = presented AND live.contested THEN
        PERFORM oauth_grant_end(of_grant, 'refresh token used twice');
        outcome := 'reused';
    ELSIF live.expires_at <= now() OR given.expires_at <= now() THEN
        outcome := 'expired';
    ELSIF NOT EXISTS (SELECT FROM app_user u WHERE u.id = given.user_id AND u.status = 'active') THEN
        outcome := 'inactive';
    ELSIF NOT coalesce(wanted_scopes <@ given.scopes, true) THEN
        outcome := 'scope';
    ELSIF live.hash = presented THEN
        UPDATE oauth_refresh r
        SET hash = new_refresh, previous_hash = presented, sealed = new_sealed, rotated_at = clock_timestamp(), network = from_network,
            repeated = false, repeated_turns = CASE WHEN r.repeated THEN r.repeated_turns ELSE 0 END,
            expires_at = least(now() + idle_seconds * interval '1 second', given.expires_at)
        WHERE r.grant_id = of_grant;
        outcome := 'issued';
        sealed := new_sealed;
    ELSE
        outcome := oauth_refresh_repeat(live, (SELECT c.type = 'public' FROM client c WHERE c.id = by_client), from_network, racing_seconds);
        IF outcome = 'again' THEN
            UPDATE oauth_refresh r SET repeated = true, repeated_turns = r.repeated_turns + 1
            WHERE r.grant_id = of_grant AND clock_timestamp() > r.rotated_at + racing_seconds * interval '1 second'
              AND NOT r.repeated;
            sealed := live.sealed;
        ELSE -- whoever it is can log in again; the login ends when somebody has the token in force as well
            UPDATE oauth_refresh r SET contested = true WHERE r.grant_id = of_grant;
        END IF;
    END IF;
    IF outcome IN ('issued', 'again') THEN
        user_id := given.user_id;
        scopes := array_to_string(coalesce(wanted_scopes, given.scopes), ' ');
    END IF;
END
$$;

-- A login of that user, in force; else there is none.
CREATE OR REPLACE FUNCTION gate_session(wanted uuid, of_user uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM oauth_grant g JOIN oauth_refresh r ON r.grant_id = g.id
    WHERE g.id = wanted AND g.user_id = of_user AND r.expires_at > now() AND NOT EXISTS (SELECT FROM oauth_revocation o WHERE o.id = g.id);
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION user_session_end(wanted uuid, of_user uuid, why text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT oauth_grant_end(g.id, why) FROM oauth_grant g WHERE g.id = wanted AND g.user_id = of_user
$$;

-- RFC 7009 of a refresh token that carries our mark: true when it was one of that client's, in force or old.
CREATE OR REPLACE FUNCTION oauth_refresh_revoke(of_grant uuid, by_client text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    owner text;
BEGIN
    SELECT g.client_id INTO owner FROM oauth_grant g WHERE g.id = of_grant;
    IF owner = by_client THEN
        PERFORM oauth_grant_end(of_grant, 'revoked by the client');
    END IF;
    RETURN owner = by_client;
END
$$;

-- RFC 7009 of a verified access token.
CREATE OR REPLACE FUNCTION oauth_token_revoke(token uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO oauth_revocation (id, kind, reason) VALUES (token, 'token', 'revoked by the client') ON CONFLICT DO NOTHING
$$;

-- What nobody can use any more, at most so many of each kind; how many went, and whether there may be more. A grant is kept
-- until it would have ended of itself, so that an old refresh token is known as such.
CREATE OR REPLACE FUNCTION purge_oauth(most integer, OUT done bigint, OUT more boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    done := 0;
    more := false;
    DELETE FROM login_session WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM login_session s WHERE s.expires_at <= now() LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS gone = ROW_COUNT;
    done := done + gone;
    more := more OR gone = most;
    DELETE FROM oauth_code WHERE ctid = ANY (ARRAY(
        SELECT c.ctid FROM oauth_code c WHERE c.expires_at < now() - interval '1 day' LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS gone = ROW_COUNT;
    done := done + gone;
    more := more OR gone = most;
    DELETE FROM oauth_grant WHERE ctid = ANY (ARRAY(
        SELECT g.ctid FROM oauth_grant g WHERE g.expires_at < now() - interval '1 day' LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS gone = ROW_COUNT;
    done := done + gone;
    more := more OR gone = most;
    DELETE FROM oauth_revocation WHERE ctid = ANY (ARRAY(
        SELECT r.ctid FROM oauth_revocation r
        WHERE r.created_at < now() - interval '1 day' AND NOT EXISTS (SELECT FROM oauth_grant g WHERE g.id = r.id)
        LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS gone = ROW_COUNT;
    done := done + gone;
    more := more OR gone = most;
END
$$;
