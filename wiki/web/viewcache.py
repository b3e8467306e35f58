"""Answers of views, kept while nothing in the wiki changes; and who is known by a cookie.

A kept page is the same for all sessions of a user: in place of the session's form token and of
the answer's nonce stand words that nobody knows, and each answer gets its own.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.http import parse_etags

from wiki.model import GUEST
from wiki.store.base import State
from wiki.web.headers import POLICY, PRIVATE, TRUST, new_nonce

#: How much HTML a process keeps, in bytes.
CACHE_SIZE = 64 << 20
#: Larger answers are not kept: a few of them would drive out all others.
LARGEST = 2 << 20
#: What an entry costs beside its HTML, in bytes.
OVERHEAD = 2000
#: How long a cookie that was looked at needs no second look, in seconds: so much later than
#: asked for may a session end.
KNOWN_SECONDS = 60.0
#: How many cookies are known.
KNOWN = 2000

#: The user, whether the session has a token, the language, and the address: script name, path,
#: query.
Key = tuple[str, bool, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the user's page, and the session's form token, empty where it has none yet."""

    user: str = GUEST
    token: str = ""
    #: What the session ends with (see :func:`wiki.web.session.stamp`).
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept page, with the words that stand in it for the nonce and for the form token (empty
    where it has none), and a digest of all the rest."""

    state: State
    body: bytes
    nonce: bytes
    token: bytes
    digest: bytes

    @classmethod
    def of(cls, state: State, html: str, nonce: str, token: str) -> Entry:
        """The page made when the wiki was in this state, or just after."""
        body, word, token_word = html.encode(), nonce.encode(), token.encode()
        rest = body.replace(word, b"").replace(token_word, b"")
        return cls(state, body, word, token_word if token_word in body else b"",
                   hashlib.blake2b(rest, digest_size=16).digest())

    @property
    def size(self) -> int:
        return len(self.body) + OVERHEAD

    def answer(self, token: str, seen: str) -> Answer:
        """The page for a session's token; ``seen`` is the request's ``If-None-Match``.

        The tag is another one for each content and token, so that no session goes on with
        another's page.
        """
        token = token if self.token else ""
        tag = hashlib.blake2b(self.digest + token.encode(), digest_size=16).hexdigest()
        headers = [("ETag", f'W/"{tag}"'), *TRUST, *PRIVATE]
        if seen and parse_etags(seen).contains_weak(tag):
            return Answer(304, headers)
        nonce = new_nonce()
        body = self.body.replace(self.nonce, nonce.encode())
        if self.token:
            body = body.replace(self.token, token.encode())
        return Answer(200, [*headers, ("Content-Type", "text/html; charset=utf-8"),
                            ("Content-Length", str(len(body))),
                            ("Content-Security-Policy", POLICY.format(nonce))], body)


class ViewCache:
    """Entries by key, the least recently used dropped first. Safe for several threads."""

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._limit = size
        self._size = 0
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, state: State) -> Entry | None:
        """The entry made in this state of the wiki; one of another state is dropped."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.state != state:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return entry

    def __contains__(self, key: Key) -> bool:
        """Whether there is an entry, perhaps an old one."""
        return key in self._entries

    def put(self, key: Key, entry: Entry) -> None:
        """Keep the entry, unless it is too large."""
        if len(entry.body) > LARGEST:
            return
        with self._lock:
            if key in self._entries:
                self._drop(key)
            self._entries[key] = entry
            self._size += entry.size
            while self._size > self._limit:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        self._size -= self._entries.pop(key).size


class Visitors:
    """Visitors by the ``Cookie`` header that they were known by. Safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Visitor]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, cookie: str) -> Visitor | None:
        """Who sends this cookie, where that was found out a moment ago."""
        until, visitor = self._known.get(cookie, (0.0, None))
        return visitor if until > self._clock() else None

    def remember(self, cookie: str, visitor: Visitor) -> None:
        """Know the cookie for a minute."""
        with self._lock:
            self._known[cookie] = (self._clock() + KNOWN_SECONDS, visitor)
            self._known.move_to_end(cookie)
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
