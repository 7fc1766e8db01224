"""C tokens. Never to break: the text reads back byte for byte, whatever is in it."""

_PLAIN = {ord("\n"): "\\n", ord("\t"): "\\t", ord('"'): '\\"', ord("\\"): "\\\\"}


def _escape(data):
    pieces = []
    for byte in data:
        if byte in _PLAIN:
            pieces.append(_PLAIN[byte])
        elif byte == ord("?"):
            pieces.append("\\?")  # no trigraphs
        elif 32 <= byte < 127:
            pieces.append(chr(byte))
        else:
            pieces.append(f"\\{byte:03o}")  # three octal digits never swallow what follows
    return pieces


def c_string(text):
    """A string literal on one line."""
    if text is None:
        return "NULL"
    return '"' + "".join(_escape(text.encode("utf-8"))) + '"'


def c_long_string(text, width=96):
    """Adjacent literals, a line each."""
    lines, line, length = [], [], 0
    for piece in _escape(text.encode("utf-8")):
        line.append(piece)
        length += len(piece)
        if length >= width or piece == "\\n":
            lines.append('"' + "".join(line) + '"')
            line, length = [], 0
    if line or not lines:
        lines.append('"' + "".join(line) + '"')
    return "\n    ".join(lines)


def c_number(value):
    return repr(float(value))


def c_bool(value):
    return "true" if value else "false"
