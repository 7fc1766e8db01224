"""An Api that does not believe in conditions: before each write it sends the same write with conditions that do not hold.

The rule: a condition that was sent is evaluated (412) or refused (400), never dropped. So whatever a test writes through this Api
says whether its operation keeps the rule, and that nothing was done by the requests that were refused."""

from urllib.parse import urlsplit

from harness.client import Api

STALE = '"999999.x"'
UNTESTED = (("If-Match", "*"), ("If-Match", STALE), ("If-None-Match", "*"), ("If-None-Match", STALE),
            ("If-Unmodified-Since", "Sat, 01 Jan 2028 00:00:00 GMT"))
# What these make is not there before them, so If-None-Match: * holds the first time.
MAKES = {"restrict_person", "erase_person_data", "erase_user_data"}


class Doubting(Api):
    """`doubted` names the operations whose conditions were tried on a write that succeeded without them."""

    def __init__(self, api):
        super().__init__(api.service, api.clients, api.contract)
        self.doubted = set()

    def request(self, method, path, token="portal", headers=None, **options):
        operation = self.contract.find(method, urlsplit(path).path)
        if method not in ("POST", "PUT", "PATCH", "DELETE") or not path.startswith("/v1/") or not token or not operation:
            return super().request(method, path, token=token, headers=headers, **options)
        headers, name = dict(headers or {}), operation["operationId"]

        def ask(**more):
            sent = {**headers, **{field.replace("_", "-"): value for field, value in more.items()}}
            return super(Doubting, self).request(method, path, token=token, headers=sent, **{**options, "once": True})
        takes = {self.contract.resolve(parameter)["name"] for parameter in operation.get("parameters", [])} & {"If-Match", "If-None-Match"}
        assert len(takes) in (0, 2) and bool(takes) == ("412" in operation["responses"]), name
        refused = []
        if not takes:
            refused = [(ask(**{field.replace("-", "_"): value}), "condition_unsupported") for field, value in UNTESTED]
        else:
            refused.append((ask(If_Match=STALE), "precondition_failed"))
            refused.append((ask(If_Match=STALE + ', W/"7.y"', If_None_Match='"1"'), "precondition_failed"))
            if "If-Match" not in headers:
                refused.append((ask(If_Unmodified_Since=UNTESTED[-1][1]), "condition_unsupported"))
            else:
                refused.append((ask(If_None_Match=STALE + ", " + headers["If-Match"]), "exists_already"))
            if method != "PUT" and name not in MAKES:
                refused.append((ask(If_None_Match="*"), "exists_already"))
        answer = super().request(method, path, token=token, headers=headers, **options)
        if not answer.ok:
            return answer
        if method == "PUT":
            refused.append((ask(If_None_Match="*"), "exists_already"))
        for doubt, code in refused:
            expected = 400 if code == "condition_unsupported" else 412
            assert (doubt.status_code, doubt.json().get("code")) == (expected, code), f"{name}: {code}: {doubt.status_code} {doubt.text}"
        self.doubted.add(name)
        return answer
