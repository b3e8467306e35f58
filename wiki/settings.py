"""Every setting, a row each: name, default, what it does; read once, at start.

A command line's flag beats an environment variable ``WIKIMILL_<NAME>``, which beats the TOML
file that ``WIKIMILL_CONFIG`` (or ``wikimill.toml`` in the current folder) names.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from wiki.errors import SettingError
from wiki.translate import LANGUAGES, SOURCE

ENVIRONMENT_PREFIX = "WIKIMILL_"
CONFIG_FILE = "wikimill.toml"
DEFAULT_DATA = Path("data")
#: Settings whose values no message shows.
SECRET = ("admin_password", "secret_key", "smtp_url", "webhook_secret")
_SIZE = re.compile(r"([0-9]{1,15})\s*(?:([kmgt])i?)?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def read_path(value: object) -> Path:
    """A folder or file; ``~`` is the home folder."""
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("the path of a folder")
    return Path(value).expanduser()


def read_text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def read_size(value: object) -> int:
    """A number of bytes, also as ``500 MB`` or ``2GiB`` (powers of 1024 both)."""
    match = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or not match:
        raise ValueError("a number of bytes, such as 1000000, 500MB or 2GiB")
    size: int = int(match[1]) * 1024 ** _POWERS[(match[2] or "").lower()]
    return size


def read_flag(value: object) -> bool:
    """Yes or no."""
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).strip().lower() not in known:
        raise ValueError("true or false")
    return known[str(value).strip().lower()]


def read_smtp(value: object) -> str:
    """The address of a mail server, or nothing."""
    parts = urlsplit(value) if isinstance(value, str) else None
    if value != "" and (parts is None or parts.scheme not in ("smtp", "smtps")
                        or not parts.hostname):
        raise ValueError("smtp://user:password@host:port, or smtps://")
    return str(value)


def whole(low: int, high: int) -> Callable[[object], int]:
    """A reader of whole numbers between the two."""
    def read(value: object) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", str(value).strip()) or not low <= int(
                str(value)) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(str(value))
    return read


def read_language(value: object) -> str:
    """The code of a language that the wiki's own words can be shown in."""
    if value not in LANGUAGES:
        raise ValueError(f"one of {', '.join(LANGUAGES)}")
    return str(value)


def _setting(default: object, read: Callable[[object], Any], text: str) -> Any:
    return field(default=default, metadata={"read": read, "help": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run. Made by :func:`load`, or directly in a test."""

    data: Path = _setting(  # noqa: RUF009 - a field, and paths are immutable
        DEFAULT_DATA, read_path, "The folder that holds the wiki: its pages, files and logs.")
    host: str = _setting(
        "127.0.0.1", read_text, "The address to listen at; 0.0.0.0 is all of the machine's.")
    port: int = _setting(
        8080, whole(0, 65535), "The port to listen at; 0 takes a free one.")
    workers: int = _setting(
        1, whole(1, 64), "How many server processes answer requests.")
    threads: int = _setting(
        32, whole(1, 1024), "How many requests one server process answers at a time.")
    admin_password: str = _setting(
        "", read_text, "The password of the user Admin, made on first start; random if empty.")
    secret_key: str = _setting(
        "", read_text, "What sessions are signed with; made and kept in the data if empty.")
    upload_limit: int = _setting(
        2 * 1024**3, read_size, "The largest file that can be attached, in bytes.")
    language: str = _setting(
        SOURCE, read_language, "What visitors read who chose no language, and whose browser asks "
        f"for none that there is; one of {', '.join(LANGUAGES)}.")
    session_hours: int = _setting(
        24 * 14, whole(1, 24 * 366), "How long a log-in lasts.")
    deleted_days: int = _setting(
        0, whole(0, 36_500), "How many days deleted pages stay in the recycle bin; 0 keeps them "
        "until somebody removes them.")
    secure_cookies: bool = _setting(
        False, read_flag, "Send cookies only over HTTPS; set it behind an HTTPS proxy.")
    macro_patience: int = _setting(
        1, whole(0, 3600), "How long a page waits for its slow macros, in seconds; then they are "
        "filled in when they are there.")
    shutdown_grace: int = _setting(
        10, whole(0, 86400), "How long tasks may go on when the server is to end, in seconds; "
        "then they are interrupted.")
    cancel_grace: int = _setting(
        3, whole(0, 3600), "How long a task that was asked to end may take until it is "
        "terminated, and then until it is killed, in seconds.")
    base_url: str = _setting(
        "", read_text, "Where people reach the wiki, for links in messages: "
        "https://wiki.example.org.")
    smtp_url: str = _setting(
        "", read_smtp, "The mail server for notifications: smtp://user:password@host:587, or "
        "smtps://; none if empty.")
    smtp_from: str = _setting(
        "", read_text, "The sender of notifications; wikimill@ this host if empty.")
    webhook_secret: str = _setting(
        "", read_text, "What webhooks are signed with; not signed if empty.")
    webhook_allow_private: bool = _setting(
        False, read_flag, "Let webhooks go to addresses that are not of the public internet.")


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting as the documentation and ``--help`` list it."""

    name: str
    default: Any
    help: str
    read: Callable[[object], Any]

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.name.upper()


SETTINGS: tuple[SettingRow, ...] = tuple(
    SettingRow(item.name, item.default, item.metadata["help"], item.metadata["read"])
    for item in fields(Settings))


def load(flags: Mapping[str, object] | None = None, env: Mapping[str, str] | None = None,
         toml: Path | None = None) -> Settings:
    """Read all settings; a flag that is None was not given.

    Raises:
        SettingError: names the setting, where it was set, and what it takes.
    """
    flags = flags or {}
    env = os.environ if env is None else env
    config = _read_config(env, toml)
    unknown = [name for name in flags if name not in {row.name for row in SETTINGS}]
    if unknown:
        raise SettingError(f"there is no setting {unknown[0]!r}")
    chosen: dict[str, Any] = {}
    for row in SETTINGS:
        if flags.get(row.name) is not None:
            chosen[row.name] = _value(row, flags[row.name], "--" + row.name.replace("_", "-"))
        elif row.variable in env:
            chosen[row.name] = _value(row, env[row.variable], row.variable)
        elif row.name in config:
            chosen[row.name] = _value(row, config[row.name], f"{row.name} in the settings file")
    return Settings(**chosen)


def _value(row: SettingRow, value: object, where: str) -> Any:
    try:
        return row.read(value)
    except ValueError as error:
        shown = "this value" if row.name in SECRET else repr(value)
        raise SettingError(f"{where}: {shown} cannot be; it takes {error}") from None


def _read_config(env: Mapping[str, str], toml: Path | None) -> dict[str, Any]:
    named = env.get(ENVIRONMENT_PREFIX + "CONFIG")
    path = toml or Path(named or CONFIG_FILE)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if toml or named:
            raise SettingError(f"there is no settings file {path}") from None
        return {}
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read as TOML: {error}") from None
    for name in data:
        if name not in {row.name for row in SETTINGS}:
            raise SettingError(f"{path}: there is no setting {name!r}; there are "
                               + ", ".join(row.name for row in SETTINGS))
    return data


def shipped(kind: Literal["pages", "macros", "static"]) -> Path:
    """The folder of the pages, macros or static files that come with the wiki: inside the
    package where it is installed from a wheel, else in the repository."""
    package = Path(__file__).resolve().parent
    installed = package / "shipped" / kind
    return installed if installed.is_dir() else package.parent / kind
