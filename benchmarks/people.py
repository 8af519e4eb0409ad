"""Many people at once: how long a page takes when N of them read the app on one process.

    python benchmarks/people.py --data data --run minilm --people 10 25 50 100

Each is a session of its own over Streamlit's websocket, as a browser opens it: it asks for a page
(drawn from those that `app_speed.py` times, latents, meta-latents and searches most often), waits
for the script to finish, thinks for 3 s on average, and asks again. Time is from asking to the
script's end; what a browser then draws is not in it. The server and the readers share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.typing import Subprotocol

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.addresses import chosen_run, page_addresses  # noqa: E402
from benchmarks.served import resident_mb, served  # noqa: E402

THINKS_SECONDS = 3.0
SLOWEST_SECONDS = 60.0  # a page that takes longer counts as failed
PROTOCOL = [Subprotocol("streamlit")]
ADDRESSES = 20  # of each page
WARMING_SECONDS = 15.0  # the tables of search are made in them
OFTEN = {"latent": 4, "meta": 3, "search": 3}  # times as often as another page


@dataclass
class Times:
    """What a crowd saw."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


async def reader(port: int, pages: list[tuple[str, str]], until: float, times: Times) -> None:
    """One person: pages with pauses between, until the end of the measurement."""
    draw = random.Random()
    await asyncio.sleep(draw.uniform(0, THINKS_SECONDS))
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with websockets.connect(address, subprotocols=PROTOCOL, max_size=None) as socket:
        while time.perf_counter() < until:
            page, query = draw.choice(pages)
            asked = BackMsg()
            asked.rerun_script.page_name = page
            asked.rerun_script.query_string = query
            start = time.perf_counter()
            await socket.send(asked.SerializeToString())
            try:
                async with asyncio.timeout(SLOWEST_SECONDS):
                    is_fine = await finished(socket)
            except TimeoutError:
                is_fine = False
            if is_fine:
                times.seconds.append(time.perf_counter() - start)
            else:
                times.failed += 1
            await asyncio.sleep(draw.expovariate(1 / THINKS_SECONDS))


async def finished(socket: websockets.ClientConnection) -> bool:
    """Wait for the end of a script; whether it ended well."""
    while True:
        message = ForwardMsg()
        message.ParseFromString(await socket.recv(decode=False))
        if message.WhichOneof("type") == "script_finished":
            return message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


async def crowd(port: int, people: int, pages: list[tuple[str, str]], seconds: float) -> Times:
    """All readers at once, for some seconds."""
    times = Times()
    until = time.perf_counter() + seconds
    await asyncio.gather(*(reader(port, pages, until, times) for _ in range(people)))
    return times


def main() -> None:
    """Crowd after crowd on one server, the smallest first."""
    parser = argparse.ArgumentParser(description="Measure the app with many readers at once.")
    parser.add_argument("--data", type=Path, default=REPOSITORY / "data", help="folder of runs")
    parser.add_argument("--run", help="name of a run in it; the largest")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 10, 25, 50, 100])
    parser.add_argument("--seconds", type=float, default=40.0, help="of each crowd")
    arguments = parser.parse_args()
    os.environ["SUBATOMIC_DATA"] = str(arguments.data.resolve())
    run = chosen_run(parser, arguments.data, arguments.run)
    pages = [
        ("" if page == "overview" else page.partition(",")[0], urlencode(one))
        for page, addresses in page_addresses(run, ADDRESSES).items()
        for one in addresses * OFTEN.get(page, 1)
    ]
    print(f"run {run.name} ({run.manifest.short_hash}), {os.cpu_count()} cores")
    run.close()
    print(
        f"{'people':>7}{'pages':>7}{'a s':>6}{'p50':>8}{'p95':>8}{'max':>8}{'failed':>8}{'MB':>6}"
    )
    with served() as (port, process):
        asyncio.run(crowd(port, 1, pages, WARMING_SECONDS))
        for people in arguments.people:
            times = asyncio.run(crowd(port, people, pages, arguments.seconds))
            median, p95, slowest = 1000 * np.percentile(times.seconds, (50, 95, 100))
            n = len(times.seconds)
            print(
                f"{people:8}{n:8}{n / arguments.seconds:8.1f}{median:8.0f}{p95:8.0f}"
                f"{slowest:8.0f}{times.failed:8}{resident_mb(process.pid):8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
