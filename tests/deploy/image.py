"""Builds the images from a clean clone, without a container engine, and tries them as docker-compose.yml runs them
(`make image`, as root): the user of the image, a root that cannot be written, no capabilities, secrets as files.

buildah builds (in a chroot, FROM a Debian 12 that mmdebstrap makes); what an engine would do to start a container is
done here with a mount namespace. The database is a throw-away cluster with the roles and passwords of the shipped
script. Rule: what docker-compose.yml and the images say is read from them, not repeated here."""

import argparse
import json
import os
import pwd
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness.service import free_port  # noqa: E402

POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
BASE = "docker.io/library/debian:12"
STOP_SECONDS = 30
# Runs in a mount namespace of its own: root read only, the mounts of the service, no way to more rights.
CONTAINER = """
set -eu
root=$1 user=$2; shift 2
mount --bind "$root" "$root"
mount --bind /dev "$root/dev"
mount -t proc -o ro proc "$root/proc"
while [ "$1" != -- ]; do
    kind=$1 source=$2 target=$root$3; shift 3
    case $kind in
    tmpfs) mount -t tmpfs -o "$source" tmpfs "$target" ;;
    *) mount --bind "$source" "$target"; [ "$kind" = rw ] || mount -o "remount,bind,ro" "$target" ;;
    esac
done
shift
mount -o remount,bind,ro "$root"
cd /
exec chroot "$root" setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs --inh-caps=-all \
    --bounding-set=-all -- "$@"
"""


def say(text):
    print(f"image: {text}", flush=True)


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, text=True, **options)


class Images:
    """buildah with a storage of its own."""

    def __init__(self, work, services):
        self.work, self.mounted = work, []
        self.names = {target: services[target]["image"] for target in ("api", "proxy")}
        self.buildah = ["buildah", "--root", work / "store", "--runroot", work / "run"]
        self.environment = {**os.environ, "TMPDIR": str(work / "tmp")}
        (work / "tmp").mkdir(exist_ok=True)

    def __call__(self, *words, **options):
        options.setdefault("stdout", subprocess.PIPE)
        return (run(*self.buildah, *words, env=self.environment, **options).stdout or "").strip()

    def base(self):
        """Debian 12 under the name that the Dockerfile takes it from; made once."""
        tar = self.work / "debian-12.tar"
        if not tar.exists():
            say("making a Debian 12 with mmdebstrap")
            sources = Path("/etc/apt/sources.list.d/debian.sources")
            run("mmdebstrap", "--variant=minbase", "--components=main", "bookworm", f"{tar}.new", *([sources] if sources.exists() else []),
                stderr=subprocess.DEVNULL)
            Path(f"{tar}.new").rename(tar)
        container = self("from", "scratch")
        self("add", "-q", container, tar, "/")
        self("commit", "-q", container, BASE)
        self("rm", container)

    def build(self, source, target):
        say(f"building {self.names[target]}")
        began = time.monotonic()
        with open(self.work / f"{target}.log", "w", encoding="utf-8") as log:
            self("bud", "--isolation", "chroot", "--pull-never", "--layers", "--format", "docker", "--target", target, "-f",
                 source / ".deploy/Dockerfile", "-t", self.names[target], source, stdout=log, stderr=log)
        say(f"built {self.names[target]} in {time.monotonic() - began:.0f} s; the log is {log.name}")

    def config(self, target):
        return json.loads(self("inspect", "--type", "image", self.names[target]))["Docker"]["config"]

    def mount(self, target):
        container = self("from", "--pull-never", self.names[target])
        self.mounted.append(container)
        return Path(self("mount", container))

    def close(self):
        for container in self.mounted:
            self("umount", container)
            self("rm", container)


