"""What the contract says of whole lists, which a caller may have two of at once.

Never to break: every operation that can answer a whole list (CSV or GeoJSON, without limit) promises the refusal of a third one.
"""
from .source import Map, reference, sort_responses

WHOLE = {"csv", "geojson"}
# The component that the contract's own files need not refer to.
ADDED = {("responses", "exports_at_once")}


def describe(operations, root, report):
    """Adds the 429 to each operation whose answer is a list in one of these formats."""
    known = (root.get("components") or {}).get("responses") or {}
    for operation in operations:
        if not operation.is_list or not WHOLE & set(operation.produces):
            continue
        if "exports_at_once" not in known:
            report.fault(operation.place, f"{operation.id} offers whole lists, and responses/exports_at_once is not among the components")
            continue
        responses = operation.node["responses"]
        if isinstance(responses, Map) and "429" not in responses:
            responses["429"] = reference(root, "responses", "exports_at_once")
            operation.node["responses"] = sort_responses(responses)
