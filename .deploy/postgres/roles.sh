#!/bin/bash
# Run once, when the database's volume is new (/docker-entrypoint-initdb.d): the two roles and the database.
# The owner makes the schema; the API's role owns nothing, and what it may do the migrations say. The owner may set how
# the API's role plans (CREATEROLE) and is no superuser; only the migration step knows its password.
set -euo pipefail

secrets=${SECRETS_DIRECTORY:-/run/secrets}
owner_password=$(<"$secrets/owner_password")
api_password=$(<"$secrets/api_password")
export owner_password api_password # psql reads them from there: arguments show in the list of processes

psql -X -q -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-postgres}" <<'SQL'
\getenv owner_password owner_password
\getenv api_password api_password
SET password_encryption = 'scram-sha-256';
CREATE ROLE tpbis_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE tpbis_api LOGIN PASSWORD :'api_password';
CREATE DATABASE tpbis OWNER tpbis_owner ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE tpbis FROM PUBLIC;
GRANT CONNECT ON DATABASE tpbis TO tpbis_api;
\connect tpbis
ALTER SCHEMA public OWNER TO tpbis_owner;
SQL
