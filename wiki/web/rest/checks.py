"""``/executors/check``: what is wrong with a script, before it is saved."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wiki.api import MAX_CONTENT
from wiki.errors import InvalidValue
from wiki.rights import Right
from wiki.tasks.scriptcheck import problems
from wiki.web.rest import body, json
from wiki.web.rest.context import wiki
from wiki.web.rest.routes import Operation


def check_script() -> dict[str, Any]:
    """What keeps the script from running, and what looks wrong; it is not run."""
    wiki().require(Right.EDIT)
    given = body.read_object()
    json.check_names(given, {"script", "requirements", "module"})
    script = json.text(given, "script")
    if len(script) > MAX_CONTENT:
        raise InvalidValue("script", f"{len(script)} characters", f"at most {MAX_CONTENT}")
    found = problems(script, "script", json.text(given, "requirements"),
                     module=json.flag(given, "module"))
    return {"problems": [asdict(problem) for problem in found]}


OPERATIONS = (
    Operation("POST", "/executors/check", check_script, "What is wrong with a script",
              body="Script", answer="ScriptProblems"),
)
