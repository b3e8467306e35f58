"""The HTTP status of each error of the wiki, for pages and REST alike."""

from __future__ import annotations

from wiki import errors

#: Error class -> status; an error takes the status of the nearest class in its ancestry.
STATUS: dict[type[errors.WikiError], int] = {
    errors.WikiError: 500,
    errors.InvalidReference: 400,
    errors.InvalidValue: 400,
    errors.InvalidDocument: 400,
    errors.PageFileError: 400,
    errors.QueryError: 400,
    errors.NotFound: 404,
    errors.DocumentExists: 409,
    errors.UserExists: 409,
    errors.Conflict: 409,
    errors.TaskError: 409,
    errors.AccessDenied: 403,
    errors.AuthenticationFailed: 401,
    errors.TooLarge: 413,
}


def status_of(error: errors.WikiError) -> int:
    """The status that answers this error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
