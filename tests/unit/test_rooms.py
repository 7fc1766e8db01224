"""The rooms: what may include what, what may lie at the top, and words that do not belong in any file.

Includes run downward only: api/base, the compiled contract's header, db, auth, api. A foreign library is known in
one place, so that it can be replaced there.
"""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# From the ground up; a file may include its own room and those below it.
ROOMS = ["api/base/", "openapi/", "db/", "auth/", "api/"]

# A foreign header and the files that may know it (prefixes of paths).
FOREIGN = {
    "ulfius.h": ("api/server",),
    "microhttpd.h": ("api/server",),
    "orcania.h": ("api/server",),
    "yder.h": ("api/server",),
    "jwt.h": ("auth/token.c",),
    "libpq-fe.h": ("db/connection.", "db/exchange.", "db/query.c", "db/migrate.c", "db/load.c"),
    "curl/": ("auth/mail.c",),
    "sodium.h": ("api/base/", "auth/"),
    "liboath/": ("auth/totp.c",),
    "qrencode.h": ("api/qr.c",),
    "unicase.h": ("auth/password_text.c",),
    "openssl/": ("api/base/digest.c", "auth/"),
    "pcre2.h": ("api/patterns.c", "api/validate"),
    **dict.fromkeys(("unictype.h", "uninorm.h", "unistr.h"), ("api/base/text.c", "auth/password_text.c")),
    "zlib.h": ("api/", "db/load"),
}

TOP = {
    "api", "auth", "db", "openapi", "tests",
    ".ci", ".setup", ".make", ".deploy", ".dockerignore", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", ".gitattributes",
    "Makefile", "LICENSE", "README.md", "README.id.md", "docker-compose.yml", "Dockerfile", "deploy",
}
UNTRACKED = {".git", "build", ".local"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
# Paths of one machine, and leftovers.
FORBIDDEN = re.compile(r"/(?:work|Users)/|/home/[a-z]|\bTODO\b|\bFIXME\b|\bXXX\b|^<<<<<<< |^>>>>>>> ", re.M)


def files(*patterns):
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    else:  # an unpacked archive
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if name.split("/")[0] not in UNTRACKED and "node_modules" not in name]
    return [name for name in names if not patterns or any(pathlib.PurePath(name).match(p) for p in patterns)]


def room(name):
    for prefix in ROOMS:
        if name.startswith(prefix):
            return ROOMS.index(prefix)
    return None


def faults_of(name, text):
    """What is wrong with the includes of one file of C."""
    faults = []
    for kind, target in INCLUDE.findall(text):
        if kind == '"' and "/" in target and room(target) is not None:
            if room(name) is not None and room(target) > room(name):
                faults.append(f"{name} looks upward to {target}")
        elif kind == '"' and "/" not in target and not target.endswith(".inc"):
            faults.append(f"{name} includes {target} without its path from the root")
        for header, allowed in FOREIGN.items():
            if target == header or target.endswith("/" + header) or (header.endswith("/") and target.startswith(header)):
                if not name.startswith(allowed) and not name.startswith("tests/"):
                    faults.append(f"{name} knows {target}, which is for {', '.join(allowed)}")
    return faults


def test_includes_run_downward():
    sources = [name for name in files("*.c", "*.h", "*.def") if room(name) is not None]
    assert sources
    faults = [fault for name in sources for fault in faults_of(name, (ROOT / name).read_text("utf-8"))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name, text", [
    ("db/pool.c", '#include "auth/auth.h"'),
    ("auth/auth.c", '#include "api/call.h"'),
    ("api/base/span.c", '#include "db/pool.h"'),
    ("db/query.c", '#include "api/frame.h"'),
    ("openapi/contract.h", '#include "db/query.h"'),
    ("api/frame.c", "#include <ulfius.h>"),
    ("auth/client.c", "# include <jwt.h>"),
    ("auth/factor.c", "#include <liboath/oath.h>"),
    ("api/html.c", "#include <qrencode.h>"),
    ("api/page.c", "#include <libpq-fe.h>"),
    ("auth/client.c", "#include <postgresql/libpq-fe.h>"),
    ("api/page.c", "#include <openssl/evp.h>"),
    ("api/page.c", '#include "page.h"'),
])
def test_a_wrong_include_is_seen(name, text):
    assert faults_of(name, text)


@pytest.mark.parametrize("name, text", [
    ("auth/auth.c", '#include "db/pool.h"\n#include "api/base/span.h"\n#include "openapi/contract.h"'),
    ("api/server.c", '#include <ulfius.h>\n#include "auth/auth.h"'),
    ("db/connection.c", "#include <libpq-fe.h>"),
])
def test_a_right_include_is_not(name, text):
    assert not faults_of(name, text)


def test_top_level():
    strangers = {name.split("/")[0] for name in files()} - TOP
    assert not strangers, strangers


def test_no_machine_paths_or_leftovers():
    faults = []
    for name in files():
        if name == "tests/unit/test_rooms.py" or name.startswith("db/reference/"):
            continue
        data = (ROOT / name).read_bytes()
        if b"\0" in data:
            continue
        text = data.decode("utf-8")
        for found in FORBIDDEN.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            faults.append(f"{name}:{line}: {found.group().strip()}")
    assert not faults, "\n".join(faults)


def test_every_source_opens_with_its_purpose():
    missing = [name for name in files("*.c", "*.h")
               if not (ROOT / name).read_text("utf-8").lstrip().startswith("/*")]
    assert not missing, missing


def test_no_prose_is_an_argument_of_a_problem():
    """Words of one language would stand in the sentence of the other: they belong into reasons.def or faults.def."""
    said = re.compile(r'\b(?:call_refuse|call_fault|faults_add)\((?:[^;"]|"[^" ]*")*?(?:SPAN|span_of)\(\s*"([^"]* [^"]*)"')
    for path in sorted(path for room in ("api", "auth", "db") for path in (ROOT / room).rglob("*.c")):
        assert said.findall(path.read_text(encoding="utf-8")) == [], path
