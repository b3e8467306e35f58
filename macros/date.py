"""``<<date/>>``: a moment in the reader's time zone."""

import re
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from wiki.classes import visible
from wiki.errors import BadValue, WikiError
from wiki.rendering.attached import shown_page
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.translate import gettext

_FORMAT = re.compile(r"(?:[^%]|%-?[aAbBdHIjmMpSyYZzuUwWVG%])*", re.DOTALL)
_LONGEST_FORMAT = 100


@macro("date", inline=True)
def date_(context: MacroContext, value: str = "", property_: str = "", page: PageName = "",
          format_: str = "", zone: str = "") -> Markup:
    """Show a date or a moment: now, or one that is given.

    `value` is it (`2026-11-24`, `2026-11-24T05:10Z`). `property` instead names one of the page:
    `created`, `updated` or `Class.property`; `page` is which page (default: this one).

    `format` is written as for Python's strftime (`%d.%m.%Y %H:%M`); `zone` is the time zone, such
    as `Europe/Berlin` (default: that of the reader's own page, or UTC). Without both, the
    browser's own form and zone are used.

    Examples:
        Today is <<date format="%A, %d %B %Y"/>>.
        ---
        <<date property="updated" page="Help.Syntax"/>>
    """
    moment = _property(context, property_, page) if property_ else _value(context, value)
    if not isinstance(moment, datetime):
        shown = moment.strftime(_checked(format_)) if format_ else moment.isoformat()
        return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), shown)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    local = moment.astimezone(_zone(zone) if zone else _readers_zone(context))
    shown = local.strftime(_checked(format_) if format_ else "%Y-%m-%d %H:%M %Z")
    kind = Markup("") if format_ or zone else Markup(' class="local"')
    return Markup('<time{} datetime="{}">{}</time>').format(kind, moment.isoformat(), shown)


def _value(context: MacroContext, text: str) -> date:
    text = text.strip()
    if not text or text == "now":
        context.changing()
        return datetime.now(UTC)
    return _read(text, "value")


def _property(context: MacroContext, name: str, page: str) -> date:
    document = shown_page(context, page).record
    if name in ("created", "updated"):
        return document.created if name == "created" else document.updated
    class_name, _, key = name.rpartition(".")
    found = document.object(str(context.reference(class_name))) if class_name else None
    if found is None:
        raise BadValue("property", gettext(
            "%(page)s has no %(name)s; it is created, updated or Class.property, such as "
            "Books.BookClass.published", page=document.reference, name=repr(name)))
    text = visible(found.values).get(key)
    if not text:
        raise BadValue("property", gettext(
            "%(name)s is empty on %(page)s", name=name, page=document.reference))
    return _read(str(text), "property")


def _read(text: str, parameter: str) -> date:
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(parameter, gettext(
            "%(text)s is no date such as 2026-11-24, and no moment such as 2026-11-24T05:10Z",
            text=repr(text[:40]))) from None


def _checked(text: str) -> str:
    if len(text) > _LONGEST_FORMAT or not _FORMAT.fullmatch(text):
        raise BadValue("format", gettext(
            "%(text)s is not written as for strftime, such as %%d.%%m.%%Y %%H:%%M",
            text=repr(text[:40])))
    return text


def _readers_zone(context: MacroContext) -> tzinfo:
    try:
        own = context.wiki.get(context.user).object("Wiki.UserClass")
        return _zone(str(own["timezone"])) if own and own["timezone"] else UTC
    except WikiError:
        return UTC  # the reader has no page, or none that names a time zone


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadValue("zone", gettext(
            "there is no time zone %(name)s; one is Europe/Berlin", name=repr(name[:40]))
                         ) from None
