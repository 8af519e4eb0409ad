"""Delphi's cache of activations: 8 sequences of 6 tokens.

Latent i fires on token 2 of sequence i % 8, most strongly, and elsewhere at random.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from backend.manifest import read_manifest
from precompute.imports import delphi_cache
from tests.precompute.imports.importing import Imported, refusal, run_import
from tests.precompute.imports.test_delphi import HOOK


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def firings() -> np.ndarray:
    rng = np.random.default_rng(0)
    random = np.column_stack(
        [rng.integers(0, 8, 300), rng.integers(3, 6, 300), rng.integers(0, 32, 300)]
    )
    planted = np.array([[latent % 8, 2, latent] for latent in range(32)])
    return np.unique(np.concatenate([random, planted]), axis=0)


@pytest.fixture
def folder(tmp_path: Path, firings: np.ndarray) -> Path:
    """Two splits, with 5.0 where a latent was planted and at most 1 elsewhere."""
    folder = tmp_path / "results" / "latents" / HOOK
    folder.mkdir(parents=True)
    tokens = np.arange(48, dtype=np.int64).reshape(8, 6)
    for first, last in ((0, 15), (16, 31)):
        own = firings[(firings[:, 2] >= first) & (firings[:, 2] <= last)]
        save_file(
            {
                "locations": (own - [0, 0, first]).astype(np.uint16),
                "activations": strength(own).astype(np.float16),
                "tokens": tokens,
            },
            folder / f"{first}_{last}.safetensors",
        )
    (folder / "config.json").write_text('{"model_name": "gpt2", "n_tokens": 1000000}')
    return tmp_path / "results"


def strength(firings: np.ndarray) -> np.ndarray:
    return np.where(firings[:, 1] == 2, 5.0, (1 + firings.sum(1)) / 64)


def imported(folder: Path, run: Path, out: Path, **asked: Any) -> Imported:
    return run_import("delphi", folder, run, out, trusts_width=True, **asked)


def test_densities_count_firings_over_the_tokens_that_are_there(folder, firings, nameless_run, out):
    rows = imported(folder, nameless_run, out).rows
    counts = np.bincount(firings[:, 2], minlength=32)
    assert {i: row["density"] for i, row in rows.items()} == {
        i: n / 48 for i, n in enumerate(counts)
    }
    assert {row["max_activation"] for row in rows.values()} == {5.0}


def test_blocks_of_any_size_give_the_same(folder, nameless_run, out, monkeypatch):
    vocabulary = write_vocabulary(folder)
    whole = imported(folder, nameless_run, out, tokenizer=vocabulary).rows
    monkeypatch.setattr(delphi_cache, "BLOCK_ROWS", 7)
    assert imported(folder, nameless_run, out, tokenizer=vocabulary).rows == whole


def test_examples_are_the_strongest_sequences_with_all_that_fires_in_them(
    folder, firings, nameless_run, out
):
    rows = imported(folder, nameless_run, out, tokenizer=write_vocabulary(folder)).rows
    for latent, row in rows.items():
        own = firings[firings[:, 2] == latent]
        best = {s: strength(own[own[:, 0] == s]).max() for s in set(own[:, 0].tolist())}
        expected = sorted(best, key=lambda sequence: -best[sequence])[:3]
        assert len(row["examples"]) == len(expected)
        for found, sequence in zip(row["examples"], expected, strict=True):
            values = np.zeros(6)
            here = own[own[:, 0] == sequence]
            values[here[:, 1]] = strength(here)
            np.testing.assert_allclose(found["values"], values, rtol=1e-3)
            assert found["tokens"] == [f" t{6 * sequence + at}" for at in range(6)]
            assert found["peak"] == values.argmax()


def write_vocabulary(folder: Path) -> Path:
    path = folder / "tokenizer.json"
    table = {f"\u0120t{i}": i for i in range(47)}
    added = [{"id": 47, "content": " t47"}]
    path.write_text(json.dumps({"model": {"vocab": table}, "added_tokens": added}))
    return path


def test_an_export_of_the_same_run_is_known_by_its_mark(folder, nameless_run, out):
    """Also where the module is named whose input is read: block 8, whose output is another."""
    cache = folder / "latents" / HOOK
    mark = {"content_hash": read_manifest(nameless_run).content_hash, "sae_id": "sae-32"}
    moved = cache.rename(cache.with_name("transformer.h.8"))
    (moved / "config.json").write_text(json.dumps({"subatomic": mark}))
    report = run_import("delphi", folder, nameless_run, out).report
    assert "agrees: an export of this run" in report
    (moved / "config.json").write_text(json.dumps({"subatomic": mark | {"sae_id": "sae-8"}}))
    assert "another place" in refusal("delphi", folder, nameless_run, out.parent / "none")


def test_a_wider_cache_is_another_sae(folder, nameless_run, out):
    cache = folder / "latents" / HOOK
    (cache / "16_31.safetensors").rename(cache / "16_32.safetensors")
    assert "it has 33 latents, but sae-32 has 32" in refusal(
        "delphi", folder, nameless_run, out, trusts_width=True
    )


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"locations": np.zeros((2, 2), np.uint16)}, "locations are not [n, 3]"),
        ({"locations": np.array([[0, 0, 16]], np.uint16)}, "locations are not [n, 3]"),
        ({"locations": np.array([[0, 0, 0], [0, 0, 16]], np.uint16)}, "lies outside its 16"),
        ({"locations": np.array([[0, 0, 0], [8, 0, 0]], np.uint16)}, "or its tokens"),
        ({"locations": np.array([[0, 0, 0], [0, -1, 0]], np.int32)}, "or its tokens"),
        ({"tokens": np.zeros(4, np.int64)}, "tokens are not"),
    ],
)
def test_a_damaged_cache_is_told(folder, nameless_run, out, tensors, words):
    path = folder / "latents" / HOOK / "0_15.safetensors"
    whole = {
        "locations": np.zeros((2, 3), np.uint16),
        "activations": np.ones(2, np.float16),
        "tokens": np.zeros((8, 6), np.int64),
    }
    save_file(whole | tensors, path)
    told = refusal("delphi", folder, nameless_run, out, trusts_width=True)
    assert words in told
    assert str(path) in told


def test_a_torn_cache_is_told(folder, nameless_run, out):
    path = folder / "latents" / HOOK / "0_15.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    assert f"{path} cannot be read" in refusal(
        "delphi", folder, nameless_run, out, trusts_width=True
    )
