"""How long archived logs are kept: for ever, unless the manager's configuration says otherwise.

Only archived logs are ever removed or compressed, never one that is written to.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from wiki.api import Wiki
from wiki.errors import DocumentNotFound, LogNotFound
from wiki.tasks.log import PACKED, SUFFIX, Archive, Logs
from wiki.tasks.names import CONFIGURATION, CONFIGURATION_CLASS

DAY = 24 * 3600
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept; None is no limit.

    ``max_age`` in days since an archive's last line, ``max_count`` archives of one log,
    ``max_size`` megabytes of all archives together; ``archive_size`` megabytes past which a log
    is archived; ``compress`` whether archives are compressed.
    """

    max_age: float | None = None
    max_count: float | None = None
    max_size: float | None = None
    archive_size: float | None = None
    compress: bool = False


def retention_of(wiki: Wiki) -> Retention:
    """What the manager's configuration says; raises DamagedPage."""
    try:
        obj = wiki.get(CONFIGURATION).object(CONFIGURATION_CLASS)
    except DocumentNotFound:
        return Retention()
    if obj is None:
        return Retention()
    return Retention(_positive(obj.get("logMaxAge")), _positive(obj.get("logMaxCount")),
                     _positive(obj.get("logMaxSize")), _positive(obj.get("logArchiveSize")),
                     obj.get("logCompress") is True)


def tidy_logs(logs: Logs, wiki: Wiki, now: float | None = None) -> str:
    """Archive, compress and remove what the configuration says; returns what was done, in a line
    for a log. ``now`` is in seconds since 1970."""
    rules = retention_of(wiki)
    grown = [logs.archive(name) for name in _too_large(logs, wiki, rules)]
    archives = [archive for archive in logs.archives() if not _is_page(wiki, archive.name)]
    old = surplus(archives, rules, time.time() if now is None else now)
    for archive in old:
        logs.remove(archive.name)
    gone = {archive.name for archive in old}
    packed = [logs.pack(archive.name) for archive in archives
              if rules.compress and archive.name not in gone
              and not archive.name.endswith(PACKED)]
    words = [f"{verb} {', '.join(names)}" for verb, names in (
        ("archived as", grown), ("removed", sorted(gone)), ("compressed to", packed)) if names]
    return "; ".join(words) or "no log to tidy up"


def surplus(archives: list[Archive], rules: Retention, now: float) -> list[Archive]:
    """The archives that are to go, the oldest first."""
    kept: Counter[str] = Counter()
    total, gone = 0, []
    for archive in sorted(archives, key=lambda one: (one.written, one.name), reverse=True):
        too_old = rules.max_age is not None and now - archive.written > rules.max_age * DAY
        too_many = rules.max_count is not None and kept[archive.log] >= rules.max_count
        too_large = (rules.max_size is not None
                     and total + archive.size > rules.max_size * MEGABYTE)
        if too_old or too_many or too_large:
            gone.append(archive)
        else:
            kept[archive.log] += 1
            total += archive.size
    return gone[::-1]


def _too_large(logs: Logs, wiki: Wiki, rules: Retention) -> list[str]:
    if rules.archive_size is None:
        return []
    put_away = {archive.name for archive in logs.archives() if not _is_page(wiki, archive.name)}
    return [name for name in logs.names() if name not in put_away
            and _size(logs, name) > rules.archive_size * MEGABYTE]


def _size(logs: Logs, name: str) -> int:
    try:
        return logs.size(name)
    except LogNotFound:  # archived by somebody just now
        return 0


def _is_page(wiki: Wiki, name: str) -> bool:
    """Whether what looks like an archive is the log of a page whose name ends so."""
    return name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in wiki


def _positive(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None
