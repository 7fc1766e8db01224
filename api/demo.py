"""The demo accounts of `make run`, in demo.json: a client for each role, a person for each that people have, and an app without
a secret for them to log in with; and a greeting that shows how to use them.

    demo.py BINARY DEMO_JSON BASE_URL LOCAL_URL

Rule: accounts that still work are kept, so that a second run leaves every client_id and secret as it was.
"""

import base64
import json
import os
import pathlib
import secrets
import subprocess
import sys
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
    "published:read", "contacts:read", "libraries:write", "programs:write", "participations:write", "trainings:write", "trainings:certify",
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
    if not found:
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


def people(binary, local, clients, known):
    bearer = "Bearer " + token(local, next(account for account in clients if account["role"] == "national_admin"))
    return [person(binary, local, account, known.get(account["role"]), bearer) for account in clients if account["role"] in PEOPLE]


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
    holders = people(binary, local, clients, known_people)
    # An app of a database that is gone goes with the clients of it.
    made_app = app(binary, known_app if [one["client_id"] for one in clients] ==
                   [one["client_id"] for one in known_clients.values()] else None)
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
