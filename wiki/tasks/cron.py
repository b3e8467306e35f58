"""Cron expressions: the five fields of cron, and Quartz's six or seven.

``cronsim`` finds the moments that match; what Quartz has beyond it is put into its terms here, or
asked of each day that it finds: the weekday nearest a date, days before the last, years.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from wiki.errors import TaskError
from wiki.translate import gettext

#: What may stand for an expression, as in cron.
NAMED = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
         "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
         "@hourly": "0 * * * *"}
#: The fields as Quartz has them, each with what it takes; cron's five are the middle ones.
FIELDS = (("second", "0 to 59"), ("minute", "0 to 59"), ("hour", "0 to 23"),
          ("day of the month", "1 to 31, L, LW, L-3, 15W"), ("month", "1 to 12, JAN to DEC"),
          ("weekday", "1 to 7 (1 is Sunday), SUN to SAT, 6#3, 6L"), ("year", "1970 to 2099"))
#: What cron takes where Quartz takes something else.
CRON_TAKES = {3: "1 to 31, L, LW", 5: "0 to 7 (0 and 7 are Sunday), SUN to SAT, 5#3, 5L"}
DAY, WEEKDAY, YEAR = 3, 5, 6
DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIRST_YEAR, LAST_YEAR = 1970, 2099
#: What has not come in so many years never comes.
YEARS_AHEAD = 50
#: The last second of a day.
LAST = time(23, 59, 59)

DayRule = Callable[[date], bool]


@dataclass(frozen=True)
class Cron:
    """The moments of a cron expression in a time zone.

    An hour that is named happens once a day: where the clocks skip it, at the first moment after
    the gap; where they repeat it, the first time only. ``*`` hours go by the time that passes.
    """

    expression: str
    zone: ZoneInfo
    #: The years that are meant; all of them where empty.
    years: tuple[int, ...] = ()
    #: Whether a day that matches ``expression`` is one of those that are meant.
    rule: DayRule | None = field(default=None, compare=False)

    def after(self, moment: datetime, anchor: datetime | None = None) -> datetime | None:
        """The first moment (UTC) after the one given (aware); None where there is none."""
        start = moment.astimezone(self.zone)
        by_clock = not self.expression.split()[2].startswith("*")
        return self._from(start.replace(tzinfo=None) if by_clock else start, moment)

    def _from(self, start: datetime, moment: datetime) -> datetime | None:
        last = max(self.years, default=start.year + YEARS_AHEAD)
        times = CronSim(self.expression, start)
        while (found := next(times, None)) is not None and found.year <= last:
            past = self._past(found.date())
            if past is not None:  # none of the moments until then will do
                times = CronSim(self.expression, datetime.combine(past, LAST, found.tzinfo))
                continue
            due = found.astimezone(UTC) if found.tzinfo else real(found, self.zone)
            if due > moment:
                return due
        return None

    def _past(self, day: date) -> date | None:
        """None where the day is meant, else the last day of those from it on that are not."""
        if self.years and day.year not in self.years:
            return date(min(year for year in self.years if year > day.year) - 1, 12, 31)
        return day if self.rule is not None and not self.rule(day) else None


def real(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which clocks show this time: the first one where they show it twice,
    and the end of the gap where they skip it."""
    due = wall.replace(tzinfo=zone).astimezone(UTC)
    if due.astimezone(zone).replace(tzinfo=None) == wall:
        return due
    # Past the gap, where the offset is the new one: go back to where it began.
    return _end_of_gap(due, zone)


def _end_of_gap(after: datetime, zone: ZoneInfo) -> datetime:
    offset = after.astimezone(zone).utcoffset()
    low, high = after - timedelta(days=1), after  # the old offset holds at low, the new at high
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def parse_cron(text: str, zone: ZoneInfo) -> Cron:
    """The expression's moments; raises TaskError, which names the field that is wrong."""
    given = NAMED.get(text.lower(), text)
    if given.startswith("@"):
        raise TaskError(gettext(
            "%(text)s is none of %(names)s", text=repr(text), names=", ".join(NAMED)))
    parts = given.upper().split()
    if len(parts) == 5:
        made = Cron(_checked(text, ["0", *parts], "cron"), zone)
    elif len(parts) in (6, 7):
        made = _quartz(text, parts, zone)
    else:
        raise TaskError(gettext(
            "%(text)s has %(num)s fields; a cron expression has five (minute hour day month "
            "weekday), Quartz's six or seven (second before them, year after them)",
            text=repr(text), num=len(parts)))
    if made.after(datetime.now(UTC)) is None:
        raise TaskError(gettext("%(text)s never comes", text=repr(text)))
    return made


