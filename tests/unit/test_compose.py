"""docker-compose.yml against what it stands on: settings, images, secrets. `make image` runs it; this is what every
test run can see without an engine."""

import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = ["proxy", "api", "prepare"]
# What only one generation of docker-compose reads.
FOREIGN = {"version", "name", "include", "configs"}, {"profiles", "deploy", "extends", "develop", "init", "attach", "annotations"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_rights_and_nothing_to_write(name):
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
    assert name in OURS or service["user"] not in ("root", "0")
    assert "ports" not in service or name == "proxy"


@pytest.mark.parametrize("name", ["api", "prepare"])
def test_settings_exist(name):
    known = set(re.findall(r"^[A-Z_]+\(\s*(\w+),", (ROOT / "api/base/settings.def").read_text(encoding="utf-8"), re.M))
    assert len(known) > 20
    for variable in SERVICES[name]["environment"]:
        setting = variable.removeprefix("TPBIS_").lower()
        assert setting in known or setting.removesuffix("_file") in known, variable


def test_secrets_are_made(tmp_path):
    subprocess.run([ROOT / ".deploy/make-secrets", "localhost", tmp_path / "secrets"], check=True, capture_output=True)
    first = {path: path.read_bytes() for path in (tmp_path / "secrets").rglob("*") if path.is_file()}
    subprocess.run([ROOT / ".deploy/make-secrets", "localhost", tmp_path / "secrets"], check=True, capture_output=True)
    assert first == {path: path.read_bytes() for path in (tmp_path / "secrets").rglob("*") if path.is_file()}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    wanted = {pathlib.Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert wanted == {path.name for path in first if path.parent.name == "secrets"}
    for name in ("owner", "api"):
        password = (tmp_path / "secrets" / f"{name}_password").read_text(encoding="ascii").strip()
        url = (tmp_path / "secrets" / {"owner": "owner_database_url", "api": "database_url"}[name]).read_text(encoding="ascii")
        assert len(password) == 64 and f"://tpbis_{name}:{password}@database:5432/tpbis" in url
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    assert "owner_password" not in SERVICES["api"]["secrets"] and "owner_database_url" not in SERVICES["api"]["secrets"]


def test_the_order_of_the_start():
    assert SERVICES["api"]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    assert SERVICES["prepare"]["depends_on"]["database"] == {"condition": "service_healthy"}
    assert SERVICES["proxy"]["depends_on"]["api"] == {"condition": "service_healthy"}


def test_both_generations_read_it():
    assert not FOREIGN[0] & set(COMPOSE)
    assert not [key for service in SERVICES.values() for key in FOREIGN[1] & set(service)]


def test_what_the_images_are_made_of_is_there():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    text = (ROOT / ".deploy/Dockerfile").read_text(encoding="utf-8")
    for source in re.findall(r"^COPY (?!--from)(\S+)", text, re.M):
        assert (ROOT / source).exists() and source not in ignored, source
    assert {SERVICES[name]["build"]["target"] for name in OURS} == {"api", "proxy"}
    assert set(re.findall(r"^FROM (\S+) AS (?:build|api|proxy)$", text, re.M)) == {"debian:12"}
    assert ".deploy/secrets" in ignored and "/.deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
