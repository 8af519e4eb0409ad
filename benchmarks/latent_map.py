"""How fluid the map is: payload, script time, and what a reader waits for, by number of points.

    python benchmarks/latent_map.py --data data --points 50000 65536

The first row is the decomposed SAE of the run; the others are runs made in a temporary folder, in
which its latents stand several times at slightly different places, with their decompositions.
Script: the page's script in this process through Streamlit's AppTest, median; of it processor time,
which other work on the machine does not lengthen. Opened: from the request of a Chromium that
already runs to the points being there. Lasso: from letting go to the list, for a tenth and for all
of the points, with what the browser sends up. Click: from the click to the heading of the latent's
page. No graphics card is used.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from backend.listing import list_runs  # noqa: E402
from backend.manifest import FileRecord, read_manifest  # noqa: E402
from backend.schema import TABLES  # noqa: E402
from benchmarks.served import CHROMIUM, CHROMIUM_ARGUMENTS, served  # noqa: E402
from precompute.writer import sha256_of, write_manifest  # noqa: E402

PLOT = "document.querySelector('.js-plotly-plot')"
RERUNS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the map.")
    parser.add_argument("--data", type=Path, default=REPOSITORY / "data", help="folder of runs")
    parser.add_argument("--points", type=int, nargs="*", default=[50_000, 65_536])
    arguments = parser.parse_args()
    source = list_runs(arguments.data)[0].path
    load = os.getloadavg()[0]
    print(f"run {source.name}, {os.cpu_count()} cores, load before {load:.1f}")
    print(
        f"{'points':>8}{'script':>8}{'of it cpu':>10}{'down kB':>9}{'opened s':>9}"
        f"{'lasso 10% s':>12}{'up kB':>7}{'lasso all s':>12}{'up kB':>7}{'click s':>8}"
    )
    with tempfile.TemporaryDirectory() as temporary:
        for n in (0, *arguments.points):
            data = arguments.data
            if n:
                data = Path(temporary) / str(n)
                _tiled(source, data / source.name, n)
            os.environ["SUBATOMIC_DATA"] = str(data.resolve())
            script, processor = _script_times()
            print(f"{_report(script, processor)}", flush=True)


def _tiled(source: Path, folder: Path, n: int) -> None:
    """A copy of a run whose decomposed SAE has `n` latents: those it has, again and again."""
    shutil.copytree(source, folder)
    manifest = read_manifest(folder)
    saes = pq.read_table(folder / "saes.parquet")
    sae_id = max(
        (row for row in saes.to_pylist() if row["parent_sae_id"]), key=lambda row: row["n_latents"]
    )["parent_sae_id"]
    meta = next(r["sae_id"] for r in saes.to_pylist() if r["parent_sae_id"] == sae_id)
    size = next(r["n_latents"] for r in saes.to_pylist() if r["sae_id"] == sae_id)
    files = dict(manifest.files)
    for name, key, value in (
        ("latents", "sae_id", sae_id),
        ("components", "meta_sae_id", meta),
        ("members", "meta_sae_id", meta),
    ):
        table = pq.read_table(folder / f"{name}.parquet")
        own = np.array([one == value for one in table[key].to_pylist()])
        rest, chosen = table.filter(pa.array(~own)), table.filter(pa.array(own))
        tiles = []
        for tile in range(math.ceil(n / size)):
            latent = chosen["latent"].to_numpy() + tile * size
            part = _with(chosen, "latent", latent.astype(np.int32))
            if name == "latents":
                draw = np.random.default_rng(tile)
                for axis in "xy":
                    moved = part[axis].to_numpy() + draw.normal(0, 0.3, len(part))
                    part = _with(part, axis, moved.astype(np.float32))
            tiles.append(part.filter(pa.array(latent < n)))
        order = [(column, "ascending") for column in TABLES[name].sort_key]
        whole = pa.concat_tables([rest, *tiles]).sort_by(order).cast(table.schema)
        path = folder / f"{name}.parquet"
        pq.write_table(whole, path, compression="zstd", row_group_size=10_000)
        files[name] = FileRecord(
            path.name, whole.num_rows, path.stat().st_size, sha256_of(path), TABLES[name].sort_key
        )
    write_manifest(folder, replace(manifest, files=files))


def _with(table: pa.Table, name: str, values: Any) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, table.schema.field(name), pa.array(values))


def _script_times() -> tuple[float, float]:
    """Median milliseconds of a run of the page's script, and of processor time."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=120)
    app.switch_page("app_pages/map.py")
    app.run()
    times, processor = [], []
    for _ in range(RERUNS):
        start, started = time.perf_counter(), time.process_time()
        app.run()
        times.append(1000 * (time.perf_counter() - start))
        processor.append(1000 * (time.process_time() - started))
        if app.exception:
            raise RuntimeError(app.exception[0].message)
    return statistics.median(times), statistics.median(processor)


