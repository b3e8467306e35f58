"""The Python packages that an executor says it needs, and whether they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import InvalidRequirement, Requirement

from wiki.translate import gettext


def missing(requirements: str) -> str:
    """What keeps a script with these requirements, one a line, from running, or ``""``. What
    follows a ``#`` on a line is a comment."""
    return next(filter(None, map(_problem, _lines(requirements))), "")


def _lines(requirements: str) -> Iterator[str]:
    for line in requirements.splitlines():
        text = line.partition("#")[0].strip()
        if text:
            yield text


def _problem(line: str) -> str:
    try:
        wanted = Requirement(line)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        return gettext("its requirement %(line)s cannot be read: %(reason)s; write one such as "
                       "openpyxl>=3.1", line=repr(line), reason=reason)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return gettext("it needs the package %(package)s, and %(name)s is not installed",
                       package=line, name=wanted.name)
    if not wanted.specifier.contains(found, prereleases=True):
        return gettext("it needs the package %(package)s, and %(name)s %(version)s is installed",
                       package=line, name=wanted.name, version=found)
    return ""
