"""Pages and whole spaces moved and copied: planned first, then done page by page.

What refers to a page that moves is turned along with it, where the user may edit it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wiki.api import Wiki
from wiki.documents import Name, OpenDocument, reference
from wiki.errors import (
    Conflict,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    InvalidReference,
    WikiError,
)
from wiki.model import Document, Version
from wiki.references import HOME, Reference
from wiki.relinking import Moves
from wiki.rights import RUNNABLE_CLASSES, Right
from wiki.store.base import Query
from wiki.tasks.names import (
    CONFIGURATION,
    CONFIGURATION_CLASS,
    MANAGER_JOB,
    OWN_CLASSES,
    TASK_CLASS,
    Status,
)
from wiki.tasks.signing import signer
from wiki.tasks.starting import copy_page
from wiki.translate import gettext

REDIRECT_CLASS = "Wiki.RedirectClass"
USER_CLASS = "Wiki.UserClass"
#: The executor that moves many pages, as a task.
MOVE_EXECUTOR = "Executors.MovePages"
#: How many pages are moved or changed at once; more are for a task.
AT_ONCE = 50
#: How many pages a space may have that is moved or copied.
MAX_PAGES = 10_000
#: How many redirects lead on from one another.
MAX_HOPS = 5
#: Pages that the wiki goes by, and would not find under another name.
FIXED = frozenset({*RUNNABLE_CLASSES, *OWN_CLASSES, CONFIGURATION, CONFIGURATION_CLASS,
                   MANAGER_JOB, REDIRECT_CLASS, USER_CLASS, f"Main.{HOME}"})

Problem = tuple[Reference, str]
#: The version of each page that was read before, and must still be there.
Versions = Mapping[Reference, Version]
NOT_READ: Versions = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be moved, or copied, and what comes of it."""

    #: Where each page goes to.
    moves: Moves
    #: The other pages that refer to them, which the user may edit.
    referring: tuple[Reference, ...] = ()
    #: Those that the user may not edit: they are left alone.
    kept: tuple[Reference, ...] = ()
    #: What speaks against it; nothing is done then.
    problems: tuple[Problem, ...] = ()

    @property
    def size(self) -> int:
        """How many pages change."""
        return len(self.moves) + len(self.referring)

    def is_long(self, links: bool) -> bool:
        """Whether moving so many pages, and turning links if asked, is for a task."""
        return len(self.moves) > AT_ONCE or (links and self.size > AT_ONCE)


@dataclass(slots=True)
class Outcome:
    """What was done: pages moved or copied, pages that refer to them and were turned, and what
    could not be done."""

    done: list[Reference] = field(default_factory=list)
    turned: set[Reference] = field(default_factory=set)
    failed: list[Problem] = field(default_factory=list)


