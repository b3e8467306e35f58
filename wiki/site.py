"""A wiki in a data directory, all its parts opened and wired: what every door starts from."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tinydb import TinyDB, where

from wiki import pagefile
from wiki.accounts import Accounts
from wiki.api import Wiki
from wiki.errors import DocumentNotFound
from wiki.model import SYSTEM, Document
from wiki.news import News
from wiki.references import Reference
from wiki.rendering.commenttext import CommentTexts
from wiki.rendering.macros import Registry
from wiki.rendering.packages import load_packages
from wiki.rendering.renderer import Renderer, RenderPool
from wiki.rights import ADMIN_USER
from wiki.settings import Settings, shipped
from wiki.store import open_store
from wiki.store.base import Healing
from wiki.store.filereading import Readings
from wiki.tasks.followers import Followers
from wiki.tasks.jobs import Jobs
from wiki.tasks.log import Logs
from wiki.tasks.manager import Manager
from wiki.tasks.notify import Notifier
from wiki.tasks.runner import LocalRunner
from wiki.tasks.scheduler import Scheduler
from wiki.tasks.starting import Starter
from wiki.tasks.trial import Trials
from wiki.tasks.undo import Undo
from wiki.thumbnails import Thumbnails
from wiki.tokens import Tokens
from wiki.transfer import put_page
from wiki.watching import Watching

USER_CLASS = "Wiki.UserClass"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Installation:
    """What :meth:`Site.install` did: the pages it wrote, and Admin's password if it made one."""

    pages: tuple[Reference, ...] = ()
    password: str | None = None
    healing: Healing | None = None


class Site:
    """Everything that works on one data directory.

    Opening one starts nothing; :meth:`start` starts the scheduler, :meth:`close` ends all.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        #: Set when the site begins to close: streams that follow a log end then.
        self.closing = threading.Event()
        data = settings.data
        data.mkdir(parents=True, exist_ok=True)
        self.store = open_store(data)
        self.wiki = Wiki(self.store, SYSTEM, upload_limit=settings.upload_limit)
        self.accounts = Accounts(data / "accounts")
        self.tokens = Tokens(data / "accounts" / "tokens", self.accounts.stamp)
        self.readings = Readings(self.store, data / "reading.lock")
        self.thumbnails = Thumbnails(data / "thumbnails")
        self.watching = Watching(data / "watching.db")
        self.news = News(self.wiki, self.watching)
        self.comment_texts = CommentTexts()
        self.logs = Logs(data / "logs")
        Followers(self.logs, self.watching).watch(self.wiki)
        self.runner = LocalRunner(data, grace=settings.cancel_grace)
        self.manager = Manager(self.wiki, self.logs, self.runner, data)
        self.notifier = Notifier(self.wiki, settings, data, self.manager.log)
        self.manager.ended.connect(self.notifier.ended)
        self.starter = Starter(self.wiki)
        self.trials = Trials(self.wiki, self.starter, self.logs)
        self.undo = Undo(self.wiki, self.store, self.logs, data)
        self.scheduler = Scheduler(self.wiki, self.manager, data,
                                   deleted_days=settings.deleted_days)
        self.registry = Registry()
        self.registry.load_directory(shipped("macros"))
        load_packages(self.registry)
        services = {Logs: self.logs, Manager: self.manager, Jobs: self.scheduler.jobs}
        self.local_renderer = Renderer(self.wiki, self.registry, services)
        self.renderer = RenderPool("wiki.site:open_renderer", str(data), self.local_renderer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the threads of the scheduler, of notifications and of reading attached files."""
        for problem in self.registry.problems:
            _logger.warning("macros of %s: %s", problem.package, problem.reason)
        self.runner.prepare()
        self.scheduler.start()
        self.notifier.start()
        self.readings.start()

    def stop_starting(self) -> None:
        """Start no task and no stream any more; may be called by a signal handler."""
        self.closing.set()
        self.scheduler.halt()

    def close(self, patience: float = 0.0) -> None:
        """End everything; tasks that run may go on for so many seconds."""
        self.stop_starting()
        self.scheduler.stop()
        self.runner.close(patience)
        self.manager.close()
        self.notifier.close()
        self.renderer.close()
        self.readings.close()
        self.store.close()

    def install(self) -> Installation:
        """Bring the data directory up to date: the index, the shipped pages, the user Admin."""
        healing = self.store.heal()
        pages = install_pages(self.wiki, shipped("pages"), self.settings.data / "shipped.json")
        return Installation(tuple(pages), self._make_admin(), healing)

    def _make_admin(self) -> str | None:
        name = ADMIN_USER.removeprefix("Users.")
        if self.accounts.exists(name):
            return None
        given = self.settings.admin_password
        password = given or secrets.token_urlsafe(12)
        self.add_user(name, password)
        return None if given else password

    def add_user(self, name: str, password: str) -> str:
        """Make the account and the user's page; returns the page's name.

        Raises UserExists or InvalidReference.
        """
        user = self.accounts.add(name, password)
        if user not in self.wiki:
            page = self.wiki.new(user, title=name)
            page.add_object(USER_CLASS)
            page.save(comment="New user")
        return user


def open_renderer(data: str) -> Renderer:
    """The renderer of a render worker: all in its own process."""
    return Site(Settings(data=Path(data))).local_renderer


def install_pages(wiki: Wiki, source: Path, record: Path) -> list[Reference]:
    """Install the page files below ``source``, and upgrade those that nobody has touched.

    ``record`` remembers what was installed and at which version: a page that was saved since,
    by a person or by a task's run, is left alone, and so is one that was deleted.
    """
    written = []
    with TinyDB(record) as installed, wiki.batch():
        # Classes first, so that the objects of the other pages are validated against them.
        pages = sorted(pagefile.read_tree(source), key=lambda page: not page[1].class_definition)
        rows = {row["page"]: dict(row) for row in installed.all()}
        for reference, document, files in pages:
            digest = _digest(document, files)
            known = rows.get(str(reference))
            if known and known["digest"] == digest:
                continue
            if not _untouched(wiki, reference, known):
                continue
            put_page(wiki, document, files, comment="Shipped with Wikimill")
            installed.upsert({"page": str(reference), "digest": digest,
                              "version": str(wiki.get(reference).version)},
                             where("page") == str(reference))
            written.append(reference)
    return written


def _untouched(wiki: Wiki, reference: Reference, known: dict[str, str] | None) -> bool:
    try:
        current = wiki.get(reference)
    except DocumentNotFound:
        return known is None
    return known is not None and str(current.version) == known["version"]


def _digest(document: Document, files: dict[str, Path]) -> str:
    digest = hashlib.sha256(pagefile.dumps(document).encode())
    for filename, path in sorted(files.items()):
        digest.update(filename.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
