"""Delivering one message: by mail, or as a signed JSON POST to a web address."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import socket
import ssl
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3

from wiki.addresses import PrivateAddress, open_pool
from wiki.errors import TaskError
from wiki.settings import Settings
from wiki.tasks.outbox import Message
from wiki.translate import gettext, marked, using

SIGNATURE, DELIVERY = "Wikimill-Signature", "Wikimill-Delivery"
#: Seconds until a connection stands, and until an answer is there.
CONNECT_WITHIN, ANSWER_WITHIN = 5.0, 10.0
#: The lines of a mail below its first, each by what it tells of the run or its page.
_LINES = (("error", marked("Error: %(value)s")), ("progress", marked("Progress: %(value)s")),
          ("executor", marked("Executor: %(value)s")),
          ("startedBy", marked("Started by: %(value)s")),
          ("started", marked("Started: %(value)s")), ("finished", marked("Finished: %(value)s")),
          ("url", marked("Page: %(value)s")))
_LOCAL = ("localhost", "127.0.0.1", "::1")
_GONE = 410


class NotDelivered(TaskError):
    """It did not get through. ``final``: trying again would not help."""

    def __init__(self, reason: str, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def is_mail(target: str) -> bool:
    """Whether it looks like a mail address."""
    name, mark, host = target.partition("@")
    return bool(mark and name and host and "://" not in target)


def is_web(target: str) -> bool:
    """Whether it is an address of the web."""
    try:
        parts = urlsplit(target)
    except ValueError:  # brackets that hold no IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def shown(target: str) -> str:
    """The target as logs name it: a web address may hold a secret, so only its host."""
    if not is_web(target):
        return target
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.hostname}"


def deliver(message: Message, settings: Settings, now: float) -> None:
    """Send it; raises NotDelivered."""
    if is_mail(message.target):
        send_mail(message, settings)
    else:
        post(message, settings, now)


# -- mail ----------------------------------------------------------------------------------


def send_mail(message: Message, settings: Settings) -> None:
    """By the SMTP server of ``smtp_url``, encrypted where it can be; raises NotDelivered."""
    if not settings.smtp_url:
        raise NotDelivered("no mail server is set; see the setting smtp_url", final=True)
    try:
        with _mail_server(settings.smtp_url) as server:
            server.send_message(compose(message, settings))
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise NotDelivered(f"refused: {code} {text!r}", final=code >= 500) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotDelivered(f"{type(error).__name__}: {error}") from error


def _mail_server(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=ANSWER_WITHIN,
                                                context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, parts.port or (587 if parts.username else 25),
                              timeout=ANSWER_WITHIN)
    try:
        _greet(server, host, unquote(parts.username or ""), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _greet(server: smtplib.SMTP, host: str, user: str, password: str) -> None:
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif user and host not in _LOCAL and not isinstance(server, smtplib.SMTP_SSL):
        raise NotDelivered("the mail server offers no encryption, and a password is not sent "
                           "in the clear")
    if user:
        server.login(user, password)


def compose(message: Message, settings: Settings) -> EmailMessage:
    """The mail that tells of the end of a run, in the wiki's language. Raises ValueError for what
    can be no address."""
    told: dict[str, Any] = json.loads(message.body)
    run = told["run"]
    mail = EmailMessage()
    mail["Subject"] = f"[Wikimill] {run['outcome']}: {_line(told['title'])}"
    mail["From"] = settings.smtp_from or f"wikimill@{socket.gethostname()}"
    mail["To"] = message.target
    mail["Message-ID"] = f"<{message.id}@wikimill>"
    mail["Auto-Submitted"] = "auto-generated"
    with using(settings.language):
        lines = [gettext("Run %(number)s of %(task)s ended: %(outcome)s.", number=run["number"],
                         task=told["task"], outcome=run["outcome"])]
        lines += [gettext(line, value=run[name] if name in run else told[name])
                  for name, line in _LINES if run.get(name) or told.get(name)]
    mail.set_content("\n".join(lines) + "\n")
    return mail


def _line(text: str) -> str:
    return " ".join(text.split())


# -- the web -------------------------------------------------------------------------------


def post(message: Message, settings: Settings, now: float) -> None:
    """POST the message's JSON; redirects are not followed. Raises NotDelivered."""
    try:
        with _pool(message.target, settings.webhook_allow_private) as pool:
            answer = pool.urlopen(
                "POST", urllib3.util.parse_url(message.target).request_uri,
                body=message.body.encode(), headers=_headers(message, settings, now),
                redirect=False, retries=False, preload_content=False)
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise NotDelivered(f"{type(error).__name__}: {error}") from error
    if 300 <= answer.status < 400:
        raise NotDelivered(f"it answers {answer.status}; a redirect is not followed")
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"it answers {answer.status}", final=answer.status == _GONE)


def sign(secret: str, body: str, now: float) -> str:
    """The signature's header: HMAC-SHA256, in hex, of ``<seconds>.<body>``."""
    moment = str(int(now))
    digest = hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"


def _headers(message: Message, settings: Settings, now: float) -> dict[str, str]:
    parts = urlsplit(message.target)
    headers = {"Host": parts.netloc.rpartition("@")[2], "Content-Type": "application/json",
               "User-Agent": "Wikimill", DELIVERY: message.id}
    if settings.webhook_secret:
        headers[SIGNATURE] = sign(settings.webhook_secret, message.body, now)
    if parts.username:
        headers.update(urllib3.util.make_headers(
            basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}"))
    return headers


def _pool(url: str, allow_private: bool) -> urllib3.HTTPConnectionPool:
    """Who may edit a task may name a web address, and must not reach what only this machine
    can."""
    try:
        return open_pool(url, urllib3.Timeout(connect=CONNECT_WITHIN, read=ANSWER_WITHIN),
                         allow_private)
    except PrivateAddress as error:
        raise NotDelivered(f"{error}; the setting webhook_allow_private allows such",
                           final=True) from error
