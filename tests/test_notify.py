"""Notifications: what is kept, what goes out by web and mail, and what happens when it fails."""

from __future__ import annotations

import email
import hashlib
import hmac
import json
import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from wiki.api import OpenDocument, Wiki
from wiki.settings import Settings
from wiki.site import Site
from wiki.tasks.names import EXECUTOR_CLASS, RUN_CLASS, TASK_CLASS
from wiki.tasks.notify import INTERVALS, Notifier
from wiki.tasks.outbox import LEASE, Outbox

NOW = 1_800_000_000.0
PATIENCE = 30
RUN_ID = "b" * 32


@dataclass
class Receiver:
    """A web server that keeps what it is sent, and answers what it is told to."""

    url: str = ""
    status: int = 200
    location: str = ""
    got: queue.Queue[tuple[str, dict[str, str], bytes]] = field(default_factory=queue.Queue)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.put((self.path, dict(self.headers), body))
            self.send_response(kept.status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@dataclass
class MailServer:
    """An SMTP server that keeps its mails, and refuses an address."""

    url: str = ""
    refuses: str = ""
    mails: list[Mail] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope,
                          address: str, options: list[str]) -> str:
        if address == self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    kept = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    kept.url = f"smtp://127.0.0.1:{port}"
    yield kept
    controller.stop()


class Office:
    """A notifier without its thread, and what it logged."""

    def __init__(self, wiki: Wiki, data: Path, **settings: object) -> None:
        self.lines: list[str] = []
        self.notifier = Notifier(wiki, Settings(data=data, **settings),  # type: ignore[arg-type]
                                 data, lambda level, line: self.lines.append(f"{level} {line}"))

    def keep(self, page: OpenDocument) -> None:
        self.notifier.keep(page.record, RUN_ID, NOW)


def ended_task(wiki: Wiki, notify: str, when: str = "error", outcome: str = "ERROR",
               title: str = "The import", **run: object) -> OpenDocument:
    page = wiki.new("Work.Told", title=title)
    page.add_object(TASK_CLASS, taskExecutor="Executors.HelloWorld", status="ERROR",
                    notify=notify, notifyWhen=when)
    page.add_object(RUN_CLASS, number=3, id=RUN_ID, executor="Executors.HelloWorld",
                    outcome=outcome, error="line 5 is odd", startedBy="Users.Admin",
                    finished=datetime.now(UTC).isoformat(), **run)
    return page.save()


@pytest.fixture
def office(wiki: Wiki, tmp_path: Path) -> Office:
    return Office(wiki, tmp_path, webhook_allow_private=True, webhook_secret="s3cret",
                  base_url="https://wiki.example.org/")


