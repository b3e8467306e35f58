"""``<<image/>>``: an attached picture."""

from typing import Literal

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.rendering.attached import attachment, is_picture, shown_page
from wiki.rendering.links import attachment_url, safe_address
from wiki.rendering.macros import MacroContext, macro

#: The largest width and height, pixels.
LARGEST = 10_000


@macro("image")
def image(context: MacroContext, file: str, page: str = "", width: int = 0, height: int = 0,
          align: Literal["", "left", "center", "right"] = "", caption: str = "", alt: str = "",
          link: str = "") -> Markup:
    """Show a picture that is attached to this page, or to another `page`.

    `file` is its name; `width` and `height` its size in pixels (with one of them, the other
    follows); `align` puts it to the `left` or `right` of the text, or in the `center`; `caption`
    stands below it; `alt` says what it shows to who does not see it (default: the caption);
    `link` is where it leads: a page, an address, or `attach:file`.

    Examples:
        <<image file="mill.png" page="Help.Files" width="96" caption="A mill" link="Help.WebHome"/>>
    """
    record = attachment(context, file, page).record
    if not is_picture(record):
        raise MacroError(f"{file} is no picture ({record.mimetype})")
    sizes = [Markup(' {}="{}"').format(name, _checked(name, size))
             for name, size in (("width", width), ("height", height)) if size]
    html = Markup('<img src="{}" alt="{}"{} loading="lazy">').format(
        attachment_url(shown_page(context, page).record.reference, file),
        alt or caption or file, Markup("").join(sizes))
    if link:
        target = safe_address(link, context.source.reference, context.exists)
        html = Markup('<a href="{}">{}</a>').format(target, html)
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    kind = f"image align-{align}" if align else "image"
    return Markup('<figure class="{}">{}{}</figure>').format(kind, html, below)


def _checked(name: str, value: int) -> int:
    if not 0 <= value <= LARGEST:
        raise MacroError(f"{name}: {value} is not between 1 and {LARGEST}")
    return value
