"""The README's table of settings is what the binary says of itself (`make readme` writes it)."""

import subprocess


def test_settings_table(root, binary):
    told = subprocess.run([binary, "--help-markdown"], capture_output=True, text=True, check=True).stdout
    readme = (root / "README.md").read_text("utf-8")
    begin = readme.index("<!-- settings: the output of `tpbis --help-markdown` -->\n")
    end = readme.index("<!-- end of settings -->")
    table = readme[begin:end].split("-->\n", 1)[1]
    assert table == told, "run: make readme"