def _report(script: float, processor: float) -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, served() as (port, _):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        page.set_default_timeout(180_000)
        sent = {"up": 0, "down": 0}

        def listen(socket: Any) -> None:
            socket.on("framesent", lambda data: sent.update(up=sent["up"] + len(data)))
            socket.on("framereceived", lambda data: sent.update(down=sent["down"] + len(data)))

        page.on("websocket", listen)
        page.goto(f"http://127.0.0.1:{port}/search")  # the browser has loaded Streamlit
        page.wait_for_selector(".topbar")
        page.goto("about:blank")
        sent["down"] = 0
        start = time.perf_counter()
        page.goto(f"http://127.0.0.1:{port}/map")
        _drawn(page)
        opened, down = time.perf_counter() - start, sent["down"]
        n = page.evaluate(f"{PLOT}._fullData.reduce((n, t) => n + t._length, 0)")
        tenth = _lasso(page, sent, 0.16)
        whole = _lasso(page, sent, 0.48)
        page.click("a:text-is('clear the selection')")
        page.wait_for_selector("h3:text-is('Highest')")
        _drawn(page)
        page.wait_for_timeout(2_000)
        x, y = page.evaluate(
            f"""() => {{
              const plot = {PLOT}, l = plot._fullLayout, b = plot.getBoundingClientRect();
              const t = plot._fullData[plot._fullData.length - 1], i = t._length - 1;
              return [b.x + l._size.l + l.xaxis.d2p(t.x[i]),
                b.y + l._size.t + l.yaxis.d2p(t.y[i])];
            }}"""
        )
        page.mouse.move(x, y)
        page.wait_for_timeout(500)
        start = time.perf_counter()
        page.mouse.click(x, y)
        page.wait_for_selector("h1:not(:has-text('Map of'))")
        click = time.perf_counter() - start
        browser.close()
    return (
        f"{n:8,}{script:8.0f}{processor:10.0f}{down / 1000:9.0f}{opened:9.2f}"
        f"{tenth[0]:12.2f}{tenth[1]:7.0f}{whole[0]:12.2f}{whole[1]:7.0f}{click:8.2f}"
    )


def _drawn(page: Any) -> None:
    page.wait_for_selector(".js-plotly-plot .gl-canvas-focus", state="attached")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    # two frames later what was handed to the canvas is on the screen
    page.evaluate("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")


def _lasso(page: Any, sent: dict[str, int], radius: float) -> tuple[float, float]:
    """Seconds from letting go to the list, and kilobytes that the browser sent."""
    page.click('.modebar-btn[data-val="lasso"]')
    page.wait_for_timeout(1_000)
    x, y, width, height = page.evaluate(
        f"""() => {{
          const plot = {PLOT}, l = plot._fullLayout, b = plot.getBoundingClientRect();
          return [b.x + l._size.l, b.y + l._size.t, l._size.w, l._size.h];
        }}"""
    )
    before = page.locator("h2").all_inner_texts()
    for step in range(61):
        angle = math.tau * step / 60
        page.mouse.move(
            x + width * (0.5 + radius * math.cos(angle)),
            y + height * (0.5 + radius * math.sin(angle)),
        )
        if step == 0:
            page.mouse.down()
    sent["up"] = 0
    start = time.perf_counter()
    page.mouse.up()
    page.wait_for_function(
        "(before) => { const now = [...document.querySelectorAll('h2')].map(h => h.innerText);"
        " return now.some(h => h.endsWith('selected')) && now.join() !== before; }",
        arg=",".join(before),
    )
    seconds = time.perf_counter() - start
    page.wait_for_timeout(1_000)
    return seconds, sent["up"] / 1000


if __name__ == "__main__":
    main()
