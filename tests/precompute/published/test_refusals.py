"""Damaged, foreign or unreadable SAEs are refused in plain words, before anything is computed."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from precompute.config import ConfigError
from precompute.published.conversion import as_dictionary, load_published
from precompute.published.finding import with_found_saes
from precompute.published.refusals import check_numbers, check_sparse
from tests.precompute.command_line import making
from tests.precompute.published.conftest import D_IN, made
from tests.precompute.published.test_finding import config_of
from tests.precompute.published.test_published_run import CONFIG

WEIGHTS, CFG = "sae_weights.safetensors", "cfg.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An SAE of 24 latents in a folder of its own."""
    made("standard", 24).save_model(tmp_path / "one")
    return tmp_path / "one"


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigError) as told:
        with_found_saes(config_of({"path": str(folder)}))
    return str(told.value)


def edited(folder: Path, **changes: Any) -> Path:
    body = json.loads((folder / CFG).read_text())
    (folder / CFG).write_text(json.dumps(body | changes))
    return folder


@pytest.mark.parametrize("kept", [0, 4, 7, 300, 0.5, 0.999])
def test_weights_cut_short(folder: Path, kept: float) -> None:
    content = (folder / WEIGHTS).read_bytes()
    end = int(kept * len(content)) if 0 < kept < 1 else int(kept)
    (folder / WEIGHTS).write_bytes(content[:end])
    told = refusal(folder)
    assert WEIGHTS in told and "cut short" in told and "Copy it again" in told


def test_weights_without_a_decoder_or_of_another_shape(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    save_file({name: t for name, t in tensors.items() if name != "W_dec"}, folder / WEIGHTS)
    assert "has no W_dec; it has W_enc, b_dec, b_enc" in refusal(folder)
    save_file(tensors | {"W_dec": tensors["W_dec"][:-1].clone()}, folder / WEIGHTS)
    assert f"W_dec is 23 x {D_IN}, its config says 24 x {D_IN}" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "batchtopk"}, "save_inference_model"),
        ({"architecture": "matryoshka_batchtopk"}, "save_inference_model"),
        ({"architecture": "quantum"}, "architecture quantum is none of standard, jumprelu"),
        ({"architecture": "transcoder"}, "architecture transcoder is none of"),
        ({"normalize_activations": "layer_norm"}, "rescales every token by itself"),
        ({"normalize_activations": "expected_average_only_in"}, "saes.norm_scaling_factor"),
        ({"activation_fn_str": "tanh-relu"}, "activation_fn_str = 'tanh-relu' is none of relu"),
        ({"d_sae": "many"}, "its config has width: Input should be a valid integer"),
        ({"d_sae": 25}, f"W_enc is {D_IN} x 24, its config says {D_IN} x 25"),
    ],
)
def test_configs_that_cannot_be_read(folder: Path, changes: dict[str, Any], words: str) -> None:
    told = refusal(edited(folder, **changes))
    assert words in told
    assert "pydantic" not in told


@pytest.mark.parametrize("content", ["[]", "7", "null", "{", '{"metadata": 3}', ""])
def test_configs_that_are_none(folder: Path, content: str) -> None:
    (folder / CFG).write_text(content)
    assert "cfg.json" in refusal(folder) or "its config lacks" in refusal(folder)


@pytest.mark.parametrize("name", ["W_enc", "b_enc", "W_dec", "b_dec"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_none(folder: Path, name: str, number: float) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors[name].view(-1)[3] = number
    save_file(tensors, folder / WEIGHTS)
    config = with_found_saes(config_of({"path": str(folder)}))
    assert config.published is not None
    with pytest.raises(ConfigError, match=f"1 of [0-9]+ numbers of {name} are not finite"):
        load_published(config.published, config.published.found[0])


def test_large_numbers_are_numbers() -> None:
    """Their sum is none in float32."""
    check_numbers("here", [("W", torch.full((4,), 3e38)), ("k", torch.tensor(4))])


def test_an_sae_that_is_not_sparse_is_refused_before_it_fills_the_memory() -> None:
    rows = np.random.default_rng(0).normal(size=(64, D_IN)).astype(np.float32)
    sparse = as_dictionary(made("topk", 1_000, k=8 * D_IN), "here")
    check_sparse("here", sparse, rows)  # as many as are allowed
    dense = as_dictionary(made("standard", 1_000), "here")  # about half of them fire
    with pytest.raises(ConfigError, match="latents fire on a row of 32 numbers, which is no spars"):
        check_sparse("here", dense, rows)


@pytest.mark.parametrize(
    ("source", "is_told"),
    [("gpt2", True), ("google/gemma-2-2b", False), ("random:gpt2", False), ("FOLDER", False)],
)
def test_another_model_is_told(folder, caplog, source: str, is_told: bool) -> None:
    """A warning, because models have more names than anybody knows."""
    edited(folder, metadata={"model_name": "gemma-2-2b", "sae_lens_version": "6.0.0"})
    source = str(folder) if source == "FOLDER" else source
    with caplog.at_level(logging.WARNING):
        with_found_saes(config_of({"path": str(folder)}, source=source))
    assert ("was trained on gemma-2-2b, and [model] is gpt2" in caplog.text) == is_told


def test_rows_of_another_length_are_refused_before_the_text_is_read(
    tmp_path, attempts, text_folder
):
    sae = made("standard", 24, d_in=D_IN // 2)
    sae.save_model(tmp_path / "saes" / "one")
    config = tmp_path / "mine.toml"
    config.write_text(CONFIG.replace("FOLDER", str(tmp_path / "saes")))
    done = attempts(*making(config, tmp_path), "--text", text_folder)
    assert done.code == 1
    assert "reads rows of 16 numbers, the place in [model] gives 32" in done.log
    assert not list(tmp_path.rglob("train.npy"))
