"""Reading: YAML that remembers where each key stood, $ref, and the list of what is wrong.

Never to break: every fault names a file and a line.
"""
import os

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml: slower, the same nodes
    from yaml import SafeLoader as Loader


class Refused(Exception):
    """Compilation ended; the faults are in .faults, as "file:line: text"."""

    def __init__(self, faults):
        super().__init__("\n".join(faults))
        self.faults = faults


class Report:
    """Collects faults, so that one run names all of them."""

    def __init__(self):
        self.found = set()

    def fault(self, place, text):
        file, line = place
        self.found.add((file, line, text))

    def finish(self):
        if self.found:
            raise Refused([f"{file}:{line}: {text}" for file, line, text in sorted(self.found)])


class Map(dict):
    """A YAML mapping with the lines of its keys."""

    def __init__(self, file, line):
        super().__init__()
        self.file, self.line, self.lines = file, line, {}

    def place(self, key=None):
        return self.file, self.lines.get(key, self.line)

    def copy(self):
        other = Map(self.file, self.line)
        other.update(self)
        other.lines = dict(self.lines)
        return other


class Sequence(list):
    """A YAML sequence with its line."""

    def __init__(self, file, line):
        super().__init__()
        self.file, self.line = file, line

    def place(self):
        return self.file, self.line


def _scalar(node, file, report):
    line = node.start_mark.line + 1
    kind, text = node.tag.rsplit(":", 1)[-1], node.value
    if kind == "str" or kind == "timestamp":  # a date in an example is a JSON string
        return text
    if kind == "null":
        return None
    if kind == "bool":
        if text not in ("true", "false"):
            report.fault((file, line), f'"{text}" is a boolean to YAML; quote it or write true or false')
        return text == "true"
    if kind == "int":
        if text.lstrip("-").isdigit() and (text.lstrip("-") == "0" or text.lstrip("-")[0] != "0"):
            return int(text)
        report.fault((file, line), f'"{text}" is a number to YAML only; quote it')
        return 0
    if kind == "float":
        return float(text)
    report.fault((file, line), f"a YAML tag is not supported: {node.tag}")
    return None


def _convert(node, file, report):
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result = Map(file, line)
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            key_line = key_node.start_mark.line + 1
            if key is None or key == "<<":
                report.fault((file, key_line), "a key must be a plain name")
                continue
            if key in result:
                report.fault((file, key_line), f'the key "{key}" appears twice')
            result[key] = _convert(value_node, file, report)
            result.lines[key] = key_line
        return result
    if isinstance(node, yaml.SequenceNode):
        result = Sequence(file, line)
        result.extend(_convert(item, file, report) for item in node.value)
        return result
    return _scalar(node, file, report)


class Documents:
    """The files of the contract; each is read once, so a target is known by its identity."""

    def __init__(self, report):
        self.report = report
        self.files = {}

    def load(self, path):
        path = os.path.normpath(path)
        if path not in self.files:
            try:
                with open(path, encoding="utf-8") as stream:
                    node = yaml.compose(stream, Loader=Loader)
            except OSError as error:
                raise Refused([f"{path}:1: cannot be read: {error.strerror}"]) from None
            except yaml.YAMLError as error:
                mark = getattr(error, "problem_mark", None)
                line = mark.line + 1 if mark else 1
                raise Refused([f"{path}:{line}: is not YAML: {getattr(error, 'problem', error)}"]) from None
            if not isinstance(node, yaml.MappingNode):
                raise Refused([f"{path}:1: must be a mapping"])
            self.files[path] = _convert(node, path, self.report)
        return self.files[path]

    def follow(self, node):
        """The target of {"$ref": ...} (through further ones), or the node itself."""
        seen = 0
        while isinstance(node, Map) and "$ref" in node:
            place, reference = node.place("$ref"), node["$ref"]
            seen += 1
            if not isinstance(reference, str) or seen > 16:
                raise Refused([f"{place[0]}:{place[1]}: $ref goes round in circles or is no text"])
            file, _, pointer = reference.partition("#")
            path = os.path.join(os.path.dirname(node.file), file) if file else node.file
            if not os.path.exists(path):
                raise Refused([f"{place[0]}:{place[1]}: $ref names a file that is not there: {reference}"])
            target = self.load(path)
            for step in filter(None, pointer.split("/")):
                step = step.replace("~1", "/").replace("~0", "~")
                if not isinstance(target, Map) or step not in target:
                    raise Refused([f"{place[0]}:{place[1]}: $ref points at nothing: {reference}"])
                target = target[step]
            if not isinstance(target, Map):
                raise Refused([f"{place[0]}:{place[1]}: $ref points at no object: {reference}"])
            node = target
        return node


def write_if_changed(path, text):
    """Leaves the file's time alone when nothing changed, so that make rebuilds nothing."""
    data = text.encode("utf-8")
    try:
        with open(path, "rb") as stream:
            if stream.read() == data:
                return False
    except OSError:
        pass
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".new", "wb") as stream:
        stream.write(data)
    os.replace(path + ".new", path)
    return True


def reference(root, kind, name):
    """A $ref to a component of the contract."""
    result = Map(root.file, root.line)
    result["$ref"] = f"#/components/{kind}/{name}"
    return result


def sort_responses(responses):
    """By status, the default last."""
    result = Map(responses.file, responses.line)
    for status in sorted(responses, key=lambda status: (status == "default", status)):
        result[status] = responses[status]
    return result
