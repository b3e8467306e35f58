"""``<<info>>``, ``<<success>>``, ``<<warning>>``, ``<<error>>``: boxes that catch the eye."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("info", body="rendered")
def info(context: MacroContext, body: Markup, title: str = "") -> Markup:
    """Show a note. `title` stands above it.

    Examples:
        <<info title="Good to know">>Each task has a *log*.<</info>>
    """
    return _message("info", body, title)


@macro("success", body="rendered")
def success(context: MacroContext, body: Markup, title: str = "") -> Markup:
    """Show good news. `title` stands above it.

    Examples:
        <<success>>All 249 countries are there.<</success>>
    """
    return _message("success", body, title)


@macro("warning", body="rendered")
def warning(context: MacroContext, body: Markup, title: str = "") -> Markup:
    """Show a warning. `title` stands above it.

    Examples:
        <<warning>>The file is two years old.<</warning>>
    """
    return _message("warning", body, title)


@macro("error", body="rendered")
def error(context: MacroContext, body: Markup, title: str = "") -> Markup:
    """Show bad news. `title` stands above it.

    Examples:
        <<error title="Closed">>The archive takes no more files.<</error>>
    """
    return _message("error", body, title)


def _message(kind: str, body: Markup, title: str) -> Markup:
    head = Markup('<p class="box-title"><strong>{}</strong></p>').format(title) if title else ""
    return Markup('<div class="box {}" role="note">{}{}</div>').format(kind, head, body)
