"""Who can log in: a small file a user, apart from the pages, so that no page, query, export or
difference can name a password's hash."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from tinydb import TinyDB

from wiki.errors import AuthenticationFailed, InvalidValue, StoreError, UserExists, UserNotFound
from wiki.references import Reference, check_name
from wiki.translate import gettext

#: The space of the users' pages.
USERS = "Users"
MAX_PASSWORD = 1000
#: Failed attempts for one name from one address, and from one address for any name, ...
MAX_FAILURES = 10
MAX_FAILURES_OF_ADDRESS = 100
#: ... within this many seconds, after which they are forgotten.
FAILURE_SECONDS = 900.0
#: How long a password that was right needs no hashing again (a script sends it each call).
REMEMBER_SECONDS = 60.0
#: How many passwords are hashed at a time, each in 64 MiB.
HASHES_AT_A_TIME = 4
_REMEMBERED = 1000


class Accounts:
    """The accounts in a directory. Safe for several threads and processes."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._hasher = PasswordHasher()
        self._gate = threading.Semaphore(HASHES_AT_A_TIME)
        self._nobody = hash_of_nothing(self._hasher)
        self._attempts = Attempts(clock)
        self._right = RightAnswers(clock)
        self._stamps: dict[str, tuple[tuple[int, ...], str]] = {}

    def add(self, name: str, password: str) -> str:
        """Make an account and return the user's page, ``Users.<name>``.

        Raises UserExists, InvalidReference (the name) or InvalidValue (the password).
        """
        name = check_name(name)
        temporary = self._write(name, password)
        try:
            os.link(temporary, self._path(name))  # fails where the name is taken meanwhile
        except FileExistsError:
            raise UserExists(gettext("there is a user %(name)s already", name=repr(name))) from None
        finally:
            temporary.unlink()
        self._sync()
        return user_page(name)

    def set_password(self, name: str, password: str) -> None:
        """Raises UserNotFound or InvalidValue."""
        if not self.exists(name):
            raise UserNotFound(gettext("there is no user %(name)s", name=repr(name)))
        name = check_name(name)
        os.replace(self._write(name, password), self._path(name))
        self._sync()

    def verify(self, name: str, password: str, address: str = "") -> str:
        """The page of the user whose name and password these are.

        Raises:
            AuthenticationFailed: the same for a wrong name and a wrong password; also after
                too many failures for the name from the address, or from the address.
        """
        self._attempts.check(name, address)
        stored = self._read(name) if len(password) <= MAX_PASSWORD else None
        known = self._right.knows(name, password, stored)
        if not known and not self._matches(stored or self._nobody, password):
            self._attempts.failed(name, address)
            raise AuthenticationFailed()
        if stored is None:
            raise AuthenticationFailed()
        self._right.remember(name, password, stored)
        self._attempts.succeeded(name, address)
        return user_page(name)

    def exists(self, name: str) -> bool:
        """Whether there is an account of that name."""
        return self._path(name).exists()

    def stamp(self, name: str) -> str | None:
        """A text that is another one once the password changes; None where there is no such
        account. Sessions and tokens carry it, and end with it."""
        try:
            found = self._path(name).stat()
        except FileNotFoundError:
            return None
        state = (found.st_mtime_ns, found.st_ino, found.st_size)
        known = self._stamps.get(name)  # asked for with each request: mostly a stat is enough
        if known is None or known[0] != state:
            stored = self._read(name) or ""
            known = (state, hashlib.sha256(stored.encode()).hexdigest()[:16])
            self._stamps[name] = known
        return known[1]

    def names(self) -> list[str]:
        """The names of all accounts, in order."""
        return sorted(self._record(path)["name"] for path in self._directory.glob("*.json"))

    def _matches(self, stored: str, password: str) -> bool:
        with self._gate:
            try:
                return self._hasher.verify(stored, password)
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                return False

    def _path(self, name: str) -> Path:
        # A digest suits every file system, whatever the name.
        digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()
        return self._directory / f"{digest[:40]}.json"

    def _read(self, name: str) -> str | None:
        path = self._path(name)
        return self._record(path)["hash"] if path.exists() else None

    def _record(self, path: Path) -> dict[str, str]:
        try:
            with TinyDB(path, access_mode="r") as database:
                return cast(dict[str, str], dict(database.all()[0]))
        except (OSError, ValueError, LookupError) as error:
            raise StoreError(gettext(
                "the account file %(path)s is damaged: %(error)s", path=path,
                error=repr(error))) from None

    def _write(self, name: str, password: str) -> Path:
        """The account in a temporary file, safe on the disk."""
        if not 1 <= len(password) <= MAX_PASSWORD:
            raise InvalidValue("password", "(not shown)", gettext(
                "1 to %(most)s characters", most=MAX_PASSWORD))
        with self._gate:
            record = {"name": name, "hash": self._hasher.hash(password)}
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{secrets.token_hex(8)}.tmp"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        with TinyDB(path) as database:
            database.insert(record)
        _fsync(path)
        return path

    def _sync(self) -> None:
        _fsync(self._directory)


