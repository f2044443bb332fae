"""The lookalikes: what stands for a character that a terminal's encoding lacks, one for one, so that columns stay."""

from __future__ import annotations

import codecs
from typing import IO, Any

NAME = "kerasmark-lookalikes"

# Corners and crossings of tables first, then their lines, then the signs that the reports use.
LOOKALIKES = {
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
    """Let each stream write a lookalike where its encoding lacks a character, and "?" where there is none."""
    codecs.register_error(NAME, _replace)
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=NAME)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(LOOKALIKES.get(character, "?") for character in missing), error.end
