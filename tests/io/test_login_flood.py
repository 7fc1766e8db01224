"""Many who guess at once keep nobody from logging in: not who comes from elsewhere, and least of all who is at home in a browser."""

import http.client
import itertools
import statistics
import threading
import time
from urllib.parse import urlencode, urlsplit

import pytest
from harness.browser import Browser, Page
from harness.people import People
from harness.waiting import until

LOGINS, SECONDS = 30, 3  # each; more only on a machine that is so busy that single logins without a flood are slow, too


class Flood:
    """Wrong passwords on so many connections, each attempt from the next address: names that nobody has, or that of `victim`; from the browser
    `home`, else from one where nobody has logged in. What was answered is in `statuses`. Bounded: at most `rate` attempts a second of all
    connections together, on loopback; that is several times what the service compares."""

    def __init__(self, api, app, addresses, connections, victim=None, rate=150, home=None, password="tebakan yang panjang"):
        self.api, self.addresses, self.victim, self.password = api, itertools.cycle(addresses), victim, password
        self.browser = home or Browser(api)
        page = Page(self.browser.open(app, prompt="login"))
        self.cookie = "; ".join(f"{one.name}={one.value}" for one in self.browser.session.cookies)
        self.token, self.pause = page.form_token, connections / rate
        self.statuses, self.over, self.lock = {}, threading.Event(), threading.Lock()
        self.numbers = itertools.count()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(connections)]

    def run(self):
        target = urlsplit(self.api.address)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
        while not self.over.is_set():
            with self.lock:
                address, name = next(self.addresses), self.victim or f"tidakada{next(self.numbers)}"
            body = urlencode({"form_token": self.token, "action": "login", "username": name, "password": self.password})
            try:
                connection.request("POST", "/oauth2/authorize?" + self.browser.query, body, {
                    "Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address})
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                status = "cut"
                connection.close()
            with self.lock:
                self.statuses[status] = self.statuses.get(status, 0) + 1
            self.over.wait(self.pause)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        until(lambda: sum(self.statuses.values()) > 100)  # it is under way
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def log_in(api, app, user, address, browser=None):
    """Status of the answer to a right password, and the seconds it took."""
    browser = browser or Browser(api, "en")
    browser.session.headers["X-Forwarded-For"] = address
    page = browser.open(app, prompt="login")
    begun = time.monotonic()
    answer = browser.log_in(page, user)
    return answer.status_code, time.monotonic() - begun


def bound(api, app, user):
    """The seconds that a login may take here: three, or thirty times the longest of some while nobody guesses."""
    return max(SECONDS, 30 * max(log_in(api, app, user, f"192.1.{i}.9")[1] for i in range(10)))


def one_48(count):
    return [f"2001:db8:7:{n:x}::1" for n in range(1, count + 1)]


def ipv4(count):
    return [f"10.{n % 250}.{n // 250}.7" for n in range(count)]


@pytest.mark.parametrize(("addresses", "connections"), [(one_48(60000), 14), (one_48(60000), 200), (ipv4(500), 14), (ipv4(500), 200)],
                         ids=["14-of-one-48", "200-of-one-48", "14-of-500-ipv4", "200-of-500-ipv4"])
def test_right_logins_from_elsewhere_succeed(fresh, addresses, connections):
    api = fresh()
    people = People(api)
    users, app = [people.user("national_analyst") for _ in range(5)], people.default_app
    most = bound(api, app, users[0])
    with Flood(api, app, addresses, connections) as flood:
        outcomes = [log_in(api, app, users[i % len(users)], f"192.0.{i}.9") for i in range(LOGINS)]
    times = sorted(seconds for _, seconds in outcomes)
    print(f"{len(flood.threads)} connections: {flood.statuses}; logins: {[status for status, _ in outcomes].count(200)} of {LOGINS},"
          f" median {statistics.median(times):.2f} s, slowest {times[-1]:.2f} s")
    assert [status for status, _ in outcomes] == [200] * LOGINS  # the page of consent
    assert times[-1] < most, times


def test_a_lockout_is_no_weapon(fresh):
    """All guess at one account, from everywhere. In a browser in which it was opened before the right password is right at once, every
    time; from a new place, where nobody guesses, it is after a short wait."""
    api = fresh()
    people = People(api)
    victim, app = people.user("national_analyst"), people.default_app
    home = Browser(api, "en")
    assert log_in(api, app, victim, "198.51.100.7", home)[0] == 200
    assert [one.name for one in home.session.cookies if one.name == "tpbis_device" and one.expires > time.time() + 300 * 86400]
    most = bound(api, app, people.user("national_analyst"))
    with Flood(api, app, ipv4(500), 20, victim["username"]):
        outcomes = [log_in(api, app, victim, f"203.0.113.{i}", home) for i in range(10)]
    assert [status for status, _ in outcomes] == [200] * 10 and max(seconds for _, seconds in outcomes) < most, outcomes
    # the account starts afresh with the right password: it is guessed at again, and the holder is on a new phone
    with Flood(api, app, ipv4(500), 20, victim["username"]):
        pass
    stranger = Browser(api, "en")
    stranger.session.headers["X-Forwarded-For"] = "198.51.200.7"
    answer = stranger.log_in(stranger.open(app), victim)
    if answer.status_code == 429:
        wait = int(answer.headers["Retry-After"])
        assert wait <= 15
        time.sleep(wait)
        answer = stranger.log_in(stranger.open(app), victim)
    assert answer.status_code == 200


def test_who_is_known_keeps_nobody_out(fresh):
    """Somebody at home in a browser sends the right password over and over, from many networks of one provider: others, who come from new
    places, are answered all the same."""
    api = fresh()
    people = People(api)
    users, app = [people.user("national_analyst") for _ in range(6)], people.default_app
    home = Browser(api, "en")
    assert log_in(api, app, users[0], "2001:db8:7:1::1", home)[0] == 200
    with Flood(api, app, one_48(20), 40, users[0]["username"], home=home, password=users[0]["password"]) as flood:
        outcomes = [log_in(api, app, users[1 + i % 5], f"192.0.{i}.9")[0] for i in range(20)]
    print(flood.statuses)
    assert sum(flood.statuses.values()) > 40, flood.statuses  # it was one
    assert outcomes == [200] * 20


def test_a_device_is_ours_or_none(fresh):
    """A cookie that was changed or made up makes no browser known; another password makes all of them unknown."""
    api = fresh()
    people = People(api)
    victim, other, app = people.user("national_analyst"), people.user("national_analyst"), people.default_app
    home = Browser(api, "en")
    assert log_in(api, app, victim, "198.51.100.7", home)[0] == 200
    cookie = next(one.value for one in home.session.cookies if one.name == "tpbis_device")
    assert len(cookie) == 66
    assert sorted(one.name for one in home.session.cookies) == ["tpbis_device", "tpbis_login"]
    assert home.open(app, prompt="none").status_code == 303  # and the browser is logged in
    assert people.sql("SELECT count(*) FROM login_device")[0] == 1
    assert log_in(api, app, victim, "198.51.100.7", home)[0] == 200
    assert next(one.value for one in home.session.cookies if one.name == "tpbis_device") == cookie  # the same browser
    assert people.sql("SELECT count(*) FROM login_device")[0] == 1

    def lane(value, user):
        """Guesses until the account has to rest; then whether a guess with that cookie is still compared."""
        people.sql("TRUNCATE login_throttle")
        people.sql("UPDATE login_throttle SET failures = 0")
        people.sql("INSERT INTO login_throttle (kind, key, failures, until) VALUES ('account', login_key('account', %s), 50,"
                   " now() + interval '1 hour')", user["username"])
        browser = Browser(api, "en")
        browser.session.cookies.set("tpbis_device", value)
        browser.session.headers["X-Forwarded-For"] = "198.51.100.8"
        return browser.log_in(browser.open(app), user, "tebakan yang panjang").status_code

    assert lane(cookie, victim) == 403
    assert lane(cookie, other) == 429  # it is any browser to others
    for forged in (cookie[:-1] + ("A" if cookie[-1] != "A" else "E"), "A" + cookie[1:] if cookie[0] != "A" else "B" + cookie[1:], "x" * 66,
                   cookie[:22], cookie.replace(".", "-")):
        assert lane(forged, victim) == 429, forged
    people.sql("SELECT login_forget(%s)", victim["username"])
    assert lane(cookie, victim) == 429