def _quartz(text: str, parts: list[str], zone: ZoneInfo) -> Cron:
    day, weekday = parts[DAY], parts[WEEKDAY]
    if day not in "?*" and weekday not in "?*":
        raise TaskError(gettext(
            "%(text)s limits both the day of the month (%(day)s) and the weekday (%(weekday)s); "
            "one of them must be ?", text=repr(text), day=day, weekday=weekday))
    candidates, rule = _day_rule(text, "*" if day == "?" else day)
    fields = [*parts[:DAY], candidates, parts[4], _quartz_weekday(weekday)]
    years = _years(text, parts[YEAR]) if len(parts) > YEAR and parts[YEAR] != "*" else ()
    return Cron(_checked(text, fields, "quartz", parts), zone, years, rule)


def _checked(text: str, fields: list[str], kind: str, given: list[str] | None = None) -> str:
    """The expression, each of its fields tried by itself, so that the wrong one can be named."""
    for index, part in enumerate(fields):
        alone = ["*"] * len(fields)
        alone[index] = part
        try:
            CronSim(" ".join(alone), datetime(2000, 1, 1))
        except (CronSimError, ValueError):
            raise _wrong(text, index, (given or fields)[index], kind) from None
    try:
        CronSim(" ".join(fields), datetime(2000, 1, 1))
    except CronSimError:  # each is right, but no month has the day
        raise TaskError(gettext("%(text)s never comes", text=repr(text))) from None
    return " ".join(fields)


def _wrong(text: str, index: int, part: str, kind: str = "quartz") -> TaskError:
    name, takes = FIELDS[index]
    if kind == "cron":
        takes = CRON_TAKES.get(index, takes)
    return TaskError(gettext(
        "%(text)s: %(part)s is no %(name)s of a cron expression; it takes %(takes)s, *, a-b, "
        "lists with commas and steps with /", text=repr(text), part=repr(part), name=name,
        takes=takes))


def _day_rule(text: str, day: str) -> tuple[str, DayRule | None]:
    """The days of the month that may be meant, and how to tell whether one is."""
    if nearest := re.fullmatch(r"([0-9]{1,2})W", day):
        number = int(nearest[1])
        if not 1 <= number <= 31:
            raise _wrong(text, DAY, day)
        low, high = max(1, number - 2), min(31, number + 2)
        return f"{low}-{high}", lambda when: when == nearest_weekday(when, number)
    if before_last := re.fullmatch(r"L-([0-9]{1,2})", day):
        back = int(before_last[1])
        if not 1 <= back <= 30:
            raise _wrong(text, DAY, day)
        return "*", lambda when: when.day == _length(when) - back
    return day, None


def nearest_weekday(month: date, day: int) -> date | None:
    """The weekday (Monday to Friday) nearest that day, in the same month; None where the month
    has no such day."""
    if day > _length(month):
        return None
    wanted = month.replace(day=day)
    if wanted.weekday() == 5:  # a Saturday: the day before, or the Monday after
        return wanted + timedelta(days=-1 if day > 1 else 2)
    if wanted.weekday() == 6:
        return wanted + timedelta(days=1 if day < _length(month) else -2)
    return wanted


def _length(month: date) -> int:
    return calendar.monthrange(month.year, month.month)[1]


def _quartz_weekday(field: str) -> str:
    """Quartz counts from Sunday as 1, and its lone ``L`` is Saturday; a step ends on Saturday."""
    if field == "?":
        return "*"
    if field == "L":
        return "6"
    return ",".join(_quartz_term(term) for term in field.split(","))


def _quartz_term(term: str) -> str:
    match = re.fullmatch(r"([1-7]|[A-Z]{3})(?:-([1-7]|[A-Z]{3}))?(?:/([0-9]+))?(L|#[0-9]+)?", term)
    if not match or (match[4] and (match[2] or match[3])):
        return term if term.startswith("*") else "?"  # cronsim refuses it
    first, last, step, which = match.groups()
    made = _day_number(first)
    if last or step:
        made += "-" + (_day_number(last) if last else "6")
    return made + (f"/{step}" if step else "") + (which or "")


def _day_number(name: str) -> str:
    if name in DAY_NAMES:
        return str(DAY_NAMES.index(name))
    return str(int(name) - 1) if name.isdigit() else "?"


def _years(text: str, field: str) -> tuple[int, ...]:
    years: set[int] = set()
    for term in field.split(","):
        match = re.fullmatch(r"(?:\*|([0-9]{4})(?:-([0-9]{4}))?)(?:/([0-9]{1,3}))?", term)
        if not match:
            raise _wrong(text, YEAR, field)
        first = int(match[1] or FIRST_YEAR)
        last = int(match[2] or (LAST_YEAR if match[3] or not match[1] else first))
        step = int(match[3] or 1)
        if not FIRST_YEAR <= first <= last <= LAST_YEAR or step < 1:
            raise _wrong(text, YEAR, field)
        years.update(range(first, last + 1, step))
    return tuple(sorted(years))
