"""The README's table of settings is what the binary says of itself (`make readme` writes it)."""

import re
import subprocess


def test_settings_table(root, binary):
    told = subprocess.run([binary, "--help-markdown"], capture_output=True, text=True, check=True).stdout
    readme = (root / "README.md").read_text("utf-8")
    begin = readme.index("<!-- settings: the output of `tpbis --help-markdown` -->\n")
    end = readme.index("<!-- end of settings -->")
    table = readme[begin:end].split("-->\n", 1)[1]
    assert table == told, "run: make readme"


def test_manual_page(root, binary):
    """It names every command and option of `--help`, no other, and has the binary's own list of settings."""

    def told(option):
        return subprocess.run([binary, option], capture_output=True, text=True, check=True).stdout

    page, usage = (root / ".deploy/tpbis.8").read_text("utf-8"), told("--help")
    words = "[a-z][a-z-]*(?: [a-z][a-z-]*)*"
    commands = set(re.findall(rf"^tpbis (--[a-z-]+|{words})", usage, re.M)) - {"--help-markdown", "--help-mdoc"}
    items = re.sub("Fl Fl ", "--", "\n".join(re.findall(r"^\.It (?:Cm|Fl) .*$", page, re.M)))
    assert set(re.findall(rf"^\.It (?:Cm )?(--[a-z-]+|{words})", items, re.M)) == commands
    assert set(re.findall("--[a-z]+", usage.split("\n\n")[0])) - {"--help"} == set(re.findall("--[a-z]+", items))
    assert "\n@SETTINGS@\n" in page
    names = re.findall(r"^  (TPBIS_\w+)", usage, re.M)
    assert len(names) > 20 and re.findall(r"^\.It Ev (TPBIS_\w+)", told("--help-mdoc"), re.M) == names
