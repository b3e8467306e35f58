"""What operations belong together: the tags of the OpenAPI document. A group is what the
modules that it names declare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wiki.web.rest.routes import Operation


@dataclass(frozen=True, slots=True)
class Group:
    """A tag: its title, what it is about, and the modules of :mod:`wiki.web.rest` in it."""

    title: str
    description: str
    modules: tuple[str, ...]


GROUPS = (
    Group("Pages", "Read, create, change and delete pages; their history.", ("pages",)),
    Group("Objects", "The typed objects that pages carry.", ("objects",)),
    Group("Attachments", "The files on pages, with their versions.", ("attachments",)),
    Group("Finding", "Query objects, search the full text, complete titles.", ("query",)),
    Group("Browsing", "What changed last, spaces, tags, the tree of pages.", ("browsing",)),
    Group("Moving", "Move and copy pages and spaces; what leads where.", ("moving",)),
    Group("Recycle bin", "Deleted pages, which can be brought back.", ("bin",)),
    Group("Comments", "Threads of comments on pages.", ("comments",)),
    Group("Watching", "What you watch, and your notifications.", ("watching",)),
    Group("Tasks", "Tasks and their manager: start, suspend, cancel.", ("tasks",)),
    Group("Executors", "Make tasks of executors; check scripts.", ("starts", "checks")),
    Group("Runs", "What the runs of a task did, and taking them back.", ("runs",)),
    Group("Logs", "Read, follow, download and archive logs.", ("logs", "livelogs")),
    Group("Jobs", "Jobs of the scheduler.", ("jobs",)),
    Group("Macros", "What a page's text can use.", ("macros",)),
    Group("Tokens", "Your own API tokens.", ("tokens",)),
    Group("The API", "The API itself.", ("rest",)),
)
_BY_MODULE = {module: group.title for group in GROUPS for module in group.modules}


def tag(operation: Operation) -> str:
    """The title of the group that the operation is in; its module's name where there is none."""
    module = operation.view.__module__.rpartition(".")[2]
    return _BY_MODULE.get(module, module.capitalize())


def tags(operations: Iterable[Operation]) -> list[dict[str, str]]:
    """The groups that have an operation, as OpenAPI lists them."""
    used = {tag(operation) for operation in operations}
    return [{"name": group.title, "description": group.description}
            for group in GROUPS if group.title in used]
