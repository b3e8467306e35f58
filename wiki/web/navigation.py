"""The tree of pages: in the sidebar of every page as far as it is open there, and ``/tree``, which
gives each further branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, get_template_attribute, render_template, request, url_for

from wiki.model import GUEST, Document
from wiki.references import HOME, Reference
from wiki.store.base import Leaf
from wiki.translate import gettext
from wiki.web.context import page_url, reader
from wiki.web.session import current_user

blueprint = Blueprint("navigation", __name__)
#: The page that stands for the whole wiki: what is below it is the outermost part of the tree.
MAIN = Reference(("Main",), HOME)
#: How many pages of a branch are shown at once.
SIZE = 50


@dataclass(frozen=True, slots=True)
class Branch:
    """Pages right below ``parent`` (None: the outermost ones); ``following`` is where the rest
    begins, 0 where this is all."""

    parent: Reference | None
    twigs: Sequence[Twig]
    following: int = 0


@dataclass(frozen=True, slots=True)
class Twig:
    """A page of the tree; ``below`` is there where the tree is open at it."""

    leaf: Leaf
    current: bool = False
    below: Branch | None = None


@blueprint.get("/tree")
def tree() -> str:
    """The pages below one, or the outermost ones; ``part``: only the items of the list."""
    at = request.args.get("at", "").strip()
    parent = Reference.parse(at) if at else None
    start = min(max(request.args.get("start", 0, int), 0), 1_000_000)
    branch = _branch(parent, start)
    if "part" in request.args:
        return str(get_template_attribute("navigation.html", "items")(branch))
    return render_template("tree.html", title=(
        gettext("Pages below %(parent)s", parent=parent) if parent else gettext("Pages")),
                           branch=branch)


def places() -> list[tuple[str, str]]:
    """What the sidebar leads to besides the tree: labels and addresses."""
    listed = [(gettext("Tasks"), page_url("TaskExecutorCode.WebHome")),
              (gettext("Recent changes"), url_for("recent.changes")),
              (gettext("All pages"), url_for("search.index"))]
    if current_user() != GUEST:
        listed.append((gettext("Recycle bin"), url_for("bin.listed")))
    return [*listed, (gettext("Help"), page_url("Help.WebHome"))]


def open_tree(document: Document | None, above: Sequence[Leaf]) -> Branch:
    """The tree, open down to the page, which lies under those ``above`` (the breadcrumbs)."""
    if document is None:
        return _branch(None, 0)
    shown = Leaf(document.reference, document.display_title)
    return _opened(None, [leaf for leaf in above if leaf.reference != MAIN], shown)


def _opened(parent: Reference | None, way: Sequence[Leaf], shown: Leaf) -> Branch:
    """A branch with the next page of the way to the one that is shown opened in it."""
    branch = _branch(parent, 0)
    target = way[0] if way else shown
    twigs = [_twig(twig.leaf, way, shown) if twig.leaf.reference == target.reference else twig
             for twig in branch.twigs]
    if twigs == list(branch.twigs) and target.reference != MAIN:
        twigs.append(_twig(target, way, shown))  # hidden, or further down in the list
    return Branch(parent, twigs, branch.following)


def _twig(leaf: Leaf, way: Sequence[Leaf], shown: Leaf) -> Twig:
    if way:
        return Twig(leaf, False, _opened(leaf.reference, way[1:], shown))
    return Twig(leaf, True, _branch(leaf.reference, 0) if leaf.more else None)


def _branch(parent: Reference | None, start: int) -> Branch:
    leaves = reader().branch(parent, SIZE + 1, start)
    if parent is None and not start:
        leaves = [*reader().branch(MAIN), *(leaf for leaf in leaves if leaf.reference != MAIN)]
    more = sum(leaf.there for leaf in leaves) > SIZE and parent is not None
    return Branch(parent, [Twig(leaf) for leaf in (leaves[:-1] if more else leaves)],
                  start + SIZE if more else 0)
