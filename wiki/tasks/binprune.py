"""Removing for good what has been in the recycle bin for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wiki.api import Wiki


def prune_bin(wiki: Wiki, days: int, now: datetime | None = None) -> str:
    """Remove what was deleted more than so many days ago, nothing where that is 0; returns what
    was done."""
    if not days:
        return "deleted pages are kept, as the setting deleted_days says"
    number = wiki.prune_bin((now or datetime.now(UTC)) - timedelta(days=days))
    return f"{number:,} pages that were deleted more than {days} days ago are gone for good"