def test_a_webhook_is_signed_and_says_what_happened(office: Office, wiki: Wiki,
                                                    receiver: Receiver) -> None:
    office.keep(ended_task(wiki, receiver.url))
    assert office.notifier.deliver_due(NOW) == 1
    path, headers, body = receiver.got.get(timeout=PATIENCE)
    told = json.loads(body)
    assert path == "/hook?x=1" and headers["Content-Type"] == "application/json"
    assert told["task"] == "Work.Told" and told["url"] == "https://wiki.example.org/Work.Told"
    assert told["run"]["number"] == 3 and told["run"]["error"] == "line 5 is odd"
    digest = hmac.new(b"s3cret", f"{int(NOW)}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["Wikimill-Signature"] == f"t={int(NOW)},v1={digest}"
    assert len(headers["Wikimill-Delivery"]) == 32
    assert office.notifier.deliver_due(NOW + 10**7) == 0


def test_without_a_secret_nothing_is_signed(wiki: Wiki, tmp_path: Path,
                                            receiver: Receiver) -> None:
    office = Office(wiki, tmp_path, webhook_allow_private=True)
    office.keep(ended_task(wiki, receiver.url))
    office.notifier.deliver_due(NOW)
    assert "Wikimill-Signature" not in receiver.got.get(timeout=PATIENCE)[1]


def test_what_fails_is_tried_again_under_the_same_id_and_given_up_in_the_end(
        office: Office, wiki: Wiki, receiver: Receiver) -> None:
    receiver.status = 503
    office.keep(ended_task(wiki, receiver.url))
    now = NOW
    for wait in INTERVALS:
        assert office.notifier.deliver_due(now) == 1
        assert office.notifier.deliver_due(now + wait - 1) == 0
        now += wait
    assert office.notifier.deliver_due(now) == 1
    assert office.notifier.outbox.next_due() is None
    tries = [receiver.got.get(timeout=PATIENCE) for _ in range(len(INTERVALS) + 1)]
    assert len({headers["Wikimill-Delivery"] for _, headers, _ in tries}) == 1
    assert len({body for _, _, body in tries}) == 1
    assert "tried again in 10 s" in office.lines[0] and "it answers 503" in office.lines[0]
    assert office.lines[-1].startswith("ERROR") and "given up" in office.lines[-1]
    assert receiver.url not in "".join(office.lines)


def test_a_redirect_is_not_followed_and_410_is_the_end(office: Office, wiki: Wiki,
                                                       receiver: Receiver) -> None:
    receiver.status, receiver.location = 302, receiver.url
    office.keep(ended_task(wiki, receiver.url))
    office.notifier.deliver_due(NOW)
    assert "a redirect is not followed" in office.lines[0] and receiver.got.qsize() == 1
    receiver.status = 410
    office.notifier.deliver_due(NOW + INTERVALS[0])
    assert "given up after attempt 2" in office.lines[1]
    assert office.notifier.outbox.next_due() is None


@pytest.mark.parametrize("target", [
    "http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://10.0.0.1/",
    "http://169.254.169.254/latest", "http://[::ffff:127.0.0.1]:9/", "http://0.0.0.0:9/",
    "http://[64:ff9b::7f00:1]:9/", "http://0x7f.1:9/", "http://[2002:7f00:1::1]:9/",
    "http://[::7f00:1]:9/", "http://[fec0::1]:9/"])
def test_what_only_this_machine_can_reach_is_not_asked(wiki: Wiki, tmp_path: Path,
                                                       target: str) -> None:
    office = Office(wiki, tmp_path)
    office.keep(ended_task(wiki, target))
    office.notifier.deliver_due(NOW)
    assert "not an address of the public internet" in office.lines[0]
    assert "given up after attempt 1" in office.lines[0]


def test_a_mail_says_what_happened(wiki: Wiki, tmp_path: Path, mail_server: MailServer) -> None:
    office = Office(wiki, tmp_path, smtp_url=mail_server.url, smtp_from="wiki@example.org",
                    base_url="https://wiki.example.org")
    office.keep(ended_task(wiki, "jo@example.org", title="Übung\nBcc: all@example.org"))
    office.notifier.deliver_due(NOW)
    [mail] = mail_server.mails
    subject = str(email.header.make_header(email.header.decode_header(mail["Subject"])))
    assert " ".join(subject.split()) == "[Wikimill] ERROR: Übung Bcc: all@example.org"
    assert mail["To"] == "jo@example.org" and mail["From"] == "wiki@example.org"
    assert mail["Bcc"] is None and mail["Message-ID"].endswith("@wikimill>")
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    for text in ("Run 3 of Work.Told ended: ERROR.", "Error: line 5 is odd",
                 "Page: https://wiki.example.org/Work.Told"):
        assert text in payload.decode()
    assert office.notifier.outbox.next_due() is None


def test_a_refused_address_is_given_up_and_a_server_that_is_away_is_asked_again(
        wiki: Wiki, tmp_path: Path, mail_server: MailServer) -> None:
    mail_server.refuses = "no@example.org"
    office = Office(wiki, tmp_path, smtp_url=mail_server.url)
    page = ended_task(wiki, "no@example.org")
    office.keep(page)
    office.notifier.deliver_due(NOW)
    assert "550" in office.lines[0] and "given up" in office.lines[0]
    away = Office(wiki, tmp_path / "other", smtp_url="smtp://127.0.0.1:1")
    (tmp_path / "other").mkdir()
    away.keep(page)
    away.notifier.deliver_due(NOW)
    assert "tried again in 10 s" in away.lines[0]


def test_without_a_mail_server_the_log_says_so(wiki: Wiki, tmp_path: Path) -> None:
    office = Office(wiki, tmp_path)
    office.keep(ended_task(wiki, "jo@example.org"))
    office.notifier.deliver_due(NOW)
    assert "smtp_url" in office.lines[0] and "given up" in office.lines[0]


@pytest.mark.parametrize(("when", "outcome", "run", "told"), [
    ("error", "ERROR", {}, 1), ("error", "INTERRUPTED", {}, 1), ("error", "DONE", {}, 0),
    ("error", "CANCELLED", {}, 0), ("end", "DONE", {}, 1), ("end", "CANCELLED", {}, 1),
    ("error", "ERROR", {"retryAt": "2026-01-01T00:00:00.000+00:00"}, 0)])
def test_who_hears_of_which_end(office: Office, wiki: Wiki, receiver: Receiver, when: str,
                                outcome: str, run: dict[str, object], told: int) -> None:
    office.keep(ended_task(wiki, receiver.url, when, outcome, **run))
    assert office.notifier.deliver_due(NOW) == told


def test_several_are_told_once_each_and_what_is_no_address_is_named(
        office: Office, wiki: Wiki, receiver: Receiver) -> None:
    page = ended_task(wiki, f"{receiver.url} {receiver.url}&b=2, ftp://x {receiver.url} "
                      "http://[bad")
    office.keep(page)
    office.keep(page)
    assert office.notifier.deliver_due(NOW) == 2
    assert "'ftp://x' is neither" in office.lines[0]
    assert "'http://[bad' is neither" in office.lines[1]


def test_a_message_is_given_out_once_until_its_lease_is_over(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    assert Outbox(path).add("run", ["a", "a", "b"], "{}", NOW) == 2
    assert Outbox(path).add("run", ["a"], "{}", NOW) == 0
    box = Outbox(path)  # another process, after a crash
    first, second = box.claim(NOW), box.claim(NOW)
    assert first and second and {first.target, second.target} == {"a", "b"}
    assert box.claim(NOW) is None and box.next_due() == NOW + LEASE
    box.settle(first)
    again = box.claim(NOW + LEASE)
    assert again and again.id == second.id and again.attempts == 2
    box.settle(again, "no", NOW + 500)
    assert box.claim(NOW + 499) is None and box.next_due() == NOW + 500


def test_an_end_whose_message_was_lost_is_told_at_the_next_start(
        office: Office, wiki: Wiki, receiver: Receiver) -> None:
    ended_task(wiki, receiver.url)
    office.notifier.catch_up(datetime.now(UTC))
    office.notifier.catch_up(datetime.now(UTC))
    assert office.notifier.deliver_due(datetime.now(UTC).timestamp()) == 1


def test_a_real_run_is_told_of(settings: Settings, receiver: Receiver) -> None:
    with Site(replace(settings, webhook_allow_private=True)) as site:
        site.install()
        wiki = site.wiki.as_user("Users.Admin")
        executor = wiki.new("Executors.Bad")
        executor.add_object(EXECUTOR_CLASS, script="def run(logger, wiki, task):\n    1 / 0\n")
        executor.save()
        page = wiki.new("Work.Bad")
        page.add_object(TASK_CLASS, taskExecutor="Executors.Bad", status="READY",
                        notify=receiver.url)
        page.save()
        site.start()
        told = json.loads(receiver.got.get(timeout=PATIENCE)[2])
    assert told["task"] == "Work.Bad" and told["status"] == "ERROR"
    assert "ZeroDivisionError" in told["run"]["error"] and told["run"]["finished"]
