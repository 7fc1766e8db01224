"""One-time links by mail, to a real SMTP server: encrypted, tried again, and nowhere but in the mail."""

import ctypes
import datetime
import email
import email.policy
import ipaddress
import os
import re
import ssl
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.assignments import appointed
from harness.client import problem
from harness.service import free_port
from harness.users import PASSWORD, PATH, invite
from harness.waiting import until

LINK = re.compile(r"\S+/account/password\?token=tpl_\S+")


class Inbox:
    """Keeps what it is given; `refusals` are answered first, and always to the recipients in `refused`."""

    def __init__(self):
        self.mails, self.refusals, self.refused, self.tries = [], [], {}, 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server, session, envelope):
        self.tries += 1
        if self.refusals:
            return self.refusals.pop(0)
        self.mails.append((envelope, session))
        return "250 taken"


@pytest.fixture(scope="module")
def certificate(directory):
    """A certificate for 127.0.0.1 that only those trust who are given its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "surat.example.id")])
    today = datetime.datetime(2020, 1, 1)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(today).not_valid_after(today + datetime.timedelta(days=36500))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256()))
    path = directory / "surat.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def server(inbox, certificate):
    """STARTTLS and a password are needed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def login(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"tpbis", b"kata-rahasia-surel"))

    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
                            auth_required=True, authenticator=login)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def mailing(fresh, server, certificate):
    def make(**settings):
        return fresh(**{"smtp_url": f"smtp://127.0.0.1:{server.port}", "smtp_from": "tpbis@perpusnas.example.id", "smtp_user": "tpbis",
                        "smtp_password": "kata-rahasia-surel", "smtp_ca_file": certificate, "mail_interval_s": 1, **settings})
    return make


def link_of(api, one):
    return api.get(f"{PATH}/{one['id']}", token="national_admin").json()["link"]


def read(mail):
    return email.message_from_bytes(mail[0].content, policy=email.policy.default)


def written(username):
    """As a mail has a user name that is not the address it goes to: nothing that a mail program makes a link of."""
    return username.replace("@", " ").replace(".", ". ")


def with_links(inbox):
    """The mails that carry a link; notices do not."""
    return [mail for mail in inbox.mails if LINK.search(read(mail).get_content())]


