"""ASCII characters for those that a terminal's encoding lacks, one for one, so that columns stay aligned."""

from __future__ import annotations

import codecs
from typing import IO, Any

NAME = "kerasmark-ascii"

# Corners and crossings of tables first, then their lines, then the signs that the reports use.
FALLBACKS = {
    **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋┡┩╇╪╭╮╰╯", "+"),
    **dict.fromkeys("─━═–—╸╺", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("·•◆", "*"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("‘’", "'"),
    "±": "~",
    "×": "x",
    "†": "+",
    "…": ".",
    "é": "e",
}


def use(*streams: IO[str] | Any) -> None:
    """Let each stream write the fallback of a character that its encoding lacks, and "?" where there is none."""
    codecs.register_error(NAME, _replace)
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=NAME)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(FALLBACKS.get(character, "?") for character in missing), error.end
