"""Packages from npm that only tests use: installed once from a pinned lock file, outside the source tree."""

import shutil
import subprocess
from pathlib import Path

INSTALL_SECONDS = 600


def npm_install(source, target):
    """node_modules of `source`'s lock file, in `target`, which is returned. No install scripts are run."""
    source, target = Path(source), Path(target)
    target.mkdir(parents=True, exist_ok=True)
    lock = (source / "package-lock.json").read_bytes()
    done = target / ".installed"
    if not done.exists() or done.read_bytes() != lock:
        print(f"installing the packages of {source.name} (npm ci)", flush=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, target / name)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=target, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=INSTALL_SECONDS)
        done.write_bytes(lock)
    return target
