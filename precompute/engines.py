"""Where shards are made: by processes of this machine, or as tasks of a Ray cluster.

Both call the same picklable function on the same tasks, and tell when one has ended.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from precompute.config import ConfigError
from precompute.workers import run_tasks

ENGINES = ("local", "ray")
RAY_VERSION = "2.60.0"
RAY_STORE_BYTES = 80 << 20  # Ray's least; tasks and answers are paths, results are files
RAY_RETRIES = 3  # of a task whose process or machine is lost
KNOCK_SECONDS = 20  # for a cluster's address to answer at all
SIGHT_SECONDS = 120  # for a machine to say whether it sees the work folder

Task = TypeVar("Task")


class Run(Protocol):
    """Calls a function on every task; `on_done` is told here which one has ended."""

    def __call__(
        self,
        function: Callable[[Task], object],
        tasks: Sequence[Task],
        on_done: Callable[[Task], None],
    ) -> None: ...


@contextmanager
def shard_engine(name: str, workers: int, work: Path, device: str = "cpu") -> Iterator[Run]:
    """The engine of that name, ready for tasks.

    Args:
        name: one of `ENGINES`.
        workers: processes here; of a Ray that is started here too.
        work: folder where tasks leave their results.
        device: on CUDA a Ray task takes a whole GPU.

    Raises:
        ConfigError: Ray is not installed, or cannot be used for this folder.
    """
    if name == "local":
        yield lambda function, tasks, on_done: run_tasks(function, list(tasks), workers, on_done)
        return
    ray = _ray()
    with _cluster(ray, workers):
        _check_sight(ray, work)
        needs = {"num_gpus": 1} if device.startswith("cuda") else {"num_cpus": 1}
        yield partial(_run_on_ray, ray, needs)


def _run_on_ray(
    ray: Any,
    needs: dict[str, int],
    function: Callable[[Task], object],
    tasks: Sequence[Task],
    on_done: Callable[[Task], None],
) -> None:
    remote = ray.remote(max_retries=RAY_RETRIES, **needs)(_with_one_thread)
    waiting = {remote.remote(function, task): task for task in tasks}
    while waiting:
        ended, _ = ray.wait(list(waiting), num_returns=1)
        for reference in ended:
            _answer(ray, reference)
            on_done(waiting.pop(reference))


def _with_one_thread(function: Callable[[Task], object], task: Task) -> None:
    torch.set_num_threads(1)
    function(task)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anyone
    try:
        ray = import_module("ray")
        import_module("ray.util.scheduling_strategies")
    except ImportError:
        raise ConfigError(
            f'--engine ray needs Ray, which is not installed: pip install "ray=={RAY_VERSION}"'
        ) from None
    return ray


@contextmanager
def _cluster(ray: Any, workers: int) -> Iterator[None]:
    """The cluster at RAY_ADDRESS, or one of this machine alone, for as long as it is needed."""
    address = os.environ.get("RAY_ADDRESS", "local")
    here = {"num_cpus": workers, "object_store_memory": RAY_STORE_BYTES, "include_dashboard": False}
    try:
        _knock(address)
        ray.init(
            address,
            logging_level=logging.WARNING,
            log_to_driver=False,
            **(here if address == "local" else {}),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"RAY_ADDRESS = {address}: no Ray cluster can be used there ({error}). Start one with "
            "`ray start`, or unset RAY_ADDRESS to use this machine alone"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Try to connect; Ray itself would try for minutes and then end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), KNOCK_SECONDS).close()


def _check_sight(ray: Any, work: Path) -> None:
    """Every machine of the cluster must see what this one writes.

    Raises:
        ConfigError: one does not, or cannot run our tasks.
    """
    work.mkdir(parents=True, exist_ok=True)
    token = work / f".seen-{uuid.uuid4().hex}"
    token.write_text(token.name)
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    nodes = [node for node in ray.nodes() if node["Alive"]]
    remote = ray.remote(num_cpus=0, max_retries=RAY_RETRIES)(_sees)
    try:
        asked = {
            remote.options(scheduling_strategy=strategy(node["NodeID"], soft=False)).remote(
                token.resolve()
            ): node["NodeManagerAddress"]
            for node in nodes
        }
        for reference, address in asked.items():
            if not _answer(ray, reference, SIGHT_SECONDS):
                raise ConfigError(
                    f"the Ray machine {address} does not see {work.resolve()}. The work folder "
                    "must be on storage that all machines share, at the same path: see --work"
                )
    finally:
        token.unlink(missing_ok=True)


def _sees(token: Path) -> bool:
    return token.exists() and token.read_text() == token.name


def _answer(ray: Any, reference: Any, seconds: float | None = None) -> Any:
    """The result of a task; its own errors as if it had run here."""
    try:
        return ray.get(reference, timeout=seconds)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.GetTimeoutError as error:
        raise ConfigError(f"a Ray machine did not answer within {seconds:.0f} s") from error
    except ray.exceptions.RayError as error:
        raise ConfigError(
            f"Ray could not run a task ({str(error).strip().splitlines()[0]}). Machines need this "
            "repository on their PYTHONPATH, the packages of requirements.txt, and memory. Run the "
            "same command again: it goes on where it stopped"
        ) from error
