"""Secrets of executors: passwords and tokens, kept encrypted and apart from the pages, so that no
page, query, export or log can name them.

Each is a file of its own, encrypted with a key that lies beside them. Only who may read the data
directory can read them: a copy of the pages, or of the pages' history, holds none.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from wiki.errors import AccessDenied, InvalidValue, SecretNotFound, StoreError
from wiki.translate import gettext

MAX_VALUE = 100_000
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_SUFFIX = ".secret"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, and the executors that may read it; none named are all."""

    name: str
    value: str
    executors: tuple[str, ...] = ()
    #: The user who set it in the wiki; empty where the command line did.
    set_by: str = ""
    set_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<Secret {self.name}>"


class Secrets:
    """The secrets in a directory. Safe for several processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> list[str]:
        """All names, in order."""
        return sorted(path.stem for path in self._directory.glob(f"*{_SUFFIX}"))

    def get(self, name: str) -> Secret:
        """Raises SecretNotFound, or StoreError where it cannot be decrypted."""
        path = self._path(name)
        try:
            token = path.read_bytes()
            data = json.loads(Fernet(self._key()).decrypt(token))
        except FileNotFoundError:
            raise SecretNotFound(gettext(
                "there is no secret %(name)s; `wikimill secret set %(name)s` keeps one",
                name=name)) from None
        except (InvalidToken, ValueError):
            raise StoreError(gettext(
                "the secret %(name)s cannot be decrypted: its file or the key beside it is "
                "damaged; set it anew", name=name)) from None
        return Secret(name, data["value"], tuple(data["executors"]), data.get("by", ""),
                      datetime.fromtimestamp(path.stat().st_mtime, UTC))

    def read(self, name: str, executor: str) -> str:
        """The value for an executor; raises SecretNotFound, AccessDenied or StoreError."""
        secret = self.get(name)
        if secret.executors and executor not in secret.executors:
            raise AccessDenied(gettext(
                "%(executor)s may not read the secret %(name)s; it is for %(names)s",
                executor=executor, name=name, names=", ".join(secret.executors)))
        return secret.value

    def set(self, name: str, value: str, executors: Sequence[str] = (), *,
            by: str = "") -> None:
        """Keep it in place of what there is, as set ``by`` a user; raises InvalidValue."""
        path = self._path(name)
        if not 1 <= len(value) <= MAX_VALUE:
            raise InvalidValue("value", "(not shown)", gettext(
                "1 to %(most)s characters", most=MAX_VALUE))
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = json.dumps({"value": value, "executors": list(executors), "by": by})
        temporary = self._write(Fernet(self._make_key()).encrypt(data.encode()))
        temporary.replace(path)
        self._sync()

    def remove(self, name: str) -> None:
        """Raises SecretNotFound."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise SecretNotFound(gettext("there is no secret %(name)s", name=name)) from None
        self._sync()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InvalidValue("name", name, gettext(
                "capital letters, digits and _, such as API_TOKEN"))
        return self._directory / f"{name}{_SUFFIX}"

    def _key(self) -> bytes:
        return (self._directory / "key").read_bytes()

    def _make_key(self) -> bytes:
        """The key, made where there is none; of two processes one makes it."""
        path = self._directory / "key"
        if not path.exists():
            temporary = self._write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
            with suppress(FileExistsError):
                os.link(temporary, path)
            temporary.unlink()
        return self._key()

    def _write(self, data: bytes) -> Path:
        """The bytes in a temporary file for its owner only, safe on the disk."""
        path = self._directory / f"{secrets.token_hex(8)}.tmp"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        return path

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
