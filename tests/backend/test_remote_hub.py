"""A run in a data set of the Hugging Face hub, read by the hub's own package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.edited_labels import labels_path
from backend.schema import TABLES
from backend.verify import verify_run

ROOT = Path(__file__).resolve().parents[2]
# a process of its own, because the package reads the hub's address when it is imported
READ = """
import sys
from backend.listing import list_problems, list_runs, places
from backend.remote_labels import fetch_labels
from backend.remote_listing import run_in
from backend.remote_runs import fetch

for address in sys.argv[1:]:
    where = places(address)
    for found in list_runs(where):
        run = run_in(found.path)
        fetch(run)
        fetch_labels(run)
        print(found.name, found.path)
    for problem in list_problems(where):
        print(problem.message)
"""


@pytest.fixture
def hub(tmp_path: Path, fixture_run: Path) -> Iterator[str]:
    """A hub with the planted run in `runs` of its data set."""
    served = tmp_path / "hub" / "runs"
    shutil.copytree(fixture_run, served / "planted")
    (served / "planted.labels.csv").write_text("sae_id,latent,label\n")
    command = [sys.executable, "-m", "tests.hub", str(served.parent)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def test_a_data_set_of_the_hub_is_read_like_a_bucket(hub: str, tmp_path: Path) -> None:
    environment = {**os.environ, "HF_ENDPOINT": hub, "SUBATOMIC_CACHE": str(tmp_path / "cache")}
    for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
        environment.pop(name, None)
    addresses = ("hf://datasets/owner/name/runs", "hf://datasets/owner/other")
    done = subprocess.run(
        [sys.executable, "-c", READ, *addresses],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found, problem = done.stdout.splitlines()
    name, folder = found.split(" ", 1)
    assert name == "planted"
    assert set(verify_run(Path(folder)).files) == set(TABLES)
    assert labels_path(Path(folder)).read_text() == "sae_id,latent,label\n"
    assert problem.startswith("There is nothing at hf://datasets/owner/other")
