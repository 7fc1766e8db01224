"""The demo accounts of `make run`, in demo.json: a client for each role, a person for each that people have, and an app without
a secret for them to log in with; and a greeting that shows how to use them.

    demo.py BINARY DEMO_JSON BASE_URL LOCAL_URL

Rule: accounts that still work are kept, so that a second run leaves every client_id and secret as it was.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import secrets
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# A role and where it is: a region, or the demo library.
ACCOUNTS = [
    ("national_admin", None),
    ("national_analyst", None),
    ("provincial_coordinator", "19"),
    ("team_member", "19"),
    ("regency_facilitator", "19.01"),
    ("library_manager", "library"),
    ("integration", "library"),
    ("portal", None),
    ("public_app", None),
]
PEOPLE = ["national_admin", "national_analyst", "provincial_coordinator", "team_member", "regency_facilitator", "library_manager"]
APP_SCOPES = [
    "published:read", "account:read", "account:write", "contacts:read", "libraries:write", "programs:write", "participations:write",
    "trainings:write", "trainings:certify",
    "replications:write", "replications:approve", "teams:write", "figures:write", "statistics:write", "reports:verify", "reports:approve",
    "assignments:write", "people:erase", "audit:read", "admin"]  # by name, for a new app has none but the first
CALLBACK = "http://127.0.0.1/callback"  # of an app on this machine, at any port (RFC 8252 7.3)
VILLAGE = "19.01.06.2002"  # Kapuk, Kabupaten Bangka
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    pass


def ask(url, data=None, **headers):
    request = urllib.request.Request(
        url, data=data, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with DIRECT.open(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as fault:
        raise Refused(f"{url}: {fault.code} {fault.read().decode(errors='replace')}") from None


def token(local, account):
    pair = f"{account['client_id']}:{account['client_secret']}".encode()
    answer = ask(f"{local}/oauth2/token", b"grant_type=client_credentials",
                 Authorization="Basic " + base64.b64encode(pair).decode())
    return answer["access_token"]


def works(local, account):
    try:
        return bool(token(local, account))
    except Refused:
        return False


def create(binary, role, region=None, library=None):
    command = [binary, "client", "create", "--name", f"demo {role}", "--role", role]
    command += ["--region", region] if region else []
    command += ["--library", library] if library else []
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, stdin=subprocess.DEVNULL)
    made = json.loads(done.stdout)
    return {"role": role, "client_id": made["client_id"], "client_secret": made["client_secret"],
            "region": region, "library_id": library}


def demo_library(local, admin):
    """The village library of Kapuk: of the reference facts, or made here once."""
    bearer = "Bearer " + token(local, admin)
    query = urllib.parse.urlencode({"within": VILLAGE, "kind": "village", "limit": 1})
    found = ask(f"{local}/v1/libraries?{query}", Authorization=bearer)["items"]
    if found:
        return found[0]["id"]
    body = {"name": "Perpustakaan Desa Kapuk", "kind": "village", "region_code": VILLAGE}
    return ask(f"{local}/v1/libraries", json.dumps(body).encode(), Authorization=bearer,
               Content_Type="application/json")["id"]


def accounts(binary, local, known):
    """All accounts: the known ones that work, the others made anew."""
    made, library = {}, None
    for role, place in ACCOUNTS:
        account = known.get(role)
        if account and works(local, account):
            made[role] = account
        elif place == "library":
            library = library or demo_library(local, made["national_admin"])
            made[role] = create(binary, role, library=library)
        else:
            made[role] = create(binary, role, region=place)
    return [made[role] for role, _ in ACCOUNTS]


def person(binary, local, account, known, bearer):
    """The person of a role, where its client is. A password that is not on record any more is set anew, by a one-time link."""
    role = account["role"]
    username = "demo-" + role.replace("_", "-")
    found = ask(f"{local}/v1/users?" + urllib.parse.urlencode({"username": username}), Authorization=bearer)["items"]
    if found and found[0]["id"] == (known or {}).get("user_id") and found[0]["status"] == "active":
        return known
    command = [binary, "user", "reset", "--username", username]
    if found:  # its second factor is as lost as its password, if there was one
        subprocess.run([binary, "user", "reset-factor", "--username", username], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    else:
        command = [binary, "user", "create", "--username", username, "--name", "Demo " + role.replace("_", " "), "--role", role]
        command += ["--region", account["region"]] if account["region"] else []
        command += ["--library", account["library_id"]] if account["library_id"] else []
    made = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, stdin=subprocess.DEVNULL).stdout)
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    form = {"token": urllib.parse.parse_qs(urllib.parse.urlsplit(made["link"]).query)["token"][0], "password": password, "again": password}
    with DIRECT.open(f"{local}/account/password", urllib.parse.urlencode(form).encode(), timeout=30) as answer:
        answer.read()
    return {"role": role, "username": username, "password": password, "user_id": made["user_id"], "region": account["region"],
            "library_id": account["library_id"]}


def code_of(secret):
    """RFC 6238 of now."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    number = struct.unpack(">I", digest[digest[-1] & 15:][:4])[0] & 0x7FFFFFFF
    return f"{number % 1000000:06d}"


