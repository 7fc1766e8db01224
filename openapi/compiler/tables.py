"""CSV in the contract: what follows for every operation that answers text/csv.

Never to break: wherever there is CSV, the contract says what it does to text.
"""
from .source import Map, reference

# Components that the contract's own files need not refer to.
TABLE = (("parameters", "separator"), ("headers", "content_disposition"))


def tables_add(root, documents, report):
    """Every answer with text/csv can be had as a table for people, with a separator and a name for the file, without saying so."""
    components = root.get("components") or {}
    missing = [name for kind, name in TABLE if name not in (components.get(kind) or {})]
    for path, item in (root.get("paths") or {}).items():
        node = documents.follow(item).get("get")
        answer = documents.follow((node.get("responses") or {}).get("200")) if isinstance(node, Map) else None
        if not isinstance(answer, Map) or "text/csv" not in (answer.get("content") or {}):
            continue
        if missing:
            report.fault(node.place(), f"GET {path} answers text/csv, and {', '.join(missing)} is not among the components")
            return
        separator, disposition = (reference(root, *part) for part in TABLE)
        parameters = node.setdefault("parameters", [])
        if not any(documents.follow(parameter).get("name") == "format" for parameter in parameters):
            report.fault(node.place(), f"GET {path} answers text/csv, so it has the parameter format")
        parameters.append(separator)
        headers = Map(answer.file, answer.line)
        headers.update(answer.get("headers") or {})
        headers["Content-Disposition"] = disposition
        answer["headers"] = headers
