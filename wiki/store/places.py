"""Spaces in SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def within(column: Any, space: str) -> sa.ColumnElement[bool]:
    """Whether a column of spaces has the space or one in it."""
    # '/' follows '.' in ASCII, and no name has one in it.
    return sa.or_(column == space, sa.and_(column >= f"{space}.", column < f"{space}/"))
