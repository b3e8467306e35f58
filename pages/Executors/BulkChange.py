"""Change many pages: set, clear or rename a property, add or remove a tag.

The task's parameters are those of `Executors.BulkChangeParameters`.
"""

import re
from dataclasses import replace

from wiki.api import make_query
from wiki.classes import TYPES
from wiki.errors import (
    Conflict,
    InvalidDocument,
    InvalidReference,
    InvalidValue,
    QueryError,
    TaskFailed,
)
from wiki.model import Object
from wiki.references import HOME, Reference

CONDITION = re.compile(r"([A-Za-z_]\w*)\s*(<=|>=|!=|=|<|>|\s(?:contains|startswith)\s)\s*(.*)")
OPERATORS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
TAG_ACTIONS = ("addTag", "removeTag")


def run(logger, wiki, task):
    """What the task manager calls: the whole change."""
    change = Change(wiki, task.params)
    names = change.find()
    logger.info("%d pages fit", len(names))
    if change.action == "rename":
        change.rename_in_class(logger)
    changed = 0
    for item in task.items(names):
        with item:
            said = change.apply(item.value)
            if not said:
                item.skip("nothing to change")
            changed += 1
            logger.info("%s: %s", item.value, said)
    logger.info("%d pages %s changed", changed, "would be" if task.dry_run else "were")


class Change:
    """What is to be done, and with which pages."""

    def __init__(self, wiki, params):
        self.wiki = wiki
        self.action = params.get("action") or "set"
        self.space = params.get("space") or None
        self.class_name = params.get("targetClass") or None
        self.property = (params.get("property") or "").strip()
        self.value = (params.get("value") or "").strip()
        self.where = params.get("where") or ""
        self.definition = wiki.class_definition(self.class_name) if self.class_name else None
        self._check()

    def _check(self):
        if self.action not in TAG_ACTIONS:
            if self.definition is None:
                raise TaskFailed("targetClass: name the class of the property"
                                 if not self.class_name else
                                 f"targetClass: {self.class_name} defines no class")
            self._check_property()
        if self.action in (*TAG_ACTIONS, "rename") and not self.value:
            raise TaskFailed("value is empty: give the tag or the new name")
        if self.where and not self.class_name:
            raise TaskFailed("where: conditions need a class, in targetClass")
        if not (self.class_name or self.space):
            raise TaskFailed("name a class or a space, or all pages of the wiki would change")

    def _check_property(self):
        known = [prop.name for prop in self.definition.properties]
        if self.property in known:
            if self.definition.get(self.property).type == "Password":
                raise TaskFailed(f"{self.property} is a password, which only its user sets")
        elif self.action != "rename" or self.value not in known:
            raise TaskFailed(f"property: {self.class_name} has no property {self.property!r}; "
                             "it has " + ", ".join(known))

    # -- which pages

    def find(self):
        """The names of the pages that fit, before any is changed."""
        try:
            space = Reference.parse(f"{self.space}.{HOME}").space if self.space else None
            query = make_query(self.class_name, dict(self._conditions()), ("reference",), None, 0,
                               space)
            return [str(row.reference) for row in self.wiki.rows(replace(query, nested=True))]
        except (InvalidReference, QueryError) as error:
            raise TaskFailed(str(error)) from None

    def _conditions(self):
        for line in filter(None, map(str.strip, self.where.splitlines())):
            match = CONDITION.fullmatch(line)
            prop = match and self.definition and self.definition.get(match[1])
            if not prop:
                raise TaskFailed(f"where: {line!r} is not of the form: property = value, with a "
                                 "property of the class")
            word = match[2].strip()
            operator = OPERATORS.get(word, word)
            value = match[3]
            if operator not in ("contains", "startswith"):
                value = self._parsed(value, prop)
            yield f"{match[1]}__{operator}", value

    def _parsed(self, text, prop):
        try:
            value = TYPES[prop.type].parse(text, prop)
        except InvalidValue as error:
            raise TaskFailed(str(error)) from None
        return value[0] if isinstance(value, list) and value else value

    # -- what is done with them

    def apply(self, name):
        """Change the page; returns what was changed, as text, empty for nothing."""
        try:
            return self._apply(name)
        except Conflict:  # somebody saved it at the same moment: do it again on what they saved
            return self._apply(name)

    def _apply(self, name):
        page = self.wiki.get(name)
        said = self._change_tags(page) if self.action in TAG_ACTIONS else "; ".join(
            filter(None, [self._change_object(page, obj) for obj in page.objects(self.class_name)]))
        if said:
            page.save(comment=f"Changed with many others: {said}"[:250])
        return said

    def _change_tags(self, page):
        if (self.value in page.tags) == (self.action == "addTag"):
            return ""
        if self.action == "addTag":
            page.tags = (*page.tags, self.value)
            return f"tag + {self.value}"
        page.tags = tuple(tag for tag in page.tags if tag != self.value)
        return f"tag - {self.value}"

    def _change_object(self, page, obj):
        if self.action == "rename":
            return self._rename(page, obj)
        prop = self.definition.get(self.property)
        before = obj[self.property]
        value = TYPES[prop.type].parse(self.value, prop) if (
            self.action == "set" and self.value) else None
        if before == value:
            return ""
        obj[self.property] = value
        return f"{self.property}: {shown(before)} → {shown(value)}"

    def _rename(self, page, obj):
        """Move the value to the property's new name, in its place among the others."""
        record = page.record.object(obj.class_name, obj.number)
        if self.property not in record.values:
            return ""
        if record.values.get(self.value) not in (None, ""):
            raise InvalidDocument(f"{self.value} has a value already: "
                                  f"{shown(record.values[self.value])}")
        values = {self.value if key == self.property else key: value
                  for key, value in record.values.items() if key != self.value}
        page.record = page.record.with_object(Object(obj.class_name, obj.number, values))
        return f"{self.property} → {self.value}"

    def rename_in_class(self, logger):
        """Give the class the property's new name, where it has the old one only."""
        if self.definition.get(self.value) is not None:
            return
        if self.where or self.space:
            raise TaskFailed(f"{self.class_name} has no property {self.value!r}; without where and "
                             "space, the class's own is renamed")
        page = self.wiki.get(self.class_name)
        try:
            page.define_class(*(replace(prop, name=self.value) if prop.name == self.property
                                else prop for prop in self.definition.properties))
        except InvalidDocument as error:
            raise TaskFailed(str(error)) from None
        page.save(comment=f"Renamed the property {self.property} to {self.value}")
        self.definition = page.class_definition
        logger.info("%s: %s is called %s", self.class_name, self.property, self.value)


def shown(value):
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= 60 else text[:60] + "…"
