"""``<<user/>>``: who somebody is."""

from markupsafe import Markup

from wiki.model import GUEST
from wiki.references import Reference
from wiki.rendering.macros import MacroContext, macro

USERS = Reference(("Users",), "WebHome")


@macro("user", inline=True)
def user(context: MacroContext, name: str = "") -> Markup:
    """Show a user's name, with a link to the user's page.

    `name` is the user, `Jo` or `Users.Jo` (default: the reader).

    Examples:
        <<user name="Admin"/>>
        ---
        You are <<user/>>.
    """
    wanted = name.strip() or context.user
    reference = Reference.parse(wanted, USERS)
    if str(reference) == GUEST:
        return Markup("a guest")
    if not context.exists(reference):
        return context.link(reference, reference.name)
    return context.link(reference, context.wiki.get(reference).record.title or reference.name)
