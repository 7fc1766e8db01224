"""People for the tests: accounts with assignments, apps they use, and tokens of theirs."""

import ctypes
import ctypes.util
import functools
import time
import uuid

from harness import factor
from harness.browser import Browser, sent_back
from harness.client import Renewed
from harness.cluster import ROLES
from harness.tokens import SCOPES, Forger

PASSWORD = "perahu kertas di laut lepas"
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
        return self.api.service.sql(text, *values)

    def user(self, role=None, name="Siti Aminah", username=None, status="active", password=PASSWORD, **where):
        """A user who can log in, with an assignment as the role's client of the same tests has it unless told otherwise."""
        username = username or f"u{uuid.uuid4().hex[:12]}@example.id"
        user_id = str(self.sql("INSERT INTO app_user (username, name, status) VALUES (%s, %s, %s) RETURNING id",
                               username, name, status)[0])
        if status == "active":
            self.sql("INSERT INTO user_password (user_id, hash) VALUES (%s, %s)", user_id, password_hash(password))
        user = {"id": user_id, "username": username, "name": name, "password": password}
        if role:
            self.assign(user_id, role, **where)
            if status == "active" and self.sql("SELECT role_needs_factor(%s)", role)[0]:
                self.set_up_factor(user)
        return user

    def set_up_factor(self, user):
        """As if the user had done it at the login page and kept the recovery codes (of which there are none)."""
        user["totp_secret"] = factor.new_secret()
        sealed, key_id = factor.seal(self.api.keys_dir, user["id"], user["totp_secret"])
        self.sql("INSERT INTO user_factor (user_id, secret, key_id, last_step, codes_kept) VALUES (%s, %s, %s, 0, true)",
                 user["id"], sealed, key_id)
        return user

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

    def app(self, type="public", name="Aplikasi uji", redirect_uris=(REDIRECT,), allowed_scopes=SCOPES, allowed_region=None):
        """A client for people to use, with every scope by name unless told; a confidential one has a secret too."""
        client_id = self.sql(
            "INSERT INTO client (name, type, redirect_uris, allowed_scopes, allowed_region) VALUES (%s, %s, %s, %s, %s) "
            "RETURNING id", name, type, list(redirect_uris), sorted(allowed_scopes), allowed_region)[0]
        app = {"client_id": client_id, "redirect_uri": redirect_uris[0] if redirect_uris else None,
               "scopes": set(allowed_scopes)}
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

    def log_in(self, user, app=None, scope=None, **changes):
        """The tokens of a login at the real pages, with PKCE and consent; for all scopes that the app may have unless told."""
        app = app or self.default_app
        browser = Browser(self.api)
        page = browser.open(app, scope=scope or " ".join(sorted(app["scopes"])), **changes)
        back = sent_back(browser.consent(browser.log_in(page, user)), app)
        assert back["iss"] == self.api.issuer and "error" not in back, back
        answer = self.exchange(app, back["code"], browser.verifier)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, app, path="/oauth2/token", **form):
        """A request of the app itself: a confidential one proves who it is, a public one says so."""
        if "client_secret" in app:
            return self.api.post(path, token=None, data=form, auth=(app["client_id"], app["client_secret"]))
        return self.api.post(path, token=None, data={"client_id": app["client_id"], **form})

    def exchange(self, app, code, verifier, /, **changes):
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": app["redirect_uri"],
                **changes}
        return self.ask(app, **{name: value for name, value in form.items() if value is not ...})

    def refresh(self, app, token, **more):
        return self.ask(app, grant_type="refresh_token", refresh_token=token, **more)

    def token(self, user, app=None, scope=None):
        """An access token of that user through that app."""
        return self.log_in(user, app, scope)["access_token"]

    def renewed(self, user, app=None, scope=None):
        """A token for a fixture to keep: `token=` takes it, and it never expires."""
        return Renewed(lambda: self.log_in(user, app, scope))

    def forged_token(self, user, app=None):
        """One that no login would give: of somebody who cannot log in."""
        app = app or self.default_app
        forger = Forger(self.api)
        return forger.token(claims=forger.claims(sub=user["id"], client_id=app["client_id"], iat=int(time.time()),
                                                 scope=" ".join(sorted(SCOPES)), auth_time=int(time.time()),
                                                 amr=["pwd", "otp", "mfa"]))

    def token_of(self, role):
        """Of one user with that role, where the role's client has it; made once, its token renewed while it is needed."""
        if role not in self._by_role:
            self._by_role[role] = self.renewed(self.user(role))
        return self._by_role[role]()


@functools.lru_cache(maxsize=None)
def password_hash(password):
    """argon2id as the service has it, of libsodium itself."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    text = password.encode()
    out = ctypes.create_string_buffer(128)
    assert sodium.sodium_init() >= 0
    assert sodium.crypto_pwhash_argon2id_str(out, text, ctypes.c_ulonglong(len(text)), ctypes.c_ulonglong(2),
                                             ctypes.c_size_t(19 * 1024 * 1024)) == 0
    return out.value.decode()


def day_values(day):
    return (None, None, None) if day is None else (
        (str(day), str(day), None) if isinstance(day, int) else (None, None, str(day)))
