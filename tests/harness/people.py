"""People for the tests: accounts with assignments, apps they use, and tokens of theirs."""

import time
import uuid

from harness.cluster import ROLES
from harness.tokens import SCOPES, Forger

TOKEN_SECONDS = 240  # forged tokens live a little longer
REDIRECT = "https://app.example.id/callback"


class People:
    """Makes users and apps in the service's database, and logs users in.

    `api` is the harness' Api; everything is made by the owner of its database, so that tests of other things need no
    administrator."""

    def __init__(self, api):
        self.api, self.cluster, self.database = api, api.service.cluster, api.service.database
        self._app = None
        self._by_role = {}

    def sql(self, text, *values):
        with self.cluster.connect(self.database) as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchone() if cursor.description else None

    def user(self, role=None, name="Siti Aminah", username=None, status="active", **where):
        """A user, with an assignment as the role's client of the same tests has it unless told otherwise."""
        username = username or f"u{uuid.uuid4().hex[:12]}@example.id"
        user_id = str(self.sql("INSERT INTO app_user (username, name, status) VALUES (%s, %s, %s) RETURNING id",
                               username, name, status)[0])
        if role:
            self.assign(user_id, role, **where)
        return {"id": user_id, "username": username, "name": name}

    def assign(self, user_id, role, starts_on=None, ends_on=None, **where):
        """The assignment's id. Days may be dates or numbers of days from today."""
        where = where or dict(ROLES[role])
        library = where.get("library")
        library = self.cluster.library_at(self.database, library) if library else None
        day = "CASE WHEN %s::text ~ '^-?[0-9]+$' THEN today() + %s::integer ELSE %s::date END"
        row = self.sql(
            "INSERT INTO assignment (user_id, role, national, region_code, library_id, starts_on, ends_on) "
            f"VALUES (%s, %s, %s, %s, %s, coalesce({day}, today()), {day}) RETURNING id",
            user_id, role, not where.get("region") and not library, where.get("region"), library,
            *day_values(starts_on), *day_values(ends_on))
        return str(row[0])

    def app(self, type="public", name="Aplikasi uji", redirect_uris=(REDIRECT,), allowed_scopes=None, allowed_region=None):
        """A client for people to use; a confidential one has a secret too."""
        client_id = self.sql(
            "INSERT INTO client (name, type, redirect_uris, allowed_scopes, allowed_region) VALUES (%s, %s, %s, %s, %s) "
            "RETURNING id", name, type, list(redirect_uris), allowed_scopes and list(allowed_scopes), allowed_region)[0]
        app = {"client_id": client_id, "redirect_uri": redirect_uris[0] if redirect_uris else None}
        if type == "confidential":
            app["client_secret"] = uuid.uuid4().hex + uuid.uuid4().hex
            self.sql("INSERT INTO client_secret (client_id, hash) VALUES (%s, sha256(%s::text::bytea))",
                     client_id, app["client_secret"])
        return app

    @property
    def default_app(self):
        if not self._app:
            self._app = self.app()
        return self._app

    def token(self, user, app=None, scope=None):
        """An access token of that user through that app, for all scopes unless told otherwise."""
        app = app or self.default_app
        forger = Forger(self.api)
        return forger.token(claims=forger.claims(sub=user["id"], client_id=app["client_id"], iat=int(time.time()),
                                                 scope=scope or " ".join(sorted(SCOPES))))


    def token_of(self, role):
        """Of one user with that role, where the role's client has it; made once, its token fresh while it is needed."""
        known = self._by_role.get(role)
        if not known or known["until"] < time.time():
            user = known["user"] if known else self.user(role)
            known = self._by_role[role] = {"user": user, "token": self.token(user), "until": time.time() + TOKEN_SECONDS}
        return known["token"]


def day_values(day):
    return (None, None, None) if day is None else (
        (str(day), str(day), None) if isinstance(day, int) else (None, None, str(day)))