class Pages:
    """The login pages, as a browser without scripts goes through them; nothing of the app is answered."""

    def __init__(self, local, app):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).rstrip(b"=").decode()
        self.cookie, self.text = "", ""
        self.url = f"{local}/oauth2/authorize?" + urllib.parse.urlencode({
            "response_type": "code", "client_id": app["client_id"], "redirect_uri": app["redirect_uri"], "prompt": "consent",
            "scope": "published:read", "code_challenge": challenge, "code_challenge_method": "S256"})
        self.send(None)

    def send(self, form):
        if form:
            form["form_token"] = re.search(r'name="form_token" value="([^"]+)"', self.text).group(1)
        request = urllib.request.Request(self.url, urllib.parse.urlencode(form).encode() if form else None,
                                         {"Cookie": self.cookie} if self.cookie else {})
        try:
            with DIRECT.open(request, timeout=30) as answer:
                self.cookie = (answer.headers["Set-Cookie"] or self.cookie).partition(";")[0]
                self.text = answer.read().decode()
        except urllib.error.HTTPError as fault:
            raise Refused(f"{self.url}: {fault.code}") from None


def set_up_factor(local, app, one):
    """The secret of the second factor that this person must have, set up at the login page; None where none is asked."""
    pages = Pages(local, app)
    pages.send({"action": "login", "username": one["username"], "password": one["password"]})
    offered = re.search(r"[?]secret=([A-Z2-7]{32})&amp;", pages.text)
    if not offered:
        return None
    pages.send({"action": "confirm", "code": code_of(offered.group(1))})
    pages.send({"action": "kept"})
    return offered.group(1)


def people(binary, local, clients, known, made_app):
    bearer = "Bearer " + token(local, next(account for account in clients if account["role"] == "national_admin"))
    holders = [person(binary, local, account, known.get(account["role"]), bearer) for account in clients if account["role"] in PEOPLE]
    for one in holders:
        if "totp_secret" not in one:
            one["totp_secret"] = set_up_factor(local, made_app, one)
    return holders


def app(binary, known):
    """An app that keeps no secret, for people to log in with."""
    if known and known.get("scopes") == APP_SCOPES:
        return known
    command = [binary, "client", "create", "--name", "Demo app", "--type", "public", "--redirect-uri", CALLBACK]
    command += [word for scope in APP_SCOPES for word in ("--scope", scope)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, stdin=subprocess.DEVNULL)
    return {"client_id": json.loads(done.stdout)["client_id"], "redirect_uri": CALLBACK, "scopes": APP_SCOPES}


def read(path):
    """What is on record: clients and people by role, and the app."""
    try:
        kept = json.loads(path.read_text())
        by_role = lambda name: {account["role"]: account for account in kept.get(name, [])}  # noqa: E731
        return by_role("clients"), by_role("people"), kept.get("app")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}, None


def write(path, content):
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    fresh.replace(path)


def main():
    binary, path, base, local = sys.argv[1:]
    path = pathlib.Path(path)
    known_clients, known_people, known_app = read(path)
    clients = accounts(binary, local, known_clients)
    # An app of a database that is gone goes with the clients of it.
    made_app = app(binary, known_app if [one["client_id"] for one in clients] ==
                   [one["client_id"] for one in known_clients.values()] else None)
    holders = people(binary, local, clients, known_people, made_app)
    write(path, {"base_url": base, "authorization_endpoint": f"{base}/oauth2/authorize", "token_endpoint": f"{base}/oauth2/token",
                 "clients": clients, "people": holders, "app": made_app})
    # What is pasted reads the secret from the file: a terminal is seen, scrolled back and recorded.
    pair = ("/usr/bin/python3 -c 'import json, sys; print(*(c[\"client_id\"] + \":\" + c[\"client_secret\"] for c in json.load(open(sys.argv[1]))[\"clients\"] "
            f"if c[\"role\"] == \"portal\"))' '{path}'")
    extract = r"""sed -E 's/.*"access_token": ?"([^"]*)".*/\1/'"""
    fetch = f'{pair} | sed "s/^/user = /" | curl -s -K - -d grant_type=client_credentials {base}/oauth2/token | {extract}'
    print(f"""
  TPBIS API   {base}
  reference   {base}/docs
  accounts    {path} (clients, people and an app)

  token=$({fetch})
  curl -s -H "Authorization: Bearer $token" '{base}/v1/libraries?within=19&kind=village'

  Ctrl-C stops it.
""", flush=True)


if __name__ == "__main__":
    try:
        main()
    except (Refused, OSError, subprocess.CalledProcessError) as fault:
        sys.exit(f"run: the demo accounts could not be made: {fault}")
