"""The HTTP client of the tests: every exchange it makes is held against the contract."""

import functools
import itertools
import time
import uuid

import requests

from harness import judged

TIMEOUT_SECONDS = 60


class Renewed:
    """A token that is fetched when it is first asked for, and again when half its life has passed.

    `fetch` gives an answer of the token endpoint as a document. Calling the object gives the token of now; a test may keep
    the object, and hand it over as `token=`, for as long as the run takes."""

    def __init__(self, fetch):
        self.fetch, self.text, self.until = fetch, None, 0

    def __call__(self):
        if time.monotonic() >= self.until:
            begun = time.monotonic()
            document = self.fetch()
            self.text, self.until = document["access_token"], begun + document["expires_in"] / 2
        return self.text


class Api:
    """A thin layer over requests with tokens by role. Answers are checked by `contract` and remembered there.

    Requests go to the processes of the service in turns, unless the test is marked `one_process`. A role's token is that of
    its client, or, `as_people`, of a user with the same assignment."""

    one_process = False
    as_people = False
    file = None  # of the test that is running
    judged = False  # every request is asked about first (harness.judged)

    def __init__(self, service, clients, contract):
        self.service, self.clients, self.contract = service, clients, contract
        self.base_url, self.address = service.base_url, service.address
        self.turns = itertools.cycle(service.addresses)
        self.session = requests.Session()
        self.session.trust_env = False
        self._tokens = {}

    @property
    def keys_dir(self):
        return self.service.keys_dir

    @property
    def issuer(self):
        return self.service.issuer

    @property
    def audience(self):
        return self.service.audience

    def client(self, role):
        return self.clients[role]

    def token(self, role="portal"):
        """A token of that role's client; or of a user of that role, who is made once. It is good for half its life at least:
        whoever needs one for longer asks again."""
        if Api.as_people:
            return self.people.token_of(role)
        if role not in self._tokens:
            self._tokens[role] = Renewed(functools.partial(self.grant, role))
        return self._tokens[role]()

    def grant(self, role):
        """A grant of tokens to that role's client."""
        client = self.clients[role]
        answer = self.post("/oauth2/token", data={"grant_type": "client_credentials"},
                           auth=(client["client_id"], client["client_secret"]), token=None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fitting(self, operation):
        """A caller whose token is good for that operation of the contract: the nation's client, or its person where the operation
        is about one's own account."""
        scopes = {scope for way in operation.get("security", []) for scope in way.get("oauth2", [])}
        return self.people.token_of("national_admin") if any(scope.startswith("account:") for scope in scopes) else "national_admin"

    def spelled(self, token):
        token = token() if callable(token) else token
        return token if "." in token else self.token(token)

    def turn(self):
        return self.address if Api.one_process else next(self.turns)

    @functools.cached_property
    def people(self):
        from harness.people import People  # which stands on this module
        return People(self)

    def request(self, method, path, token="portal", headers=None, once=False, **options):
        """`token`: a role's name, None for no token, a token itself (anything with a dot), or a function that gives one.

        A POST under /v1 gets an Idempotency-Key and, where it succeeds, is sent again: it must be answered as before.
        Not so with `once`, or a key of the caller's own."""
        headers = dict(headers or {})
        headers.setdefault("Accept-Language", "en")
        if token and "Authorization" not in headers:
            headers["Authorization"] = "Bearer " + self.spelled(token)
        again = method == "POST" and path.startswith("/v1/") and token and not once and "Idempotency-Key" not in headers
        if method != "GET":
            self.contract.writes[Api.file] += 1 + bool(again)
        if again:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        said = judged.ask(self, method, path, headers, options.get("json")) if Api.judged else None
        answer = self.session.request(method, self.turn() + path, headers=headers, timeout=TIMEOUT_SECONDS, **options)
        if said:
            judged.compare(said, answer)
        if again and answer.ok:
            self.replay(answer, self.session.request(method, self.turn() + path, headers=headers, timeout=TIMEOUT_SECONDS, **options))
            self.contract.sent_again(path)
        if not options.get("stream"):
            self.contract.check(method, path, answer)
        return answer

    @staticmethod
    def replay(first, second):
        """The second answer is the first one's, kept."""
        assert (second.status_code, second.content) == (first.status_code, first.content), f"{second.status_code} {second.text}"
        assert "Idempotent-Replayed" not in first.headers and second.headers.get("Idempotent-Replayed") == "true"
        for name in ("Location", "ETag", "Content-Type", "Cache-Control"):
            assert second.headers.get(name) == first.headers.get(name), name

    def figure(self, name, **labels):
        """A figure of /metrics, of the process that is asked."""
        sought = name + ("{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}" if labels else "")
        [value] = [line.split()[-1] for line in self.get("/metrics", token=None).text.splitlines() if line.startswith(sought + " ")]
        return float(value)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def patch(self, path, body, etag=None, **options):
        """A merge patch, with If-Match when an etag is given."""
        headers = dict(options.pop("headers", {}))
        headers.setdefault("Content-Type", "application/merge-patch+json")
        if etag:
            headers["If-Match"] = etag
        return self.request("PATCH", path, json=body, headers=headers, **options)

    def pages(self, path, **options):
        """Every item of a list, following `next` to its end."""
        separator = "&" if "?" in path else "?"
        cursor = None
        while True:
            page = self.get(path + (f"{separator}cursor={cursor}" if cursor else ""), **options)
            assert page.status_code == 200, page.text
            body = page.json()
            yield from body["items"]
            cursor = body["next"]
            if cursor is None:
                return


def problem(answer, status, code):
    """Asserts the problem and gives its document."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status and body["request_id"] == answer.headers["X-Request-Id"]
    return body
