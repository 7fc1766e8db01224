"""The pages for logging in, in a real Chromium at the width of a cheap phone: from an app's link to a call with its token.

Pictures of the pages are left in build/browser, for people to look at."""

import http.server
import re
import threading
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from harness import factor
from harness.browser import Browser
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WIDTH, HEIGHT = 360, 640
WAIT_SECONDS = 20


@pytest.fixture(params=["without scripts", "with scripts"])
def chromium(request, tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en",
                     f"--user-data-dir={tmp_path}/profile"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {
        "intl.accept_languages": "en", "profile.managed_default_content_settings.javascript": 1 if request.param == "with scripts" else 2})
    driver = webdriver.Chrome(service=Driver("/usr/bin/chromedriver"), options=options)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 2, "mobile": True})
    driver.allowed_scripts = request.param == "with scripts"
    yield driver
    complaints = [line["message"] for line in driver.get_log("browser") if re.search("Content Security|Refused", line["message"])]
    driver.quit()
    assert not complaints, complaints


class App:
    """An app on the device: a server on a loopback port that waits for the browser to come back."""

    def __init__(self, people):
        outer = self
        self.back = None

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.startswith("/cb"):
                    outer.back = dict(parse_qsl(urlsplit(self.path).query))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<title>the app</title>back in the app")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.client = people.app(name="Aplikasi Pustakawan", redirect_uris=["http://127.0.0.1/cb"])
        self.client["redirect_uri"] = f"http://127.0.0.1:{self.server.server_port}/cb"

    def link(self, api, **changes):
        self.request = Browser(api)
        return api.address + "/oauth2/authorize?" + urlencode(self.request.query_for(self.client, **changes))


@pytest.fixture
def app(api):
    app = App(api.people)
    yield app
    app.server.shutdown()
    app.server.server_close()


@pytest.fixture(scope="session")
def pictures(root):
    folder = root / "build/browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def wait(driver, what):
    """What it gives, once that is something; a page on its way out does not count."""
    return WebDriverWait(driver, WAIT_SECONDS, ignored_exceptions=[WebDriverException]).until(what)


def fill(driver, user, password):
    for name, text in (("username", user["username"]), ("password", password)):
        field = driver.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)
    press(driver, "login")


def press(driver, action):
    button = driver.find_element(By.CSS_SELECTOR, f"button[value={action}]")
    assert button.size["height"] >= 44 or action == "switch"  # a thumb hits it
    before = driver.find_element(By.TAG_NAME, "html").id
    button.click()
    wait(driver, lambda d: d.find_element(By.TAG_NAME, "html").id != before)  # the next page is there


def fits(driver):
    """Nothing stands beyond the screen's right edge."""
    metrics = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
    assert metrics["cssContentSize"]["width"] <= WIDTH, metrics["cssContentSize"]


def test_log_in_consent_exchange_and_call(api, app, chromium, pictures):
    user = api.people.user("regency_facilitator", name="Siti Aminah")
    chromium.get(app.link(api, scope="published:read libraries:write admin"))
    fits(chromium)
    chromium.save_screenshot(str(pictures / "login.png"))

    fill(chromium, user, "not the right password")
    wait(chromium, lambda d: "wrong" in d.find_element(By.CSS_SELECTOR, "[role=alert]").text)
    fits(chromium)
    chromium.save_screenshot(str(pictures / "wrong-password.png"))
    assert chromium.find_element(By.NAME, "username").get_property("value") == user["username"]

    fill(chromium, user, user["password"])
    type_code(chromium, "code", factor.code_of(user["totp_secret"]))
    wait(chromium, lambda d: "Allow this app" in d.title)
    fits(chromium)
    chromium.save_screenshot(str(pictures / "consent.png"))
    text = chromium.find_element(By.TAG_NAME, "main").text
    assert "Aplikasi Pustakawan" in text and "Siti Aminah" in text and "add" in text
    assert not chromium.get_cookie("tpbis_login") or chromium.get_cookie("tpbis_login")["httpOnly"]

    press(chromium, "allow")
    wait(chromium, lambda d: d.title == "the app")
    assert app.back["iss"] == api.issuer and app.back["state"]
    answer = api.people.exchange(app.client, app.back["code"], app.request.verifier)
    assert answer.status_code == 200, answer.text
    assert api.get("/v1/regions/19", token=answer.json()["access_token"]).status_code == 200


def type_code(driver, action, code, field="code"):
    box = driver.find_element(By.NAME, field)
    box.clear()
    box.send_keys(code)
    press(driver, action)


def text_of(driver):
    return driver.find_element(By.TAG_NAME, "main").text