class Database:
    """A cluster with passwords, its roles made by the script of docker-compose.yml."""

    def __init__(self, work, secrets):
        self.directory, self.port = work / "database", free_port()
        owner = pwd.getpwnam("postgres")
        self.as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        data = self.directory / "data"
        run(*self.as_owner, POSTGRESQL / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=peer",
            "--auth-host=scram-sha-256", "--no-sync", stdout=subprocess.DEVNULL)
        options = f"-c port={self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.directory} -c fsync=off"
        run(*self.as_owner, POSTGRESQL / "pg_ctl", "start", "-w", "-D", data, "-l", self.directory / "log", "-o", options, stdout=subprocess.DEVNULL)
        self.data = data
        run(*self.as_owner, ROOT / ".deploy/postgres/roles.sh", env={**os.environ, "SECRETS_DIRECTORY": str(secrets), "PGPORT": str(self.port),
                                                                     "PGHOST": str(self.directory)})

    def stop(self):
        run(*self.as_owner, POSTGRESQL / "pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data, stdout=subprocess.DEVNULL)


class Container:
    """A service of docker-compose.yml in its image. `mounts`: (rw, ro or tmpfs, source or options, target)."""

    def __init__(self, service, image, root, mounts, environment):
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
        assert not service.get("privileged") and "user" not in service
        self.entrypoint = service.get("entrypoint") or image["Entrypoint"]
        self.command = service.get("command") or image.get("Cmd") or []
        self.environment = dict(pair.split("=", 1) for pair in image["Env"])
        self.environment.update({name: str(value) for name, value in service["environment"].items()})
        self.environment.update(environment)
        user = image["User"]
        if not user[0].isdigit():
            entry = next(line.split(":") for line in (root / "etc/passwd").read_text(encoding="utf-8").splitlines()
                         if line.startswith(user.partition(":")[0] + ":"))
            user = f"{entry[2]}:{entry[3]}"
        self.root, self.user, self.mounts = root, user, mounts

    def words(self, *command):
        mounts = [str(word) for mount in self.mounts for word in mount]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", CONTAINER, "container", str(self.root), self.user, *mounts, "--",
                *command]

    def run(self, *command, **options):
        return run(*self.words(*command), env=self.environment, **options)

    def start(self, path):
        """Its output goes to a file that belongs to its user, as an engine arranges it."""
        with open(path, "w", encoding="utf-8") as log:
            os.fchown(log.fileno(), *map(int, self.user.split(":")))
            self.launch(log)

    def launch(self, log):
        self.process = subprocess.Popen(self.words(*self.entrypoint, *self.command), env=self.environment, stdout=log, stderr=log)

    def wait_healthy(self, image, seconds=60):
        words, end = image["Healthcheck"]["Test"], time.monotonic() + seconds
        assert words[0] == "CMD"
        while subprocess.run(self.words(*words[1:]), env=self.environment, capture_output=True, check=False).returncode:
            assert self.process.poll() is None and time.monotonic() < end, "does not become healthy"
            time.sleep(0.5)

    def stop(self):
        """SIGTERM; how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS) == 0, self.process.returncode
        return time.monotonic() - began


def lint(work):
    """docker-compose of the first generation, a linter with the schema of the second, one of the Dockerfile."""
    text = run("docker-compose", "-f", ROOT / "docker-compose.yml", "config", stdout=subprocess.PIPE).stdout
    directory = work / "lint"
    directory.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / ".deploy/lint" / name, directory / name)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=directory, stdout=subprocess.DEVNULL)
    tools = directory / "node_modules/.bin"
    run(tools / "dclint", "--max-warnings", "0", "-c", ROOT / ".deploy/lint/dclint.yaml", ROOT / "docker-compose.yml")
    run(tools / "dockerfile-utils", "lint", ROOT / ".deploy/Dockerfile")
    say("docker-compose config, dclint and dockerfile-utils have nothing to say")
    return yaml.safe_load(text)["services"]


def describe(images, target):
    config = images.config(target)
    size = next(image["size"] for image in json.loads(images("images", "--json")) if any(name.endswith("/" + images.names[target]) for name in image["names"] or []))
    say(f"{images.names[target]}: {size}, user {config['User']}, entrypoint {config['Entrypoint']}, health {config['Healthcheck']['Test']},"
        f" ports {sorted(config['ExposedPorts'])}")
    assert config["User"] and config["User"].split(":")[0] not in ("0", "root")
    return config


def secrets_for(work, database_port):
    """As .deploy/make-secrets makes them, with the database's address on this machine."""
    secrets = work / "secrets"
    for name in ("database_url", "owner_database_url"):
        path = secrets / name
        text = path.read_text(encoding="ascii").replace("@database:5432/", f"@127.0.0.1:{database_port}/")
        path.chmod(0o644)
        path.write_text(text, encoding="ascii")
    return secrets


def tmpfs_of(service):
    return [("tmpfs", options, target) for target, _, options in (text.partition(":") for text in service["tmpfs"])]


def https(address, certificate, path, **options):
    context = ssl.create_default_context(cafile=str(certificate))
    request = urllib.request.Request(address + path, **options)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(request, timeout=30) as answer:
        return answer.status, json.load(answer)


