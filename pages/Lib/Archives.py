"""Zip files from elsewhere. What one says of the sizes of its files is to be trusted: `zipfile`
never reads more than that of a file."""

import zipfile

from wiki.errors import TaskFailed

MAX_FILES, MAX_UNPACKED = 100_000, 20_000_000_000
#: A file that is larger than this and packs better than this was made to do harm.
MAX_FILE, MAX_RATIO = 100_000_000, 200


def open_zip(stream, filename, kind="zip file"):
    """The archive, to be closed by its `with`; raises TaskFailed."""
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, OSError):
        raise TaskFailed(f"{filename} is no {kind} that can be read") from None
    items = archive.infolist()
    if any(item.flag_bits & 1 for item in items):
        raise TaskFailed(f"{filename} has a password; make one without")
    too_large = len(items) > MAX_FILES or sum(item.file_size for item in items) > MAX_UNPACKED
    if too_large or any(map(is_bomb, items)):
        raise TaskFailed(f"{filename} would be far too large once unpacked; it is refused")
    return archive


def is_bomb(item):
    return item.file_size > MAX_FILE and item.file_size > item.compress_size * MAX_RATIO
