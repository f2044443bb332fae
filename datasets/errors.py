"""The error of this package: data that cannot be used; it maps to no exit code and prints nothing."""

from __future__ import annotations


class DataError(Exception):
    """Reviews, a word index or a cache cannot be used; the message is one line and ends with what to do."""


class DownloadError(DataError):
    """A published file could not be fetched; the only error after which the synthetic reviews may stand in."""
