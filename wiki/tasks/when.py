"""When a job runs: ``every 10 seconds``, ``every monday at 06:30 Europe/Paris``, or a cron
expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from tzlocal import get_localzone

from wiki.errors import TaskError
from wiki.tasks.cron import parse_cron, real
from wiki.translate import gettext, marked

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
UNITS = ("second", "minute", "hour", "day", "week")
FORMS = marked(
    "every 10 seconds, every hour at :30, every day at 12:00 Europe/Paris, every weekday at "
    "08:00, every monday at 06:30, every month on the 1st at 02:00, @daily, or a cron expression "
    "such as 30 6 * * MON-FRI or 0 30 6 ? * MON-FRI")
#: The longest time between two runs, in days.
LONGEST = 3660

_EVERY = re.compile(
    rf"every\s+(?:(?P<count>[0-9]{{1,6}})\s+)?(?P<unit>{'|'.join((*UNITS, *DAYS))}|weekday|month)s?"
    r"(?:\s+on\s+the\s+(?P<date>last\s+day|[0-9]{1,2}(?:st|nd|rd|th)?))?"
    r"(?:\s+at\s+(?P<at>\S+))?(?:\s+(?P<zone>\S+))?", re.IGNORECASE)
#: What is a time zone behind a cron expression; ``MON/2`` is none.
_ZONE = re.compile(r"UTC|[A-Za-z_]+/[A-Za-z]\S*")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


class When(Protocol):
    """The moments at which a job runs."""

    def after(self, moment: datetime, anchor: datetime | None = None) -> datetime | None:
        """The first of them (UTC) after the moment (aware); None where there is none.

        ``anchor`` is one that was reckoned before: what runs every so often keeps its step.
        """
        ...


@dataclass(frozen=True)
class Interval:
    """Every so often, by the time that passes."""

    step: timedelta

    def after(self, moment: datetime, anchor: datetime | None = None) -> datetime:
        start = anchor or moment
        return (start + ((moment - start) // self.step + 1) * self.step).astimezone(UTC)


@dataclass(frozen=True)
class EveryDays:
    """Every so many days, at a time of the day."""

    days: int
    hour: int
    minute: int
    second: int
    zone: ZoneInfo

    def after(self, moment: datetime, anchor: datetime | None = None) -> datetime:
        wall = (anchor or moment).astimezone(self.zone).replace(
            hour=self.hour, minute=self.minute, second=self.second, microsecond=0, tzinfo=None)
        if anchor is not None:  # step over those before at once
            past = (moment - anchor).days // self.days - 1
            wall += timedelta(days=max(0, past) * self.days)
        while (due := real(wall, self.zone)) <= moment:
            wall += timedelta(days=self.days)
        return due


def parse_when(text: str, zone: str = "") -> When:
    """What the text says, in the time zone that it names, else in ``zone``, else the server's.

    Raises TaskError, which names what is wrong.
    """
    words = " ".join(text.split())
    match = _EVERY.fullmatch(words)
    if match:
        return _every(words, match, time_zone(match["zone"] or zone))
    if words.lower().startswith("every") or not words:
        raise TaskError(gettext(
            "%(text)s says no time; write %(forms)s", text=repr(text), forms=gettext(FORMS)))
    return _cron(words, zone)


def _cron(words: str, zone: str) -> When:
    """A cron expression, which a time zone may follow."""
    head, _, last = words.rpartition(" ")
    if _ZONE.fullmatch(last):
        words, zone = head, last
    if not words.startswith("@") and not re.match(r"[0-9*]", words):
        raise TaskError(gettext(
            "%(words)s says no time; write %(forms)s", words=repr(words), forms=gettext(FORMS)))
    return parse_cron(words, time_zone(zone))


def time_zone(name: str) -> ZoneInfo:
    """The time zone of the name, the server's where it is empty; raises TaskError."""
    try:
        return ZoneInfo(name) if name else get_localzone()
    except (ValueError, OSError, LookupError):
        raise TaskError(gettext(
            "%(name)s is no time zone; write one such as Europe/Paris or UTC",
            name=repr(name))) from None


def _every(text: str, match: re.Match[str], zone: ZoneInfo) -> When:
    count, unit, at = int(match["count"] or 1), match["unit"].lower(), match["at"]
    if count < 1 or (count > 1 and unit not in UNITS):
        raise TaskError(gettext(
            "%(text)s: %(count)s does not go with %(unit)s; write %(forms)s", text=repr(text),
            count=match['count'], unit=unit, forms=gettext(FORMS)))
    if match["date"] and unit != "month":
        raise TaskError(gettext("%(text)s: a date goes with every month only", text=repr(text)))
    if unit in ("second", "minute") or (unit in ("hour", "day", "week") and not at):
        return _interval(text, count, unit, at)
    if unit == "hour":
        return _past_the_hour(text, count, at, zone)
    if unit == "week":
        raise TaskError(gettext(
            "%(text)s: write the day, as in every monday at %(time)s", text=repr(text), time=at))
    hour, minute, second = _time(text, at or "00:00")
    if unit == "day" and count > 1:
        _interval(text, count, unit, None)
        return EveryDays(count, hour, minute, second, zone)
    return parse_cron(f"{second} {minute} {hour} {_day_fields(text, unit, match['date'])}", zone)


def _interval(text: str, count: int, unit: str, at: str | None) -> Interval:
    if at:
        raise TaskError(gettext(
            "%(text)s: a time of day goes with days, and :30 with hours", text=repr(text)))
    step = timedelta(**{unit + "s": count})
    if step > timedelta(days=LONGEST):
        raise TaskError(gettext(
            "%(text)s: the longest time between two runs is %(longest)s days", text=repr(text),
            longest=LONGEST))
    return Interval(step)


def _past_the_hour(text: str, count: int, at: str, zone: ZoneInfo) -> When:
    minutes = re.fullmatch(r":([0-5][0-9])", at)
    if not minutes:
        raise TaskError(gettext(
            "%(text)s: %(time)s does not go with hours; write every hour at :30", text=repr(text),
            time=repr(at)))
    if 24 % count:
        raise TaskError(gettext(
            "%(text)s: %(count)s hours do not make up a day; write 1, 2, 3, 4, 6, 8 or 12",
            text=repr(text), count=count))
    return parse_cron(f"{int(minutes[1])} */{count} * * *", zone)


def _time(text: str, at: str) -> tuple[int, int, int]:
    match = _TIME.fullmatch(at)
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (24, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise TaskError(gettext(
            "%(text)s: %(time)s is no time of day; write one such as 06:30", text=repr(text),
            time=repr(at)))
    return hour, minute, second


def _day_fields(text: str, unit: str, date: str | None) -> str:
    """Day, month and weekday as Quartz writes them."""
    if unit in DAYS:
        return f"? * {DAYS.index(unit) + 1}"
    if unit == "weekday":
        return "? * 2-6"
    if unit == "day":
        return "* * ?"
    if date is None:
        raise TaskError(gettext(
            "%(text)s: write the day, as in every month on the 1st at 02:00", text=repr(text)))
    if date.lower().startswith("last"):
        return "L * ?"
    number = int(date.rstrip("stndrhSTNDRH"))
    if not 1 <= number <= 31:
        raise TaskError(gettext(
            "%(text)s: %(date)s is no day of a month", text=repr(text), date=repr(date)))
    return f"{number} * ?"
