"""`python -m precompute` with shards that can be caught in the middle.

    python -m tests.precompute.on_ray FILE run CONFIG --engine ray ...

The first shard to begin after the leading ones writes its process id to FILE and sleeps, until it
is killed; every other one, and the second attempt of this one, goes on as usual.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from precompute.__main__ import main
from precompute.passes import stage
from precompute.passes.plan import Shard
from precompute.passes.shard import ShardTask, make_shard

VICTIM = "SUBATOMIC_TEST_VICTIM"
LONG_SECONDS = 300


def caught_once(task: ShardTask) -> Shard:
    """`make_shard`, but for the one that waits to be killed."""
    victim = Path(os.environ[VICTIM])
    if task.shard is not None:
        try:
            with victim.open("x") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            pass
        else:
            time.sleep(LONG_SECONDS)
    return make_shard(task)


if __name__ == "__main__":
    os.environ[VICTIM] = sys.argv[1]  # Ray's processes inherit it
    # by its importable name: as part of `__main__` it would be another function there
    from tests.precompute.on_ray import caught_once as importable

    stage.make_shard = importable
    sys.exit(main(sys.argv[2:]))
