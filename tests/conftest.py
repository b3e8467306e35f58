"""What several tests start from: a wiki in a temporary folder, a browser's client, a server."""

from __future__ import annotations

import gc
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from wiki import accounts, classes
from wiki.api import Wiki
from wiki.settings import Settings
from wiki.site import Site
from wiki.web.app import create_app

PASSWORD = "correct horse"
CHROMIUM = Path("/usr/bin/chromium")
CSRF_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
#: Where servers listen: below what the system gives to connections, so that nothing has taken the
#: port of a server that is stopped and started again.
PORTS = range(20_000, 32_000)
#: Milliseconds that a step in the browser, or a run, may take on a slow machine.
PATIENCE = 60_000

# Where this is set (as in many containers), each server and each process that a test starts would
# compile the whole wiki anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Where there is room, files of tests are kept in memory: no test tells what was synced from what
# was not, and thousands of syncs take minutes.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 1024 ** 3:
    os.environ["TMPDIR"] = tempfile.tempdir = os.environ.get("TMPDIR", str(MEMORY))

# CI takes the same examples each time, and fewer, for it has 20 minutes.
hypothesis_settings.register_profile("ci", hypothesis_settings.get_profile("ci"), max_examples=40)
if "CI" in os.environ:
    hypothesis_settings.load_profile("ci")


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of a call by this user."""
    credentials = b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Passwords are hashed at the least cost. A hash says what it costs to verify, so servers
    that a test starts are quick to log in to as well."""
    quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "PasswordHasher", quick)
        patch.setattr(classes, "PasswordHasher", quick)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a wiki in a folder of its own."""
    return Settings(data=tmp_path / "data", admin_password=PASSWORD, secret_key="for tests",
                    macro_patience=60)


@pytest.fixture(scope="session")
def shipped_wiki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a wiki with its shipped pages and the user Admin, to be copied."""
    data = tmp_path_factory.mktemp("shipped_wiki") / "data"
    with Site(Settings(data=data, admin_password=PASSWORD, secret_key="for tests")) as site:
        site.install()
    return data


@pytest.fixture
def site(settings: Settings, shipped_wiki: Path) -> Iterator[Site]:
    """A wiki with its shipped pages; nothing runs in it by itself."""
    shutil.copytree(shipped_wiki, settings.data, dirs_exist_ok=True)
    with Site(settings) as opened:
        yield opened


@pytest.fixture
def wiki(site: Site) -> Wiki:
    """The wiki as Admin."""
    return site.wiki.as_user("Users.Admin")


@pytest.fixture(scope="session", autouse=True)
def compiled_routes() -> Iterator[None]:
    """Werkzeug compiles two functions a route, the same ones for each application that a test
    makes: they are half of the time that making one takes."""
    compiled: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def kept(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (rule.rule, append_unknown, repr(rule.defaults), repr(rule._trace))
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", kept)
        yield


class CompiledTemplates(BytecodeCache):
    """Templates that one test has compiled, for those after it."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key, bucket.checksum] = bucket.code


TEMPLATES = CompiledTemplates()


@pytest.fixture
def app(site: Site) -> Flask:
    app = create_app(site=site)
    app.jinja_env.bytecode_cache = TEMPLATES
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A guest's browser."""
    return app.test_client()


class Browser:
    """A client that, as a browser does, sends along what a page's form has in it."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, url: str, **options: object) -> TestResponse:
        return self.client.get(url, buffered=True, **options)  # type: ignore[arg-type]

    def token(self, url: str = "/login") -> str:
        """The CSRF token of this session."""
        match = CSRF_TOKEN.search(self.get(url).text)
        assert match, "the page has no token"
        return match[1]

    def post(self, url: str, **fields: object) -> TestResponse:
        """Send a form with the session's token."""
        return self.client.post(url, data={"form_token": self.token(), **fields},
                                buffered=True)

    def log_in(self, name: str = "Admin", password: str = PASSWORD) -> TestResponse:
        return self.post("/login", name=name, password=password)


@pytest.fixture
def guest(client: FlaskClient) -> Browser:
    return Browser(client)


@pytest.fixture
def admin(app: Flask) -> Browser:
    """Admin's browser, logged in."""
    browser = Browser(app.test_client())
    assert browser.log_in().status_code == 302
    return browser


@pytest.fixture
def user(app: Flask, site: Site) -> Browser:
    """The browser of a user who may edit, and no more."""
    site.add_user("Jo", PASSWORD)
    browser = Browser(app.test_client())
    assert browser.log_in("Jo").status_code == 302
    return browser


#: A server that ends when the test process does, whatever ends that: 1 is PR_SET_PDEATHSIG.
SERVE = ("import ctypes, signal; ctypes.CDLL(None).prctl(1, signal.SIGTERM); "
         "from wiki.cli import main; main()")


@dataclass
class Server:
    """A server in a process of its own, as a person starts it."""

    data: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {"WIKIMILL_SHUTDOWN_GRACE": "0", **os.environ,
                       "WIKIMILL_ADMIN_PASSWORD": PASSWORD}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, "serve", "--data", str(self.data),
                 "--port", str(self.port)],
                env=environment, stdout=log, stderr=log, start_new_session=True)
        until(self.answers, 60, f"the server does not answer; its output is in {self.log}")

    def answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log.read_text()
        try:
            with urlopen(f"{self.url}/healthz", timeout=5) as response:
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

    def kill(self) -> None:
        """End it at once, as a crash does."""
        assert self.process is not None
        os.killpg(self.process.pid, 9)
        self.process.wait(20)
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def free_port() -> int:
    """A port for a server."""
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture
def server(tmp_path: Path, shipped_wiki: Path) -> Iterator[Server]:
    """A running server on a free port, with the shipped pages and the user Admin."""
    data = shutil.copytree(shipped_wiki, tmp_path / "data")
    running = Server(data, free_port(), tmp_path / "server.log")
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One browser for all tests; each has a profile of its own in it."""
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium here")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Chromium, server: Server) -> Iterator[Callable[..., Page]]:
    """Open the server's front page as somebody: ``browse(user, rich, **profile)``, with ``None``
    for a guest, and ``rich`` for CodeMirror, if its bundle is there, in place of plain text
    fields. An error of a script of ours fails the test."""
    errors: list[str] = []
    profiles = []

    def opened(user: str | None = "Admin", rich: bool = False, **profile: Any) -> Page:
        profiles.append(chromium.new_context(base_url=server.url, **profile))
        page = profiles[-1].new_page()
        page.set_default_timeout(PATIENCE)
        if not rich:
            page.add_init_script("self === top && location.protocol === 'http:' && "
                                 "localStorage.setItem('wikimill.editor', 'plain')")
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text)
                if "Content Security Policy" in message.text else None)
        if user:  # past the form, which costs two more pages
            token = CSRF_TOKEN.search(page.request.get("/login").text())
            assert token, "the page has no token"
            answer = page.request.post("/login", max_redirects=0, form={
                "form_token": token[1], "name": user, "password": PASSWORD})
            assert answer.status == 302
        page.goto("/")
        return page

    yield opened
    for profile in profiles:
        profile.close()
    assert errors == []


@pytest.fixture
def page(browse: Callable[..., Page]) -> Page:
    """A browser at the server, logged in as Admin."""
    return browse()


def until(condition: Callable[[], bool], seconds: float, message: str) -> None:
    """Wait until the condition holds, and fail with the message past the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.05)
