"""``<<attachments/>>``: the files on a page."""

from markupsafe import Markup

from wiki.rendering.links import attachment_url
from wiki.rendering.macros import MacroContext, macro


@macro("attachments")
def attachments(context: MacroContext, page: str = "") -> Markup:
    """List the files attached to this page, or to another `page`, with links and sizes."""
    document = context.wiki.get(context.reference(page)).record if page else context.document
    if not document.attachments:
        return Markup('<p class="empty">There are no attachments.</p>')
    items = [Markup('<li><a href="{}">{}</a> <small>{}</small></li>').format(
                 attachment_url(document.reference, item.filename), item.filename,
                 _size(item.size))
             for item in document.attachments]
    return Markup('<ul class="attachments">{}</ul>').format(Markup("").join(items))


def _size(size: int) -> str:
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
