"""testssl against the shipped proxy with a sample certificate (`make proxy-check`).

Rule: nothing of severity HIGH or CRITICAL except what a certificate that nobody has signed brings with it. TLS 1.2 and 1.3 alone are offered, with forward secrecy, and HSTS."""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness.gateway import Gateway  # noqa: E402
from harness.service import free_port  # noqa: E402

KNOWN = {"cert_chain_of_trust", "cert_revocation"}  # of a certificate that is signed by itself
OFFERED = {"SSLv2": False, "SSLv3": False, "TLS1": False, "TLS1_1": False, "TLS1_2": True, "TLS1_3": True}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    work = parser.parse_args().work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    gateway = Gateway(work / "nginx", [free_port()])
    found = work / "testssl.json"
    try:
        subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--jsonfile", found,
                        f"localhost:{gateway.port}"], stdin=subprocess.DEVNULL, check=False, timeout=900)
    finally:
        assert gateway.stop() == 0
    findings = {finding["id"]: finding for finding in json.loads(found.read_text(encoding="utf-8"))}
    faults = [f"{name}: {finding['severity']}: {finding['finding']}" for name, finding in findings.items()
              if finding["severity"] in ("HIGH", "CRITICAL", "FATAL") and name not in KNOWN]
    for name, offered in OFFERED.items():
        if findings[name]["finding"].startswith("offered") != offered:
            faults.append(f"{name}: {findings[name]['finding']}")
    for name in ("HSTS_time", "PFS", "cert_keySize", "secure_renego", "cipher_order"):
        if findings.get(name, {}).get("severity") not in ("OK", "INFO"):
            faults.append(f"{name}: {findings.get(name)}")
    if faults:
        sys.exit("proxy-check: " + "\n  ".join(faults))
    counts = {}
    for finding in findings.values():
        counts[finding["severity"]] = counts.get(finding["severity"], 0) + 1
    print(f"proxy-check: passed; findings by severity: {counts}")


if __name__ == "__main__":
    main()
