"""Plain text: words from outside, without the characters that drive a terminal or reorder what is shown."""

from __future__ import annotations

import re
from typing import Any

# C0 controls but tab and line feed, DEL, C1 controls, Unicode's bidirectional embeddings, overrides and isolates, and
# surrogates: they are what is left of bytes that are no text, and no file takes them.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

STYLES = re.compile(r"\x1b\[[0-9;]*m")


def plain(words: str) -> str:
    """Return ``words`` with each control character replaced by U+FFFD; tabs and line feeds stay."""
    return CONTROLS.sub("\ufffd", words)


def uncoloured(words: str) -> str:
    """Return ``words`` without the codes of bold and coloured text, which Keras's messages have."""
    return STYLES.sub("", words)


def one_line(words: str) -> str:
    """Return ``words``, plain, on one line: each run of blanks is one space."""
    return " ".join(plain(words).split())


def shortened(words: str, longest: int) -> str:
    """Return ``words`` with at most ``longest`` characters: where it has more, its beginning and its end."""
    if len(words) <= longest:
        return words
    end = longest // 3
    return f"{words[: longest - end - 3]} … {words[-end:]}"


def tree(value: Any) -> Any:
    """Return ``value``, as JSON has it, with every string plain, keys included."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(key) if isinstance(key, str) else key: tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tree(item) for item in value]
    return value
