"""What submitted runs cost those who publish them: bytes of a bundle, seconds to check it, bytes of the page."""

from __future__ import annotations

import time
from pathlib import Path

from bench.analysis.summary import summarize
from bench.analysis.verification import rules
from bench.records import bundle
from bench.report.page import published, site
from tests.bench import honest

MANY = 10_000
RECIPES = 4


def test_ten_thousand_machines_submit_a_run(tmp_path: Path) -> None:
    """A default run of four recipes from each: sizes and seconds of one, times as many. Ours is of one recipe."""
    run = honest.write(tmp_path / "run")
    file = bundle.write(run, tmp_path)
    started = time.process_time()
    with bundle.opened(file) as again:
        rules.checks(again, submitted=True)
    check_s = time.process_time() - started
    document = published.of_document(summarize(run).document)
    pages = []
    for count in (1, 3):
        moments = [f"2026-11-0{1 + n}T12:00:00+00:00" for n in range(count)]
        copies = [document.model_copy(update={"run_id": one[:10], "started_at": one}) for one in moments]
        folder = tmp_path / f"site-{count}"
        site.publish(folder, copies)
        pages.append((folder / site.PAGE).stat().st_size)
    page_bytes = (pages[1] - pages[0]) / 2
    all_runs = MANY * RECIPES
    print(
        f"\nof one recipe: bundle {file.stat().st_size / 1e3:.0f} kB, checked in {check_s:.2f} s, "
        f"{page_bytes / 1e3:.0f} kB of the page"
        f"\nof {MANY:,} machines with {RECIPES} recipes: {all_runs * file.stat().st_size / 1e9:.1f} GB, "
        f"{all_runs * check_s / 3600:.1f} processor hours, a page of {all_runs * page_bytes / 1e9:.1f} GB"
    )
    assert check_s > 0
    assert page_bytes > 0
