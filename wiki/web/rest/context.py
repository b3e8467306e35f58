"""Whose request this is, on which site."""

from __future__ import annotations

from typing import cast

from flask import current_app, g

from wiki.api import Wiki
from wiki.errors import AccessDenied
from wiki.model import GUEST
from wiki.site import Site


def site() -> Site:
    """The site that the app serves."""
    return cast(Site, current_app.extensions["wikimill"])


def user() -> str:
    """Who asks, as the authentication found (``Users.Admin``), or :data:`GUEST`."""
    return cast(str, g.get("rest_user", GUEST))


def wiki() -> Wiki:
    """The wiki through the eyes of who asks."""
    return site().wiki.as_user(user())


def caller(what: str) -> str:
    """Who asks, for what only a user does (``has API tokens``); raises AccessDenied for a
    guest."""
    if user() == GUEST:
        raise AccessDenied(f"Only a user {what}: send an API token (Bearer), or a user's name and "
                           "password (Basic auth).")
    return user()
