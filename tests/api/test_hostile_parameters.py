"""Every parameter of every read with values that try to reach a cast of the database: none makes it write an error."""

import re
from urllib.parse import quote


MARK = "kanarinilai"
TEXTS = [MARK, f"'{MARK}", f"{MARK}\\", f'{{"{MARK}', f"{{{MARK}}}", f"{MARK}:*", f"({MARK} & !", f"{MARK} <-> | :", f"%{MARK}_", f"{MARK},{MARK}", f"[{MARK},",
         f"{MARK}\u0301\u200d", f"1{MARK}", f"1e5{MARK}", "1e999", "-1", "0", "9223372036854775808", "99999999999999999999999", "NaN", "infinity", "null", "true"]
DAYS = ["0000-01-01", "0001-01-01", "9999-12-31", "2023-02-29", "2026-13-01", "10000-01-01", "-0001-01-01", "today", "epoch", "0000-00", "0001-01", "9999-12", "2026-13"]
MOMENTS = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:60Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+15:59",
           "2026-01-01T00:00:00+23:59", "2026-01-01T00:00:00-23:59", "2026-01-01T00:00:00.123456789012345678Z", "0001-01-01T00:00:00+14:00"]
PLACES = ["0,0", "-90,180", "90.0000001,0", "1e2,0", "1e-400,0", "nan,nan", "-0,-0", "0.00000000000000000000000000000001,0", "91,181", f"1,{MARK}"]
IDS = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "{00000000-0000-0000-0000-000000000000}", "00000000000000000000000000000000"]
CODES = ["19", "19.01.06.2002", "99.99.99.9999", "19.", "00", "19.01.06.2002.1"]
BY_FORMAT = {"date": DAYS, "month": DAYS, "date-time": MOMENTS, "point": PLACES, "uuid": IDS, "dotted-code": CODES}
ERROR = re.compile(r" (ERROR|FATAL|PANIC|WARNING):  (?!refused: [a-z_]+$)")  # our own refusals are errors of a transaction, in our words


def reads(contract):
    for path, methods in contract.document["paths"].items():
        operation = contract.resolve(methods.get("get", {}))
        if path.startswith("/v1/"):
            yield path, operation, [contract.resolve(one) for one in operation.get("parameters", []) + methods.get("parameters", [])]


def values(contract, parameter):
    """Those that come near what its schema lets through, and one that does not. A closed list lets nothing else through."""
    schema = contract.resolve(parameter["schema"])
    schema = contract.resolve(schema.get("items", schema))
    if "enum" in schema:
        return []
    near = BY_FORMAT.get(schema.get("format"), TEXTS + CODES)
    return [*near, MARK]


def errors(cluster, before):
    return [line for line in cluster.log_lines()[before:] if ERROR.search(line) or MARK in line]


def test_no_value_makes_the_database_write_an_error(own_api, cluster, contract):
    strays, walked = [], 0
    for path, operation, parameters in reads(contract):
        token, before = own_api.fitting(operation), len(cluster.log_lines())
        for parameter, value in ((one, value) for one in parameters for value in values(contract, one)):
            if parameter["in"] == "query":
                target = f"{contract.address(path)}?{parameter['name']}={quote(value, safe='')}"
            elif parameter["in"] == "path":
                target = contract.address(path, **{parameter["name"]: quote(value, safe="")})
            else:
                continue
            answer = own_api.get(target, token=token)
            assert answer.status_code < 500, (target, answer.text)
            walked += 1
        strays += [(operation["operationId"], line[:300]) for line in errors(cluster, before)]
    assert not strays, strays
    assert walked > 3000
