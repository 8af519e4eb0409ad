"""The method itself on rows whose dictionary is known, and on rows that have none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from precompute.config import MetaSaeConfig
from precompute.decomposition import fit_meta_sae, isotropic_rows
from precompute.dictionary import Dictionary, fidelity

D, N_ATOMS, ATOMS_A_ROW, N_ROWS = 64, 200, 4, 12_000
N_SEEN = 10_000
# a few more meta-latents than atoms: with 200 for 200 one in ten atoms shares a meta-latent
N_META = 256
SETTINGS = MetaSaeConfig(steps=900, batch_size=2048, learning_rate=3e-3)


def planted() -> tuple[torch.Tensor, torch.Tensor]:
    """Unit rows [n, 64], each of 4 of 200 atoms with weights 0.75 to 1.25, and the atoms."""
    generator = torch.Generator().manual_seed(1)
    atoms = torch.nn.functional.normalize(torch.randn(N_ATOMS, D, generator=generator), dim=1)
    chosen = torch.rand(N_ROWS, N_ATOMS, generator=generator).topk(ATOMS_A_ROW, dim=1).indices
    weights = torch.rand(N_ROWS, ATOMS_A_ROW, 1, generator=generator) * 0.5 + 0.75
    return torch.nn.functional.normalize((weights * atoms[chosen]).sum(1), dim=1), atoms


def trained(rows: torch.Tensor, folder: Path) -> Dictionary:
    device = torch.device("cpu")
    return fit_meta_sae(rows[:N_SEEN], N_META, SETTINGS, 0, folder, "planted", device)


@pytest.fixture(scope="module")
def meta_and_rows(tmp_path_factory):
    rows, atoms = planted()
    return trained(rows, tmp_path_factory.mktemp("planted")), rows, atoms


def test_a_planted_dictionary_of_200_atoms_is_recovered(meta_and_rows):
    meta, rows, atoms = meta_and_rows
    nearest = (meta.W_dec @ atoms.t()).max(0).values
    assert float(nearest.mean()) > 0.9
    assert fidelity(meta, rows[:N_SEEN]).variance_explained > 0.9
    assert fidelity(meta, rows[N_SEEN:]).variance_explained > 0.85  # rows it never saw


def test_rows_without_structure_are_learned_by_heart_at_most(tmp_path):
    # in 64 dimensions four of 256 directions catch a quarter of any row, so more dimensions here,
    # and the paper's 21 rows a meta-latent; 4 of 190 random directions catch 4 to 6 % of a row
    null = isotropic_rows(torch.empty(4000, 512), seed=3)
    settings = SETTINGS.model_copy(update={"steps": 300, "batch_size": 1024})
    device = torch.device("cpu")
    meta = fit_meta_sae(null[:3600], 190, settings, 0, tmp_path, "null", device)
    assert abs(fidelity(meta, null[3600:]).variance_explained) < 0.08
    assert fidelity(meta, null[:3600]).variance_explained > 0.1