def test_an_invitation(mailing, inbox):
    api = mailing()
    one = invite(api, name="Sitī Aminah", email="siti@example.id")
    assert one["link"]["url"] is None and (one["link"]["delivery"], one["link"]["state"]) == ("mail", "waiting")
    until(lambda: inbox.mails)
    [mail] = inbox.mails
    assert mail[0].rcpt_tos == ["siti@example.id"] and mail[0].mail_from == "tpbis@perpusnas.example.id"
    assert mail[1].ssl is not None and mail[1].authenticated
    message = read(mail)
    assert message["To"] == "siti@example.id" and "Undangan" in message["Subject"] and message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "Halo Sitī Aminah" in text and "72 jam" in text and written(one["username"]) in text
    [url] = LINK.findall(text)
    assert url.startswith(api.service.base_url)
    until(lambda: link_of(api, one)["state"] == "sent")
    assert link_of(api, one)["url"] is None
    token = url.split("token=")[1]
    answer = api.post("/account/password", token=None, data={"token": token, "password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 200
    log = api.service.log_text()
    assert not [word for word in (token, "siti@example.id", "kata-rahasia-surel", PASSWORD) if word in log]
    time.sleep(2)
    assert len(inbox.mails) == 1


def test_what_people_typed_is_no_link(mailing, inbox):
    """A name and a user name; a user name that is the mail's own address stays as it is typed at the login."""
    api = mailing()
    invite(api, name="evil.example", username="www.evil.example", email="siti@example.id")
    invite(api, name="Budi。evil．example", username="budi@example.id", email="budi@example.id")
    until(lambda: len(inbox.mails) == 2)
    texts = {mail[0].rcpt_tos[0]: LINK.sub("", read(mail).get_content()) for mail in inbox.mails}
    assert not re.search(r"\w[.。．]\w", texts["siti@example.id"]) and written("www.evil.example") in texts["siti@example.id"]
    assert "Halo Budi. evil. example," in texts["budi@example.id"] and "budi@example.id" in texts["budi@example.id"]


class Opened:
    """What is opened in a directory from now on, by anybody (inotify(7))."""

    IN_OPEN, NONBLOCKING = 0x20, 0o4000

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.file = libc.inotify_init1(self.NONBLOCKING)
        assert self.file >= 0 and libc.inotify_add_watch(self.file, os.fsencode(path), self.IN_OPEN) >= 0, ctypes.get_errno()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.file)

    def any(self):
        try:
            return bool(os.read(self.file, 65536))
        except BlockingIOError:
            return False


def test_with_authorities_of_its_own_no_others_are_believed(mailing, inbox):
    """Whoever names the authorities that vouch for the mail server does not mean those of the system as well."""
    api = mailing()

    def opens_those_of_the_system(number):
        with Opened("/etc/ssl/certs") as opened:
            invite(api, email=f"siti{number}@example.id")
            until(lambda: len(inbox.mails) > number)
            return opened.any()

    assert not all(map(opens_those_of_the_system, range(5)))  # others on the machine may, now and then
    with Opened("/etc/ssl/certs") as opened:
        os.close(os.open("/etc/ssl/certs", os.O_RDONLY))
        assert opened.any()  # it does see


def test_another_password_in_english(mailing, inbox):
    api = mailing()
    one = invite(api, email="siti@example.id", language="en", delivery="answer")
    token = one["link"]["url"].split("token=")[1]
    assert api.post("/account/password", token=None, data={"token": token, "password": PASSWORD, "again": PASSWORD}).status_code == 200
    assert api.post(f"{PATH}/{one['id']}/password-reset", token="national_admin", json={"delivery": "mail"}).json()["link"]["url"] is None
    until(lambda: with_links(inbox))
    text = read(with_links(inbox)[0]).get_content()
    assert "Dear Siti Aminah" in text and "one hour" in text


def test_tried_again_with_another_token(mailing, inbox):
    """A try that failed leaves no link that works; the next mail has its own."""
    inbox.refusals = ["451 later"]
    api = mailing()
    one = invite(api, email="siti@example.id")
    until(lambda: inbox.tries == 1)
    with api.service.owner.cursor() as cursor:
        until(lambda: "mail_not_sent" in api.service.log_text())
        cursor.execute("SELECT attempts, encode(hash, 'hex'), next_try_at > now() + interval '1 minute' FROM user_link WHERE user_id = %s", (one["id"],))
        attempts, first, later = cursor.fetchone()
        assert (attempts, later) == (1, True) and link_of(api, one)["state"] == "waiting"
        cursor.execute("UPDATE user_link SET next_try_at = now()")
        until(lambda: inbox.mails)
        cursor.execute("SELECT encode(hash, 'hex') FROM user_link")
        assert cursor.fetchone()[0] != first
        until(lambda: link_of(api, one)["state"] == "sent")
        cursor.execute("UPDATE user_link SET sent_at = NULL, attempts = 7, next_try_at = now()")
        inbox.refusals = ["451 later"]
        until(lambda: link_of(api, one)["state"] == "failed")
    assert "siti@example.id" not in api.service.log_text()


def test_a_refused_recipient_holds_up_nobody(mailing, inbox):
    """More of them than a run sends, refused for good, for now, or because there is no such address; behind them all somebody waits."""
    api = mailing()
    one = invite(api)
    kinds = {"tiada": "550 5.1.1 no such mailbox", "penuh": "452 mailbox full", "bukan": None}
    sorts = [sort for _ in range(9) for sort in kinds]
    addresses = [f"{sort}{n}@example.id" if kinds[sort] else f"{sort} {n}" for n, sort in enumerate(sorts)]
    inbox.refused = {address: kinds[sort] for address, sort in zip(addresses, sorts) if kinds[sort]}
    inbox.refusals = ["554 5.2.3 not this mail"]
    api.people.sql("INSERT INTO user_mail (user_id, kind, address, next_try_at) SELECT %s, 'phone_changed', a, now() - interval '1 hour' + n * interval '1 second' "
                   "FROM unnest(%s) WITH ORDINALITY w (a, n)", one["id"], ["isinya@example.id", *addresses, "siti@example.id"])
    until(lambda: [mail for mail in inbox.mails if mail[0].rcpt_tos == ["siti@example.id"]])
    until(lambda: api.people.sql("SELECT count(*) FROM user_mail WHERE sent_at IS NOT NULL")[0] == 1)
    assert "job_failed" not in api.service.log_text() and len(inbox.mails) == 1
    rows = api.people.sql("SELECT json_object_agg(address, json_build_array(attempts, next_try_at IS NOT NULL)) FROM user_mail WHERE sent_at IS NULL")[0]
    assert rows == {"isinya@example.id": [1, False], **{address: [1, address.startswith("penuh")] for address in addresses}}
    refused = invite(api, email="tiada0@example.id")
    until(lambda: link_of(api, refused)["state"] == "failed")
    assert not [address for address in addresses if address in api.service.log_text()]


@pytest.mark.parametrize("reply", ["554 5.7.1 Relay access denied", "550-Sender verify failed\r\n550 See our rules", "553 5.1.8 no such domain", "550 no"])
def test_a_refusal_that_may_be_ours_costs_no_mail(mailing, inbox, reply):
    """Servers that take nothing from us say so at the recipient: the mail waits, the next one goes all the same, and the run is no good one."""
    inbox.refused = {"siti@example.id": reply}
    api = mailing()
    one = invite(api, email="siti@example.id")
    until(lambda: "job_failed" in api.service.log_text())
    assert link_of(api, one)["state"] == "waiting"
    invite(api, email="budi@example.id")
    api.people.sql("UPDATE user_link SET next_try_at = now() - interval '1 hour' WHERE user_id = %s", one["id"])
    until(lambda: inbox.mails)
    assert inbox.mails[0][0].rcpt_tos == ["budi@example.id"]


def test_the_first_is_dead_when_another_is_asked_for(mailing, inbox):
    api = mailing()
    one = invite(api, email="siti@example.id")
    until(lambda: inbox.mails)
    [url] = LINK.findall(read(inbox.mails[0]).get_content())
    shown = api.post(f"{PATH}/{one['id']}/invitation", token="national_admin", json={"delivery": "answer"}).json()["link"]["url"]
    assert api.get("/account/password", params={"token": url.split("token=")[1]}, token=None).status_code == 410
    assert api.get("/account/password", params={"token": shown.split("token=")[1]}, token=None).status_code == 200


@pytest.mark.parametrize("settings", [{"smtp_ca_file": ""}, {"smtp_password": "salah"}, {"smtp_url": "smtp://127.0.0.1:1"}])
def test_never_to_a_server_that_is_not_ours(mailing, inbox, settings):
    """Unproven, unopened or not there: the mail waits."""
    api = mailing(**settings)
    one = invite(api, email="siti@example.id")
    until(lambda: "mail_not_sent" in api.service.log_text())
    assert not inbox.mails and link_of(api, one)["state"] == "waiting"


def test_never_in_the_clear(fresh, inbox):
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        settings = {"smtp_url": f"smtp://127.0.0.1:{controller.port}", "smtp_from": "tpbis@example.id", "mail_interval_s": 1}
        api = fresh(**settings)
        invite(api, email="siti@example.id")
        until(lambda: "mail_not_sent" in api.service.log_text())
        assert not inbox.mails
        api = fresh(**settings, smtp_tls="off")
        invite(api, email="siti@example.id")
        until(lambda: inbox.mails)
    finally:
        controller.stop()


def test_an_account_without_an_address(mailing):
    api = mailing()
    assert invite(api)["link"]["url"]
    problem(api.post(PATH, token="national_admin", json={"username": "tanpa.surel", "name": "X", "delivery": "mail"}), 409, "mail_impossible")


def open_account(api, url):
    data = {"token": url.split("token=")[1], "password": PASSWORD, "again": PASSWORD}
    return api.post("/account/password", token=None, data=data).status_code


def test_a_charge_above_who_invited_sends_a_link_to_a_trusted_address(mailing, inbox):
    """Whoever invited it had the first link in hand: that one dies, and another goes to the address that the nation set before."""
    api = mailing()
    one = invite(api, token="regency_facilitator", email="lain@example.id", delivery="answer")
    corrected = api.patch(f"{PATH}/{one['id']}", {"email": "siti@example.id"}, etag="*", token="national_admin")
    assert corrected.status_code == 200, corrected.text
    appointed(api, "provincial_coordinator", holder=one["id"], region_code="32")
    assert open_account(api, one["link"]["url"]) == 410
    until(lambda: with_links(inbox))
    [mail] = with_links(inbox)
    assert mail[0].rcpt_tos == ["siti@example.id"] and "Undangan" in read(mail)["Subject"]
    assert open_account(api, *LINK.findall(read(mail).get_content())) == 200
    assert api.people.sql("SELECT count(*) FROM user_mail WHERE kind = 'invitation' AND address = 'siti@example.id'")[0] == 1  # it counts


@pytest.mark.parametrize("setter", ["who invited", "who opened", "nobody known"])
def test_a_charge_above_who_set_the_address_mails_no_link(mailing, inbox, setter):
    """An account of one's own making, with an address of one's own: the link goes there when somebody with that charge to give says so."""
    api = mailing()
    one = invite(api, token="regency_facilitator", email="titip@example.id", delivery="answer")
    address = "titip@example.id"
    assert open_account(api, one["link"]["url"]) == 200
    if setter == "who opened":
        address = "oleh.pemegang@example.id"
        changed = api.patch("/v1/me", {"email": address, "current_password": PASSWORD}, etag="*", token=api.people.token({**one, "password": PASSWORD}))
        assert changed.status_code == 200, changed.text
    elif setter == "nobody known":
        api.people.sql("UPDATE app_user SET email_by = NULL, email_at = NULL WHERE id = %s", one["id"])
    appointed(api, "national_admin", holder=one["id"], national=True)  # who may give what they are given themselves
    closed = api.get(f"{PATH}/{one['id']}", token="national_admin").json()
    assert (closed["status"], closed["link"]) == ("invited", None)
    until(lambda: [mail for mail in inbox.mails if mail[0].rcpt_tos == [address] and "dibuka kembali" in read(mail)["Subject"]])
    assert not with_links(inbox) and api.people.sql("SELECT count(*) FROM user_link")[0] == 0
    sent = api.post(f"{PATH}/{one['id']}/invitation", token="national_admin", json={"delivery": "mail"})
    assert sent.status_code == 200, sent.text
    until(lambda: with_links(inbox))
    [mail] = with_links(inbox)
    assert mail[0].rcpt_tos == [address] and open_account(api, *LINK.findall(read(mail).get_content())) == 200


@pytest.mark.parametrize("way", ["oneself", "an administrator"])
def test_both_addresses_hear_of_a_change(mailing, inbox, way):
    """Whoever changes it; and of another phone the address hears, too."""
    api = mailing()
    user = api.people.user("library_manager")
    api.people.sql("UPDATE app_user SET email = 'lama@example.id' WHERE id = %s", user["id"])  # nobody was there before
    until(lambda: len(inbox.mails) == 1)
    assert inbox.mails.pop()[0].rcpt_tos == ["lama@example.id"]

    def change(**fields):
        if way == "oneself":
            answer = api.patch("/v1/me", {**fields, "current_password": user["password"]}, etag="*", token=api.people.token(user))
        else:
            answer = api.patch(f"{PATH}/{user['id']}", fields, etag="*", token="national_admin")
        assert answer.status_code == 200, answer.text
    change(email="baru@example.id", phone="0812-1")
    until(lambda: len(inbox.mails) == 2)
    told = {mail[0].rcpt_tos[0]: read(mail) for mail in inbox.mails}
    assert set(told) == {"lama@example.id", "baru@example.id"}
    for message in told.values():
        assert written(user["username"]) in message.get_content() and not LINK.findall(message.get_content())
        assert "baru@" not in message.get_content() and "lama@" not in message.get_content()
    assert "diganti" in told["lama@example.id"]["Subject"]
    inbox.mails.clear()
    change(phone="0812-2")
    until(lambda: inbox.mails)
    assert inbox.mails[0][0].rcpt_tos == ["baru@example.id"] and "telepon" in read(inbox.mails[0])["Subject"]
    until(lambda: api.people.sql("SELECT count(*) FROM user_mail WHERE sent_at IS NULL")[0] == 0)
    assert not [word for word in ("lama@example.id", "baru@example.id") if word in api.service.log_text()]


def test_every_notice_has_its_text(mailing, inbox):
    """In both languages: whatever the database may let us send."""
    api = mailing()
    kinds = set(re.findall(r"'(\w+)'", api.people.sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'user_mail_kind_check'")[0]))
    notices = sorted(kinds - {"invitation", "reset"})  # these go with their links
    users = {language: invite(api, language=language) for language in ("id", "en")}
    for one in users.values():
        api.people.sql("INSERT INTO user_mail (user_id, kind, address, next_try_at) SELECT %s, kind, kind || '@example.id', now() FROM unnest(%s) kind",
                       one["id"], notices)
    until(lambda: len(inbox.mails) == 2 * len(notices))
    subjects = {str(read(mail)["Subject"]) for mail in inbox.mails}
    assert len(notices) >= 6 and len(subjects) == 2 * len(notices)
    for mail in inbox.mails:
        assert "{" not in read(mail).get_content() and not LINK.findall(read(mail).get_content())


def test_what_has_no_text_waits_for_the_version_that_has(mailing, inbox):
    """A newer schema may know notices that this version has no text for, and this one some that the version before has none for."""
    api = mailing()
    one = invite(api)
    api.people.sql("ALTER TABLE user_mail DROP CONSTRAINT user_mail_kind_check")
    api.people.sql("INSERT INTO user_mail (user_id, kind, address, next_try_at) SELECT %s, kind, 'siti@example.id', now() - d * interval '1 minute' "
                   "FROM (VALUES ('of_tomorrow', 2), ('phone_changed', 1)) w (kind, d)", one["id"])
    until(lambda: inbox.mails)
    assert api.people.sql("SELECT attempts, next_try_at IS NOT NULL FROM user_mail WHERE kind = 'of_tomorrow'") == (0, True)
    with api.service.cluster.connect(api.service.database) as database, database.cursor() as cursor:
        cursor.execute("INSERT INTO user_mail (user_id, kind, address, next_try_at) SELECT %s, kind, 'siti@example.id', now() FROM unnest(%s) kind",
                       (one["id"], ["account_closed", "link_shown", "factor_reset"]))
        cursor.execute("SELECT (user_mail_due()).kind FROM generate_series(1, 3)")
        assert cursor.fetchall() == [("factor_reset",)]
        database.rollback()


def test_a_link_without_an_address_goes_nowhere(mailing, inbox):
    api = mailing()
    one = invite(api)
    api.people.sql("UPDATE user_link SET hash = NULL, delivery = 'mail', next_try_at = now() WHERE user_id = %s", one["id"])
    until(lambda: link_of(api, one)["state"] == "failed")
    assert "the account has no address" in api.service.log_text() and not inbox.mails


def test_a_name_carries_no_link(mailing, inbox):
    api = mailing()
    invite(api, email="siti@example.id", name="You won! https://evil.example/claim " + "x" * 150)
    until(lambda: inbox.mails)
    text = read(inbox.mails[0]).get_content()
    assert "evil.example" not in text and "x" * 60 not in text
    assert re.findall(r"\S+://\S+", text) == LINK.findall(text)


def test_who_is_erased_hears_nothing_more(mailing, inbox):
    api = mailing(smtp_url="smtp://127.0.0.1:1")
    user = api.people.user("library_manager")
    for address in ("lama@example.id", "baru@example.id"):
        api.people.sql("UPDATE app_user SET email = %s WHERE id = %s", address, user["id"])
    assert api.people.sql("SELECT count(*) FROM user_mail")[0] == 3
    assert api.post(f"{PATH}/{user['id']}/erasure", token="national_admin", json={"reason": "uji"}).status_code == 200
    assert api.people.sql("SELECT count(*) FROM user_mail")[0] == 0
