"""What tests of logins ask again and again: is it alive, does it die, what do many at once get."""

import json
import threading
import time

from harness.client import problem
from harness.tokens import unb64
from harness.waiting import PATIENCE_SECONDS

WAIT_SECONDS = PATIENCE_SECONDS  # revocation counts within two, everywhere; the rest is a slow machine


def status(api, token):
    return api.get("/v1/regions/19", token=token).status_code


def dies(api, token):
    """Every process refuses it: requests go to them in turns."""
    end = time.monotonic() + WAIT_SECONDS
    while any(status(api, token) != 401 for _ in api.service.addresses):
        assert time.monotonic() < end, "still alive"
        time.sleep(0.05)
    problem(api.get("/v1/regions/19", token=token), 401, "invalid_token")


def race(act, count):
    """The answers of so many at once."""
    answers, start = [], threading.Barrier(count)

    def run():
        start.wait()
        answers.append(act())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def sid(tokens):
    return json.loads(unb64(tokens["access_token"].split(".")[1]))["sid"]
