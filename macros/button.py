"""``<<button/>>``: something to do with a task."""

from typing import Literal

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, PageName, macro

_LABELS = {"ready": "Run", "suspend": "Suspend", "cancel": "Cancel…",
           "run": "Run with other parameters…", "duplicate": "Duplicate",
           "script": "Edit script", "try": "Try it…"}
#: What only leads to a form.
_DOORS = {"run": "run", "script": "script", "try": "script"}
_FORM = Markup(
    '<form class="task-action" method="post" action="{}">'
    '<input type="hidden" name="form_token" value="{}">'
    '<button class="button {}" name="action" value="{}">{}</button></form>')
_CONFIRM = Markup(
    '<details class="task-action confirm"><summary class="button {}">{}</summary>'
    '<div class="popup"><p>{}</p>{}</div></details>')
_CANCEL = "The run is asked to end. What it has done stays."


@macro("button", inline=True)
def button(context: MacroContext,
           action: Literal["ready", "suspend", "cancel", "run", "duplicate", "script", "try"],
           task: PageName = "", label: str = "", confirm: str = "") -> Markup:
    """Show a button that sets a task READY, suspends it, cancels its run, or copies it; or one
    that leads to a script's editor.

    `action` is what it does; `cancel` asks once more, `run` leads to the form with the task's
    parameters, `duplicate` makes a SUSPENDED copy; of an executor's page, `script` leads to its
    script, `try` to trying that. `task` is the page (default: this one); `label` is the text on
    it; `confirm` is what is asked before it is done. Only readers who may edit the page see it,
    `try` only who may script.

    Examples:
        <<button action="run" task="Tasks.ImportCountries"/>>
        <<button action="ready" task="Tasks.ImportCountries" label="Import"
          confirm="All countries are imported anew. Import them?"/>>
    """
    target = context.reference(task) if task else context.document.reference
    if not context.exists(target) or not context.wiki.may("edit", context.wiki.get(target)):
        return Markup("")
    if action == "try" and not context.wiki.may("script", context.wiki.get(target)):
        return Markup("")
    text = label or _LABELS[action]
    if action in _DOORS:
        return Markup('<a class="button task-action" href="{}{}">{}</a>').format(
            context.url(target, _DOORS[action]), "#try" if action == "try" else "", text)
    cancel = action == "cancel"
    door = "duplicate" if action == "duplicate" else "task"
    form = _FORM.format(context.url(target, door), context.form_token,
                        "danger" if cancel else "primary" if action == "ready" else action,
                        action, "Cancel the run" if cancel else text)
    question = confirm or (_CANCEL if cancel else "")
    return _CONFIRM.format("danger" if cancel else "", text, question, form) if question else form
