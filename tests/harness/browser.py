"""A browser without scripts, for the pages of /oauth2/authorize: it keeps cookies, reads forms, and sends them."""

import base64
import hashlib
import secrets
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from harness import factor

TIMEOUT_SECONDS = 60


class Page(HTMLParser):
    """Text, forms and alerts of one page."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.status, self.text = answer, answer.status_code, answer.text
        self.inputs, self.buttons, self.tags, self.title, self.alert, self.language = {}, [], [], "", "", None
        self._into = None
        self.feed(answer.text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag == "html":
            self.language = attributes.get("lang")
        if tag == "input":
            self.inputs[attributes["name"]] = attributes
        if tag == "button":
            self.buttons.append(attributes["value"])
        self._into = "title" if tag == "title" else "alert" if attributes.get("role") == "alert" else self._into

    def handle_endtag(self, tag):
        if tag in ("title", "p"):
            self._into = None

    def handle_data(self, data):
        if self._into:
            setattr(self, self._into, getattr(self, self._into) + data)

    @property
    def form_token(self):
        return self.inputs["form_token"]["value"]


def pkce():
    """A verifier and its challenge."""
    verifier = secrets.token_urlsafe(48)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Browser:
    def __init__(self, api, language="en"):
        self.api, self.session = api, requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = language
        self.session.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"
        self.query, self.verifier = None, None

    def request(self, method, path, data=None, headers=None):
        answer = self.session.request(method, self.api.address + path, data=data, headers=headers, allow_redirects=False,
                                      timeout=TIMEOUT_SECONDS)
        self.api.contract.check(method, path, answer)
        return answer

    def query_for(self, app, **changes):
        """A good request for authorization but for the changes; `...` leaves a parameter out."""
        self.verifier, challenge = pkce()
        query = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": app["redirect_uri"],
                 "state": secrets.token_urlsafe(16), "code_challenge": challenge, "code_challenge_method": "S256", **changes}
        return {name: value for name, value in query.items() if value is not ...}

    def open(self, app, method="GET", **changes):
        """Goes to the page, as the app sends the browser there."""
        self.query = urlencode(self.query_for(app, **changes))
        return self.request(method, "/oauth2/authorize?" + self.query)

    def send(self, page, action, headers=None, **fields):
        """Presses a button of the page."""
        fields = {"form_token": Page(page).form_token, "action": action, **fields}
        return self.request("POST", "/oauth2/authorize?" + self.query, data=fields, headers=headers)

    def log_in(self, page, user, password=None):
        """With the second factor, where the account has one or must have one."""
        return self.second_factor(self.enter_password(page, user, password), user)

    def enter_password(self, page, user, password=None):
        return self.send(page, "login", username=user["username"], password=password or user["password"])

    def second_factor(self, answer, user):
        """Goes through its pages, whichever they are. The code of this moment may have been used: that is forgotten here, for no test
        but those of the factor shall wait for the next one."""
        buttons = Page(answer).buttons if answer.status_code == 200 else []
        if "confirm" in buttons:
            user["totp_secret"] = factor.secret_on(answer)
            return self.send(self.send(answer, "confirm", code=factor.code_of(user["totp_secret"])), "kept")
        if "code" in buttons and "totp_secret" in user:
            self.api.people.sql("UPDATE user_factor f SET last_step = 0 FROM app_user u WHERE u.id = f.user_id AND u.username = %s",
                                user["username"])
            return self.send(answer, "code", code=factor.code_of(user["totp_secret"]))
        return answer

    def consent(self, answer):
        """Agrees where that is asked."""
        return self.send(answer, "allow") if answer.status_code == 200 else answer


def sent_back(answer, app):
    """What the app gets to see: the parameters of its redirect URI."""
    assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
    location = answer.headers["Location"]
    assert location.startswith(app["redirect_uri"] + ("&" if "?" in app["redirect_uri"] else "?")), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))
