"""Schedules: what they mean, in any time zone, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiki.errors import TaskError
from wiki.tasks.cron import NAMED, nearest_weekday
from wiki.tasks.when import When, parse_when

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
MICROSECOND = timedelta(microseconds=1)
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC")
PARIS = ZoneInfo("Europe/Paris")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

moments = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


def next_three(when: str, start: datetime = NOON, zone: str = "UTC") -> list[str]:
    """The first three moments after ``start``, as clocks in the zone show them."""
    plan, found = parse_when(when, zone), []
    moment: datetime | None = start
    while moment is not None and len(found) < 3:
        moment = plan.after(moment)
        if moment is not None:
            found.append(f"{moment.astimezone(ZoneInfo(zone)):%y-%m-%d %H:%M:%S}")
    return found


@pytest.mark.parametrize(("when", "first"), [
    ("every 10 seconds", "26-11-24 12:00:10"), ("Every 2  Minutes", "26-11-24 12:02:00"),
    ("every hour", "26-11-24 13:00:00"), ("every hour at :30", "26-11-24 12:30:00"),
    ("every 2 hours at :15", "26-11-24 12:15:00"), ("every week", "26-12-01 12:00:00"),
    ("every day at 12:00", "26-11-25 12:00:00"), ("every day at 12:00:01", "26-11-24 12:00:01"),
    ("every 3 days at 01:02:03", "26-11-27 01:02:03"),
    ("every monday at 06:30", "26-11-30 06:30:00"), ("every sunday", "26-11-29 00:00:00"),
    ("every weekday at 08:00", "26-11-25 08:00:00"),
    ("every month on the 1st at 02:00", "26-12-01 02:00:00"),
    ("every month on the last day at 23:00", "26-11-30 23:00:00"),
    ("every day at 12:00 Europe/Paris", "26-11-25 11:00:00"),
    ("0 12 * * * Europe/Paris", "26-11-25 11:00:00"),
    ("@daily", "26-11-25 00:00:00"), ("@Yearly", "27-01-01 00:00:00"),
    ("30 6 * * 1-5", "26-11-25 06:30:00"), ("30 6 * jan mon", "27-01-04 06:30:00"),
    ("*/5 0 1,15 * *", "26-12-01 00:00:00"), ("0 0 * * 7", "26-11-29 00:00:00"),
    ("0 0 1 * 5", "26-11-27 00:00:00"),  # as in cron, either the day or the weekday will do
    ("0 0 L * *", "26-11-30 00:00:00"), ("0 0 * * MON#1", "26-12-07 00:00:00"),
    ("0 0 12 * * ?", "26-11-25 12:00:00"), ("30 0 12 * * ?", "26-11-24 12:00:30"),
    ("0 15 10 ? * MON-FRI", "26-11-25 10:15:00"), ("0 15 10 ? * 2-6", "26-11-25 10:15:00"),
    ("0 15 10 ? * 6L", "26-11-27 10:15:00"), ("0 15 10 ? * FRIL", "26-11-27 10:15:00"),
    ("0 15 10 ? * 6#3", "26-12-18 10:15:00"), ("0 0 3 ? * L", "26-11-28 03:00:00"),
    ("0 0 3 ? * 2/2", "26-11-25 03:00:00"), ("0 0 12 LW * ?", "26-11-30 12:00:00"),
    ("0 0 12 15W 8 ?", "27-08-16 12:00:00"),  # the 15th is a Sunday
    ("0 0 12 1W 8 ?", "27-08-02 12:00:00"),  # never in the month before
    ("0 0 12 L-3 * ?", "26-11-27 12:00:00"), ("0 0/5 14 * * ?", "26-11-24 14:00:00"),
    ("0 0 0 1 1 ? 2090", "90-01-01 00:00:00"), ("0 0 0 1 1 ? 2028/4", "28-01-01 00:00:00")])
def test_when_it_is(when: str, first: str) -> None:
    assert next_three(when)[0] == first


@pytest.mark.parametrize(("when", "part"), [
    ("", "''"), ("every", "'every'"), ("every 0 seconds", "0 does not go"),
    ("every 2 mondays", "2 does not go with monday"), ("every hour at 12:00", "'12:00'"),
    ("every minute at 12:00", "a time of day goes with days"), ("sometimes", "'sometimes'"),
    ("every day at 25:00", "'25:00'"), ("every day at noon", "'noon'"),
    ("every day on the 1st", "every month only"), ("every month at 10:00", "write the day"),
    ("every month on the 32nd", "'32nd'"), ("every 5 hours at :10", "5 hours"),
    ("every day at 12:00 Mars/Phobos", "'Mars/Phobos' is no time zone"),
    ("every 999999 weeks", "3660 days"), ("every week at 10:00", "every monday at 10:00"),
    ("0 12 * * * Mars/Phobos", "'Mars/Phobos'"), ("@reboot", "'@reboot' is none of @yearly"),
    ("* * * *", "4 fields"), ("60 * * * *", "'60' is no minute"), ("5-1 * * * *", "'5-1'"),
    ("*/0 * * * *", "no minute"), ("0 24 * * *", "'24' is no hour"), ("a b c d e", "a b c"),
    ("0 0 32 * *", "'32' is no day of the month"), ("0 0 * 13 *", "'13' is no month"),
    ("0 0 * * 8", "'8' is no weekday"), ("0 0 31 2 *", "never comes"),
    ("0 0 12 1 * MON", "one of them must be ?"), ("0 0 12 ? * 8", "'8' is no weekday"),
    ("0 0 12 ? * FOO", "'FOO' is no weekday"), ("0 0 12 ? * 0", "1 is Sunday"),
    ("0 0 12 40W * ?", "'40W'"), ("0 0 12 L-31 * ?", "'L-31'"), ("61 0 12 * * ?", "no second"),
    ("0 0 0 31W 2 ?", "never comes"), ("0 0 0 1 1 ? 2020", "never comes"),
    ("0 0 0 1 1 ? 20x", "'20X' is no year"), ("0 0 0 1 1 ? 2030-2020", "no year")])
def test_what_is_refused_says_which_part_is_wrong(when: str, part: str) -> None:
    with pytest.raises(TaskError) as refused:
        parse_when(when)
    assert part in str(refused.value)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_schedule_comes(name: str) -> None:
    assert len(next_three(name)) == 3


# -- properties ----------------------------------------------------------------------------

def field(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A field of a cron expression, and the values that it means."""
    number = st.integers(low, high)
    single = number.map(lambda value: (str(value), frozenset((value,))))
    span = st.tuples(number, number).map(sorted).map(
        lambda ends: (f"{ends[0]}-{ends[1]}", frozenset(range(ends[0], ends[1] + 1))))
    step = st.integers(1, high).map(
        lambda size: (f"*/{size}", frozenset(range(low, high + 1, size))))
    every = st.just(("*", frozenset(range(low, high + 1))))
    several = st.lists(st.one_of(single, span), min_size=2, max_size=3).map(
        lambda parts: (",".join(text for text, _ in parts),
                       frozenset().union(*(values for _, values in parts))))
    return st.one_of(every, single, span, step, several)


