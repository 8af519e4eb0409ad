"""A run on attention's heads of a causal model: every stage with rows that are not the stream's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from backend.schema import TABLES
from backend.verify import verify_run
from precompute.config import load_config
from precompute.pipeline import run
from precompute.sources import LanguageModel, load_language_model
from precompute.stages import Places

HOOK, N_HEADS = "blocks.1.attn.hook_z", 4
CONFIG = """
title = "heads"
[model]
source = "{source}"
hook = "{hook}"
context_size = 32
[[corpora]]
name = "subatomic"
licence = "Apache-2.0"
documents = 60
shown = true
[saes]
widths = [24, 48]
k = 4
epochs = 1.0
batch_size = 128
[meta]
rows_per_meta_latent = 4
steps = 40
batch_size = 48
seeds = 2
[stitching]
insert_points = 2
swap_points = 2
effect_contexts = 8
refit_tokens = 1_000
resamples = 50
"""


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, language_models: dict[str, LanguageModel]
) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    # from files, which are read at once; a random model makes its vocabulary anew every time
    language_models["gpt2"].model.save_pretrained(folder / "model")
    language_models["gpt2"].tokenizer.save_pretrained(folder / "model")
    text = CONFIG.format(source=folder / "model", hook=HOOK)
    (folder / "heads.toml").write_text(text)
    places = Places(folder / "out", folder / "work", folder, torch.device("cpu"), workers=1)
    run(load_config(folder / "heads.toml"), text, places)
    return folder / "out" / "heads"


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in TABLES}


def test_the_run_is_whole_and_names_its_place(folder, tables):
    verify_run(folder)
    saes = [sae for sae in tables["saes"] if sae["kind"] == "sae"]
    assert [sae["hook_name"] for sae in saes] == [HOOK, HOOK]
    assert all(sae["d_in"] == 32 for sae in tables["saes"])
    through = "linear map transformer.h.1.attn.c_proj and the unembedding"
    assert {sae["logits_through"] for sae in tables["saes"]} == {through}


def test_heads_and_tokens_are_those_of_the_stored_directions(folder, tables):
    model = load_language_model(load_config(folder.parents[1] / "heads.toml").model)
    weight = model.model.get_parameter("transformer.h.1.attn.c_proj.weight").detach().numpy()
    latents = {(row["sae_id"], row["latent"]): row for row in tables["latents"]}
    assert len(latents) == 24 + 48 + 12  # 48 rows / 4
    for row in latents.values():
        assert len(row["head_shares"]) == N_HEADS
        assert sum(row["head_shares"]) == pytest.approx(1, abs=0.005)  # each to 0.2 %
    tokens = model.token_directions.numpy()
    tokens = tokens[4:] - tokens[4:].mean(0)  # the four special ones come first: left out
    for row in tables["directions"]:  # the decomposed SAE and its meta-SAE, 8 bits a number
        own = np.frombuffer(row["decoder"], np.int8) * row["decoder_scale"]
        latent = latents[row["sae_id"], row["latent"]]
        shares = (own**2).reshape(N_HEADS, -1).sum(1) / (own**2).sum()
        np.testing.assert_allclose(latent["head_shares"], shares, atol=0.03)
        logits = tokens @ (own @ weight)
        assert latent["promoted"][0]["logit"] == pytest.approx(float(logits.max()), rel=0.1)
        assert latent["suppressed"][0]["logit"] == pytest.approx(float(logits.min()), rel=0.1)


def test_a_stitched_sae_is_spliced_into_the_heads(tables):
    effects = [row for row in tables["stitch_curve"] if row["effect"] is not None]
    assert effects
    assert all(np.isfinite(row["effect"]) for row in effects)
