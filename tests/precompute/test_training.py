"""Training recovers what was planted, invents nothing, repeats itself, and can be stopped."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from precompute import training
from precompute.batches import Batches, matrix_batches
from precompute.dictionary import Dictionary, exact_threshold, fidelity
from precompute.training import Fit, Start, fit
from tests.precompute.planted import ATOMS_A_ROW, D_IN, N_ATOMS, gaussian_rows, planted_rows

CPU = torch.device("cpu")
LONG = Fit(
    n_latents=N_ATOMS,
    k=ATOMS_A_ROW,
    steps=1000,
    batch_size=512,
    learning_rate=5e-3,
    seed=0,
    dead_after_steps=50,
)
SHORT = replace(LONG, steps=40, batch_size=64, dead_after_steps=3, warm_up_share=0.1)


def _random_start(seed: int = 0) -> Start:
    directions = gaussian_rows(N_ATOMS, seed=seed + 100)
    return Start(bias=torch.zeros(D_IN), directions=directions)


def _trained(
    folder: Path, settings: Fit, rows: torch.Tensor, start: Start | None = None
) -> Dictionary:
    batches = matrix_batches(rows, settings.batch_size, settings.seed)
    return fit(settings, batches, start or _random_start(), folder, "test", CPU)


def _recalibrated(folder: Path, rows: torch.Tensor) -> Dictionary:
    sae = _trained(folder, LONG, rows)
    return sae.with_threshold(exact_threshold(sae, rows, LONG.k))


def _assert_identical(one: Dictionary, other: Dictionary) -> None:
    for name in ("W_enc", "b_enc", "W_dec", "b_dec"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    assert one.threshold == other.threshold


@pytest.fixture(scope="module")
def planted_heldout(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    """Mean best cosine of the atoms, and variance explained on rows that training never saw."""
    rows, atoms = planted_rows(6000)
    sae = _recalibrated(tmp_path_factory.mktemp("planted"), rows[:5000])
    recovered = (atoms @ sae.W_dec.t()).max(1).values
    return float(recovered.mean()), fidelity(sae, rows[5000:]).variance_explained


def test_a_planted_dictionary_is_recovered(planted_heldout):
    mean_cosine, variance_explained = planted_heldout
    assert mean_cosine > 0.9
    assert variance_explained > 0.9


def test_on_rows_without_structure_training_beats_a_random_dictionary_by_little(
    tmp_path, planted_heldout
):
    rows = gaussian_rows(6000)
    sae = _recalibrated(tmp_path, rows[:5000])
    explained = fidelity(sae, rows[5000:]).variance_explained
    # what 4 of 64 random directions explain of a random row, by matching pursuit
    residual, atoms = rows[5000:].clone(), gaussian_rows(N_ATOMS, seed=7)
    for _ in range(ATOMS_A_ROW):
        weights = residual @ atoms.t()
        best = weights.argmax(1)
        residual -= weights.gather(1, best[:, None]) * atoms[best]
    random_dictionary = 1 - float(residual.pow(2).sum() / len(residual))
    assert abs(explained - random_dictionary) < 0.05  # both near 0.30
    assert explained < 0.5 * planted_heldout[1]


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(tmp_path):
    rows, _ = planted_rows(500)
    first = _trained(tmp_path / "a", SHORT, rows)
    _assert_identical(first, _trained(tmp_path / "b", SHORT, rows))
    other = _trained(tmp_path / "c", replace(SHORT, seed=1), rows)
    assert not torch.equal(first.W_dec, other.W_dec)


class _Stopped(Exception):
    """Stands for a kill."""


def _stopping(batches: Batches, after: int) -> Batches:
    def generate(start_step: int) -> Iterator[torch.Tensor]:
        yield from itertools.islice(batches(start_step), after)
        raise _Stopped

    return generate


@pytest.mark.parametrize("slow", [0, 8])
def test_a_stopped_training_resumes_bit_for_bit(tmp_path, monkeypatch, slow):
    rows, _ = planted_rows(500)
    start = replace(_random_start(), n_slow=slow, slow_rate=0.1)
    undisturbed = _trained(tmp_path / "whole", SHORT, rows, start)
    batches = matrix_batches(rows, SHORT.batch_size, SHORT.seed)
    folder = tmp_path / "stopped"
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", -1.0)  # after every step
    for after in (7, 12):  # stopped twice: at step 7, then at 7 + 12
        with pytest.raises(_Stopped):
            fit(SHORT, _stopping(batches, after), start, folder, "test", CPU)
    (folder / "step-20").mkdir()  # a checkpoint that was being written when it was killed
    (folder / "step-20" / "sae_weights.safetensors").write_bytes(b"half")
    assert sorted(p.name for p in folder.iterdir()) == ["latest.json", "step-19", "step-20"]

    asked_for: list[int] = []

    def noting(start_step: int) -> Iterator[torch.Tensor]:
        asked_for.append(start_step)
        return batches(start_step)

    resumed = fit(SHORT, noting, start, folder, "test", CPU)
    assert asked_for == [19]
    _assert_identical(resumed, undisturbed)


def test_slow_decoder_rows_move_by_their_share_in_one_step(tmp_path):
    rows, _ = planted_rows(500)
    one_step = replace(SHORT, steps=1, warm_up_share=0.0, decay_share=0.0)
    start = _random_start()
    assert start.directions is not None
    moved = []
    for folder, n_slow in (("free", 0), ("slow", 16)):
        held = replace(start, n_slow=n_slow, slow_rate=0.1)
        sae = _trained(tmp_path / folder, one_step, rows, held)
        moved.append((sae.W_dec - start.directions).norm(dim=1))
    free, slow = moved
    assert (free[:16] > 1e-3).sum() > 10  # a latent that no row of the batch needs stays
    torch.testing.assert_close(slow[:16], 0.1 * free[:16], rtol=0.05, atol=0)
    torch.testing.assert_close(slow[16:], free[16:])


def test_frozen_decoder_rows_do_not_move_while_their_encoder_learns(tmp_path):
    rows, _ = planted_rows(500)
    start = replace(_random_start(), n_slow=N_ATOMS, slow_rate=0.0)
    assert start.directions is not None
    sae = _trained(tmp_path, SHORT, rows, start)
    torch.testing.assert_close(sae.W_dec, start.directions, rtol=0, atol=1e-6)
    assert (sae.W_enc - start.directions.t()).norm() > 0.1


def test_a_slow_latent_counts_as_dead_four_times_later():
    """Latents 0 (slow) and 1 (free) look along an axis that no row has, so neither ever fires."""
    rows, _ = planted_rows(500)
    rows[:, -1] = 0.0
    start = replace(_random_start(), n_slow=1, slow_rate=0.1)
    assert start.directions is not None
    start.directions[:2] = torch.eye(D_IN)[-1]
    settings = replace(SHORT, dead_after_steps=3)
    trainer = training._trainer(settings, start, CPU)
    batches = matrix_batches(rows, settings.batch_size, settings.seed)(0)
    first_dead: dict[int, int] = {}
    for step in range(1, 20):
        training._step(trainer, next(batches), start)
        for latent in (0, 1):
            if trainer.dead_neurons[latent]:
                first_dead.setdefault(latent, step)
    assert first_dead == {1: 4, 0: 13}  # silent for more than 3 steps, for more than 3 x 4 steps


def test_the_result_has_unit_decoder_rows_and_computes_what_was_trained(tmp_path):
    """The folded copy of an untrained SAE equals its plain formula."""
    rows = gaussian_rows(200)
    bias = torch.full((D_IN,), 0.3)
    start = replace(_random_start(), bias=bias)
    assert start.directions is not None
    sae = fit(
        replace(SHORT, steps=0), matrix_batches(rows, 64, 0), start, tmp_path, "untrained", CPU
    )
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(N_ATOMS))
    expected = (rows - bias) @ start.directions.t()
    torch.testing.assert_close(sae.scores(rows), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(sae.decode(torch.zeros(1, N_ATOMS))[0], bias)
