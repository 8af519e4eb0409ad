"""How fast the app is: start to first page, script time of each page, memory, and no torch.

    python benchmarks/app_speed.py --data data

Start: a server process is started, a Chromium that already runs asks for the overview as soon as
the port answers, and the time ends when the page is drawn. Script time: each page's script is run
in this process through Streamlit's AppTest, many latents drawn at random, so browser and network
are left out; the last column is processor time, which other work on the machine does not
lengthen. Memory: resident set of the server process after the browser has opened every page.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.store import Run

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.served import CHROMIUM, CHROMIUM_ARGUMENTS, resident_mb, served  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the app on the runs of a data folder.")
    parser.add_argument("--data", type=Path, default=REPOSITORY / "data", help="folder of runs")
    parser.add_argument("--starts", type=int, default=3, help="server starts that are timed")
    parser.add_argument("--run", help="name of a run in it; the largest")
    parser.add_argument("--reruns", type=int, default=60, help="script runs of each page")
    arguments = parser.parse_args()
    os.environ["SUBATOMIC_DATA"] = str(arguments.data.resolve())

    from backend.listing import list_runs
    from backend.store import open_run

    found = list_runs(arguments.data.resolve())
    runs = [one for one in found if arguments.run in (None, one.name)]
    if not runs:
        parser.error(f"no run {arguments.run or ''} in {arguments.data}")
    run = open_run(runs[0].path)
    print(f"run {run.name} ({run.manifest.short_hash}), {os.cpu_count()} cores")
    addresses = _addresses(run, arguments.reruns)
    _time_scripts(addresses)
    run.close()
    _time_starts(arguments.starts, addresses)


def _addresses(run: Run, reruns: int) -> dict[str, list[dict[str, str]]]:
    """Query parameters to run each page with: latents and words drawn at random."""
    from backend import experiments, queries, stitching
    from backend.experiment_families import FAMILIES

    draw = random.Random(0)
    saes = queries.saes(run)
    widest = next((s["parent_sae_id"] for s in saes if s["kind"] == "meta"), saes[-1]["sae_id"])
    latents = [queries.random_latent(run, widest, draw.randrange(1 << 30)) for _ in range(reruns)]
    shown = [queries.latent(run, widest, latent) for latent in latents if latent is not None]
    words = [latent.label for latent in shown if latent is not None and latent.label] or ["a"]
    pages = {
        "overview": [{} for _ in range(reruns)],
        "search": [{"q": draw.choice(words)[: draw.choice((3, 20))]} for _ in range(reruns)],
        "latent": [{"sae": widest, "latent": str(latent)} for latent in latents],
    }
    pairs = stitching.pairs(run)
    if pairs:
        chosen = [draw.choice(pairs) for _ in range(reruns)]
        pages["stitching"] = [
            {"small": pair["small_sae_id"], "large": pair["large_sae_id"]} for pair in chosen
        ]
        small = pairs[0]["small_sae_id"]
        roots = [queries.random_latent(run, small, draw.randrange(1 << 30)) for _ in latents]
        pages["splitting"] = [{"sae": small, "latent": str(root)} for root in roots]
    pages["trust"] = [{"run": run.name}] * reruns
    held = set(experiments.made(run))
    for path, family in FAMILIES.items():
        if held.intersection(family.experiments):
            pages[path] = [{"run": run.name}] * reruns
    metas = [sae["sae_id"] for sae in saes if sae["kind"] == "meta"]
    others = [*latents[1:], latents[0]]
    pages["compare"] = [
        {"a": f"{widest}/{a}", "b": f"{widest}/{b}"} for a, b in zip(latents, others, strict=True)
    ]
    pages["map"] = [{"sae": widest, "colour": draw.choice(("density", "novelty"))} for _ in latents]
    pages["data"] = [{"run": run.name}] * reruns
    if metas:
        drawn = [queries.random_latent(run, metas[0], draw.randrange(1 << 30)) for _ in latents]
        pages["meta"] = [{"sae": metas[0], "latent": str(latent)} for latent in drawn]
        pages["ask"] = [{"with": f"{metas[0]}/{latent}"} for latent in drawn]
        pages["ask, a sum"] = [
            {"from": f"{widest}/{latent}", "minus": f"{metas[0]}/{a}", "plus": f"{metas[0]}/{b}"}
            for latent, a, b in zip(latents, drawn, reversed(drawn), strict=True)
        ]
    return {
        page: [{"run": run.name, **one} for one in addresses] for page, addresses in pages.items()
    }


def _time_scripts(addresses: dict[str, list[dict[str, str]]]) -> None:
    from streamlit.testing.v1 import AppTest

    print("\npage script, ms, through AppTest in one process (first run left out)")
    print(f"{'page':10}{'n':>5}{'p50':>8}{'p95':>8}{'max':>8}{'cpu p50':>9}")
    for page, params in addresses.items():
        app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
        app.run()
        if page != "overview":
            app.switch_page(f"app_pages/{page.partition(',')[0]}.py")
            app.run()
        times, processor = [], []
        for one in params:
            for name, value in one.items():
                app.query_params[name] = value
            start, started = time.perf_counter(), time.process_time()
            app.run()
            times.append(1000 * (time.perf_counter() - start))
            processor.append(1000 * (time.process_time() - started))
            if app.exception:
                raise RuntimeError(f"{page} {one}: {app.exception[0].message}")
        cuts = statistics.quantiles(times, n=20)
        wall = f"{cuts[9]:8.0f}{cuts[18]:8.0f}{max(times):8.0f}"
        print(f"{page:10}{len(times):5}{wall}{statistics.median(processor):9.0f}", flush=True)


def _time_starts(starts: int, addresses: dict[str, list[dict[str, str]]]) -> None:
    from playwright.sync_api import sync_playwright

    print("\nserver process started -> port answers -> overview drawn in Chromium, s")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        for place in range(starts):
            page = browser.new_context().new_page()  # a new context has an empty cache
            start = time.perf_counter()
            with served() as (port, process):
                up = time.perf_counter() - start
                page.goto(f"http://127.0.0.1:{port}/")
                page.wait_for_selector(".facts")
                drawn = time.perf_counter() - start
                print(f"{up:8.2f}{drawn:8.2f}")
                if place == starts - 1:
                    _report_process(process, port, page.goto, addresses)
        browser.close()


def _report_process(
    process: subprocess.Popen[bytes],
    port: int,
    goto: Callable[[str], object],
    addresses: dict[str, list[dict[str, str]]],
) -> None:
    from urllib.parse import urlencode

    print(f"resident after the first page: {resident_mb(process.pid):.0f} MB")
    paths = {"overview": ""}
    for page, params in addresses.items():
        for one in params[:5]:
            path = paths.get(page, page.partition(",")[0])
            goto(f"http://127.0.0.1:{port}/{path}?{urlencode(one)}")
            time.sleep(1)
    print(f"resident after five of each page: {resident_mb(process.pid):.0f} MB")
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    print(f"torch loaded by the server: {'yes' if '/torch/' in maps else 'no'}")


if __name__ == "__main__":
    main()
