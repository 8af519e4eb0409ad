"""Published SAEs named in a config: found with their sizes, or refused in plain words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from precompute.config import ConfigError, RunConfig
from precompute.published.finding import canonical, with_found_saes
from tests.precompute.published.conftest import made

REPOSITORY = "jbloom/GPT2-Small-Feature-Splitting-Experiment-Layer-8"
RELEASE = "gpt2-small-res-jb-feature-splitting"


def config_of(saes: dict[str, Any], **model: Any) -> RunConfig:
    body = {
        "name": "mine",
        "title": "mine",
        "model": {"source": "random:gpt2", "layer": 1, "prepend_bos": False} | model,
        "corpora": [{"name": "own", "licence": "ours", "shown": True}],
        "saes": saes,
        "meta": {"rows_per_meta_latent": 6, "k": 2},
    }
    return RunConfig.model_validate(body)


def test_all_saes_of_a_folder_are_found_narrow_to_wide(suite):
    found = with_found_saes(config_of({"path": str(suite)}))
    assert found.sae_ids == ("sae-24", "sae-48")
    assert found.published is not None
    assert [one.id for one in found.published.found] == ["small", "wide"]
    assert (found.decomposed_sae_id, found.meta_width) == ("sae-48", 8)
    one = with_found_saes(config_of({"path": str(suite), "ids": ["small"]}))
    assert one.sae_ids == ("sae-24",)
    itself = with_found_saes(config_of({"path": str(suite / "wide")}))
    assert itself.sae_ids == ("sae-48",)


def test_other_weights_under_the_same_name_are_another_stage(suite, tmp_path):
    folder = Path(shutil.copytree(suite, tmp_path / "suite"))
    config = config_of({"path": str(folder)})
    before = with_found_saes(config).saes.fingerprint()
    assert with_found_saes(config).saes.fingerprint() == before
    sae = made("standard", 48)
    sae.W_enc.data[0, 0] += 1
    sae.save_model(folder / "wide")
    assert with_found_saes(config).saes.fingerprint() != before


@pytest.mark.parametrize(
    ("saes", "words"),
    [
        ({"path": "nowhere"}, "is not a folder"),
        ({"path": "."}, "the layout in which sae-lens saves"),
        ({"path": "SUITE", "ids": ["large"]}, "SAEs in .*: small, wide"),
        ({"path": "SUITE", "decomposed": "large"}, "'large' is not one of small, wide"),
        ({"release": "gpt2-small-res-bj", "ids": ["x"]}, "sae-lens knows no release"),
        ({"release": RELEASE, "ids": ["x"]}, "has no SAE 'x'. It has blocks.8.hook_resid_pre_768"),
    ],
)
def test_what_is_not_there_is_named(suite, tmp_path, monkeypatch, saes, words):
    monkeypatch.chdir(tmp_path)
    saes = {key: str(suite) if value == "SUITE" else value for key, value in saes.items()}
    with pytest.raises(ConfigError, match=words):
        with_found_saes(config_of(saes))


@pytest.mark.parametrize(
    ("saes", "words"),
    [
        ({"release": "a", "path": "b"}, "either release"),
        ({"release": "a"}, "name the SAEs of the release"),
        ({"path": "a", "ids": ["x", "x"]}, "named twice"),
        ({"path": "a", "widths": [3]}, "Extra inputs"),
    ],
)
def test_an_impossible_section_is_refused_when_the_config_is_read(saes, words):
    with pytest.raises(ValueError, match=words):
        config_of(saes)


def test_two_saes_of_one_size_are_refused(suite, tmp_path):
    folder = Path(shutil.copytree(suite, tmp_path / "suite"))
    shutil.copytree(folder / "wide", folder / "twin")
    with pytest.raises(ConfigError, match="twin, wide have 48 latents each"):
        with_found_saes(config_of({"path": str(folder)}))


def test_saes_of_another_place_are_refused(tmp_path):
    sae = made("standard")
    sae.cfg.metadata.hook_name = "blocks.3.hook_mlp_out"
    sae.save_model(tmp_path / "one")
    saes = {"path": str(tmp_path)}
    with pytest.raises(ConfigError, match=r'Set model.hook = "blocks.3.hook_mlp_out"'):
        with_found_saes(config_of(saes))
    sae.cfg.metadata.hook_name = "blocks.0.hook_resid_post"  # hidden_states[1]
    sae.cfg.metadata.prepend_bos = True
    sae.save_model(tmp_path / "one")
    with pytest.raises(ConfigError, match=r"set model\.prepend_bos = true"):
        with_found_saes(config_of(saes))
    assert with_found_saes(config_of(saes, prepend_bos=True)).widths == (24,)


@pytest.mark.parametrize(
    ("hook", "same"),
    [
        ("blocks.8.hook_resid_pre", "hidden_states[8]"),
        ("blocks.7.hook_resid_post", "hidden_states[8]"),
        ("blocks.5.hook_z", "blocks.5.attn.hook_z"),
        ("blocks.5.hook_mlp_out", "blocks.5.hook_mlp_out"),
    ],
)
def test_one_place_has_one_name(hook, same):
    assert canonical(hook) == same


def test_configs_written_before_sae_lens_6_are_read(tmp_path):
    sae = made("standard")
    sae.save_model(tmp_path / "old")
    old = {"d_in": 32, "d_sae": 24, "dtype": "float32", "hook_point": "blocks.1.hook_resid_pre"}
    (tmp_path / "old" / "cfg.json").write_text(json.dumps(old))
    found = with_found_saes(config_of({"path": str(tmp_path)})).published
    assert found is not None
    one = found.found[0]
    assert (one.hook_name, one.architecture) == ("blocks.1.hook_resid_pre", "standard")
    assert one.prepend_bos is None  # it does not say


HUB_SCRIPT = """
import sys
from pathlib import Path
from precompute.config import load_config
from precompute.published.conversion import load_published
from precompute.published.finding import with_found_saes
config = with_found_saes(load_config(Path(sys.argv[1])))
one = config.published.found[0]
sae = load_published(config.published, one)
sys.stdout.write(f"{config.sae_ids} {one.hook_name} {one.neuronpedia_id} {tuple(sae.W_dec.shape)}")
"""


def test_a_release_is_read_from_the_hubs_cache(tmp_path):
    """The real loader of sae-lens on a cache laid out as the hub's client does, without network."""
    sae = made("standard")
    snapshot = tmp_path / "hub" / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots" / "1"
    sae.save_model(snapshot / "blocks.8.hook_resid_pre_768")
    body = {"d_in": 32, "d_sae": 24, "dtype": "float32", "hook_point": "blocks.8.hook_resid_pre"}
    config = snapshot / "blocks.8.hook_resid_pre_768" / "cfg.json"
    config.write_text(json.dumps(body | {"device": "cpu", "prepend_bos": True}))
    refs = snapshot.parent.parent / "refs"
    refs.mkdir()
    (refs / "main").write_text("1")
    toml = tmp_path / "mine.toml"
    toml.write_text(f"""
title = "mine"
[model]
source = "gpt2"
layer = 8
prepend_bos = true
[saes]
release = "{RELEASE}"
ids = ["blocks.8.hook_resid_pre_768"]
[meta]
rows_per_meta_latent = 6
k = 2
[[corpora]]
name = "own"
licence = "ours"
shown = true
""")
    environment = os.environ | {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", HUB_SCRIPT, str(toml)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    expected = "('sae-24',) blocks.8.hook_resid_pre gpt2-small/8-res_fs768-jb (24, 32)"
    assert done.stdout == expected, done.stderr[-2000:]
    environment["HF_HUB_CACHE"] = str(tmp_path / "empty")
    absent = subprocess.run(
        [sys.executable, "-c", HUB_SCRIPT, str(toml)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (
        "It needs the Hugging Face hub; a copy on disk can be given as saes.path" in absent.stderr
    )
