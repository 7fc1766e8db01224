"""The reference page over HTTP, as a browser fetches it. It must stand without a database and without other hosts."""

import re
import subprocess
import time

import pytest
import requests

from harness.service import free_port


@pytest.fixture(scope="module")
def docs_url(binary, tmp_path_factory):
    """A service whose database is not there: the reference does not need one."""
    port = free_port()
    folder = tmp_path_factory.mktemp("docs")
    environment = {
        "TPBIS_PORT": str(port),
        "TPBIS_DATABASE_URL": f"host={folder} dbname=none connect_timeout=1",
        "TPBIS_KEY_DIRECTORY": str(folder / "keys"),
    }
    (folder / "keys").mkdir(mode=0o700)
    subprocess.run([binary, "key", "create"], env=environment, check=True)
    with open(folder / "log", "wb") as log:
        service = subprocess.Popen([binary, "serve"], env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            assert service.poll() is None, (folder / "log").read_text()
            try:
                requests.get(url + "/health/live", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield url
    finally:
        service.terminate()
        service.wait(60)
    assert service.returncode == 0, (folder / "log").read_text()


def files_of(page):
    return re.findall(r'(?:src|href)="(/docs/[^"]*)"', page)


def test_page(docs_url):
    answer = requests.get(docs_url + "/docs", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "TPBIS API" in answer.text
    assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", answer.text)


def test_every_file_of_the_page_is_there(docs_url):
    page = requests.get(docs_url + "/docs", timeout=10).text
    names = files_of(page)
    assert names
    types = {"js": "text/javascript", "css": "text/css", "png": "image/png"}
    for name in names:
        answer = requests.get(docs_url + name, timeout=10)
        assert answer.status_code == 200, name
        assert answer.headers["Content-Type"].startswith(types[name.rpartition(".")[2]]), name
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], name
        assert len(answer.content) > 50, name


def test_a_client_without_gzip_gets_the_same_bytes(docs_url):
    for name in files_of(requests.get(docs_url + "/docs", timeout=10).text):
        packed = requests.get(docs_url + name, headers={"Accept-Encoding": "gzip"}, timeout=10)
        plain = requests.get(docs_url + name, headers={"Accept-Encoding": "identity"}, timeout=10)
        assert "Content-Encoding" not in plain.headers, name
        assert packed.content == plain.content, name


def test_files_are_asked_for_once(docs_url):
    for name in ["/docs", *files_of(requests.get(docs_url + "/docs", timeout=10).text)]:
        tag = requests.get(docs_url + name, timeout=10).headers["ETag"]
        again = requests.get(docs_url + name, headers={"If-None-Match": tag}, timeout=10)
        assert (again.status_code, again.content) == (304, b""), name


@pytest.mark.parametrize("name", ["build.py", "package.json", "INIT.JS", "%2e%2e%2fdocs", "index.html%00"])
def test_nothing_else_is_served(docs_url, name):
    assert requests.get(f"{docs_url}/docs/{name}", timeout=10).status_code in (400, 404)