def try_api(images, services, work, secrets):
    """prepare, then api; the container that serves, where it listens, and a client's id and secret."""
    image, root = describe(images, "api"), images.mount("api")
    keys = work / "keys"  # a new volume is born with the owner and mode of the image's directory
    shutil.rmtree(keys, ignore_errors=True)
    shutil.copytree(root / "var/lib/tpbis/keys", keys)
    found = (root / "var/lib/tpbis/keys").stat()
    os.chown(keys, found.st_uid, found.st_gid)
    (root / "run/secrets").mkdir()
    port = str(free_port())
    prepare = Container(services["prepare"], image, root, [*tmpfs_of(services["prepare"]), ("rw", keys, "/var/lib/tpbis/keys"),
                                                           ("ro", secrets, "/run/secrets")], {})
    for _ in range(2):  # the second time, as at every start, it finds nothing to do
        prepare.run(*prepare.entrypoint, *prepare.command, stdout=subprocess.DEVNULL)
    client = json.loads(prepare.run("tpbis", "client", "create", "--name", "image", "--role", "portal", stdout=subprocess.PIPE).stdout)
    written = subprocess.run(prepare.words("sh", "-c", "touch /x /usr/bin/x /var/lib/tpbis/x 2>&1"), capture_output=True, text=True, check=False)
    assert written.stdout.count("Read-only file system") >= 1 and not (root / "x").exists(), written
    status = prepare.run("cat", "/proc/self/status", stdout=subprocess.PIPE).stdout
    held = dict(line.split(":\t") for line in status.splitlines() if line.startswith(("Cap", "NoNewPrivs", "Uid")))
    assert int(held["CapEff"], 16) == int(held["CapBnd"], 16) == 0 and held["NoNewPrivs"] == "1", held
    say(f"inside: uid {held['Uid'].split()[0]}, no capability, no new privileges, a root that is read only; prepared the database")
    api = Container(services["api"], image, root, [*tmpfs_of(services["api"]), ("rw", keys, "/var/lib/tpbis/keys"),
                                                   ("ro", secrets, "/run/secrets")], {"TPBIS_PORT": port})
    return api, image, port, client


def try_all(images, services, work):
    shutil.rmtree(work / "secrets", ignore_errors=True)
    run(ROOT / ".deploy/make-secrets", "localhost", work / "secrets", stdout=subprocess.DEVNULL)
    work.chmod(0o755)
    (work / "secrets").chmod(0o755)  # so that the database's user reads its passwords here
    database, running = Database(work, work / "secrets"), []
    try:
        secrets = secrets_for(work, database.port)
        api, api_image, api_port, client = try_api(images, services, work, secrets)
        proxy_image, root = describe(images, "proxy"), images.mount("proxy")
        (root / "etc/tpbis-proxy/tls").mkdir()
        plain, tls = free_port(), free_port()
        proxy = Container(services["proxy"], proxy_image, root, [*tmpfs_of(services["proxy"]), ("ro", secrets / "tls", "/etc/tpbis-proxy/tls")],
                          {"PROXY_UPSTREAMS": f"127.0.0.1:{api_port}", "PROXY_HTTP": str(plain), "PROXY_HTTPS": str(tls)})
        for name, container, image in (("api", api, api_image), ("proxy", proxy, proxy_image)):
            container.start(work / f"{name}-container.log")
            running.append(container)
            container.wait_healthy(image)
        address, certificate = f"https://localhost:{tls}", secrets / "tls/certificate.pem"
        form = f"grant_type=client_credentials&client_id={client['client_id']}&client_secret={client['client_secret']}"
        _, token = https(address, certificate, "/oauth2/token", data=form.encode())
        status, region = https(address, certificate, "/v1/regions/19", headers={"Authorization": "Bearer " + token["access_token"]})
        assert (status, region["code"]) == (200, "19")
        time.sleep(0.5)  # a line is written when the answer has left
        for name, event in (("api", "request"), ("proxy", "proxied")):
            lines = [json.loads(line) for line in (work / f"{name}-container.log").read_text(encoding="utf-8").splitlines()]
            assert any(line["event"] == event and line.get("path") == "/v1/regions/19" for line in lines), lines
        say("both are healthy by their own checks; a token and a region through TLS, proxy and service")
        for name, container in (("proxy", proxy), ("api", api)):
            say(f"{name} ended {container.stop():.1f} s after SIGTERM, with status 0")
    finally:
        for container in running:
            if container.process.poll() is None:
                container.process.kill()
                container.process.wait()
        database.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="where images and the trial lie")
    work = parser.parse_args().work.resolve()
    if os.geteuid():
        sys.exit("make image: it makes file systems and mounts them, so it runs as root")
    work.mkdir(parents=True, exist_ok=True)
    services = lint(work)
    shutil.rmtree(work / "source", ignore_errors=True)
    run("git", "clone", "-q", ROOT, work / "source")
    images = Images(work, services)
    try:
        images.base()
        for target in ("api", "proxy"):
            images.build(work / "source", target)
        try_all(images, services, work)
    finally:
        images.close()
    say("passed")


if __name__ == "__main__":
    main()
