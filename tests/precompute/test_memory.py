"""Sizes as people write them, and how many processes they are enough for."""

from __future__ import annotations

import pytest

from precompute.config import ConfigError
from precompute.memory import (
    LEAST_SUMS,
    machine_memory,
    memory_limit,
    process_bytes,
    shared,
)

GB = 1 << 30


@pytest.mark.parametrize(
    ("size", "limit"),
    [
        ("8GB", 8 * GB),
        ("8gb", 8 * GB),
        ("1.5 G", 3 * GB // 2),
        ("2048MiB", 2 * GB),
        ("1T", 1024 * GB),
        (str(GB), GB),
    ],
)
def test_sizes_are_read_in_powers_of_1024(size, limit):
    assert memory_limit(size) == limit


@pytest.mark.parametrize("size", ["", "much", "8 GB or so", "-1GB", "GB", "8 EB"])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ConfigError, match=r"--max-memory.*8GB"):
        memory_limit(size)


def test_a_size_in_which_nothing_runs_is_refused():
    with pytest.raises(ConfigError, match="the smallest run needs 528 MB"):
        memory_limit("8MB")


def test_without_a_size_it_is_a_part_of_this_machine():
    assert 0.5 * machine_memory() < memory_limit() < 0.7 * machine_memory()
    assert machine_memory() > GB // 2


def test_as_many_processes_as_fit_but_no_more_than_asked_for():
    shape = (100_000, 1000)
    needed = process_bytes(*shape, 10_000)
    room = needed + LEAST_SUMS + 500 * shape[0]
    found = [shared(4, n * room, shape, 10_000) for n in (1, 2, 3, 8)]
    assert [share.workers for share in found] == [1, 2, 3, 4]
    assert [share.memory for share in found] == [room - needed] * 3 + [2 * room - needed]
    with pytest.raises(ConfigError, match=r"100,000 latents needs about 1\.4 GB.*1\.4 GB may be"):
        shared(4, room - 1, shape, 10_000)


def test_a_wide_sae_needs_room_for_its_encoder_twice():
    """A million latents of 384 inputs: 1.5 GB as they are stored, 0.8 GB in bfloat16."""
    wide, narrow = (process_bytes(n, 384, 0) for n in (1_000_000, 1000))
    assert wide - narrow == 999_000 * (384 * 6 + 80)
