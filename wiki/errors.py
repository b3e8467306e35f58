"""The one tree of errors. A class's docstring is its default message.

Every error says what happened and how to mend it, in the language of whoever caused it; doors
(web, REST, CLI) show ``str(error)``.
"""

from __future__ import annotations

from wiki.translate import gettext


class WikiError(Exception):
    """Something went wrong in the wiki."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or gettext((type(self).__doc__ or "").strip()))


class InvalidReference(WikiError, ValueError):
    """This is not a page name."""


class InvalidValue(WikiError, ValueError):
    """A property has a value that its class does not allow.

    ``property`` names the property, ``value`` is what was given, ``allowed`` says what is right.
    """

    def __init__(self, property: str, value: object, allowed: str) -> None:
        shown = repr(value)
        if len(shown) > 80:
            shown = shown[:77] + "..."
        super().__init__(gettext("%(property)s: %(value)s is not allowed; it takes %(allowed)s",
                                 property=property, value=shown, allowed=allowed))
        self.property = property
        self.value = value
        self.allowed = allowed


class InvalidDocument(WikiError, ValueError):
    """This document cannot be saved as it is."""


class PageFileError(WikiError, ValueError):
    """This is not a page file: Markdown with YAML front matter."""


class QueryError(WikiError, ValueError):
    """This query names an unknown field or operator."""


class NotFound(WikiError, LookupError):
    """There is no such thing."""


class DocumentNotFound(NotFound):
    """There is no such page."""


class RevisionNotFound(NotFound):
    """The page has no such revision."""


class ObjectNotFound(NotFound):
    """The page has no such object."""


class AttachmentNotFound(NotFound):
    """The page has no such attachment."""


class LogNotFound(NotFound):
    """There is no such log."""


class SecretNotFound(NotFound):
    """There is no such secret; `wikimill secret set NAME` keeps one."""


class UserNotFound(NotFound):
    """There is no such user."""


class TokenNotFound(NotFound):
    """There is no such API token."""


class DocumentExists(WikiError):
    """A page of this name exists already."""


class UserExists(WikiError):
    """A user of this name exists already."""


class Conflict(WikiError):
    """Somebody saved this page since it was read; read it again and save anew."""


class AccessDenied(WikiError):
    """You do not have the right to do this; log in as somebody who has."""


class AuthenticationFailed(WikiError):
    """The name or the password is wrong."""

    def __init__(self, message: str | None = None, wait: float = 0) -> None:
        super().__init__(message)
        #: For how many seconds no attempt is looked at, after too many; 0 where this one was.
        self.wait = wait


class TooLarge(WikiError):
    """This is larger than the wiki takes."""


class StoreError(WikiError):
    """The store could not do this."""


class DamagedPage(StoreError):
    """The page's file is damaged; `wikimill check` lists such pages."""


class MacroError(WikiError):
    """A macro could not be shown."""


class ParameterError(MacroError):
    """A macro's ``parameter`` is not one of its own, or has a value that it does not take."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class BadValue(ParameterError):
    """A macro's ``parameter`` has a value that it does not take; ``why`` says so."""

    def __init__(self, parameter: str, why: str) -> None:
        super().__init__(parameter, f"{parameter}: {why}")


class TaskError(WikiError):
    """This cannot be done with the task."""


class TaskFailed(TaskError):
    """The script gives up. A run that ends with this says the message, and no traceback."""


class SettingError(WikiError, ValueError):
    """A setting has a value that it cannot have."""
