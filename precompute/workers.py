"""Independent tasks side by side, one process and one thread each.

On a CPU two threads that share one small product wait for each other more than they work; two
processes do not. A worker dies with its parent, so that a killed run leaves nobody behind who
writes beside its successor.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch

LINUX_SET_PARENT_DEATH_SIGNAL = 1

Task = TypeVar("Task")


def run_tasks(function: Callable[[Task], None], tasks: list[Task], workers: int) -> None:
    """Call `function` on every task, in order of the list, `workers` at a time.

    `function` must be importable and its task picklable. With one worker it runs here.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            function(task)
        return
    # workers are forked from one process that has the libraries loaded and has computed nothing
    # with them: loading takes seconds, and a fork of this process would inherit locks of threads
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["precompute.pipeline"])
    with ProcessPoolExecutor(
        workers, context, initializer=_prepare, initargs=(os.getpid(),)
    ) as pool:
        for future in [pool.submit(function, task) for task in tasks]:
            future.result()


def _prepare(main: int) -> None:
    torch.set_num_threads(1)
    if sys.platform == "linux":
        # the parent is the process that forks, which ends when the main one does
        ctypes.CDLL(None).prctl(LINUX_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if not Path(f"/proc/{main}").exists():  # both died before the line above
            os.kill(os.getpid(), signal.SIGKILL)
