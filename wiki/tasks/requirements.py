"""The Python packages that an executor says it needs, and whether they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import InvalidRequirement, Requirement


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
        return f"its requirement {line!r} cannot be read: {reason}; write one such as openpyxl>=3.1"
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"it needs the package {line}, and {wanted.name} is not installed"
    if not wanted.specifier.contains(found, prereleases=True):
        return f"it needs the package {line}, and {wanted.name} {found} is installed"
    return ""
