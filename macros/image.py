"""``<<image/>>``: an attached picture."""

from typing import Literal

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.language.links import attachment_url, safe_address
from wiki.rendering.attached import attachment, is_picture, shown_page
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.translate import gettext

#: The largest width and height, pixels.
LARGEST = 10_000


@macro("image", inline=True)
def image(context: MacroContext, file: str, page: PageName = "", width: int = 0, height: int = 0,
          align: Literal["", "left", "center", "right"] = "", caption: str = "", alt: str = "",
          link: str = "") -> Markup:
    """Show a picture that is attached to this page, or to another.

    `file` is its name; `page` is the page that it is on (default: this one); `width` and
    `height` are its size in pixels (with one of them, the other
    follows); `align` puts it to the `left` or `right` of the text, or in the `center`; `caption`
    stands below it; `alt` says what it shows to who does not see it (default: the caption);
    `link` is where it leads: a page, an address, or `attach:file`. Within a line it is as a word
    of it, unless it has a caption or a place.

    Examples:
        <<image file="mill.png" page="Help.Files" width="96" caption="A mill" link="Help.WebHome"/>>
        ---
        A mill <<image file="mill.png" page="Help.Files" height="24"/>> in a line.
    """
    record = attachment(context, file, page).record
    if not is_picture(record):
        raise BadValue("file", gettext(
            "%(file)s is no picture (%(mimetype)s)", file=file, mimetype=record.mimetype))
    sizes = [Markup(' {}="{}"').format(name, _checked(name, size))
             for name, size in (("width", width), ("height", height)) if size]
    html = Markup('<img src="{}" alt="{}"{} loading="lazy">').format(
        attachment_url(shown_page(context, page).record.reference, file),
        alt or caption or file, Markup("").join(sizes))
    if link:
        target = safe_address(link, context.source.reference, context.exists)
        html = Markup('<a href="{}">{}</a>').format(target, html)
    if context.inline and not caption and not align:
        return html
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    kind = f"image align-{align}" if align else "image"
    return Markup('<figure class="{}">{}{}</figure>').format(kind, html, below)


def _checked(name: str, value: int) -> int:
    if not 0 <= value <= LARGEST:
        raise BadValue(name, gettext(
            "%(value)s is not between 1 and %(most)s", value=value, most=LARGEST))
    return value
