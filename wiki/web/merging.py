"""Bringing together what two people made of one version of a page; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from wiki.model import Document

#: Past this many lines, comparing would take too long; the whole texts clash then.
MAX_LINES = 20_000
#: The fields of one value that the editor changes.
VALUES = ("title", "parent", "hidden")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text: what both agree on, or in a clash what each has in its place."""

    mine: str
    theirs: str

    @property
    def clash(self) -> bool:
        return self.mine != self.theirs


@dataclass(frozen=True, slots=True)
class Merge:
    """Theirs with my changes, and with the files that I add. ``fields`` names those that both
    changed, where the document has mine; ``pieces`` are the content's, and in its clashes the
    document has mine too."""

    document: Document
    fields: tuple[str, ...]
    pieces: tuple[Piece, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is left to decide."""
        return not self.fields and not any(piece.clash for piece in self.pieces)


def merge(base: Document, mine: Document, theirs: Document) -> Merge:
    """Both changes since ``base``."""
    changed: dict[str, object] = {}
    clashes = []
    for field in VALUES:
        old, ours, other = (getattr(page, field) for page in (base, mine, theirs))
        changed[field] = other if ours == old else ours
        if ours != old and other not in (old, ours):
            clashes.append(field)
    pieces = tuple(merge_text(base.content, mine.content, theirs.content))
    content = "".join(piece.mine for piece in pieces)
    merged = replace(theirs, **changed, content=content,  # type: ignore[arg-type]
                     tags=merge_tags(base.tags, mine.tags, theirs.tags))
    for file in mine.attachments:
        if file not in base.attachments:
            merged = merged.with_attachment(file)
    return Merge(merged, tuple(clashes), pieces)


def merge_tags(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """Theirs, with what I added and without what I removed."""
    kept = [tag for tag in theirs if tag in mine or tag not in base]
    return tuple(dict.fromkeys([*kept, *(tag for tag in mine if tag not in base)]))


def merge_text(base: str, mine: str, theirs: str) -> Iterator[Piece]:
    """The pieces of the merged text, in order: a line that only one changed is theirs or mine."""
    if mine == base or theirs in (base, mine):
        agreed = theirs if mine == base else mine
        yield Piece(agreed, agreed)
        return
    old, ours, other = (text.splitlines(keepends=True) for text in (base, mine, theirs))
    start, my_start, their_start = 0, 0, 0
    for place, my_place, their_place, size in [*_common(old, ours, other),
                                               (len(old), len(ours), len(other), 0)]:
        yield from _between(old[start:place], ours[my_start:my_place],
                            other[their_start:their_place])
        start, my_start, their_start = place + size, my_place + size, their_place + size
        if size:
            same = "".join(old[place:start])
            yield Piece(same, same)


def _between(old: list[str], mine: list[str], theirs: list[str]) -> Iterator[Piece]:
    """The piece between two stretches that nobody changed."""
    if mine == old or theirs in (old, mine):
        mine = theirs = theirs if mine == old else mine
    if mine or theirs:
        yield Piece("".join(mine), "".join(theirs))


def _common(old: list[str], mine: list[str],
            theirs: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """The stretches that are in all three: their places, and how many lines they have."""
    if len(old) + len(mine) + len(theirs) > MAX_LINES:
        return
    ours, others = (SequenceMatcher(None, old, side, autojunk=False).get_matching_blocks()
                    for side in (mine, theirs))
    one = two = 0
    while one < len(ours) and two < len(others):
        my, their = ours[one], others[two]
        start, end = max(my.a, their.a), min(my.a + my.size, their.a + their.size)
        if start < end:
            yield start, my.b + start - my.a, their.b + start - their.a, end - start
        if my.a + my.size < their.a + their.size:
            one += 1
        else:
            two += 1


def resolved(pieces: Sequence[Piece], choices: Mapping[str, str]) -> str:
    """The text as somebody decided: ``choice-1`` is ``mine``, ``theirs``, ``both`` or ``own``
    (then the text is ``own-1``) for the first clash, and so on; mine where nothing is said."""
    parts, number = [], 0
    for piece in pieces:
        number += piece.clash
        choice = choices.get(f"choice-{number}", "mine") if piece.clash else "mine"
        if choice == "own":
            parts.append(_ended(choices.get(f"own-{number}", "").replace("\r\n", "\n")))
        elif choice == "both":
            parts.append(_ended(piece.mine) + piece.theirs)
        else:
            parts.append(piece.theirs if choice == "theirs" else piece.mine)
    return "".join(parts)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
