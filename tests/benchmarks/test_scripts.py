"""Every comparison runs from end to end at a tiny size and prints its table."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import cosines, dashboard_baseline, layout, meta_step, people, topk, training_route
from precompute import activations

Run = Callable[..., list[list[str]]]


@pytest.fixture
def words_printed(request, monkeypatch, capsys) -> Run:
    """Runs a script's `main` with these arguments; the words of every line that it printed.

    A script owns its process: what it sets there is put back after the test.
    """
    monkeypatch.setattr(activations, "BLOCK_ROWS", activations.BLOCK_ROWS)
    for name in ("SUBATOMIC_DATA", "STAND_IN_DATA"):
        monkeypatch.setenv(name, "")
    monkeypatch.chdir(Path.cwd())
    for number in (signal.SIGINT, signal.SIGTERM):  # sae-lens' runner takes both
        request.addfinalizer(partial(signal.signal, number, signal.getsignal(number)))

    def run(main: Callable[[], None], *arguments: object) -> list[list[str]]:
        monkeypatch.setattr(sys, "argv", ["script", *map(str, arguments)])
        main()
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    return run


def _row(lines: list[list[str]], *start: str) -> list[str]:
    return next(line for line in lines if tuple(line[: len(start)]) == start)


def test_topk_compares_with_four_other_ways(words_printed):
    sizes = ("--latents", 96, "--d-in", 16, "--blocks", 4, "--block-rows", 128)
    lines = words_printed(topk.main, *sizes)
    ways = [line[3] for line in lines if line[:2] == ["96", "512"]]  # 4 blocks of 128 tokens
    assert ways == ["streaming", "encode", "loop", "dense", "full"]


def test_topk_refuses_times_of_ways_that_differ(words_printed, monkeypatch):
    class Forgetful(topk.LatentLoop):
        def update(self, found):
            super().update(found._replace(activations=found.activations * 0.5))

    monkeypatch.setattr(topk, "LatentLoop", Forgetful)
    with pytest.raises(AssertionError, match="loop and full sort differ"):
        words_printed(topk.main, "--latents", 96, "--d-in", 16, "--blocks", 2, "--block-rows", 64)


SMALL_COSINES = ("--keys", 300, "--d-in", 16, "--queries", 64, "--rounds", 2)


def test_cosines_compares_exact_ways_with_bare_products(words_printed):
    lines = words_printed(cosines.main, *SMALL_COSINES)
    ways = [line[2] for line in lines if line[:2] == ["300", "16"]]
    assert ways == ["products", "nearest", "similar", "full"]


def test_cosines_refuses_times_of_ways_that_differ(words_printed, monkeypatch):
    monkeypatch.setattr(cosines, "full", lambda queries, keys: (queries @ keys.t())[:, :10].numpy())
    with pytest.raises(AssertionError):
        words_printed(cosines.main, *SMALL_COSINES)


SMALL_META = ("--rows", 300, "--d-in", 16, "--meta-latents", 24, "--batch", 64, "--steps", 6)


@pytest.mark.parametrize("precision", [(), ("--bfloat16",)])
def test_meta_step_trains_both_to_the_same_loss(words_printed, precision):
    lines = words_printed(meta_step.main, *SMALL_META, "--rounds", 2, "--device", "cpu", *precision)
    for name in ("ours", "sae-lens", "products"):
        assert float(_row(lines, name)[1]) > 0
    loss = _row(lines, "loss")
    before, ours = float(loss[1]), float(loss[4].rstrip(","))
    assert ours < before


def test_meta_step_refuses_figures_of_different_trainings(words_printed, monkeypatch):
    train = meta_step.sae_lens_side.train

    def worse(*arguments: Any) -> object:
        sae = train(*arguments)
        with torch.no_grad():
            sae.W_dec.neg_()
        return sae

    monkeypatch.setattr(meta_step.sae_lens_side, "train", worse)
    with pytest.raises(RuntimeError, match="not the same training"):
        words_printed(meta_step.main, *SMALL_META, "--rounds", 1, "--device", "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what a machine without CUDA prints")
def test_without_cuda_a_row_says_so(words_printed):
    lines = words_printed(meta_step.main, *SMALL_META, "--rounds", 1, "--device", "cuda")
    assert lines[-1] == ["cuda:", "no", "CUDA", "on", "this", "machine"]


def test_training_route_trains_over_both_routes(words_printed):
    small = ("--tokens", 1024, "--latents", 64, "--k", 4, "--batch", 256, "--d-model", 16)
    layers = ("--layers", 2, "--layer", 1, "--rounds", 1, "--device", "cpu")
    lines = words_printed(training_route.main, *small, *layers)
    assert float(_row(lines, "ours")[1]) > 0
    assert float(_row(lines, "sae-lens")[1]) > 0


def test_layout_asks_the_same_of_both_layouts(words_printed, fixture_run: Path):
    lines = words_printed(layout.main, "--run", fixture_run, "--questions", 3)
    text = [" ".join(line) for line in lines]
    for start in (
        "a term's latents sorted 3",
        "a term's latents LIKE over the texts 3",
        "a latent's examples unsorted 3",
        "a meta-latent's members unsorted 3",
    ):
        assert any(line.startswith(start) for line in text), start


def test_dashboard_baseline_times_both_apps(words_printed, fixture_run: Path):
    sizes = ("--run", fixture_run, "--starts", 0, "--reruns", 2)
    lines = words_printed(dashboard_baseline.main, *sizes)
    row = next(line for line in lines if "p50," in line and line[0] == "script")
    ours, theirs = map(float, row[7:9])
    assert ours > 0 and theirs > 0


def test_many_people_are_answered_and_counted(words_printed, monkeypatch, fixture_run):
    monkeypatch.setattr(people, "THINKS_SECONDS", 0.1)
    monkeypatch.setattr(people, "WARMING_SECONDS", 1.0)

    def in_a_thread() -> None:  # a browser of another test may keep this one's event loop
        with ThreadPoolExecutor(1) as pool:
            pool.submit(people.main).result()

    lines = words_printed(in_a_thread, "--data", fixture_run.parent, "--people", 2, "--seconds", 3)
    crowd, pages, _, median, p95, slowest, failed, _ = _row(lines, "2")
    assert (crowd, failed) == ("2", "0")
    assert int(pages) >= 2  # each person ends the page that was asked for
    assert 0 < int(median) <= int(p95) <= int(slowest)