class Mover:
    """Moves and copies pages as the user of ``wiki``."""

    def __init__(self, wiki: Wiki) -> None:
        self._wiki = wiki

    # -- planning --------------------------------------------------------------------------

    def places(self, source: Reference, target: Reference, space: bool = False) -> Moves:
        """Where the page goes to; for a ``space``, where all pages in it and in the spaces
        within do, ``source`` and ``target`` being home pages.

        Raises DocumentNotFound, InvalidDocument where they are too many, InvalidReference.
        """
        if not space:
            return {source: target}
        depth = len(source.spaces)
        query = Query(space=source.space, nested=True, order_by=("doc.reference",),
                      limit=MAX_PAGES + 1)
        pages = [row.reference for row in self._wiki.rows(query)]
        if not pages:
            raise DocumentNotFound(gettext("There is no page in %(space)s", space=source.space))
        if len(pages) > MAX_PAGES:
            raise InvalidDocument(gettext(
                "%(space)s has more than %(most)s pages; move the spaces in it one by one",
                space=source.space, most=f"{MAX_PAGES:,}"))
        return {page: Reference((*target.spaces, *page.spaces[depth:]), page.name)
                for page in pages}

    def planned(self, page: Reference, name: str, space: bool, copying: bool = False) -> Plan:
        """What moving or copying the page, or its ``space``, to a name as somebody typed it
        would change. Raises DocumentExists where it is called so, and as :meth:`places`."""
        new = Reference.parse(f"{name}.{HOME}") if space else Reference.parse(name, page)
        if new == page:
            raise DocumentExists(gettext(
                "%(name)s is what it is called already; give another name", name=name))
        moves = self.places(page, new, space)
        return self.plan_copy(moves) if copying else self.plan(moves)

    def plan(self, moves: Moves) -> Plan:
        """What moving the pages would change, and what speaks against it. A page that is to go
        to where it is has no place yet, and none is looked at."""
        referring: set[Reference] = set()
        problems: list[Problem] = []
        for page, place in moves.items():
            referring.update(self._wiki.referring(page))
            problems += [(page, why) for why in self._against(page, place, moves)]
        may_edit: list[Reference] = []
        kept: list[Reference] = []
        for page in sorted(referring - moves.keys()):
            (may_edit if self._may_edit(page) else kept).append(page)
        return Plan(moves, tuple(may_edit), tuple(kept), tuple(problems))

    def plan_copy(self, moves: Moves) -> Plan:
        """What speaks against copies in those places."""
        return Plan(moves, problems=tuple(
            (page, f"{place} exists already") for page, place in moves.items()
            if page != place and place in self._wiki))

    def _against(self, name: Reference, place: Reference, moves: Moves) -> Iterator[str]:
        page = self._wiki.get(name)
        if str(name) in FIXED:
            yield gettext("the wiki goes by this name, and would not work without it")
        if page.object(USER_CLASS):
            yield gettext("it is the page of a user, who logs in by its name")
        if is_running(page):
            yield gettext("it is a task that is RUNNING; cancel it, or wait for its end")
        if not self._wiki.may(Right.DELETE, page):
            yield gettext("you may not move it: it takes the right to delete it")
        if place in moves and place != name:
            yield gettext("%(place)s is to be moved itself", place=place)
        elif place != name and not self._free(place, name):
            yield gettext("%(place)s exists already", place=place)

    def _free(self, place: Reference, name: Reference) -> bool:
        """Whether there is no page, or only one that leads to the page that is to be there."""
        return place not in self._wiki or target_of(self._wiki.get(place).record) == name

    def _may_edit(self, page: Reference) -> bool:
        try:
            return self._wiki.may(Right.EDIT, self._wiki.get(page))
        except WikiError:  # deleted since the index was asked, or damaged
            return False

    # -- doing -----------------------------------------------------------------------------

    def move(self, plan: Plan, *, links: bool = True, redirect: bool = False,
             expected: Versions = NOT_READ) -> Outcome:
        """Move all pages of the plan, those that were read before as they then were. What fails
        for one is told in the answer, and leaves the others alone; of a single page it raises,
        as :meth:`wiki.api.Wiki.rename` does."""
        return self._each(plan, lambda page, outcome: self.move_page(
            page, plan.moves, outcome, links=links, redirect=redirect, expected=expected))

    def move_page(self, name: Name, moves: Moves, outcome: Outcome, *, links: bool = True,
                  redirect: bool = False, expected: Versions = NOT_READ) -> None:
        """Move one page, and turn what refers to it, but for pages that move as well. Raises as
        :meth:`wiki.api.Wiki.rename`, and InvalidDocument where something speaks against it."""
        old = reference(name)
        new = moves[old]
        for problem in self._against(old, new, {old: new}):
            raise InvalidDocument(f"{old}: {problem}")
        page = self._read(old, expected)
        referring = self._wiki.referring(old) if links else []
        if new in self._wiki:
            self._wiki.delete(new, comment=f"Makes room for {old}")
        self._wiki.move(page.record, page.version, moves, turn=links)
        if redirect:
            leave_redirect(self._wiki, old, new)
        outcome.done.append(old)
        for other in referring:
            if other not in moves and other != new:
                self._turn(other, moves, outcome)

    def _read(self, name: Reference, expected: Versions) -> OpenDocument:
        """The page; raises Conflict where it is not what was read before."""
        page = self._wiki.get(name)
        if page.version != expected.get(name, page.version):
            raise Conflict(gettext(
                "%(name)s is at %(version)s, and was read at %(expected)s", name=name,
                version=page.version, expected=expected[name]))
        return page

    def _turn(self, page: Reference, moves: Moves, outcome: Outcome) -> None:
        try:
            if self._wiki.relink(page, moves):
                outcome.turned.add(page)
        except WikiError as error:
            outcome.failed.append((page, str(error)))

    def copy(self, plan: Plan, *, attachments: bool = True,
             expected: Versions = NOT_READ) -> Outcome:
        """Copy all pages of the plan, without their history; links between them lead to the
        copies. Tasks are SUSPENDED, and scripts are signed as :mod:`wiki.tasks.signing` says.
        Fails as :meth:`move`."""
        return self._each(plan, lambda page, outcome: outcome.done.append(
            self._copy_page(page, plan.moves, attachments, expected)))

    def _copy_page(self, name: Reference, moves: Moves, attachments: bool,
                   expected: Versions) -> Reference:
        source = self._read(name, expected)
        user = self._wiki.user
        copy = self._wiki.as_user(user, signer(source, user)).new(moves[name])
        copy_page(source, copy)
        copy.title, copy.hidden = source.title, source.hidden
        copy.class_definition = source.class_definition
        if not attachments:
            for item in source.attachments:
                copy.remove_attachment(item.filename)
        task = copy.object(TASK_CLASS)
        if task is not None:
            task.update(status=Status.SUSPENDED.value)
        copy.record = self._wiki.relinked(copy.record, name, moves)
        copy.save(comment=f"A copy of {name}, version {source.version}")
        return moves[name]

    def _each(self, plan: Plan, act: Callable[[Reference, Outcome], None]) -> Outcome:
        outcome = Outcome()
        if plan.problems:
            page, why = plan.problems[0]
            raise InvalidDocument(f"{page}: {why}")
        with self._wiki.batch():
            for page in plan.moves:
                try:
                    act(page, outcome)
                except WikiError as error:
                    if len(plan.moves) == 1:
                        raise
                    outcome.failed.append((page, str(error)))
        return outcome


