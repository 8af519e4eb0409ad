"""Killed with SIGKILL at random moments and run again, a run ends as if nothing had happened."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from backend.manifest import read_manifest
from backend.verify import verify_run
from tests.precompute.command_line import Attempts, making

N_KILLS = 10
LONGEST_SHARE = 0.5  # of the undisturbed run's time, from each start to the kill


def test_ten_kills_at_random_moments_change_nothing(
    tmp_path: Path, attempts: Attempts, reduced_config: Path, reduced_run: Path
):
    expected = read_manifest(reduced_run / "out" / "reduced").content_hash
    undisturbed = attempts(*making(reduced_config, tmp_path / "timed"))
    assert undisturbed.code == 0, undisturbed.log
    folder, rng = tmp_path / "killed", random.Random(8)
    kills = resumed = 0
    while kills < N_KILLS:
        moment = rng.uniform(0, LONGEST_SHARE * undisturbed.seconds)
        done = attempts(*making(reduced_config, folder), kill_after=moment)
        resumed += "resumed" in done.log
        if done.code == 0:  # it was complete before the kill: start anew
            assert read_manifest(folder / "out" / "reduced").content_hash == expected
            shutil.rmtree(folder)
            continue
        assert done.code == -9, done.log
        kills += 1
    done = attempts(*making(reduced_config, folder))
    assert done.code == 0, done.log
    assert resumed > 0  # at least one training went on from a checkpoint
    assert verify_run(folder / "out" / "reduced").content_hash == expected
    assert [path.name for path in (folder / "out").iterdir()] == ["reduced"]
