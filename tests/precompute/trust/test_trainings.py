"""The plan of controls holds what pages expect, and each training measures what it says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from precompute.config import MetaSaeConfig, load_config
from precompute.dictionary import Dictionary, fidelity
from precompute.meta_suite import split_rows
from precompute.trust import control_rows as kinds
from precompute.trust.files import save_matrix
from precompute.trust.trainings import (
    ALIKE,
    BY_ACTIVATION,
    MEAN_ACTIVATION,
    SWEEPS,
    Training,
    TrainingTask,
    figures_path,
    planned,
    train,
    weights_folder,
)
from tests.precompute.command_line import TINY
from tests.precompute.planted import planted_rows

MINILM = Path(__file__).parents[3] / "precompute" / "configs" / "minilm.toml"
SETTINGS = MetaSaeConfig(steps=60, batch_size=256, rows_per_meta_latent=10)
N_ROWS = 600


@pytest.mark.parametrize("path", [TINY, MINILM])
def test_every_control_is_trained_once_a_seed_under_a_name_of_its_own(path):
    config = load_config(path)
    assert config.trust is not None
    trainings = planned(config, config.trust, (kinds.WORDS,))
    names = [figures_path(Path(), one) for one in trainings]
    assert len(set(names)) == len(names)
    seeds = Counter((one.experiment, one.slug) for one in trainings)
    wanted = {"methods": 1} | dict.fromkeys(SWEEPS, config.trust.sweep_seeds)
    for (experiment, slug), n in seeds.items():
        assert n == wanted.get(experiment, config.trust.seeds), slug
    controls = {one.subject for one in trainings if one.experiment == "controls"}
    assert controls == {
        kinds.DECODER, kinds.COVARIANCE, kinds.ISOTROPIC, kinds.SHUFFLED, kinds.WORDS,
    }  # fmt: skip


def test_the_published_composition_score_is_trained_as_published():
    config = load_config(MINILM)
    assert config.trust is not None
    found = [t for t in planned(config, config.trust, ()) if t.experiment == "composition"]
    assert {t.sae_id for t in found} == set(config.sae_ids)
    widest = next(t for t in found if t.sae_id == "sae-24576")
    assert widest.n_meta == 6144  # ceil(n / 4)
    settings = widest.settings
    assert (settings.k, settings.steps) == (4, 1500)
    assert (settings.batch_size, settings.learning_rate) == (1024, 5e-4)
    assert (widest.drawn, widest.is_split) == (ALIKE, False)


def test_sizes_that_the_mean_number_of_components_does_not_fit_are_left_out():
    config = load_config(TINY)
    assert config.trust is not None
    wide = config.trust.model_copy(update={"rows_per_meta_latent": (64.0, 16.0), "ks": (2.0, 64.0)})
    found = planned(config, wide, ())
    # 256 / 64 = 4 meta-latents cannot have k = 4 of them active, nor 32 meta-latents 64
    assert {t.n_meta for t in found if t.experiment == "width_sweep"} == {16}
    assert {t.settings.k for t in found if t.experiment == "k"} == {2.0}


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    rows, _ = planted_rows(N_ROWS)
    zeros = torch.zeros(len(rows))
    sae = Dictionary(rows.t().contiguous(), zeros, rows, torch.zeros(rows.shape[1]), 0.0)
    sae.save(tmp_path / "saes" / "sae-600", {})
    return tmp_path / "saes", tmp_path / "trust"


def figures_of(places: tuple[Path, Path], training: Training) -> dict[str, float]:
    saes, folder = places
    train(TrainingTask(training, saes, folder, "cpu"))
    return json.loads(figures_path(folder, training).read_text())


def training(**changes: object) -> Training:
    fields = {
        "experiment": "controls", "subject": kinds.DECODER, "setting": "", "rows": kinds.DECODER,
        "n_meta": 60, "settings": SETTINGS, "sae_id": "sae-600", "seed": 0,
    } | changes  # fmt: skip
    return Training(**fields)  # pyright: ignore[reportArgumentType] - fields of several types


def test_figures_are_those_of_the_kept_weights_on_both_parts_of_the_rows(places):
    one = training(is_kept=True)
    figures = figures_of(places, one)
    rows = Dictionary.load(places[0] / "sae-600").W_dec
    meta = Dictionary.load(weights_folder(places[1], one))
    for name, part in zip(("in-sample", "held-out"), split_rows(rows, 0.1, 0), strict=True):
        measured = fidelity(meta, part).variance_explained
        assert figures[name] == pytest.approx(measured, abs=1e-4)
    assert figures["n_meta"] == 60


def test_other_rows_are_read_from_the_stage_and_set_the_size(places):
    save_matrix(places[1], kinds.WORDS, planted_rows(300, seed=4)[0])
    figures = figures_of(places, training(rows=kinds.WORDS, subject=kinds.WORDS, n_meta=0))
    assert (figures["n_rows"], figures["n_meta"]) == (300, 30)


def test_frozen_directions_stay_and_a_composition_score_sees_every_row(places):
    directions = planted_rows(60, seed=5)[0]
    save_matrix(places[1], "nearest latents", directions)
    one = training(frozen="nearest latents", is_split=False, drawn=ALIKE)
    figures = figures_of(places, one)
    assert "held-out" not in figures
    kept = Dictionary.load(weights_folder(places[1], one))
    assert torch.allclose(kept.W_dec, directions, atol=1e-5)


def test_rows_drawn_by_activation_are_explained_better_where_they_weigh_more(places):
    heavy = torch.zeros(N_ROWS)
    heavy[:60] = 1.0  # only these are ever drawn
    save_matrix(places[1], MEAN_ACTIVATION, heavy)
    drawn = {
        name: figures_of(places, training(experiment="sampling", subject=name, drawn=name))
        for name in (ALIKE, BY_ACTIVATION)
    }
    weighted = f"in-sample, {BY_ACTIVATION}"
    assert drawn[BY_ACTIVATION][weighted] > drawn[ALIKE][weighted] + 0.03
    assert drawn[BY_ACTIVATION]["in-sample"] < drawn[ALIKE]["in-sample"]
