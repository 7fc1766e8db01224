"""Guessing passwords harms nobody but the guesser: others are served as fast as before, and each account and address is slowed down."""

import collections
import statistics
import threading
import time

import requests

from harness.people import People
from harness.users import PASSWORD, invite, token_of

ACCOUNTS, GUESSES, AT_ONCE = 50, 200, 20


def guess(api, people, one, password, address):
    return requests.post(api.address + "/v1/me/password", timeout=30,
                         headers={"Authorization": "Bearer " + people.forged_token(one), "X-Forwarded-For": address},
                         json={"current_password": password, "new_password": "sebelas ikan di langit"})


def accounts(api, people, count):
    """Active, and nobody knows their passwords."""
    made = [invite(api) for _ in range(count)]
    for one in made:
        people.assign(one["id"], "national_analyst")
        people.sql("UPDATE app_user SET status = 'active' WHERE id = %s", one["id"])
    return made


def opened(api, people):
    """One whose holder chose a password."""
    one = invite(api)
    people.assign(one["id"], "national_analyst")
    form = {"token": token_of(one["link"]), "password": PASSWORD, "again": PASSWORD}
    assert api.post("/account/password", token=None, data=form).status_code == 200
    return one


def test_others_are_served_as_before(fresh):
    """200 guesses over 50 accounts from 200 addresses, 20 at once: more than two hashes never run, the rest wait shortly or are
    told to come back."""
    api = fresh()
    people = People(api)
    targets = accounts(api, people, ACCOUNTS)
    tokens = {one["id"]: people.forged_token(one) for one in targets}
    people.forged_token = lambda one: tokens[one["id"]]
    outcomes, jobs = collections.Counter(), list(range(GUESSES))
    lock, over = threading.Lock(), threading.Event()

    def guesser():
        while True:
            with lock:
                if not jobs:
                    return
                job = jobs.pop()
            answer = guess(api, people, targets[job % ACCOUNTS], f"tebakan nomor {job}", f"10.7.{job}.1")
            with lock:
                outcomes[answer.json()["code"]] += 1

    slowest = {"/health/ready": [], "/v1/regions/19.01": []}

    def reader():
        token = api.token("portal")
        while not over.is_set():
            for path, times in slowest.items():
                begun = time.monotonic()
                answer = requests.get(api.address + path, headers={"Authorization": "Bearer " + token}, timeout=30)
                times.append(time.monotonic() - begun)
                assert answer.status_code == 200
            time.sleep(0.02)

    threads = [threading.Thread(target=guesser) for _ in range(AT_ONCE)] + [threading.Thread(target=reader)]
    for thread in threads:
        thread.start()
    for thread in threads[:-1]:
        thread.join()
    over.set()
    threads[-1].join()
    assert sum(outcomes.values()) == GUESSES and set(outcomes) <= {"wrong_login", "busy"}, outcomes
    assert outcomes["wrong_login"] >= 10  # how many depends on the machine
    for path, times in slowest.items():
        assert len(times) >= 10 and statistics.median(times) < 2 and max(times) < 20, (path, statistics.median(times), max(times))


def test_one_address_is_slowed_down(fresh):
    """From one network: thirty, and then hardly any more, whatever the account and whichever process is asked."""
    api = fresh()
    people = People(api)
    targets = accounts(api, people, ACCOUNTS)
    codes = [guess(api, people, targets[i % ACCOUNTS], "tebakan panjang", f"2001:db8:1:2::{i:x}").json()["code"] for i in range(80)]
    counted = collections.Counter(codes)
    assert counted["login_throttled"] >= 40 and counted["wrong_login"] <= 40, counted
    assert codes[:30] == ["wrong_login"] * 30


def test_the_holder_is_not_locked_out_by_others(fresh):
    """Guessed at from everywhere, the account's password is still changed from an app that its holder is logged in with."""
    api = fresh()
    people = People(api)
    one = people.user("national_analyst")
    own = people.token(one)
    codes = [guess(api, people, one, "tebakan panjang", f"10.8.{i}.1").json()["code"] for i in range(12)]
    assert codes.count("login_throttled") >= 4
    held = guess(api, people, one, one["password"], "10.8.1.1")
    assert held.json()["code"] == "login_throttled" and int(held.headers["Retry-After"]) >= 1
    people.forged_token = lambda _: own
    assert guess(api, people, one, one["password"], "10.9.9.9").status_code == 204


def test_unknown_names_take_as_long(fresh):
    """An account without a password and one with it, the wrong one each time."""
    api = fresh()
    people = People(api)
    [nobody], known = accounts(api, people, 1), opened(api, people)
    times = {}
    for one in (known, nobody):
        begun = []
        for i in range(5):
            start = time.monotonic()
            assert guess(api, people, one, "tebakan panjang", f"10.10.{i}.1").json()["code"] == "wrong_login"
            begun.append(time.monotonic() - start)
        times[one["id"]] = min(begun)  # what else the machine does only adds
    slow, fast = max(times.values()), min(times.values())
    assert slow < 2 * fast + 0.01, times
