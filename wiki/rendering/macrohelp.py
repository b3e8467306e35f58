"""A macro's help, taken apart: what it does, and what each parameter is for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup

from wiki.rendering.macros import MacroSpec
from wiki.translate import gettext

_SENTENCE_END = re.compile(r"(?<=[.;:])\s+(?=`)")
_TABLE = Markup("""\
<div class="scroll" tabindex="0" role="group" aria-label="{}">
<table class="macro-parameters">
<thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead>
<tbody>
{}</tbody></table></div>
""")
_ROW = Markup("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>\n")
_EXAMPLE = Markup("""\
<div class="macro-example"><pre><code>{}</code></pre>
<div class="macro-output" role="group" aria-label="{}">{}</div></div>
""")
_NAME = r"`[A-Za-z_][\w-]*(?:=[^`]*)?`"
_SUBJECT = re.compile(r"`([A-Za-z_][\w-]*)")


@dataclass(frozen=True, slots=True)
class Explained:
    """``text`` is Markdown, without what it says of parameters; that is in ``parameters``, by
    name, also Markdown."""

    text: str
    parameters: dict[str, str] = field(default_factory=dict)


def explain(spec: MacroSpec) -> Explained:
    """Take a docstring apart at the sentences that begin with a parameter's name in
    backquotes: "`times` is how often.", or with several: "`from` and `to` are …"."""
    names = {parameter.name for parameter in spec.parameters}
    told = {parameter.name: [parameter.help] for parameter in spec.parameters if parameter.help}
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", spec.told):
        first, *more = _SENTENCE_END.split(paragraph)
        rest: list[str] = []
        places = [rest]
        for sentence in (first, *more):
            if subjects := [name for name in _subjects(sentence) if name in names]:
                places = [told.setdefault(name, []) for name in subjects]
            for place in places:
                place.append(" ".join(sentence.split()) if place is not rest else sentence)
        paragraphs.append(" ".join(rest))
    return Explained("\n\n".join(filter(None, paragraphs)),
                     {name: _sentence(" ".join(parts)) for name, parts in told.items()})


def _subjects(sentence: str) -> list[str]:
    """The names in backquotes that the sentence begins with: "`width` and `height` are …"."""
    both = gettext("and")
    first = re.match(rf"{_NAME}(?:(?:,\s+|\s+{both}\s+){_NAME})*", sentence)
    return _SUBJECT.findall(first[0]) if first else []


def _sentence(text: str) -> str:
    """It stands by itself, so it ends in a full stop."""
    return text[:-1] + "." if text.endswith((";", ":")) else text


def usage(spec: MacroSpec) -> str:
    """How it is written: what must be given, and a body where it takes one."""
    params = "".join(f' {item.name}="…"' for item in spec.parameters if item.required)
    more = " …" if any(not item.required for item in spec.parameters) else ""
    if spec.body == "none":
        return f"<<{spec.name}{params}{more}/>>"
    closed = f"<<{spec.name}{params}{more}>>…<</{spec.name}>>"
    return closed if spec.body_required else (
        f"{closed} {gettext(' or ')} <<{spec.name}{params}{more}/>>")


def default_text(value: object) -> str:
    """A default as it would be written."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def parameter_table(label: str, rows: Iterable[tuple[str, str, Markup | str, Markup | str]],
                    ) -> Markup:
    """The parameters as a table called ``label``: name, what it takes, default, what for."""
    return _TABLE.format(label, gettext("Parameter"), gettext("Takes"), gettext("Default"),
                         gettext("What for"), Markup("").join(_ROW.format(*row) for row in rows))


def example_box(source: str, shown: Markup) -> Markup:
    """An example's markup beside what it shows."""
    return _EXAMPLE.format(source, gettext("What it shows"), shown)
