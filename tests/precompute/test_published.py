"""SAEs that others trained, from folders in the layout of a sae-lens release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from sae_lens import JumpReLUSAE, JumpReLUSAEConfig, StandardSAE, StandardSAEConfig

from backend.verify import verify_run
from precompute.config import ConfigError, PublishedConfig, PublishedSae
from precompute.published import as_dictionary, load_published
from tests.precompute.command_line import making
from tests.precompute.small_text import FILE_NAME, PUBLIC

D_IN = 32  # of the random models
CONFIG = f"""
title = "published"
[model]
source = "random:gpt2"
layer = 1
context_size = 16
[[corpora]]
name = "own"
file = "{FILE_NAME}"
licence = "ours"
public = "{PUBLIC}"
shown = true
[published]
release = "ours-v1"
folder = "FOLDER"
saes = [{{ id = "small", width = 24 }}, {{ id = "wide", width = 48, neuronpedia_id = "m/x" }}]
[meta]
rows_per_meta_latent = 6
k = 2
steps = 30
batch_size = 16
seeds = 2
"""


def _weights(sae: Any, seed: int) -> None:
    """Random weights whose decoder rows are not of unit length."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name in ("W_enc", "W_dec", "b_enc", "b_dec"):
            tensor = getattr(sae, name)
            tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))


def _standard(n_latents: int, **options: Any) -> StandardSAE:
    sae = StandardSAE(StandardSAEConfig(d_in=D_IN, d_sae=n_latents, **options))
    _weights(sae, n_latents)
    return sae


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    for name, width in (("small", 24), ("wide", 48)):
        _standard(width).save_model(folder / name)
    return folder


def _config(folder: Path, sae_id: str, width: int) -> tuple[PublishedConfig, PublishedSae]:
    one = PublishedSae(id=sae_id, width=width)
    return PublishedConfig(release="ours-v1", folder=str(folder), saes=(one,)), one


@pytest.mark.parametrize("apply_b_dec_to_input", [True, False])
@pytest.mark.parametrize("architecture", ["standard", "jumprelu"])
def test_a_published_sae_rebuilds_rows_as_before(architecture, apply_b_dec_to_input):
    if architecture == "standard":
        sae: Any = _standard(24, apply_b_dec_to_input=apply_b_dec_to_input)
    else:
        options = JumpReLUSAEConfig(d_in=D_IN, d_sae=24, apply_b_dec_to_input=apply_b_dec_to_input)
        sae = JumpReLUSAE(options)
        _weights(sae, 1)
        with torch.no_grad():
            sae.W_dec.div_(sae.W_dec.norm(dim=1, keepdim=True))
            sae.threshold.fill_(0.4)
    rows = torch.randn(50, D_IN, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        acts = sae.encode(rows)
        expected, norms = sae.decode(acts), sae.W_dec.norm(dim=1)
    dictionary = as_dictionary(sae, "here")
    torch.testing.assert_close(dictionary.W_dec.norm(dim=1), torch.ones(24))
    ours = dictionary.encode(rows)
    assert 0 < int((ours > 0).sum()) < ours.numel()
    torch.testing.assert_close(ours, acts * norms, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(dictionary.decode(ours), expected, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_expressed_exactly_is_refused_with_the_reason():
    with pytest.raises(ConfigError, match="normalised by layer_norm"):
        as_dictionary(_standard(24, normalize_activations="layer_norm"), "here")
    sae: Any = JumpReLUSAE(JumpReLUSAEConfig(d_in=D_IN, d_sae=24))
    with torch.no_grad():
        sae.threshold.copy_(torch.linspace(0.1, 1, 24))
    with pytest.raises(ConfigError, match="threshold"):
        as_dictionary(sae, "here")


def test_an_sae_that_is_not_there_or_of_another_width_is_named(release):
    with pytest.raises(ConfigError, match="published SAE 'large' could not be loaded"):
        load_published(*_config(release, "large", 24))
    with pytest.raises(ConfigError, match="has 24 latents, the config says 25"):
        load_published(*_config(release, "small", 25))


def test_published_saes_make_a_run_like_trained_ones(tmp_path, attempts, release, text_folder):
    config = tmp_path / "mine.toml"
    config.write_text(CONFIG.replace("FOLDER", str(release)))
    done = attempts(*making(config, tmp_path), "--text", text_folder)
    assert done.code == 0, done.log
    run = tmp_path / "out" / "mine"
    manifest = verify_run(run)
    assert manifest.model_id == "random:gpt2"
    saes = {row["sae_id"]: row for row in pq.read_table(run / "saes.parquet").to_pylist()}
    assert set(saes) == {"sae-24", "sae-48", "meta-8"}
    wide = saes["sae-48"]
    assert (wide["release"], wide["release_sae_id"]) == ("ours-v1", "wide")
    assert (wide["architecture"], wide["neuronpedia_id"]) == ("standard", "m/x")
    assert (wide["k"], wide["seed"]) == (None, None)
    assert saes["meta-8"]["parent_sae_id"] == "sae-48"
    assert saes["meta-8"]["l0"] == pytest.approx(2.0, abs=0.05)
