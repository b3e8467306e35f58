"""``<<macros/>>``: the help of all macros."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, MacroSpec, macro


@macro("macros")
def macros(context: MacroContext) -> Markup:
    """List every macro with its parameters and its help."""
    return Markup('<div class="macro-help">{}</div>').format(
        Markup("").join(_entry(context, spec) for spec in context.engine.registry))


def _entry(context: MacroContext, spec: MacroSpec) -> Markup:
    return Markup('<section><h3 id="macro-{}">{}</h3><p><code>{}</code></p>{}</section>').format(
        spec.name, spec.name, _usage(spec), context.render(spec.help.replace("<<", "~<<")))


def _usage(spec: MacroSpec) -> str:
    params = "".join(
        f" {item.name}" + ("" if item.required else f'="{_shown(item.default)}"')
        for item in spec.parameters)
    if spec.body == "none":
        return f"<<{spec.name}{params}/>>"
    return f"<<{spec.name}{params}>>...<</{spec.name}>>"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
