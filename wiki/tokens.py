"""API tokens: a small file each, named by the token's digest, apart from the pages. Only who made
a token has ever seen it; it ends when its user's password changes."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from wiki.errors import AuthenticationFailed, InvalidValue, StoreError, TokenNotFound
from wiki.translate import gettext

#: What a token begins with, so that scanners for leaked secrets know it.
PREFIX = "wikimill_"
READ, WRITE = "read", "write"
SCOPES = (READ, WRITE)
MAX_NAME = 100
MAX_DAYS = 3650
#: How many tokens a user may have.
MAX_TOKENS = 100
DAY = 86400.0
#: The last use is noted to the minute.
USE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; times in seconds since 1970 (UTC)."""

    key: str
    user: str
    name: str
    scope: str
    created: float
    #: None: it does not expire.
    expires: float | None
    #: That of the user's account when the token was made.
    stamp: str
    #: None: it was never used.
    used: float | None = None

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.scope == WRITE


class Tokens:
    """The tokens in a directory. Safe for several threads and processes.

    ``stamp_of`` gives what changes with the password of a user (by name), None for no user.
    """

    def __init__(self, directory: Path, stamp_of: Callable[[str], str | None],
                 clock: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._stamp_of = stamp_of
        self._clock = clock

    def add(self, user: str, name: str, scope: str = READ, days: int | None = None) -> str:
        """Make a token for the user (by name, ``Admin``), for so many days or, with None, for
        good, and return it. Raises InvalidValue or AuthenticationFailed (no such user)."""
        stamp = self._stamp_of(user)
        if stamp is None:
            raise AuthenticationFailed(gettext("there is no user %(user)s", user=repr(user)))
        name = check(name.strip(), scope, days)
        if len(self.of(user)) >= MAX_TOKENS:
            raise InvalidValue("name", name, gettext(
                "a new one of at most %(most)s tokens; revoke one first", most=MAX_TOKENS))
        secret = PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        self._write(Token(key_of(secret), user, name, scope, now,
                          None if days is None else now + days * DAY, stamp))
        return secret

    def verify(self, secret: str) -> Token:
        """The token, whose use is noted. Raises AuthenticationFailed for one that is unknown,
        revoked, expired or older than its user's password."""
        path = self._path(key_of(secret))
        found = self._read(path)
        if found is None or not self._holds(found):
            raise AuthenticationFailed(gettext("The token is unknown, expired or revoked."))
        now = self._clock()
        if found.used is None or now - found.used >= USE_SECONDS:
            self._note(path, now)
        return found

    def of(self, user: str) -> list[Token]:
        """The user's tokens that hold, the newest first."""
        found = [token for token in self._all() if token.user == user and self._holds(token)]
        return sorted(found, key=lambda token: -token.created)

    def revoke(self, user: str, key: str) -> None:
        """End a token of the user's. Raises TokenNotFound."""
        if key not in {token.key for token in self.of(user)}:
            raise TokenNotFound(gettext("%(user)s has no token %(key)s", user=user, key=repr(key)))
        self._path(key).unlink(missing_ok=True)

    def _holds(self, token: Token) -> bool:
        in_time = token.expires is None or self._clock() < token.expires
        return in_time and self._stamp_of(token.user) == token.stamp

    def _all(self) -> Iterator[Token]:
        for path in self._directory.glob("*.json"):
            if (token := self._read(path)) is not None:
                yield token

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}.json"

    def _read(self, path: Path) -> Token | None:
        """None where it is not there. The file's time is the last use: noting that is one call
        to the system, and never brings back a token that is revoked meanwhile."""
        try:
            record, used = json.loads(path.read_bytes()), path.stat().st_mtime
            return Token(**{**record, "used": used or None})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(gettext(
                "the token file %(path)s is damaged: %(error)s", path=path,
                error=repr(error))) from None

    def _write(self, token: Token) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(token.key)
        temporary = path.with_suffix(".tmp")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(token), file)
            file.flush()
            os.fsync(file.fileno())
        os.utime(temporary, (0, 0))
        os.replace(temporary, path)

    def _note(self, path: Path, now: float) -> None:
        try:
            os.utime(path, (now, now))
        except FileNotFoundError:  # revoked in this moment
            raise AuthenticationFailed(gettext(
                "The token is unknown, expired or revoked.")) from None


def key_of(secret: str) -> str:
    """What a token is known by: a digest, from which it cannot be had."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()[:40]


def check(name: str, scope: str, days: int | None) -> str:
    """The name, where all three are allowed; raises InvalidValue."""
    if not (1 <= len(name) <= MAX_NAME and name.isprintable()):
        raise InvalidValue("name", name[:MAX_NAME], gettext(
            "1 to %(most)s printable characters", most=MAX_NAME))
    if scope not in SCOPES:
        raise InvalidValue("scope", scope[:MAX_NAME], " or ".join(SCOPES))
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise InvalidValue("days", days, gettext("1 to %(most)s days, or none", most=MAX_DAYS))
    return name
