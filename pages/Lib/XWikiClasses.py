"""The classes of XWiki, and the values of their objects, as ours."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from wiki.model import Property

#: Class of the property in XWiki -> ours.
TYPES = {"String": "String", "TextArea": "TextArea", "Number": "Number", "Boolean": "Boolean",
         "Date": "Date", "StaticList": "StaticList", "Page": "Page", "Users": "User",
         "Email": "Email"}
#: What has no equal, and no business in another wiki.
LEFT_OUT = ("Password", "ComputedField")
#: How dates stand in an archive.
DATES = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d",
         "%d/%m/%Y")
#: Names that no property has, since the wiki's own functions have parameters of these names.
RESERVED = ("self", "class_name")


@dataclass
class Definition:
    """A class as the archive has it."""

    name: str = ""
    #: Property -> what the archive says of it.
    properties: dict = field(default_factory=dict)


def kind_of(spec):
    """The type of a property in XWiki, such as `StaticList`."""
    return spec.get("classType", "").rpartition(".")[2].removesuffix("Class")


def property_name(name):
    """The name as one that ours may have."""
    cleaned = re.sub(r"_{2,}", "_", re.sub(r"\W", "_", name)) or "_"
    if not cleaned.isidentifier() or cleaned in RESERVED:
        cleaned = "p_" + cleaned.lstrip("_")
    return cleaned[:60]


def properties(definition):
    """The properties of a class in their order, as ours."""
    specs = sorted(definition.properties.items(), key=lambda pair: whole(pair[1].get("number")))
    found = {}
    for name, spec in specs:
        if kind_of(spec) not in LEFT_OUT:
            prop = property_of(property_name(name), spec)
            found.setdefault(prop.name, prop)
    return list(found.values())


def property_of(name, spec):
    kind = TYPES.get(kind_of(spec), "String")
    options = {}
    if kind == "StaticList":
        options["values"] = list_values(spec)
        if not options["values"]:
            kind, options = "String", {}
    if kind in ("StaticList", "Page", "User") and is_true(spec.get("multiSelect")):
        options["multiple"] = True
    elif kind == "Number" and spec.get("numberType", "") in ("integer", "long"):
        options["integer"] = True
    elif kind == "Date":
        options["time"] = "H" in spec.get("dateFormat", "H") or "h" in spec.get("dateFormat", "")
    elif kind == "TextArea":
        options["kind"] = text_kind(spec)
    return Property(name, kind, spec.get("prettyName", "").strip(),
                    spec.get("hint", "").strip(), options=options)


def text_kind(spec):
    content = spec.get("contenttype", "")
    if content.startswith("Velocity"):
        return "code"
    return "text" if content == "PureText" or spec.get("editor") == "PureText" else "markdown"


def list_values(spec):
    """`a=Label|b|c` as the values a, b, c."""
    values = (value.partition("=")[0].strip() for value in
              re.split(r"(?<!\\)\|", spec.get("values", "")))
    return list(dict.fromkeys(value.replace("\\|", "/") for value in values if value))


def value_of(texts, prop, spec):
    """The value of a property, whose texts the archive has; None for none."""
    text = texts[0] if texts else ""
    if prop.type == "Boolean":
        return None if not text.strip() else is_true(text)
    if prop.type == "Number":
        return number(text)
    if prop.type == "Date":
        return date(text, bool(prop.options.get("time")))
    if prop.type in ("StaticList", "Page", "User") or kind_of(spec) not in (
            "String", "TextArea", "Email"):
        return listed(texts, prop)
    return text or None


def listed(texts, prop):
    values = texts if len(texts) != 1 else re.split(r"[|,](?!\s)", texts[0])
    values = [value.strip() for value in values if value.strip()]
    if prop.type == "User":
        values = ["Users." + value.rpartition(".")[2] for value in values]
    if prop.options.get("multiple"):
        return values
    if prop.type == "String":
        return ", ".join(values) or None
    return (texts[0].strip() if texts else "") and values[0] if values else None


def number(text):
    text = text.strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text  # refused by the property, with its reason


def date(text, time):
    text = text.strip()
    for form in DATES:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return moment.isoformat().replace("+00:00", "Z") if time else moment.date().isoformat()
    return text or None


def is_true(text):
    return (text or "").strip().lower() in ("1", "true", "yes")


def whole(text):
    text = (text or "").strip()
    return int(text) if text.isdecimal() else 0
