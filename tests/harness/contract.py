"""The contract as a witness: every answer the tests get is validated against it, and what it promises but no
test ever saw is told at the end."""

import collections
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
# A problem's text with a place that nobody filled.
UNFILLED = re.compile(r"\{[a-z_]+\}|\s[.,;:)](?!\.)|\(\)|: *\.")
# Which files, of which types, there are depends on what was built in; tests/api/test_docs.py tries each that is.
BY_BUILD = {("get_docs_file", "200")}
# Problems that no plain request to a healthy service meets, and where they are tried.
SEEN_ELSEWHERE = {
    "header_too_large": "tests/io: the HTTP library below us counts header bytes",
    "method_not_implemented": "tests/io: no HTTP library sends such a method",
    "invalid_client": "the token endpoint says it in the form of RFC 6749 5.2",
    "invalid_grant": "the token endpoint says it in the form of RFC 6749 5.2",
    "invalid_scope": "the token endpoint says it in the form of RFC 6749 5.2",
    "outcome_unknown": "tests/io: the connection is cut between COMMIT and its answer",
    "draining": "tests/io: a stop with requests in flight",
    "participant_erased": "tests/db/training_test.sql: no endpoint changes the name or the person of a participant",
    "conflict_retry": "tests/unit/db/sqlstate_test.c: a deadlock that our order of locks does not allow",
    "https_required": "tests/io/test_proxy_errors.py: the proxy's own",
    "too_many_connections": "tests/io/test_proxy_errors.py: the proxy's own",
    "transfer_coding_not_implemented": "tests/io/test_proxy_guard.py: the proxy's own",
    "http_version_not_supported": "tests/io/test_proxy_guard.py: the proxy's own",
    "bad_gateway": "tests/io/test_proxy_errors.py: the proxy's own",
    "gateway_timeout": "tests/io/test_proxy_errors.py: the proxy's own",
    "internal": "tests/unit/db/sqlstate_test.c: it is always a bug of ours",
}

# A value for each kind of path parameter.
FITTING = {"id": "01a1fdc3-5794-7ad4-bf33-412c110bd3ca", "code": "19", "scheme": "npsn", "slug": "tpbis-2019", "file": "init.js"}


class Contract:
    """openapi.json, its paths as patterns, and which (operation, status, media type) were seen."""

    def __init__(self, document):
        self.document = document
        self.seen = set()
        self.replayed = set()  # operations of which a POST was sent again, and answered as before
        self.codes = set()  # of problems
        self.writes = collections.Counter()  # requests that are no GET, by the file of the test
        self.validators = {}
        self.routes = []
        for path, methods in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(path)) + "$")
            operations = {method.upper(): self.resolve(operation) for method, operation in methods.items()
                          if method in ("get", "post", "put", "patch", "delete")}
            self.routes.append((path.count("{"), pattern, operations))
        self.routes.sort(key=lambda route: route[0])  # literals first

    @classmethod
    def parse(cls, text):
        contract = cls(json.loads(text))
        contract.text = text
        return contract

    @classmethod
    def load(cls, path):
        return cls.parse(Path(path).read_text(encoding="utf-8"))

    def memory(self):
        """What was seen, in plain values that another process can add to its own."""
        return {"text": self.text, "seen": sorted(self.seen), "replayed": sorted(self.replayed), "codes": sorted(self.codes),
                "writes": dict(self.writes)}

    def remember(self, memory):
        self.seen.update(tuple(row) for row in memory["seen"])
        self.replayed.update(memory["replayed"])
        self.codes.update(memory["codes"])
        self.writes.update(memory["writes"])

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def address(self, template, **given):
        """The path with its parameters filled: as given, else with something that their schemas accept."""
        for name in re.findall(r"\{(\w+)\}", template):
            kind = "id" if name.endswith("_id") else name
            value = given.get(name) or ("not_found" if template.startswith("/problems") else FITTING[kind])
            template = template.replace("{" + name + "}", value)
        return template

    def operations(self):
        for _, _, operations in self.routes:
            for method, operation in operations.items():
                yield method, operation

    def find(self, method, path):
        method = "GET" if method == "HEAD" else method
        for _, pattern, operations in self.routes:
            if pattern.match(path) and method in operations:
                return operations[method]
        return None

    def sent_again(self, target):
        operation = self.find("POST", urlsplit(target).path)
        if operation:
            self.replayed.add(operation["operationId"])

    def never_replayed(self):
        """Operations that take an Idempotency-Key, and no test has sent one of them twice."""
        keyed = {operation["operationId"] for method, operation in self.operations() if method == "POST" and any(
            self.resolve(parameter)["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))}
        return sorted(keyed - self.replayed)

    def check(self, method, target, answer):
        if answer.headers.get("Content-Type") == "application/problem+json" and method != "HEAD":
            self.codes.add(answer.json()["code"])
            assert not UNFILLED.search(answer.json()["detail"]), answer.text
        operation = self.find(method, urlsplit(target).path)
        if operation is None or method == "OPTIONS":
            return
        status = answer.status_code
        responses = operation["responses"]
        if status == 304:  # of every GET, with no body
            self.seen.add((operation["operationId"], "304", ""))
            assert not answer.content and "ETag" in answer.headers
            return
        assert status >= 400 or str(status) in responses, f"{operation['operationId']} answered {status}, not in the contract"
        response = self.resolve(responses.get(str(status)) or responses["default"])
        media = answer.headers.get("Content-Type", "").split(";")[0]
        content = response.get("content", {})
        listed = str(status) if str(status) in responses else "default"
        self.seen.add((operation["operationId"], listed, media if content else ""))
        for name, header in response.get("headers", {}).items():
            if self.resolve(header).get("required") and method != "HEAD":
                assert name in answer.headers, f"{operation['operationId']} {status} lacks {name}"
        if method == "HEAD" or not content:
            return
        assert media in content, f"{operation['operationId']} {status} answered {media}, not one of {list(content)}"
        if media.endswith("json"):
            self.validate(content[media]["schema"], answer.json(), f"{operation['operationId']} {status}")

    def validate(self, schema, value, where):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            resolver = jsonschema.RefResolver("", self.document)
            self.validators[key] = jsonschema.Draft202012Validator(
                schema, resolver=resolver, format_checker=jsonschema.FormatChecker())
        faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
                  for fault in self.validators[key].iter_errors(value)]
        assert not faults, f"{where} breaks the contract:\n" + "\n".join(faults[:10])

    def unseen(self):
        """What the contract promises and no test saw: operation, status, media type."""
        missing = []
        for _, operation in self.operations():
            for status, response in operation["responses"].items():
                if status == "default":
                    continue
                media = list(self.resolve(response).get("content", {})) or [""]
                missing += [(operation["operationId"], status, kind) for kind in media
                            if (operation["operationId"], status, kind) not in self.seen
                            and (operation["operationId"], status) not in BY_BUILD]
        return sorted(missing)

    def unseen_codes(self, codes):
        """Of these problem codes, those that no answer had and no other test is known to try."""
        return sorted(set(codes) - self.codes - set(SEEN_ELSEWHERE))
