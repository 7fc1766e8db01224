-- What an account shows to the person it belongs to.
CREATE OR REPLACE FUNCTION me_account(wanted uuid) RETURNS json
LANGUAGE sql STABLE
RETURN (SELECT json_build_object('id', u.id, 'username', u.username, 'name', u.name, 'email', u.email, 'phone', u.phone,
                                 'language', u.language, 'person_id', u.person_id,
    'second_factor', (SELECT json_build_object('needed', f.needed, 'set_up_at', rfc3339(f.set_up_at), 'recovery_codes_left', f.codes_left)
                      FROM user_factor_state(u.id) f))
        FROM app_user u WHERE u.id = wanted);