class Attempts:
    """Failed attempts to log in, in this process's memory."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, ...], list[float]] = OrderedDict()

    def check(self, name: str, address: str) -> None:
        """Raises AuthenticationFailed when there were too many."""
        with self._lock:
            for key, most in _limits(name, address):
                recent = self._recent(key)
                if len(recent) >= most:
                    wait = recent[-most] + FAILURE_SECONDS - self._clock()
                    raise AuthenticationFailed(gettext(
                        "too many failed attempts; try again in %(value)s minutes",
                        value=int(wait // 60) + 1), wait)

    def failed(self, name: str, address: str) -> None:
        """Count one more."""
        with self._lock:
            for key, _ in _limits(name, address):
                self._failures[key] = [*self._recent(key), self._clock()]
                self._failures.move_to_end(key)
            while len(self._failures) > 10_000:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget those of the name from the address."""
        with self._lock:
            self._failures.pop((name, address), None)

    def _recent(self, key: tuple[str, ...]) -> list[float]:
        since = self._clock() - FAILURE_SECONDS
        return [moment for moment in self._failures.get(key, ()) if moment > since]


class RightAnswers:
    """Passwords that were right a moment ago, as keyed digests in this process's memory."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def knows(self, name: str, password: str, stored: str | None) -> bool:
        """Whether this was right, and still is: the stored hash is part of the digest."""
        if stored is None:
            return False
        with self._lock:
            return self._until.get(self._digest(name, password, stored), 0) > self._clock()

    def remember(self, name: str, password: str, stored: str) -> None:
        """Know it for a minute from its first use."""
        digest = self._digest(name, password, stored)
        with self._lock:
            if self._until.get(digest, 0) <= self._clock():
                self._until[digest] = self._clock() + REMEMBER_SECONDS
                self._until.move_to_end(digest)
            while len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)

    def _digest(self, name: str, password: str, stored: str) -> bytes:
        text = "\0".join((name, stored, password)).encode(errors="surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()


def hash_of_nothing(hasher: PasswordHasher) -> str:
    """A hash that no password has, and that takes as long to verify as one of ``hasher``'s.

    An unknown name is verified against it, so that it takes the time of a known one. It is made
    of random bytes, since each command and each process that opens the wiki needs one.
    """
    salt, digest = (b64encode(secrets.token_bytes(length)).decode().rstrip("=")
                    for length in (hasher.salt_len, hasher.hash_len))
    return (f"$argon2id$v={ARGON2_VERSION}$m={hasher.memory_cost},t={hasher.time_cost},"
            f"p={hasher.parallelism}${salt}${digest}")


def user_page(name: str) -> str:
    """The name of a user's page."""
    return str(Reference((USERS,), name))


def _limits(name: str, address: str) -> tuple[tuple[tuple[str, ...], int], ...]:
    return ((name, address), MAX_FAILURES), ((address,), MAX_FAILURES_OF_ADDRESS)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