@settings(deadline=None)
@given(field(0, 59), field(0, 23), field(0, 6), moments)
def test_a_cron_expression_comes_at_the_first_moment_that_fits_its_fields(
        minute: tuple[str, frozenset[int]], hour: tuple[str, frozenset[int]],
        weekday: tuple[str, frozenset[int]], moment: datetime) -> None:
    plan = parse_when(f"{minute[0]} {hour[0]} * * {weekday[0]}", "UTC")
    wanted = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while not (wanted.minute in minute[1] and wanted.hour in hour[1]
               and wanted.isoweekday() % 7 in weekday[1]):
        wanted += timedelta(minutes=1)
    assert plan.after(moment) == wanted


expressions = st.sampled_from([
    "30 2 * * *", "*/7 * * * *", "0 */3 * * *", "0 0 1 * *", "0 30 2 ? * 2/2", "0 0 1 15W * ?",
    "0 0 1 L-2 * ?", "5/20 * 2 * * ?", "every day at 02:30", "every weekday at 00:00",
    "every month on the last day at 03:00", "@weekly", "every 3 days at 02:30"])


@settings(deadline=None)
@given(expressions, st.sampled_from(ZONES), moments, st.floats(0, 0.999))
def test_nothing_comes_between_a_moment_and_the_next(
        when: str, zone: str, moment: datetime, share: float) -> None:
    plan = parse_when(when, zone)
    found = plan.after(moment)
    assert found is not None and found > moment
    if not when.startswith("every 3"):  # which counts from the moment that it is asked at
        # Rounded down: a share of two microseconds must not round up to the moment itself.
        between = moment + timedelta(microseconds=int((found - moment) // MICROSECOND * share))
        assert plan.after(between) == found


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES), st.integers(2001, 2035))
def test_a_time_of_the_day_comes_once_on_each_day_however_the_clocks_are_turned(
        hour: int, minute: int, zone: str, year: int) -> None:
    for when in (f"every day at {hour:02}:{minute:02}", f"{minute} {hour} * * *"):
        days = days_of(parse_when(when, zone), year, ZoneInfo(zone))
        assert days == [date(year, 1, 1) + timedelta(days=day) for day in range(len(days))]
        assert days[-1] == date(year, 12, 31)


