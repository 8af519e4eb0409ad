"""Independent tasks side by side, one process and one thread each.

On a CPU two threads that share one small product wait for each other more than they work; two
processes do not. A worker dies with its parent, so that a killed run leaves nobody behind who
writes beside its successor.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

from precompute.config import ConfigError

Task = TypeVar("Task")


def run_tasks(
    function: Callable[[Task], object],
    tasks: list[Task],
    workers: int,
    on_done: Callable[[Task], None] | None = None,
) -> None:
    """Call `function` on every task, in order of the list, `workers` at a time.

    `function` must be importable and its task picklable. With one worker it runs here. `on_done`
    is called here with each task that ended.

    Raises:
        ConfigError: a process was killed, as the system does when memory runs out.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            function(task)
            if on_done is not None:
                on_done(task)
        return
    # workers are forked from one process that has the libraries loaded and has computed nothing
    # with them: loading takes seconds, and a fork of this process would inherit locks of threads
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["precompute.pipeline"])
    with ProcessPoolExecutor(min(workers, len(tasks)), context, initializer=_prepare) as pool:
        waiting = {pool.submit(function, task): task for task in tasks}
        try:
            for future in as_completed(waiting):
                future.result()
                if on_done is not None:
                    on_done(waiting[future])
        except BrokenProcessPool as error:
            raise ConfigError(
                f"a process of {function.__name__} was killed, most likely because memory ran out. "
                "Run the same command again with fewer --workers: it goes on where it stopped"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)  # after an error, what has not begun never does


def _prepare() -> None:
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_main, daemon=True).start()


def _end_with_main() -> None:
    """Wait for the main process to end, and end at once then: even in the middle of a product.

    The process that forks cannot be waited for: it lives as long as one of its workers does.
    """
    main = multiprocessing.parent_process()
    if main is not None:
        main.join()
        os.kill(os.getpid(), signal.SIGKILL)
