"""Exports read by SAELens itself: the same activations, and what is said about them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from sae_lens import SAE, JumpReLUSAE
from safetensors.torch import load_file
from transformer_lens.model_bridge import TransformerBridge

from precompute.__main__ import main
from precompute.dictionary import Dictionary
from precompute.exports.hook_names import transformer_lens_hook
from tests.planted import META, SMALL, WIDE
from tests.precompute.exports.changed_run import (
    random_dictionary,
)

REVISION = "0123456789abcdef0123456789abcdef01234567"
ROWS = torch.randn(200, 6, generator=torch.Generator().manual_seed(9))
STAGES = {SMALL: f"saes-1/{SMALL}", WIDE: f"saes-1/{WIDE}", META: "meta-1/seed-0"}


@pytest.fixture
def work(weighted, tmp_path) -> Path:
    """A work folder with the exact weights, where the stages of a run put them."""
    for sae_id, place in STAGES.items():
        weights: Dictionary = weighted.weights[sae_id]
        weights.save(tmp_path / "work" / "planted" / place, {})
    return tmp_path / "work"


def _assert_same(sae: SAE, expected: Dictionary) -> None:
    """`sae` encodes and decodes as `expected` does, to 1e-5."""
    acts = expected.encode(ROWS)
    assert 0 < int((acts > 0).sum()) < acts.numel()
    with torch.no_grad():
        torch.testing.assert_close(sae.encode(ROWS), acts, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(sae.decode(acts), expected.decode(acts), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sae_id", [SMALL, WIDE, META])
def test_sae_lens_reads_exact_weights_as_the_same_jumprelu_sae(exported, weighted, work, sae_id):
    folder = exported("saelens", "--sae", sae_id, "--work", str(work))
    sae = SAE.load_from_disk(folder)
    assert isinstance(sae, JumpReLUSAE)
    expected = weighted.weights[sae_id]
    assert torch.equal(sae.threshold.data, torch.full([expected.n_latents], expected.threshold))
    _assert_same(sae, expected)
    assert sae.cfg.metadata.weights == "float32"


def test_the_pretrained_route_reads_the_same_from_a_cache_of_the_hub(
    exported, weighted, work, tmp_path, monkeypatch
):
    """What a download of an uploaded folder leaves on disk, and no network at all."""
    folder = exported("saelens", "--sae", META, "--work", str(work))
    repository = tmp_path / "hub" / "models--ours--metas"
    shutil.copytree(folder, repository / "snapshots" / REVISION / "four")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    sae, config, sparsity = SAE.from_pretrained_with_cfg_and_sparsity("ours/metas", "four")
    _assert_same(sae, weighted.weights[META])
    assert config["metadata"]["parent"] == WIDE
    assert sparsity is not None
    assert sparsity.shape == (4,)


def test_cfg_says_where_an_sae_belongs_and_what_it_is(exported, weighted, work):
    folder = exported("saelens", "--sae", SMALL, "--work", str(work), "--model-id", "org/bert")
    metadata = json.loads((folder / "cfg.json").read_text())["metadata"]
    [(run_hash, decoder_hash)] = weighted.ask(
        f"""select '{_content_hash(weighted.run)}', decoder_sha256 from {{saes}}
        where sae_id = '{SMALL}'"""
    )
    assert metadata["sae_lens_version"] >= "6"
    del metadata["sae_lens_version"]
    assert metadata == {
        "model_name": "org/bert",
        "hook_name": "blocks.0.hook_resid_post",
        "hook_head_index": None,
        "model_from_pretrained_kwargs": {},
        "prepend_bos": False,
        "context_size": 64,
        "dataset_path": None,
        "neuronpedia_id": "gpt2-small/8-res_fs49152-jb",
        "sae_lens_training_version": None,  # the planted run names no version
        "run": "planted",
        "content_hash": run_hash,
        "sae_id": SMALL,
        "trained_as": "batchtopk",
        "decoder_sha256": decoder_hash,
        "reads": "hidden_states[1]",
        "weights": "float32",
    }


def test_cfg_of_a_meta_sae_names_its_parent_and_no_hook(exported, work):
    folder = exported("saelens", "--sae", META, "--work", str(work))
    metadata = json.loads((folder / "cfg.json").read_text())["metadata"]
    assert metadata["hook_name"] is None
    assert metadata["parent"] == WIDE
    assert metadata["reads"] == f"decoder rows of {WIDE}, each of unit length"
    assert metadata["model_name"] == "planted"


def test_sparsity_is_the_log_of_the_density(exported, weighted, work):
    folder = exported("saelens", "--sae", WIDE, "--work", str(work))
    found = load_file(folder / "sparsity.safetensors")["sparsity"]
    expected = weighted.ask(
        f"""select log10("count" / tokens_seen + 1e-10) from {{latents}}
        where sae_id = '{WIDE}' order by latent"""
    )
    torch.testing.assert_close(found, torch.tensor(expected)[:, 0])
    assert float(found[28]) == -10  # the dead one


def test_among_other_trainings_the_one_with_the_decoder_and_threshold_is_taken(
    exported, weighted, work
):
    place = work / "planted"
    exact = weighted.weights[META]
    shutil.rmtree(place / "meta-1")
    random_dictionary(4, 6, 8).save(place / "meta-0" / "seed-0", {})  # another seed
    exact.with_threshold(0.7).save(place / "meta-1" / "seed-0", {})  # a threshold set anew
    random_dictionary(5, 6, 8).save(place / "meta-2" / "seed-0", {})  # another width
    (place / "meta-3" / "seed-0").mkdir(parents=True)
    (place / "meta-3" / "seed-0" / "sae_weights.safetensors").write_bytes(b"cut short")
    exact.save(place / "meta-4" / WIDE / "seed-0", {})  # as beside the meta-SAE of another SAE
    sae = SAE.load_from_disk(exported("saelens", "--sae", META, "--work", str(work)))
    _assert_same(sae, exact)
    assert sae.cfg.metadata.weights == "float32"


@pytest.mark.parametrize("sae_id", [META, WIDE])
def test_without_a_work_folder_the_weights_of_the_run_are_taken(
    exported, weighted, tmp_path, sae_id
):
    folder = exported("saelens", "--sae", sae_id, "--work", str(tmp_path / "nowhere"))
    sae = SAE.load_from_disk(folder)
    exact, rows = weighted.weights[sae_id], weighted.weights[WIDE].W_dec
    assert sae.cfg.metadata.weights == "8 bits"
    with torch.no_grad():
        acts = sae.encode(rows)
        difference = sae.decode(acts) - exact.decode(exact.encode(rows))
    # 6 to 8 steps in a standard deviation: scores are off by some percent of the rows' length
    assert float((acts > 0).eq(exact.encode(rows) > 0).float().mean()) > 0.95
    torch.testing.assert_close(sae.b_dec.detach(), exact.b_dec)
    assert float(difference.norm(dim=1).median()) < 0.2
    assert "8 bits" in json.loads((folder / "export.json").read_text())["notes"][0]


def _refusal(caplog, *arguments: str) -> str:
    caplog.clear()
    assert main(["export", *arguments]) == 1
    return caplog.records[-1].message


def test_an_sae_without_weights_in_the_run_is_refused_with_the_way_out(weighted, tmp_path, caplog):
    out = str(tmp_path / "out")
    given = (str(weighted.run), "--work", str(tmp_path / "nowhere"), "--out", out)
    message = _refusal(caplog, "saelens", *given, "--sae", SMALL)
    assert "the run keeps no weights of sae-8. Give --work" in message
    message = _refusal(caplog, "saelens", *given, "--sae", META, "--latents", "0:2")
    assert "SAELens reads whole SAEs only" in message
    assert not list(tmp_path.iterdir())


def test_a_meta_sae_whose_encoder_is_not_kept_is_refused(fixture_run, tmp_path, caplog):
    given = (str(fixture_run), "--work", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"))
    message = _refusal(caplog, "saelens", *given, "--sae", META)
    assert "the run keeps no encoder of meta-4. Give --work" in message


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_the_hook_name_is_the_place_that_transformer_lens_means(language_models, tmp_path, kind):
    model, tokenizer = language_models[kind].model, language_models[kind].tokenizer
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    bridge = TransformerBridge.boot_transformers(str(tmp_path), device="cpu")
    ids = tokenizer("the river and the city", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        states = model(ids, output_hidden_states=True).hidden_states
        _, cache = bridge.run_with_cache(ids)
    name = transformer_lens_hook("hidden_states[1]")
    torch.testing.assert_close(cache[name], states[1], rtol=1e-5, atol=1e-5)
    assert float((states[0] - states[1]).abs().max()) > 0.01


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("hidden_states[0]", "blocks.0.hook_resid_pre"),
        ("blocks.8.attn.hook_z", "blocks.8.attn.hook_z"),
        ("decoder rows of sae-32", None),
        ("transformer.h.8.mlp", None),
        ("blocks.8", None),
    ],
)
def test_places_that_transformer_lens_has_no_name_for_get_none(place, name):
    assert transformer_lens_hook(place) == name


def _content_hash(run: Path) -> str:
    return json.loads((run / "manifest.json").read_text())["content_hash"]