def test_a_second_factor_is_set_up_and_used(api, app, chromium, pictures):
    """From the picture that a telephone scans to a call with the rights that need it; then once more with a recovery code."""
    user = api.people.user("regency_facilitator", name="Siti Aminah")
    api.people.sql("DELETE FROM user_factor WHERE user_id = %s", user["id"])
    chromium.get(app.link(api, scope="published:read assignments:write", ui_locales="id"))
    fill(chromium, user, user["password"])
    fits(chromium)
    chromium.save_screenshot(str(pictures / "faktor-kedua.png"))
    image = chromium.find_element(By.TAG_NAME, "svg")
    assert image.size["width"] >= 180 and image.get_attribute("aria-label")
    secret = chromium.find_element(By.TAG_NAME, "code").text.replace(" ", "")
    assert f"secret={secret}&" in chromium.find_element(By.CSS_SELECTOR, "a.button").get_attribute("href")
    type_code(chromium, "confirm", "000000")
    fits(chromium)
    chromium.save_screenshot(str(pictures / "faktor-kedua-salah.png"))
    assert secret == chromium.find_element(By.TAG_NAME, "code").text.replace(" ", "")
    type_code(chromium, "confirm", factor.code_of(secret))
    fits(chromium)
    chromium.save_screenshot(str(pictures / "kode-pemulihan.png"))
    codes = [one.text for one in chromium.find_elements(By.CSS_SELECTOR, "ol.codes code")]
    assert len(codes) == 10
    press(chromium, "kept")
    fits(chromium)
    chromium.save_screenshot(str(pictures / "izin-faktor-kedua.png"))
    press(chromium, "allow")
    wait(chromium, lambda d: d.title == "the app")
    answer = api.people.exchange(app.client, app.back["code"], app.request.verifier)
    assert api.get("/v1/assignments", token=answer.json()["access_token"]).status_code == 200

    chromium.get(app.link(api, scope="published:read", prompt="login consent"))
    fill(chromium, user, user["password"])
    fits(chromium)
    chromium.save_screenshot(str(pictures / "enter-code.png"))
    field = chromium.find_element(By.NAME, "code")
    assert (field.get_attribute("inputmode"), field.get_attribute("autocomplete")) == ("numeric", "one-time-code")
    type_code(chromium, "code", "000000")
    chromium.find_element(By.TAG_NAME, "summary").click()
    fits(chromium)
    chromium.save_screenshot(str(pictures / "recovery-code.png"))
    type_code(chromium, "recovery", codes[3], "recovery")
    wait(chromium, lambda d: "Allow this app" in d.title)
    assert "(9 left)" in text_of(chromium)


def test_saying_no_and_another_account(api, app, chromium):
    user, other = api.people.user("portal", name="Budi"), api.people.user("portal", name="Ani")
    chromium.get(app.link(api))
    fill(chromium, user, user["password"])
    wait(chromium, lambda d: "Allow this app" in d.title)
    press(chromium, "switch")
    wait(chromium, lambda d: "Sign in" in d.title)
    fill(chromium, other, other["password"])
    wait(chromium, lambda d: "Ani" in d.find_element(By.TAG_NAME, "main").text)
    press(chromium, "deny")
    wait(chromium, lambda d: d.title == "the app")
    assert app.back["error"] == "access_denied"


def test_too_many_tries(api, app, chromium, pictures):
    user = api.people.user("portal")
    chromium.get(app.link(api, ui_locales="id"))
    chromium.save_screenshot(str(pictures / "masuk.png"))
    for _ in range(10):
        fill(chromium, user, "bukan kata sandinya")
        told = wait(chromium, lambda d: d.find_element(By.CSS_SELECTOR, "[role=alert]").text)
        if "Terlalu banyak" in told:
            break
    assert "Terlalu banyak" in told
    fits(chromium)
    chromium.save_screenshot(str(pictures / "throttled.png"))


def test_it_cannot_be_framed(api, app, chromium):
    if not chromium.allowed_scripts:
        pytest.skip("a page that looks into its frame needs scripts")
    chromium.get(f"http://127.0.0.1:{app.server.server_port}/")
    chromium.execute_script("const f = document.createElement('iframe'); f.src = arguments[0]; f.id = 'f';"
                            "document.body.append(f); f.onload = () => document.title = 'loaded'", app.link(api))
    wait(chromium, lambda d: d.title == "loaded")
    chromium.switch_to.frame("f")
    assert not chromium.find_elements(By.NAME, "password")
    chromium.switch_to.default_content()
    chromium.get_log("browser")  # the refusal that was wanted
