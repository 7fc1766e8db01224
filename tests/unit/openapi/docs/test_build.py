"""The reference page's build: with Swagger UI, and without npm; nothing of it may load from another host."""

import gzip
import importlib.util
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[4]
DOCS = ROOT / "openapi/docs"


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A stand-in for the npm package, so that the test needs no network."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "swagger-ui.css").write_text(".swagger-ui{}\n" * 1000 + "/*# sourceMappingURL=swagger-ui.css.map*/")
    (folder / "swagger-ui-bundle.js").write_text("window.SwaggerUIBundle = 1;\n//# sourceMappingURL=x.map\n")
    (folder / "favicon-32x32.png").write_bytes(b"\x89PNG")
    (folder / "LICENSE").write_text("Apache")
    (folder / "NOTICE").write_text("notice")
    return folder


def served(build, package):
    return [build.collect(package), build.collect(None)]


def test_pages_refer_only_to_files_that_are_there(build, package):
    for files in served(build, package):
        page = files["index.html"].decode()
        links = re.findall(r'(?:src|href)="([^"]*)"', page)
        assert links
        for link in links:
            if link.startswith("/docs/"):
                assert link.removeprefix("/docs/") in files, link
            else:
                assert link in ("/openapi.json", "/problems"), link


def test_pages_hold_no_inline_script_or_style(build, package):
    for files in served(build, package):
        page = files["index.html"].decode()
        assert not re.search(r"<style|style=|\son[a-z]+=", page)
        assert all(body == "" for body in re.findall(r"<script[^>]*>(.*?)</script>", page, re.S))
        assert "unsafe" not in build.CSP and "http" not in build.CSP


def test_own_files_name_no_other_host(build, package):
    for files in served(build, package):
        for name in ("index.html", "init.js", "page.css"):
            assert b"//" not in files.get(name, b"").replace(b"// ", b""), name


def test_source_maps_are_not_asked_for(build, package):
    files = build.collect(package)
    assert b"sourceMappingURL" not in files["swagger-ui.css"] + files["swagger-ui-bundle.js"]
    assert b"SwaggerUIBundle = 1" in files["swagger-ui-bundle.js"]


def test_without_npm_a_plain_page_says_how(build, tmp_path, capsys):
    assert build.install("", tmp_path) is None
    assert build.install("/nonexistent/npm", tmp_path) is None
    assert "npm is not there" in capsys.readouterr().err
    assert b"make docs" in build.collect(None)["index.html"]


@pytest.mark.parametrize("script", ["echo 'network is down' >&2; exit 1", "exit 7"])
def test_npm_failing_does_not_fail_the_build(build, tmp_path, capsys, script):
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    assert build.install(str(npm), tmp_path / "installed") is None
    assert "npm ci failed" in capsys.readouterr().err


def test_npm_runs_no_install_script_and_keeps_to_the_lock_file(build, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\necho "$@" >"$0.arguments"\nmkdir -p node_modules/swagger-ui-dist\n')
    npm.chmod(0o755)
    target = tmp_path / "installed"
    assert build.install(str(npm), target) == target / "node_modules/swagger-ui-dist"
    arguments = (tmp_path / "npm.arguments").read_text().split()
    assert arguments[0] == "ci" and "--ignore-scripts" in arguments
    (tmp_path / "npm.arguments").unlink()
    assert build.install(str(npm), target)  # nothing changed: npm is not asked again
    assert not (tmp_path / "npm.arguments").exists()


def test_lock_file_is_exact_and_names_no_registry():
    lock = (DOCS / "package-lock.json").read_text()
    assert "resolved" not in lock and "://" not in lock
    assert re.search(r'"swagger-ui-dist": "\d+\.\d+\.\d+"', (DOCS / "package.json").read_text())


def test_the_c_file_compiles_and_holds_the_bytes(build, package, tmp_path):
    files = build.collect(package)
    build.write_c(files, tmp_path / "docs_files.c")
    (tmp_path / "print.c").write_text("""
#include <stdio.h>
#include "api/docs.h"
int main(void)
{
    for (size_t i = 0; i < docs_file_count; i++) {
        const struct docs_file *file = &docs_files[i];
        printf("%s %zu %zu %d ", file->name, file->len, file->plain_len, file->gzip);
        for (size_t k = 0; k < file->len; k++)
            printf("%02x", file->data[k]);
        putchar('\\n');
    }
    return docs_csp[0] == 0;
}
""")
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{ROOT}", "-o", "print",
                    "print.c", "docs_files.c"], cwd=tmp_path, check=True)
    lines = subprocess.run([tmp_path / "print"], capture_output=True, text=True, check=True).stdout.splitlines()
    seen = {}
    for line in lines:
        name, length, plain, packed, data = line.split(" ")
        data = bytes.fromhex(data)
        assert len(data) == int(length)
        seen[name] = gzip.decompress(data) if packed == "1" else data
        assert len(seen[name]) == int(plain)
    assert seen == files
    assert list(seen) == sorted(seen)
