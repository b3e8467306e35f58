"""When a job runs: ``every 10 seconds``, ``every monday at 06:30``, or a cron expression."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import schedule

from wiki.errors import TaskError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FORMS = ("every 10 seconds, every 2 minutes, every hour, every day at 12:00, every monday at "
         "06:30, or a cron expression such as 30 6 * * 1")
#: The fields of a cron expression, with their least and greatest value.
CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12),
               ("weekday", 0, 7))

_EVERY = re.compile(rf"every\s+(?:(?P<count>[0-9]{{1,6}})\s+)?"
                    rf"(?P<unit>second|minute|hour|day|week|{'|'.join(DAYS)})s?"
                    r"(?:\s+at\s+(?P<at>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?))?", re.IGNORECASE)


def add_job(scheduler: schedule.Scheduler, when: str, job: Callable[[], None]) -> None:
    """Have the scheduler call ``job`` at those times, which are the server's local ones.

    Raises TaskError for what says no time.
    """
    text = " ".join(when.split())
    match = _EVERY.fullmatch(text)
    if match:
        _add_every(scheduler, match, when, job)
    elif len(text.split()) == len(CRON_FIELDS):
        times = parse_cron(text)
        scheduler.every().minute.at(":00").do(_when_due, times, job)
    else:
        raise TaskError(f"{when!r} says no time; write {FORMS}")


def _add_every(scheduler: schedule.Scheduler, match: re.Match[str], when: str,
               job: Callable[[], None]) -> None:
    count, unit, at = int(match["count"] or 1), match["unit"].lower(), match["at"]
    if count < 1 or (unit in DAYS and count != 1):
        raise TaskError(f"{when!r} says no time; write {FORMS}")
    entry = scheduler.every(count)
    try:
        # schedule has "week" for one and "weeks" for any number.
        entry = getattr(entry, unit if unit in DAYS else unit + "s")
        if at:
            if unit not in ("day", *DAYS):
                raise TaskError(f"{when!r}: a time of day goes with days only")
            entry = entry.at(at)
    except schedule.ScheduleError as error:
        raise TaskError(f"{when!r} says no time: {error}; write {FORMS}") from None
    entry.do(job)


def _when_due(times: tuple[frozenset[int], ...], job: Callable[[], None]) -> None:
    if is_due(times, datetime.now()):
        job()


def is_due(times: tuple[frozenset[int], ...], moment: datetime) -> bool:
    """Whether a cron expression means this minute.

    As in cron, where both the day and the weekday are limited, either will do.
    """
    minute, hour, day, month, weekday = times
    if (moment.minute not in minute or moment.hour not in hour or moment.month not in month):
        return False
    by_day, by_weekday = moment.day in day, moment.isoweekday() % 7 in weekday
    if len(day) < 31 and len(weekday) < 7:
        return by_day or by_weekday
    return by_day and by_weekday


def parse_cron(text: str) -> tuple[frozenset[int], ...]:
    """``30 6 * * 1-5`` as the values of its five fields, Sunday being 0; raises TaskError."""
    parsed = [_cron_field(part, *field)
              for part, field in zip(text.split(), CRON_FIELDS, strict=True)]
    parsed[4] = frozenset(day % 7 for day in parsed[4])
    return tuple(parsed)


def _cron_field(text: str, name: str, least: int, greatest: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?", part)
        if not match:
            raise TaskError(f"{text!r} is no {name} of a cron expression")
        first = least if match[1] is None else int(match[1])
        last = greatest if match[1] is None else int(match[2] or match[1])
        step = int(match[3] or 1)
        if not least <= first <= last <= greatest or step < 1:
            raise TaskError(f"{text!r} is no {name}: it goes from {least} to {greatest}")
        values.update(range(first, last + 1, step))
    return frozenset(values)
