"""The demo accounts of `make run`: one client per role, in demo.json, and a greeting that shows how to use them.

    demo.py BINARY DEMO_JSON BASE_URL LOCAL_URL

Rule: accounts that still work are kept, so that a second run leaves every client_id and secret as it was.
"""

import base64
import json
import os
import pathlib
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


def read(path):
    try:
        return {account["role"]: account for account in json.loads(path.read_text())["clients"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


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
    clients = accounts(binary, local, read(path))
    write(path, {"base_url": base, "token_endpoint": f"{base}/oauth2/token", "clients": clients})
    portal = next(account for account in clients if account["role"] == "portal")
    extract = r"""sed -E 's/.*"access_token": ?"([^"]*)".*/\1/'"""
    fetch = (f"curl -s -u {portal['client_id']}:{portal['client_secret']} "
             f"-d grant_type=client_credentials {base}/oauth2/token")
    print(f"""
  TPBIS API   {base}
  reference   {base}/docs
  accounts    {path} (one client per role)

  curl -s -H "Authorization: Bearer $({fetch} | {extract})" '{base}/v1/libraries?within=19&kind=village'

  Ctrl-C stops it.
""", flush=True)


if __name__ == "__main__":
    try:
        main()
    except (Refused, OSError, subprocess.CalledProcessError) as fault:
        sys.exit(f"run: the demo accounts could not be made: {fault}")
