"""What a row of the API's table is: one operation, from which its route, the check of its
parameters and its part of the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response

View = Callable[..., "dict[str, Any] | Response"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    ``rule`` is Flask's, below ``/api/v1``; ``query`` names the parameters that it takes
    (:data:`wiki.web.rest.schemas.PARAMETERS`); ``body`` and ``answer`` name a schema, or are
    a kind of :data:`wiki.web.rest.schemas.MEDIA`; ``statuses`` are those of success.
    :attr:`failures` are all others that it gives.
    """

    method: str
    rule: str
    view: View
    summary: str
    query: tuple[str, ...] = ()
    body: str = ""
    answer: str = ""
    statuses: tuple[int, ...] = (200,)
    #: Those of ``query`` that it cannot do without.
    required: tuple[str, ...] = ()
    #: Any other parameter is the operation's own to judge.
    open_query: bool = False
    #: It takes If-Match and If-None-Match.
    conditional: bool = False
    #: The body may also be a form (multipart/form-data) of the same fields, with files in it.
    files: bool = False
    #: Headers that it takes beside those (:data:`wiki.web.rest.schemas.ASKING`).
    asking: tuple[str, ...] = ()
    #: Headers of what it answers (:data:`wiki.web.rest.schemas.ANSWERING`).
    answering: tuple[str, ...] = ()
    #: Statuses of errors that its other fields do not tell of.
    errors: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The endpoint, and the OpenAPI document's operationId."""
        return self.view.__name__

    @property
    def takes_json(self) -> bool:
        """The body is JSON, and no file's bytes."""
        return self.body not in ("", "bytes")

    @property
    def failures(self) -> tuple[int, ...]:
        """The statuses that it answers when it does not do what was asked: of any call (bad
        parameters, wrong credentials, no right), then those that what it takes brings along."""
        made = {400, 401, 403, *self.errors}
        if "<" in self.rule:
            made.add(404)
        if self.method != "GET":
            made.add(409)
        if self.body:
            made |= {413, 415} if self.takes_json else {413}
        if self.conditional:
            made |= {304, 412} if self.method == "GET" else {412}
        return tuple(sorted(made))
