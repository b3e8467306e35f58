"""``<<jinja>>``: a script in a page."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("jinja", body="raw")
def jinja(context: MacroContext, body: str) -> Markup:
    """Run Jinja2 and show what it puts out: Markdown with macros.

    Runs only if the author of the text holds the script right. The script sees `wiki`, `doc`,
    `request.args` and `user`; each `{{ value }}` is shown as it is, never as Markdown or macro.

    Examples:
        <<jinja>>
        {% for number in range(1, 4) %}
        - {{ number }} × {{ number }} is **{{ number * number }}**
        {% endfor %}
        <</jinja>>
    """
    return context.engine.render_script(context, body)