def days_of(plan: When, year: int, zone: ZoneInfo) -> list[date]:
    """The days on which it comes in a year."""
    moment: datetime | None = datetime(year, 1, 1, tzinfo=zone) - timedelta(microseconds=1)
    days = []
    while moment is not None and (moment := plan.after(moment)) is not None:
        if moment.astimezone(zone).year != year:
            break
        days.append(moment.astimezone(zone).date())
    return days


@pytest.mark.parametrize("when", ["every day at 02:30", "30 2 * * *", "0 30 2 * * ?"])
def test_an_hour_that_the_clocks_skip_comes_at_the_end_of_the_gap(when: str) -> None:
    assert next_three(when, datetime(2026, 3, 28, 12, tzinfo=PARIS), "Europe/Paris") == [
        "26-03-29 03:00:00", "26-03-30 02:30:00", "26-03-31 02:30:00"]


@pytest.mark.parametrize("when", ["every day at 02:30", "30 2 * * *", "0 30 2 * * ?"])
def test_an_hour_that_the_clocks_repeat_comes_the_first_time_only(when: str) -> None:
    plan = parse_when(when, "Europe/Paris")
    first = plan.after(datetime(2026, 10, 24, 12, tzinfo=PARIS))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert plan.after(first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_what_comes_every_hour_goes_by_the_time_that_passes() -> None:
    plan = parse_when("*/30 * * * *", "Europe/Paris")
    moment = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    for step in range(1, 7):  # through the hour that is there twice
        found = plan.after(moment)
        assert found == datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + step * timedelta(minutes=30)
        moment = found


@settings(deadline=None)
@given(st.integers(1, 999), st.sampled_from(["second", "minute", "hour", "day"]), moments, moments)
def test_an_interval_keeps_its_step_from_any_anchor(
        count: int, unit: str, moment: datetime, anchor: datetime) -> None:
    step = timedelta(**{unit + "s": count})
    found = parse_when(f"every {count} {unit}s").after(moment, anchor)
    assert found is not None and timedelta(0) < found - moment <= step
    assert (found - anchor) % step == timedelta(0)


@settings(deadline=None)
@given(st.integers(1, 7), st.integers(1, 7))
def test_quartz_counts_weekdays_from_sunday(first: int, last: int) -> None:
    first, last = sorted((first, last))
    numbers = next_three(f"0 0 6 ? * {first}-{last}")
    assert numbers == next_three(f"0 0 6 ? * {DAYS[first - 1]}-{DAYS[last - 1]}")


@settings(deadline=None)
@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)))
def test_the_nearest_weekday_is_a_weekday_of_that_month(day: date) -> None:
    found = nearest_weekday(day.replace(day=1), day.day)
    assert found is not None and found.weekday() < 5
    assert found.month == day.month and abs(found - day) <= timedelta(days=2)
    assert found == day or day.weekday() >= 5


@settings(deadline=None)
@given(st.one_of(
    st.text(max_size=40),
    st.lists(st.text("0123456789*/-,?LW#MONFRI", min_size=1, max_size=6), min_size=5,
             max_size=8).map(" ".join),
    st.lists(st.sampled_from(["every", "day", "month", "at", "on", "the", "1st", "12:00", "3",
                              "hours", ":30", "UTC", "monday"]), max_size=8).map(" ".join)))
def test_whatever_is_written_is_a_schedule_or_refused(text: str) -> None:
    try:
        plan = parse_when(text)
    except TaskError:
        return
    found = plan.after(NOON)
    assert found is not None and found > NOON
