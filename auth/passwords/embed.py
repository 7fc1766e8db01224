"""Compiles the words into C: sorted 64-bit FNV-1a hashes, which auth/password_check.c searches."""

import argparse
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


def fnv(word):
    value = 14695981039346656037
    for byte in word.encode():
        value = (value ^ byte) * 1099511628211 % (1 << 64)
    return value


def array(name, words):
    hashes = sorted({fnv(word) for word in words})
    lines = ",\n".join(", ".join(f"UINT64_C({value:#x})" for value in hashes[at:at + 4]) for at in range(0, len(hashes), 4))
    return f"const uint64_t {name}[] = {{\n{lines}}};\nconst size_t {name}_count = {len(hashes)};\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    out = parser.parse_args().out
    words, local = ((HERE / name).read_text(encoding="utf-8").split() for name in ("words.txt", "local.txt"))
    out.write_text("/* Made by auth/passwords/embed.py. */\n#include \"auth/password_words.h\"\n\n"
                   + array("password_words", [*words, *local]) + array("password_local_words", local), encoding="utf-8")


if __name__ == "__main__":
    main()
