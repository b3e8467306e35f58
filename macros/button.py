"""``<<button/>>``: something to do with a task."""

from typing import Literal

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro

_LABELS = {"ready": "Run", "suspend": "Suspend", "cancel": "Cancel"}


@macro("button", inline=True)
def button(context: MacroContext, action: Literal["ready", "suspend", "cancel"],
           task: str = "", label: str = "") -> Markup:
    """Show a button that sets a task READY, suspends it, or cancels its run.

    `action` is what it does; `task` is the task's page (default: this page); `label` is the
    text on it. Only readers who may edit the task see it.
    """
    target = context.reference(task) if task else context.document.reference
    if not context.exists(target) or not context.wiki.may("edit", context.wiki.get(target)):
        return Markup("")
    return Markup(
        '<form class="task-action" method="post" action="{}">'
        '<input type="hidden" name="form_token" value="{}">'
        '<button class="button {}" name="action" value="{}">{}</button></form>').format(
            context.url(target, "task"), context.form_token, action, action,
            label or _LABELS[action])
