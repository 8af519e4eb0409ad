"""Where SAEs start, what they are measured by, and that rare words keep their latents."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from precompute.config import SaeSuiteConfig
from precompute.dictionary import Dictionary
from precompute.initialisation import row_statistics, sampled_directions, word_directions
from precompute.suite import SaeTask, train_sae

D_IN, N_WORDS, N_ROWS = 32, 96, 24_000
N_RARE = 24  # of the words, seen about 30 times each


@dataclass(frozen=True)
class Text:
    """Rows [N_ROWS, D_IN] that are their word's direction plus noise, and the word of each."""

    rows: np.ndarray
    words: np.ndarray


@pytest.fixture(scope="module")
def text() -> Text:
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(N_WORDS, D_IN))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    weights = np.where(np.arange(N_WORDS) < N_WORDS - N_RARE, 1 / N_WORDS, 30 / N_ROWS)
    words = rng.choice(N_WORDS, N_ROWS, p=weights / weights.sum())
    noise = rng.normal(size=(N_ROWS, D_IN)) * 0.1
    rows = 4.0 + 5.0 * (directions[words] + noise)  # an offset and a length to be undone
    return Text(rows.astype(np.float16), words.astype(np.int32))


def _task(text: Text, folder: Path, config: SaeSuiteConfig, n_latents: int = N_WORDS) -> SaeTask:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "train.npy", text.rows[:20_000])
    np.save(folder / "heldout.npy", text.rows[20_000:])
    statistics = row_statistics(text.rows[:20_000], text.words[:20_000])
    return SaeTask("sae", n_latents, config, 0, folder, statistics, folder / "sae", "cpu")


def _config(**changes: object) -> SaeSuiteConfig:
    settings = {"widths": (N_WORDS,), "k": 2, "epochs": 4, "batch_size": 512, "word_share": 1.0}
    return SaeSuiteConfig.model_validate(settings | {"learning_rate": 3e-3} | changes)


def test_statistics_are_the_means_of_all_rows_and_of_each_frequent_piece(text):
    found = row_statistics(text.rows, text.words)
    rows = text.rows.astype(np.float64)
    np.testing.assert_allclose(found.mean, rows.mean(0), rtol=1e-5)
    counts = np.bincount(text.words)
    assert (np.diff(counts[found.pieces]) <= 0).all()
    assert set(found.pieces) == set(np.flatnonzero(counts >= 6))
    for place in (0, len(found.pieces) - 1):
        own = rows[text.words == found.pieces[place]].mean(0)
        np.testing.assert_allclose(found.piece_means[place], own, rtol=1e-4)
    assert np.linalg.norm(rows * found.scale, axis=1).mean() == pytest.approx(D_IN**0.5, rel=1e-3)


def test_directions_are_unit_and_point_from_the_mean(text):
    statistics = row_statistics(text.rows, text.words)
    words = word_directions(statistics, 5)
    for place in range(5):
        own = text.rows[text.words == statistics.pieces[place]].astype(np.float64).mean(0)
        away = own - text.rows.astype(np.float64).mean(0)
        np.testing.assert_allclose(words[place], away / np.linalg.norm(away), atol=1e-3)
    sampled = sampled_directions(statistics, text.rows, 7, seed=0)
    torch.testing.assert_close(sampled.norm(dim=1), torch.ones(7))


def test_figures_are_those_of_the_saved_sae_in_the_units_of_the_model(text, tmp_path):
    task = _task(text, tmp_path, _config())
    train_sae(task)
    sae = Dictionary.load(task.folder)
    figures = json.loads((task.folder / "figures.json").read_text())["heldout"]
    rows = text.rows[20_000:].astype(np.float64)
    pre = rows @ sae.W_enc.double().numpy() + sae.b_enc.double().numpy()
    acts = np.where(pre > sae.threshold, pre, 0.0)
    error = rows - acts @ sae.W_dec.double().numpy() - sae.b_dec.double().numpy()
    explained = 1 - (error**2).sum() / ((rows - rows.mean(0)) ** 2).sum()
    assert figures["variance_explained"] == pytest.approx(explained, abs=1e-3)
    assert figures["l0"] == pytest.approx((acts > 0).sum(1).mean(), abs=1e-2)
    assert figures["n"] == len(rows)
    assert explained > 0.6  # noise is a quarter of the variance: 32 x 0.1^2 against 1


def _rare_recall(text: Text, folder: Path, encoder_scale: float) -> float:
    """Share of the rare words' tokens on which the latent that started as the word fires."""
    task = _task(text, folder, _config(encoder_scale=encoder_scale, epochs=1))
    train_sae(task)
    sae = Dictionary.load(task.folder)
    rare = text.words >= N_WORDS - N_RARE
    latent_of = np.full(N_WORDS, -1)
    latent_of[task.statistics.pieces] = np.arange(len(task.statistics.pieces))
    acts = sae.encode(torch.from_numpy(text.rows[rare]).float()).numpy()
    return float((acts[np.arange(rare.sum()), latent_of[text.words[rare]]] > 0).mean())


def test_latents_of_rare_words_fire_when_the_encoder_starts_large_enough(text, tmp_path):
    normal = _rare_recall(text, tmp_path / "normal", 0.25)
    assert normal > 0.9
    assert _rare_recall(text, tmp_path / "small", 0.01) < normal - 0.1
