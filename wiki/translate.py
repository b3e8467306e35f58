"""The language of what people read: English messages in code and templates, and catalogues of
what they are in other languages.

Below everything that shows something, so that macros need no web framework. A message is looked
up at the moment it is shown, in the language of the request: ``docs/translating.md``.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from babel.dates import format_date
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment
from markupsafe import Markup

#: The languages to choose from, by their codes, each with its own name.
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
#: The language of the messages themselves.
SOURCE = "en"
LOCALES = Path(__file__).with_name("locale")
_current: ContextVar[str] = ContextVar("language", default=SOURCE)


class Titled(Protocol):
    """A data class that tells of a page with this title."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def reference(self) -> object: ...

    @property
    def title(self) -> str: ...


T = TypeVar("T", bound=Titled)


def language() -> str:
    """The code of the language that is shown now; English where nobody chose one."""
    return _current.get()


@contextmanager
def using(code: str) -> Iterator[None]:
    """Show everything in a language of :data:`LANGUAGES` meanwhile."""
    token = _current.set(code)
    try:
        yield
    finally:
        _current.reset(token)


def gettext(message: str, /, **values: object) -> str:
    """The message in the language shown now, with ``%(name)s`` filled in; ``%%`` is a ``%``."""
    return _singular(message) % values


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The message for this number of things, which is ``%(num)s`` unless that is given."""
    return _plural(one, many, number) % {"num": number, **values}


def gettext_html(message: str, /, **values: object) -> Markup:
    """A message that is HTML, with what is filled in escaped."""
    return Markup(_singular(message)) % values


def marked(message: str) -> str:
    """The message itself, collected for translation: for constants, shown by :func:`gettext`."""
    return message


def shipped(place: str, text: str) -> str:
    """A text that is shipped with the wiki, in the language shown now: a title, a line or a
    property's label of the page ``place``, or the help of the macro ``<<place>>``.

    A text that somebody has changed, and one of any other place, is as it is.
    """
    return _translations(language()).pgettext(place, text) if text else text


def is_shipped(place: str) -> bool:
    """Whether anything of the place is in the language shown now, which is not the messages'
    own."""
    return language() != SOURCE and place in _places(language())


def shipped_lines(page: str, text: str) -> str:
    """The text of a page, each of its lines as :func:`shipped` has it."""
    if not is_shipped(page):
        return text
    return "\n".join(shipped(page, line) for line in text.split("\n"))


def titled(items: Iterable[T]) -> Iterable[T]:
    """What tells of pages, with their titles as :func:`shipped` has them."""
    if language() == SOURCE:
        return items
    return [replace(item, title=shipped(str(item.reference), item.title)) for item in items]


def weekday(day: date) -> str:
    """The name of a day of the week."""
    return format_date(day, "EEEE", locale=language())


@cache
def for_browser(code: str) -> Mapping[str, str | list[str]]:
    """What the scripts in ``static/`` say, by the English message; a list where the number
    decides: for one, for more."""
    if code == SOURCE:
        return {}
    said: dict[str, str | list[str]] = {}
    for message in _catalogue(code):
        if message.id and any(place.startswith("static/") for place, _ in message.locations):
            key = message.id if isinstance(message.id, str) else message.id[0]
            text = message.string or key
            said[key] = text if isinstance(text, str) else list(text)
    return said


def install(environment: Environment) -> None:
    """Let templates say ``_(...)`` and ``ngettext(...)``; what they fill in is escaped."""
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        _singular, _plural, newstyle=True)


def _singular(message: str) -> str:
    return _translations(language()).gettext(message)


def _plural(one: str, many: str, number: int) -> str:
    return _translations(language()).ngettext(one, many, number)


@cache
def _translations(code: str) -> catalogues.NullTranslations:
    """Compiled in memory, so that no file can be older than what it is made from."""
    if code == SOURCE:
        return catalogues.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, _catalogue(code))
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)


@cache
def _places(code: str) -> frozenset[str]:
    """Where shipped texts are that are translated."""
    return frozenset(message.context for message in _catalogue(code) if message.context)


@cache
def _catalogue(code: str) -> Catalog:
    with open(LOCALES / code / "LC_MESSAGES" / "messages.po", "rb") as file:
        return read_po(file, locale=code)
