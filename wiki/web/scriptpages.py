"""The script on a page: where it is, and what is wrong with it."""

from __future__ import annotations

from flask import flash

from wiki.errors import NotFound
from wiki.model import Document, Object
from wiki.references import Reference
from wiki.tasks.names import EXECUTOR_CLASS, MODULE_CLASS
from wiki.tasks.scriptcheck import Problem, problems
from wiki.translate import gettext

#: The classes whose property ``script`` the editor shows.
SCRIPT_CLASSES = (EXECUTOR_CLASS, MODULE_CLASS)


def script_object(document: Document) -> Object:
    """The first object with a script; raises NotFound where the page has none."""
    for class_name in SCRIPT_CLASSES:
        if (obj := document.object(class_name)) is not None:
            return obj
    raise NotFound(gettext(
        "%(page)s has no script: it has no object of %(names)s", page=document.reference,
        names=gettext(" or ").join(SCRIPT_CLASSES)))


def problems_of(obj: Object, page: Reference, script: str | None = None) -> list[Problem]:
    """What is wrong with the object's script, or with another text in its place."""
    text = str(obj.values.get("script") or "") if script is None else script
    return problems(text, str(page), str(obj.values.get("requirements") or ""),
                    module=obj.class_name == MODULE_CLASS)


def warn_of_scripts(document: Document) -> None:
    """Tell who just saved the page which of its scripts cannot run."""
    for obj in document.objects:
        if obj.class_name in SCRIPT_CLASSES and obj.values.get("script"):
            errors = [str(item) for item in problems_of(obj, document.reference)
                      if item.level == "error"]
            if errors:
                flash(gettext("The script of %(page)s cannot run, %(errors)s. Tasks of it "
                              "wait until that is mended.", page=document.reference,
                              errors=errors[0]), "warning")
