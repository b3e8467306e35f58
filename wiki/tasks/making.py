"""Pages that a form makes: a copy of a template with the values that were typed; a task where the
template is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wiki.api import OpenDocument, Wiki
from wiki.errors import DocumentExists, TaskError
from wiki.references import Reference
from wiki.tasks.names import TASK_CLASS, Status
from wiki.tasks.signing import signer
from wiki.tasks.starting import Starter, copy_page
from wiki.translate import gettext

#: An object of it offers its page as a template for new ones.
TEMPLATE_CLASS = "Wiki.TemplateClass"


def make_page(wiki: Wiki, user: str, names: Iterable[Reference], title: str, class_name: str,
              values: Mapping[str, Any], template: str = "", ready: bool = False) -> Reference:
    """Make a page with an object of the class (or a plain copy of the template, where that is
    empty), as the user, under the first free name; returns it.

    ``ready`` sets the task that it is READY; a task is SUSPENDED otherwise. A template's text and
    scripts are signed as :mod:`wiki.tasks.signing` says.

    Raises AccessDenied, InvalidValue, InvalidDocument, DocumentNotFound, DocumentExists, or
    TaskError where it is to run and is no task.
    """
    source = wiki.as_user(user).get(template) if template else None
    writer = wiki.as_user(user, signer(source, user) if source else user)
    for name in names:
        if name in wiki:
            continue
        page = writer.new(name)
        copy_page(source, page)
        _no_template(page)
        page.title = title
        if class_name:
            _fill(page, class_name, values)
        _set_status(wiki, user, page, ready)
        try:
            return page.save(f"A new {class_name or 'page'}").record.reference
        except DocumentExists:  # somebody was faster
            continue
    raise DocumentExists(gettext("All names for the new page are taken; give it another title"))


def _no_template(page: OpenDocument) -> None:
    """What is made of a template is none, and lies where it is made."""
    templates = page.objects(TEMPLATE_CLASS)
    for obj in templates:
        page.remove_object(TEMPLATE_CLASS, obj.number)
    if templates:
        page.parent = str(page.reference.home)


def _fill(page: OpenDocument, class_name: str, values: Mapping[str, Any]) -> None:
    obj = page.object(class_name)
    if obj is None:
        page.add_object(class_name, **values)
    else:
        obj.update(**values)


def _set_status(wiki: Wiki, user: str, page: OpenDocument, ready: bool) -> None:
    """Let the task run if its executor lets the user; raises AccessDenied or TaskError."""
    obj = page.object(TASK_CLASS)
    if obj is None:
        if ready:
            raise TaskError(gettext('ready="true" needs a task: name a template that is one'))
        return
    if ready:
        Starter(wiki).executor_of(user, page)
    obj["status"] = (Status.READY if ready else Status.SUSPENDED).value
