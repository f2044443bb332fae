"""`bench merge`: make one run of the shards that were measured apart."""

from __future__ import annotations

from pathlib import Path

from bench import PROGRAM
from bench.cli import Outcome
from bench.cli.options import Runs
from datasets.errors import UsageError


def merge(*folders: Path, out: Runs = None) -> Outcome:
    """Merge the shards of a run, measured by `bench run --shard`, into one run.

    A folder is that of a shard, or holds several. Shards of one kind of machine become one run; timings of different
    machines stay apart, a run each. Merging the same shards again changes nothing. Exit status 5 if shards are missing.

    Parameters
    ----------
    folders
        Folders of shards.
    """
    from bench.exit_codes import ExitCode
    from bench.records import merge as merging
    from bench.records import store

    found = [shard for folder in folders for shard in _shards(folder)]
    if not found:
        raise UsageError(f"expected folders of shards; {' '.join(map(str, folders)) or 'none were named'}")
    lines, lacking = [], False
    for run in merging.merge(found, out or store.DEFAULT_FOLDER):
        missing = merging.lacking(run.header)
        lacking = lacking or bool(missing)
        said = f", without {', '.join(missing)}" if missing else ""
        lines.append(f"{run.header.run_id}: {len(run.header.merged)} shards{said}, from {run.header.machine.title}")
    lines.append(f"`{PROGRAM} show {run.header.run_id}` shows it" if len(lines) == 1 else "a run for each machine")
    return Outcome("\n".join(lines), int(ExitCode.CELLS_FAILED if lacking else ExitCode.HELD))


def _shards(folder: Path) -> list[Path]:
    """Return ``folder`` if it is a run, else the runs in it, at any depth."""
    from bench.records.store import RECORDS

    if not folder.is_dir():
        raise UsageError(f"expected the folder of a shard; there is none at {folder}")
    return sorted(file.parent for file in folder.rglob(RECORDS))
