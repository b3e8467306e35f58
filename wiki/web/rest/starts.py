"""``/executors`` and ``/tasks/{ref}/run``: making tasks, and running them again."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from flask import Response, jsonify, request, url_for
from werkzeug.exceptions import BadRequest

from wiki import classes
from wiki.errors import InvalidValue
from wiki.tasks.starting import Starter
from wiki.web.rest import body, json, tasks
from wiki.web.rest.context import site, user
from wiki.web.rest.routes import Operation

#: How a form says true and false.
FLAGS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
AGAIN = {"params", "dry_run", "ready"}


def run_executor(ref: str) -> Response:
    """Make a task of the executor, and let it run."""
    given = read(AGAIN | {"name", "title"})
    made = starter().start(user(), ref, params(given), files(), name=json.text(given, "name"),
                           title=json.text(given, "title"), dry_run=json.flag(given, "dry_run"),
                           ready=ready(given))
    response = jsonify(tasks.get_task(str(made)))
    response.status_code = 201
    response.headers["Location"] = url_for("rest.get_task", ref=str(made))
    return response


def run_task(ref: str) -> dict[str, Any]:
    """Let the task run once more, with the parameters that the body changes."""
    given = read(AGAIN)
    done = starter().again(user(), ref, params(given), files(),
                           dry_run=json.flag(given, "dry_run"), ready=ready(given))
    return tasks.get_task(str(done))


def get_parameters(ref: str) -> dict[str, Any]:
    """What a task of the executor is asked for, and the values that it has unless told."""
    asked = starter().parameters(starter().look_up(user(), ref))
    if asked is None:
        return {"class": None, "properties": [], "values": {}}
    return {"class": asked.class_name,
            "properties": classes.definition_to_dicts(asked.definition),
            "values": classes.visible(asked.values)}


def starter() -> Starter:
    return site().starter


def read(allowed: set[str]) -> dict[str, Any]:
    """The body: JSON, or a form whose ``params`` are JSON. Raises BadRequest, InvalidDocument or
    InvalidValue."""
    if request.mimetype != "multipart/form-data":
        given = body.read_object(optional=True)
    else:
        given = {name: _from_form(name, text) for name, text in request.form.items()}
    json.check_names(given, allowed)
    return given


def _from_form(name: str, text: str) -> Any:
    if name == "params":
        return body.parse(text.encode())
    if name in ("dry_run", "ready"):
        return FLAGS.get(text.lower(), text)
    return text


def params(given: dict[str, Any]) -> dict[str, Any]:
    """Values by property; raises InvalidValue."""
    values = given.get("params", {})
    if not isinstance(values, dict):
        raise InvalidValue("params", values, "an object: {name: value}")
    return json.properties({"properties": values})


def ready(given: dict[str, Any]) -> bool:
    return json.flag({"ready": True, **given}, "ready")


def files() -> list[tuple[str, BinaryIO]]:
    """The files of a form; raises BadRequest for one in another field, which would be lost."""
    wrong = next((name for name in request.files if name != "file"), None)
    if wrong is not None:
        raise BadRequest(f"There is no field {wrong[:80]!r} for files; send each as 'file'.")
    return [(file.filename, cast(BinaryIO, file.stream))
            for file in request.files.getlist("file") if file.filename]


OPERATIONS = (
    Operation("POST", "/executors/<ref>/run", run_executor, "Make a task, and let it run",
              body="Start", answer="Task", statuses=(201,), files=True, answering=("Location",)),
    Operation("GET", "/executors/<ref>/parameters", get_parameters,
              "What a task of the executor is asked for", answer="Parameters"),
    Operation("POST", "/tasks/<ref>/run", run_task, "Let a task run once more", body="StartAgain",
              answer="Task", files=True),
)
