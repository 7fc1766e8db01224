-- What an account shows to the person it belongs to.
CREATE OR REPLACE FUNCTION me_account(wanted uuid) RETURNS json
LANGUAGE sql STABLE
RETURN (SELECT json_build_object('id', u.id, 'username', u.username, 'name', u.name, 'email', u.email, 'phone', u.phone,
                                 'language', u.language, 'person_id', u.person_id)
        FROM app_user u WHERE u.id = wanted);
