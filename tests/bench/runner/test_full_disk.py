"""A disk that fills in the middle of a run, wherever that is: what was measured is kept, and the run is resumed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench import ROOT

# The system itself refuses to let any file of the process grow beyond a limit: as a full disk does, with another word.
RUN = """
import json, os, resource, sys, tempfile
from pathlib import Path
from bench.records import catalog, store
from tests.faults import trials
world = trials.fake_run()
whole, _ = trials.undisturbed(world, Path(tempfile.mkdtemp()))
size = (whole.folder / store.RECORDS).stat().st_size
found = []
for share in json.loads(sys.argv[1]):
    folder = Path(tempfile.mkdtemp())
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * size), int(share * size)))
        try:
            trials.execute(world, folder, None)
            os._exit(0)
        except store.StoreError as error:
            os._exit(6 if "File too large" in str(error) else 70)
        except BaseException:
            os._exit(70)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    size_of_cut = (list(folder.glob("*/*.jsonl"))[0]).stat().st_size
    cut = store.read(catalog.find("latest", folder, catalog.ANY)) if size_of_cut else None
    damage = [str(one) for one in cut.damage] if cut else []
    if cut is not None:
        trials.execute(world, folder, cut)
        damage += trials.differences(store.read(cut.folder), whole, ignored=trials.MADE)
    found.append([status, damage])
print(json.dumps(found))
"""

SHARES = [0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97]


@pytest.mark.filterwarnings("ignore")
def test_a_disk_that_fills_in_any_phase_ends_the_run_with_what_it_has() -> None:
    """In its header, its plan, a training, a timing: one error, no torn line, and a resume that makes it whole."""
    words = [sys.executable, "-c", RUN, json.dumps(SHARES)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [[6, []]] * len(SHARES)
