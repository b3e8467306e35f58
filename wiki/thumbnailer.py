"""Makes one thumbnail: ``python thumbnailer.py SIZE``, a picture's file on standard input, WebP
on standard output.

A process of its own, since what decodes pictures of strangers may take all memory, or crash.
"""

from __future__ import annotations

import io
import resource
import sys
from typing import IO

from PIL import Image, ImageOps

#: What is decoded; Pillow knows many more, which nobody's browser shows.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP")
#: A picture with more pixels is refused before it is decoded.
MAX_PIXELS = 100_000_000
#: The process's address space, bytes, and its processor time, seconds.
MEMORY, SECONDS = 1 << 30, 10
QUALITY = 80


def main() -> None:
    """Ends with an error where the picture cannot be decoded within the limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.buffer.write(shrink(sys.stdin.buffer, int(sys.argv[1])))


def shrink(source: IO[bytes], size: int) -> bytes:
    """The picture, upright, at most ``size`` pixels wide and high, as WebP."""
    with Image.open(source, formats=FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise SystemExit(f"{picture.width} x {picture.height} pixels are too many")
        picture.draft("RGB", (2 * size, 2 * size))  # JPEG is decoded small from the start
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((size, size))
        made = io.BytesIO()
        upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(
            made, "WEBP", quality=QUALITY)
    return made.getvalue()


if __name__ == "__main__":
    main()
