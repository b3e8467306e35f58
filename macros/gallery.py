"""``<<gallery/>>``: the pictures on a page."""

from fnmatch import fnmatch

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.language.links import attachment_url
from wiki.model import Attachment
from wiki.rendering.attached import is_picture, shown_page
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.thumbnails import SIZES, TYPES
from wiki.translate import gettext

NARROWEST, WIDEST = 40, 800
#: The most pictures that are shown.
MOST = 500


@macro("gallery")
def gallery(context: MacroContext, page: PageName = "", filter_: str = "", width: int = 200,
            names: bool = True, caption: str = "", limit: int = 100) -> Markup:
    """Show the pictures that are attached to this page, or to another, small; each leads to the
    picture in full.

    `page` is the other page; `filter` is a pattern of their names, such as `*.png`; `width` is how
    wide each is, in pixels; `names="false"` leaves out their names; `caption` stands below them
    all; `limit` is how many are shown.

    Examples:
        <<gallery page="Help.Files" width="96"/>>
    """
    if not NARROWEST <= width <= WIDEST:
        raise BadValue("width", gettext(
            "%(width)s is not between %(narrowest)s and %(most)s", width=width, narrowest=NARROWEST,
            most=WIDEST))
    document = shown_page(context, page).record
    found = [item for item in document.attachments if is_picture(item)
             and (not filter_ or fnmatch(item.filename, filter_))]
    if not found:
        return Markup('<p class="empty">{}</p>').format(
            gettext("There are no pictures."))
    shown = found[:max(1, min(limit, MOST))]
    items = [_item(attachment_url(document.reference, item.filename), item, width, names)
             for item in shown]
    more = (gettext("%(num)s more are not shown.", num=len(found) - len(shown))
            if len(found) > len(shown) else "")
    below = " ".join(part for part in (caption, more) if part)
    return Markup('<figure class="gallery"><ul>{}</ul>{}</figure>').format(
        Markup("").join(items),
        Markup("<figcaption>{}</figcaption>").format(below) if below else "")


def _item(url: str, item: Attachment, width: int, named: bool) -> Markup:
    name = item.filename
    below = Markup("<span>{}</span>").format(name) if named else ""
    return Markup('<li><a href="{}"><img src="{}" alt="{}" width="{}" loading="lazy">{}</a></li>'
                  ).format(url, url + _small(item, width), "" if named else name, width, below)


def _small(item: Attachment, width: int) -> str:
    """What asks for the picture's thumbnail, sharp on a dense screen; a GIF may move, and stays."""
    if item.mimetype not in TYPES or item.mimetype == "image/gif":
        return ""
    size = next((size for size in SIZES if size >= 2 * width), SIZES[-1])
    return f"?thumbnail={size}"
