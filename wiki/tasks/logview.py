"""Which part of a log is shown, as an address asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wiki.errors import LogNotFound
from wiki.tasks.log import LogPart, Logs
from wiki.tasks.loghtml import LEVELS
from wiki.tasks.logline import parse_lines
from wiki.translate import gettext

#: The longest text to search for, and how many bytes one view searches through at most.
MAX_WORDS = 1000
SEARCHED = 128 * 1024 * 1024
#: What the header of an error holds.
ERROR_HEAD = "] ERROR - "


@dataclass(frozen=True, slots=True)
class Screen:
    """A part of a log to show.

    ``at`` is the line that was asked for; ``go_on`` is where a search goes on that came to no
    end yet, and ``errors`` whether that was one for errors; ``live`` says that the part is the
    log's end, and may be followed.
    """

    part: LogPart
    q: str = ""
    at: int | None = None
    note: str = ""
    go_on: int | None = None
    errors: bool = False
    live: bool = False


def choose(logs: Logs, log: str, args: Mapping[str, str], lines: int) -> Screen:
    """The part that the arguments of an address ask for: ``at`` an offset, ``before`` or
    ``after`` one, the ``run`` with a number, or what ``find=next`` or ``find=previous`` of the
    text ``q`` gives, ``next-error`` or ``previous-error`` of errors; its end without any. Raises
    LogNotFound for a compressed log.
    """
    if not logs.exists(log):
        return Screen(LogPart(b"", 0, 0), live=True)
    q = args.get("q", "").strip()[:MAX_WORDS]
    at = _number(args, "at")
    way, _, errors = args.get("find", "").partition("-")
    if way in ("next", "previous") and (errors == "error" or (q and not errors)):
        return _found(logs, log, q, args, lines)
    if (run := _number(args, "run")) is not None:
        return _run(logs, log, run, lines)
    if at is not None:
        return Screen(logs.around(log, at, lines), q, at)
    if (before := _number(args, "before")) is not None:
        return Screen(logs.before(log, before, lines), q)
    if (after := _number(args, "after")) is not None:
        return Screen(logs.after(log, after, lines), q)
    return Screen(logs.tail(log, lines), q, live=True)


def hidden_levels(args: Mapping[str, str]) -> list[str]:
    """The levels, and ``fields``, that an address leaves out: all are shown but fields, until
    the filter's form was sent."""
    asked = "filter" in args
    levels = [level.lower() for level in LEVELS if asked and level.lower() not in args]
    return levels if "fields" in args else [*levels, "fields"]


def hidden_lines(part: LogPart, hidden: list[str]) -> int:
    """How many lines of a part are of hidden levels."""
    count, level = 0, ""
    for line in parse_lines(part.data):
        level = line.level.lower() if line.kind == "header" else level
        count += level in hidden and line.kind != "fields"
    return count


def _found(logs: Logs, log: str, q: str, args: Mapping[str, str], lines: int) -> Screen:
    way, _, errors = args["find"].partition("-")
    back, wanted = way == "previous", ERROR_HEAD if errors else q
    start, at = _number(args, "from"), _number(args, "at")
    if start is None and at is not None:
        start = at if back else logs.after(log, at, 1).end
    found = logs.find(log, wanted, start, 1, back, SEARCHED)
    if found.lines:
        hit = found.lines[0][0]
        return Screen(logs.around(log, hit, lines), q, hit)
    shown = logs.tail(log, lines) if at is None else logs.around(log, at, lines)
    if found.next is None:
        return Screen(shown, q, at, _not_found(bool(errors), at is not None, back))
    note = gettext("Nothing found yet; searched up to byte %(byte)s of %(size)s",
                   byte=f"{found.next:,}", size=f"{found.size:,}")
    return Screen(shown, q, at, note, found.next, bool(errors))


def _not_found(errors: bool, placed: bool, back: bool) -> str:
    if not placed:
        return gettext("No error found") if errors else gettext("Nothing found")
    if back:
        return (gettext("No error found before this place") if errors
                else gettext("Nothing found before this place"))
    return (gettext("No error found after this place") if errors
            else gettext("Nothing found after this place"))


def _run(logs: Logs, log: str, number: int, lines: int) -> Screen:
    try:
        run = logs.range_of(log, number)
    except LogNotFound as error:
        return Screen(logs.tail(log, lines), note=str(error))
    return Screen(logs.after(log, run.start, lines), at=run.start)


def _number(args: Mapping[str, str], name: str) -> int | None:
    text = args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