def is_running(page: OpenDocument) -> bool:
    """Whether the page is a task that a process runs."""
    return any(task["status"] == Status.RUNNING for task in page.objects(TASK_CLASS))


# -- redirects ---------------------------------------------------------------------------------


def leave_redirect(wiki: Wiki, old: Reference, new: Reference) -> None:
    """Put a page at the old name that leads to the new one."""
    page = wiki.new(old, title=old.name, hidden=True)
    page.add_object(REDIRECT_CLASS, target=str(new))
    page.save(comment=f"Leads to {new}")


def target_of(document: Document) -> Reference | None:
    """Where a page leads that is a redirect; None for any other."""
    obj = document.object(REDIRECT_CLASS)
    try:
        return Reference.parse(str(obj.values.get("target") or "")) if obj else None
    except InvalidReference:
        return None


def destination_of(wiki: Wiki, document: Document) -> Reference | None:
    """Where a page leads in the end, over other redirects; None where it leads nowhere: it is
    no redirect, or leads back to itself, or to a page that is not there."""
    seen = {document.reference}
    target = target_of(document)
    while target is not None and target not in seen and len(seen) <= MAX_HOPS:
        seen.add(target)
        try:
            further = target_of(wiki.get(target).record)
        except DocumentNotFound:
            return None
        if further is None:
            return target
        target = further
    return None
