"""How much memory a run may take, and how many processes that is enough for."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from precompute.activations import BLOCK_ROWS
from precompute.config import ConfigError

DEFAULT_SHARE = 0.6  # of the machine's memory: the rest is for files that are read again and again
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
PROCESS_BYTES = 400 << 20  # Python and torch
FIRING_BYTES = 100  # one firing of a block while it is counted
MOST_ACTIVE = 100  # latents that fire on a token
LEAST_SUMS = 128 << 20  # for sparse sums and for DuckDB, which gets half
SUM_BYTES = 500  # and this much a latent


def machine_memory() -> int:
    """Bytes of memory of this machine, or of the container that this process is in."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    return min(whole, int(limit)) if limit.isdigit() else whole


def memory_limit(size: str | None = None) -> int:
    """Bytes of a size such as `8GB` or `500 MiB` (both in powers of 1024); None: the default.

    Raises:
        ConfigError: it is not a size, or none that anything could run in.
    """
    if size is None:
        return int(DEFAULT_SHARE * machine_memory())
    match = SIZE.fullmatch(size.strip())
    if match is None:
        raise ConfigError(f"--max-memory {size}: give a size, for example 8GB or 500MB")
    limit = int(float(match[1]) * (1 << UNITS[match[2].lower()]))
    if limit < PROCESS_BYTES + LEAST_SUMS:
        least = (PROCESS_BYTES + LEAST_SUMS) >> 20
        raise ConfigError(f"--max-memory {size}: the smallest run needs {least} MB")
    return limit


def process_bytes(n_latents: int, d_in: int, n_tokens: int) -> int:
    """About what one process of the activation pass needs beside its sparse sums."""
    weights = n_latents * d_in * (4 + 2)  # as they are read, and in bfloat16
    block = BLOCK_ROWS * min(n_latents, MOST_ACTIVE) * FIRING_BYTES
    totals = n_latents * 2 * 40
    text = n_tokens * 10
    return PROCESS_BYTES + weights + block + totals + text


class Share(NamedTuple):
    """Processes side by side, and bytes of each for sums."""

    workers: int
    memory: int


def shared(workers: int, max_memory: int, shape: tuple[int, int], n_tokens: int) -> Share:
    """As many processes as fit, `workers` at most; what is left over is for their sums.

    Args:
        shape: latents and inputs of the widest SAE.
        n_tokens: of the text.

    Raises:
        ConfigError: not even one process fits.
    """
    needed = process_bytes(*shape, n_tokens)
    least = needed + LEAST_SUMS + SUM_BYTES * shape[0]
    if max_memory < least:
        raise ConfigError(
            f"an SAE with {shape[0]:,} latents needs about {least / (1 << 30):.1f} GB of memory, "
            f"and {max_memory / (1 << 30):.1f} GB may be used. Give more with --max-memory"
        )
    fitting = min(workers, max_memory // least)
    return Share(fitting, max_memory // fitting - needed)
