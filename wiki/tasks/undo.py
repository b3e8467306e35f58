"""What a run did to pages, and taking it back.

A page is put back to what it was before the run if nobody else has changed it since; the others
are kept. Taking back goes in chunks, and what a crash leaves undone can be taken back by doing
it again: a page that is as it was before is left alone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from wiki.api import Name, OpenDocument, OpenObject, Wiki
from wiki.errors import (
    Conflict,
    DocumentExists,
    DocumentNotFound,
    NotFound,
    RevisionNotFound,
    TaskError,
    WikiError,
)
from wiki.model import FIRST, Document, Version
from wiki.references import Reference
from wiki.rights import Right, allows
from wiki.store import Store
from wiki.store.base import Touched
from wiki.tasks.checkpoint import list_name
from wiki.tasks.log import Logs, log_name
from wiki.tasks.names import RUN_CLASS
from wiki.tasks.runs import timestamp
from wiki.tasks.shadows import Shadows
from wiki.translate import SOURCE, gettext, using

#: How many pages are put back together.
CHUNK = 500
#: How often that is tried anew when somebody else saved one of them meanwhile.
ATTEMPTS = 20
#: How many of the pages that are kept the log names.
NAMED = 100
#: What makes a page what it is, apart from who saved it and when.
_CONTENT = ("title", "content", "syntax", "parent", "hidden", "tags", "objects",
            "class_definition", "attachments")


class State(StrEnum):
    """What can become of a page that a run touched."""

    #: It is as the run left it, and can be put back.
    OPEN = "open"
    #: It is as it was before the run.
    BACK = "back"
    #: Somebody changed it since.
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Change:
    """A page that a run touched; ``reason`` says why it is kept."""

    touched: Touched
    state: State
    reason: str = ""


@dataclass(slots=True)
class Undone:
    """How many pages were put back, and which were kept: their number, and the first of them."""

    back: int = 0
    kept: int = 0
    named: list[Change] = field(default_factory=list)

    def keep(self, change: Change) -> None:
        self.kept += 1
        if len(self.named) < NAMED:
            self.named.append(change)

    def __str__(self) -> str:
        return f"{_pages(self.back)} put back, {_pages(self.kept)} kept"


class Changes:
    """The pages that a run touched, as the user of ``wiki`` may see them. For a dry run,
    ``wiki`` is the one over its shadow."""

    def __init__(self, wiki: Wiki, run: str, task: Reference) -> None:
        self._wiki = wiki
        self._run = run
        self._task = task

    def page(self, after: str = "", limit: int = 100) -> list[Touched]:
        """By reference, from the one behind ``after`` on."""
        return self._wiki.touched(self._run, after, limit)

    def get(self, name: Reference) -> Touched | None:
        """The page, if the run touched it."""
        return self._wiki.touched_page(self._run, name)

    def kinds(self) -> dict[str, int]:
        """How many pages the run created, changed, deleted and moved."""
        return self._wiki.touched_kinds(self._run)

    def all(self, after: str = "") -> Iterator[Touched]:
        """One after the other, fetched in pages, from the one behind ``after`` on."""
        rows = self.page(after, CHUNK)
        while rows:
            yield from rows
            rows = self.page(str(rows[-1].reference), CHUNK)

    def before(self, touched: Touched) -> Document | None:
        """The page before the run; None where there was none, or it is not kept any more."""
        if touched.before is None:
            return None
        first = _first_name(touched)
        for name in (touched.reference, touched.origin):
            for found in () if name is None else self._kept(name, touched.before):
                if found.reference == first and found.run != self._run:
                    return found  # and not another page that has had this name and version
        return None

    def _kept(self, name: Reference, version: Version) -> Iterator[Document]:
        """The page at that version, and the one that the run deleted."""
        with suppress(NotFound):
            yield self._wiki.revision(name, version)
        with suppress(NotFound):
            yield self._wiki.deleted_by(self._run, name, version)

    def after(self, touched: Touched) -> Document | None:
        """The page as the run left it; None where it deleted it, or it was deleted since."""
        if touched.after is None:
            return None
        try:
            found = self._wiki.revision(touched.reference, touched.after)
        except NotFound:
            return None
        return found if found.run == self._run else None

    def judge(self, touched: Touched) -> Change:
        """What can become of the page now."""
        try:
            state, reason = self._judge(touched)
        except WikiError as error:
            return Change(touched, State.KEPT, str(error))
        return Change(touched, state, reason)

    def count(self) -> Counter[State]:
        """How many pages are in each state."""
        return Counter(self.judge(touched).state for touched in self.all())

    def _judge(self, touched: Touched) -> tuple[State, str]:
        if touched.reference == self._task:
            return State.KEPT, gettext("it is the page of the task itself")
        before, current = self.before(touched), self._current(touched.reference)
        if touched.before is not None and before is None:
            return State.KEPT, gettext("what it was before is not kept any more")
        if current is None:
            return self._judge_missing(touched, before)
        if touched.after is None or (current.version, current.run) != (touched.after, self._run):
            if self._is_back(touched, before):
                return State.BACK, ""
            if not touched.after:
                return State.KEPT, gettext("%(user)s made it anew", user=current.author)
            return State.KEPT, gettext("version %(version)s by %(user)s came after it",
                                       version=current.version, user=current.author)
        if touched.origin is not None and touched.origin in self._wiki:
            return State.KEPT, gettext("there is a page %(page)s again", page=touched.origin)
        if self._others_in_between(touched):
            return State.KEPT, gettext("others saved it between two saves of the run")
        return State.OPEN, ""

    def _judge_missing(self, touched: Touched, before: Document | None) -> tuple[State, str]:
        if touched.kind == "created":
            return State.BACK, ""
        if touched.kind == "deleted":
            return State.OPEN, ""
        if self._is_back(touched, before):
            return State.BACK, ""
        return State.KEPT, gettext("it was deleted, or moved, since")

    def _is_back(self, touched: Touched, before: Document | None) -> bool:
        """Whether the page is as it was, where it was; another may have its later name."""
        old = self._current(_first_name(touched))
        return old is not None and before is not None and same_page(old, before)

    def _current(self, name: Reference) -> Document | None:
        try:
            return self._wiki.get(name).record
        except DocumentNotFound:
            return None

    def _others_in_between(self, touched: Touched) -> bool:
        before, after = touched.before, touched.after
        if after == FIRST or (before is not None
                              and after in (before.next(), before.next(minor=True))):
            return False  # the run saved it once
        revisions = self._wiki.get(touched.reference).revisions()
        return any(item.run != self._run for item in revisions
                   if before is None or after is None or before > after or item.version > before)


class Undo:
    """Takes runs back."""

    def __init__(self, wiki: Wiki, store: Store, logs: Logs, data: Path) -> None:
        self._wiki = wiki
        self._store = store
        self._logs = logs
        self._shadows = Shadows(data)

    @contextmanager
    def changes(self, task: Reference, record: OpenObject, user: str) -> Iterator[Changes | None]:
        """What the run changed, or a dry run would change, as the user may see it; None where
        what a dry run left is not kept any more."""
        run = str(record["id"] or "")
        if not record["dryRun"]:
            yield Changes(self._wiki.as_user(user), run, task)
            return
        shadow = self._shadows.open(self._store, str(task), run)
        try:
            yield None if shadow is None else Changes(Wiki(shadow, user), run, task)
        finally:
            if shadow is not None:
                shadow.overlay.close()

    def check(self, task: OpenDocument, number: int, user: str) -> OpenObject:
        """The run's object, if the user may take the run back and it can be.

        Raises NotFound, AccessDenied, or TaskError where it goes on or was a dry run.
        """
        record = find_run(task, number)
        self._wiki.as_user(user).require(Right.EDIT, task)
        if record["dryRun"]:
            raise TaskError(gettext(
                "Run %(number)s of %(page)s was a dry run: it changed nothing", number=number,
                page=task.reference))
        for other in task.objects(RUN_CLASS):  # also one that goes on where this one stopped
            same = (other["number"] == number
                    or (other["checkpoint"] and other["checkpoint"] == record["checkpoint"]))
            if same and not other["outcome"]:
                raise TaskError(gettext(
                    "Run %(number)s of %(page)s goes on; cancel it first", number=other['number'],
                    page=task.reference))
        return record

    def undo(self, name: Name, number: int, user: str) -> Undone:
        """Put back what the run changed, as the user; raises as :meth:`check`."""
        task = self._wiki.get(name)
        record = self.check(task, number, user)
        run = str(record["id"] or "")
        back = _Back(self._wiki, user, Changes(self._wiki.as_user(user), run, task.reference),
                     run, f"Run {number} of {task.reference} taken back")
        with using(SOURCE):  # what is kept, and why, goes to the log
            done = back.all()
        if checkpoint := str(record["checkpoint"] or ""):  # its items are to be done anew
            self._wiki.unmark(list_name(checkpoint))
        self._record(task.reference, number)
        self._log(task.reference, number, user, done)
        return done

    def _record(self, name: Reference, number: int) -> None:
        def mark(task: OpenDocument) -> None:
            find_run(task, number)["undone"] = timestamp(time.time())

        self._wiki.revise(name, mark, comment=f"Run {number} taken back", minor=True,
                          attempts=ATTEMPTS)

    def _log(self, name: Reference, number: int, user: str, done: Undone) -> None:
        lines = [f"{change.touched.reference}: {change.reason}" for change in done.named]
        if done.kept > len(lines):
            lines.append(f"and {done.kept - len(lines)} more")
        self._logs.append(log_name(name), "INFO", "\n".join(
            [f"{user} took run {number} back: {done}", *(f"kept {line}" for line in lines)]))


class _Back:
    """The work of taking one run back."""

    def __init__(self, wiki: Wiki, user: str, changes: Changes, run: str, comment: str) -> None:
        self._system = wiki
        self._user = user
        self._changes = changes
        self._run = run
        self._comment = comment
        self._done = Undone()

    def all(self) -> Undone:
        """Again and again while pages are put back that others stood in the way of."""
        kept = self._once().kept
        while kept and self._once().kept < kept:
            kept = self._done.kept
        return self._done

    def _once(self) -> Undone:
        """Chunk by chunk, so that memory does not grow with the number of pages."""
        self._done = Undone()
        rows = self._changes.page(limit=CHUNK)
        while rows:
            self._chunk(rows)
            rows = self._changes.page(str(rows[-1].reference), CHUNK)
        return self._done

    def _chunk(self, rows: Sequence[Touched]) -> None:
        for attempt in range(ATTEMPTS):
            try:
                kept = self._try(rows)
            except (Conflict, DocumentExists):  # somebody was faster: judge anew
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            for change in kept:
                self._done.keep(change)
            self._done.back += len(rows) - len(kept)
            return

    def _try(self, rows: Sequence[Touched]) -> list[Change]:
        """Put back what can be; returns the others. Deletions come after all saves, and what is
        a commit of its own last: each of them has the disk synced."""
        changes = [self._changes.judge(row) for row in rows]
        kept = [change for change in changes if change.state is State.KEPT]
        open_ = {kind: [change.touched for change in changes if change.state is State.OPEN
                        and change.touched.kind == kind]
                 for kind in ("changed", "created", "deleted", "moved")}
        with self._system.batch():
            kept += self._each(open_["changed"], self._put_back)
            kept += self._each(open_["created"], self._delete)
        kept += self._restore(open_["deleted"])
        return kept + self._each(open_["moved"], self._move_back)

    def _each(self, rows: Sequence[Touched], action: Callable[[Touched], None]) -> list[Change]:
        kept = []
        for row in rows:
            try:
                action(row)
            except (Conflict, DocumentExists):
                raise
            except WikiError as error:
                kept.append(Change(row, State.KEPT, str(error)))
        return kept

    def _put_back(self, row: Touched) -> None:
        before = self._before(row)
        self._signing(before).save(before, row.after, comment=self._comment)

    def _delete(self, row: Touched) -> None:
        """Whoever may edit what a run made may take it back, though its creator is another."""
        self._system.as_user(self._user).require(Right.EDIT, self._system.get(row.reference))
        self._system.delete(row.reference, row.after)

    def _move_back(self, row: Touched) -> None:
        before = self._before(row)
        page = self._signing(before).get(row.reference)
        page.record = replace(before, version=page.version)
        page.rename(row.origin or row.reference, update_links=False)

    def _restore(self, rows: Sequence[Touched]) -> list[Change]:
        """All at once, or one after the other where one of them cannot be."""
        by_signer: dict[str, list[Touched]] = {}
        kept = self._each([row for row in rows if row.origin is not None], self._make_again)
        for row in rows:
            if row.origin is not None:
                continue
            by_signer.setdefault(self._signer(self._before(row)), []).append(row)
        for group in by_signer.values():
            try:
                self._bring(*group)
            except (Conflict, DocumentExists):
                raise
            except WikiError:
                kept += self._each(group, self._bring)
        return kept

    def _make_again(self, row: Touched) -> None:
        """A page that the run moved, and then deleted or lost: its history is not its own."""
        before = self._before(row)
        self._signing(before).save(before, None, comment=self._comment)

    def _bring(self, *rows: Touched) -> None:
        documents = [self._before(row) for row in rows]
        self._signing(documents[0]).restore(self._run, documents, self._comment)

    def _before(self, row: Touched) -> Document:
        before = self._changes.before(row)
        if before is None:
            raise RevisionNotFound(gettext(
                "what %(page)s was before is not kept any more", page=row.reference))
        return replace(before, reference=row.reference)

    def _signing(self, before: Document) -> Wiki:
        return self._system.as_user(self._user, self._signer(before))

    def _signer(self, before: Document) -> str:
        """Nobody signs what another wrote: what did not run before does not run after."""
        people = (self._user, before.content_author, before.script_author)
        return next((person for person in people if not allows(person, Right.SCRIPT)),
                    self._user)


def find_run(task: OpenDocument, number: int) -> OpenObject:
    """The object of the task's run; raises NotFound."""
    for record in task.objects(RUN_CLASS):
        if record["number"] == number:
            return record
    raise NotFound(gettext(
        "%(page)s records no run %(number)s; older runs are in its history", page=task.reference,
        number=number))


def _first_name(touched: Touched) -> Reference:
    """The page's name before the run."""
    return touched.origin if touched.origin and touched.after else touched.reference


def same_page(one: Document, other: Document) -> bool:
    """Whether they hold the same, whoever saved them."""
    return all(getattr(one, name) == getattr(other, name) for name in _CONTENT)


def _pages(number: int) -> str:
    return "1 page" if number == 1 else f"{number} pages"
