"""What a user watches and what is new there: a page, a number for the header, a private feed."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from wiki.classes import moment_of
from wiki.errors import InvalidValue, NotFound, WikiError
from wiki.model import GUEST, Document
from wiki.news import MOST, Event, Notification
from wiki.references import Reference
from wiki.translate import gettext, marked
from wiki.watching import Kind
from wiki.web import atom
from wiki.web.atom import Entry, absolute
from wiki.web.context import page, page_url, show, site
from wiki.web.session import current_user, login_required

blueprint = Blueprint("notifications", __name__)
#: What each event is called in a list: "Jo commented on ...".
WORDS = {
    Event.MADE: marked("made"), Event.EDITED: marked("edited"), Event.RENAMED: marked("renamed"),
    Event.DELETED: marked("deleted"), Event.COMMENTED: marked("commented on"),
    Event.MENTIONED: marked("mentioned you on"), Event.TASK: marked("A run ended:"),
}


# -- watching ------------------------------------------------------------------------------------


@blueprint.get("/<ref>/watch")
@login_required
def ask(ref: str) -> str:
    """Whether the reader watches the page, and why; with the buttons that change it."""
    document = page(ref).record
    return show("watch.html", document, "watch", watching=watched(document))


@blueprint.post("/<ref>/watch")
@login_required
def watch(ref: str) -> BaseResponse:
    """Watch the page, or with ``kind`` ``space`` its space; with ``off``, do so no more.

    A script that sends ``json`` gets the new state.
    """
    document = page(ref).record
    kind = request.form.get("kind", Kind.PAGE.value)
    if kind not in (Kind.PAGE, Kind.SPACE):
        raise InvalidValue("kind", kind, gettext("page or space"))
    name = str(document.reference) if kind == Kind.PAGE else document.reference.space
    if "off" in request.form:
        unwatch(document, Kind(kind), name)
    else:
        site().watching.watch(current_user(), Kind(kind), name)
    if "json" in request.form:
        return jsonify(watching=watched(document))
    flash(gettext("You no longer hear of %(name)s.", name=name) if "off" in request.form
          else gettext("You hear of %(name)s.", name=name), "success")
    return redirect(page_url(document.reference))


def unwatch(document: Document, kind: Kind, name: str) -> None:
    """Hear no more of it, also where the page would be watched by itself."""
    site().watching.unwatch(current_user(), kind, name)
    if kind is Kind.PAGE and watched(document) not in ("", Kind.MUTED):
        site().watching.watch(current_user(), Kind.MUTED, name)


def watched(document: Document) -> str:
    return site().watching.state(current_user(), document.reference, document.creator)


@blueprint.post("/notifications/unwatch")
@login_required
def drop() -> BaseResponse:
    """Take something off the list of what the user watches."""
    kind, name = request.form.get("kind", ""), request.form.get("name", "")
    if kind not in list(Kind) or not site().watching.unwatch(current_user(), Kind(kind), name):
        raise NotFound(gettext("You do not watch %(name)s; there is nothing to stop",
                               name=name or gettext("that")))
    return redirect(url_for("notifications.listed") + "#watching")


# -- notifications -------------------------------------------------------------------------------


@blueprint.get("/notifications")
@login_required
def listed() -> str:
    return _page()


def _page(**values: object) -> str:
    user = current_user()
    until = datetime.now(UTC)
    return render_template(
        "notifications.html", title=gettext("Notifications"), news=site().news.of(user),
        said={event: gettext(said) for event, said in WORDS.items()},
        address=address, settings=site().watching.reader(user), watches=site().watching.of(user),
        until=until.isoformat(), by=by, home=lambda name: f"{name}.WebHome", **values)


@blueprint.get("/notifications/state")
def state() -> Response:
    """For the header: how many are unread, and with ``page`` how the reader watches that page."""
    user = current_user()
    if user == GUEST:
        return jsonify(unread=0, most=MOST, watching="")
    name = request.args.get("page", "")
    return jsonify(unread=site().news.unread(user), most=MOST,
                   watching=_watched_by_name(name) if name else "")


def _watched_by_name(name: str) -> str:
    try:
        return watched(page(name).record)
    except WikiError:  # no page, or none that can be watched: nothing to show for it
        return ""


@blueprint.post("/notifications/read")
@login_required
def read() -> BaseResponse:
    """All that the page showed is read, nothing that came later."""
    until = request.form.get("until", "")
    moment = moment_of(until)
    if moment is None:
        raise InvalidValue("until", until, gettext("a date and time with its zone"))
    site().watching.mark_read(current_user(), moment)
    return redirect(url_for("notifications.listed"))


@blueprint.post("/notifications/settings")
@login_required
def settings() -> BaseResponse:
    site().watching.set_automatic(current_user(), "automatic" in request.form)
    flash(gettext("Your settings are saved."), "success")
    return redirect(url_for("notifications.listed"))


# -- the feed ------------------------------------------------------------------------------------


@blueprint.post("/notifications/feed")
@login_required
def make_feed() -> str | BaseResponse:
    """Make the private address, which is shown this once; or with ``revoke``, end it."""
    if "revoke" in request.form:
        site().watching.revoke_token(current_user())
        flash(gettext("The feed's address is none any more."), "success")
        return redirect(url_for("notifications.listed"))
    token = site().watching.new_token(current_user())
    return _page(feed=absolute(url_for("notifications.feed", token=token)))


@blueprint.get("/notifications/feed/<token>")
def feed(token: str) -> BaseResponse:
    """A user's notifications as an Atom feed, for a program that cannot log in."""
    user = site().watching.user_of(token)
    if user is None or not site().accounts.exists(Reference.parse(user).name):
        raise NotFound(gettext("There is no such feed; make a new address on the page of your "
                               "notifications"))
    return atom.feed(absolute(request.path),
                     f"Notifications of {Reference.parse(user).name}",
                     map(entry, site().news.of(user)))


def entry(item: Notification) -> Entry:
    """A notification in the feed."""
    where = absolute(address(item))
    return Entry(f"{where}{'&' if '?' in where else '?'}at={item.date.isoformat()}",
                 f"{by(item)} {gettext(WORDS[item.event])} {item.title}".strip(), item.date,
                 by(item) or "Wikimill", where, item.text)


def by(item: Notification) -> str:
    """Who did it, by name; nobody where the wiki itself tells of a task."""
    return "" if item.event is Event.TASK else Reference.parse(item.author).name


def address(item: Notification) -> str:
    """Where a notification leads."""
    if item.event is Event.DELETED:
        return url_for("bin.listed")
    if item.event in (Event.COMMENTED, Event.MENTIONED):
        return f"{page_url(item.page)}#{item.place}"
    if item.event is Event.EDITED:
        return page_url(item.page, "diff", to=item.place)
    return page_url(item.page)
