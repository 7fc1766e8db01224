"""Walks everything the contract lets one read, as one caller: every list in every format, every object that a list names.

The rule: what cannot be walked is told, never passed over in silence."""

import re

import requests

# What speaks of the process and the moment, not of the data; and what lists the reads of itself.
NOT_DATA = {"/metrics", "/health/live", "/health/ready", "/docs/{file}", "/v1/people/{id}/personal-data"}
TOP, NESTED = 12, 4  # so many items of a list are followed
PARAMETER = re.compile(r"\{(\w+)\}")


class Walk:
    """`pages` maps (path, media type) to (status, ETag, body); `operations` names those that gave 200, `without` those of which
    nothing is there to be read."""

    def __init__(self, address, document, token):
        self.address, self.document = address, document
        self.session = requests.Session()
        self.session.headers.update({"Authorization": "Bearer " + token, "Accept-Language": "en"})
        self.pages, self.items, self.operations, self.without = {}, {}, set(), set()

    def get(self, path, media="application/json", **headers):
        return self.session.get(self.address + path, headers={"Accept": media, **headers}, timeout=60)

    def listed(self, path):
        """The items of the list at a path; none when it is no list."""
        if path not in self.items:
            answer = self.get(path)
            body = answer.json() if answer.status_code == 200 and "json" in answer.headers["Content-Type"] else {}
            items = body.get("items", body.get("data")) if isinstance(body, dict) else body
            self.items[path] = items if isinstance(items, list) else []
        return self.items[path]

    def paths(self, template, at=""):
        """The real paths of a template: each parameter from the list that stands before it."""
        match = PARAMETER.search(template)
        if not match:
            return [at + template]
        before, found = at + template[:match.start()].rstrip("/"), []
        for item in self.listed(before)[:NESTED if at else TOP]:
            value = next((item[name] for name in (match[1], "id", "code", "slug", "client_id")
                          if isinstance(item, dict) and item.get(name)), None)
            if value:
                found += self.paths(template[match.end():], f"{before}/{value}")
        return found

    def run(self, last=False):
        """Some reads are recorded, and the audit lists them. The last walk before a backup ends with the audit, the first after
        it begins there, so that both see the same reads."""
        reads = [(template, methods["get"]) for template, methods in self.document["paths"].items() if "get" in methods]
        reads.sort(key=lambda read: (read[0] != "/v1/audit", "contacts:read" in str(read[1].get("security")), read[0]), reverse=last)
        for template, operation in reads:
            if template in NOT_DATA:
                continue
            paths = self.paths(template)
            for path in paths:
                for media in operation["responses"]["200"].get("content", {"application/json": {}}):
                    answer = self.get(path, media)
                    self.pages[path, media] = (answer.status_code, answer.headers.get("ETag"), answer.content)
                    if answer.status_code == 200:
                        self.operations.add(operation["operationId"])
            if operation["operationId"] not in self.operations:
                self.without.add(operation["operationId"])
        return self


def tag_of(key, page):
    """An export's tag names the database that it comes from, so that of a restored one is another; the rest are of the body."""
    return page[1] if key[1] == "application/json" else "of an export"


def differences(one, other):
    """Where two walks do not agree, in words."""
    found = [f"{key}: only in one of them" for key in one.pages.keys() ^ other.pages.keys()]
    for key in one.pages.keys() & other.pages.keys():
        a, b = one.pages[key], other.pages[key]
        if a[0] >= 400 and b[0] == a[0]:
            continue  # a problem names its own request
        if (a[0], tag_of(key, a), a[2]) != (b[0], tag_of(key, b), b[2]):
            found.append(f"{key}: {a[:2]} {a[2][:300]} and {b[:2]} {b[2][:300]}")
    return found
