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
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.addresses import chosen_run, page_addresses  # noqa: E402
from benchmarks.served import CHROMIUM, CHROMIUM_ARGUMENTS, resident_mb, served  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the app on the runs of a data folder.")
    parser.add_argument("--data", type=Path, default=REPOSITORY / "data", help="folder of runs")
    parser.add_argument("--starts", type=int, default=3, help="server starts that are timed")
    parser.add_argument("--run", help="name of a run in it; the largest")
    parser.add_argument("--reruns", type=int, default=60, help="script runs of each page")
    arguments = parser.parse_args()
    os.environ["SUBATOMIC_DATA"] = str(arguments.data.resolve())

    run = chosen_run(parser, arguments.data, arguments.run)
    print(f"run {run.name} ({run.manifest.short_hash}), {os.cpu_count()} cores")
    addresses = page_addresses(run, arguments.reruns)
    _time_scripts(addresses)
    run.close()
    _time_starts(arguments.starts, addresses)


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
