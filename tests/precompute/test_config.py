"""Every config that cannot be used says which key is wrong and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from precompute.config import ConfigError, MetaSaeConfig, RunConfig, load_config

CONFIGS = Path(__file__).resolve().parents[2] / "precompute" / "configs"
GOOD = """
title = "good"
[model]
source = "random:bert"
layer = 1
[[corpora]]
name = "own"
licence = "ours"
shown = true
[saes]
widths = [64, 128]
k = 4
epochs = 1.0
[meta]
rows_per_meta_latent = 8
"""


def _load(folder: Path, text: str) -> RunConfig:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_config_of_the_repository_loads_under_its_own_name(path):
    config = load_config(path)
    assert config.name == path.stem
    assert config.title
    for corpus in config.corpora:  # the message about an absent file needs its public source
        assert corpus.file is None or corpus.public, corpus.name
        assert not corpus.shown or corpus.licence == "Apache-2.0"


def test_what_follows_from_the_choices_is_derived(tmp_path):
    config = _load(tmp_path, GOOD)
    assert config.name == "mine"
    assert config.sae_ids == ("sae-64", "sae-128")
    assert config.decomposed_sae_id == "sae-128"
    assert (config.meta_width, config.meta_sae_id) == (16, "meta-16")  # 128 rows / 8


@pytest.mark.parametrize(
    ("line", "replacement", "expected"),
    [
        ('title = "good"', 'title = "good"\ncolour = "red"', "colour: Extra inputs"),
        ("layer = 1", "layer = 1\nlayers = 2", "model.layers: Extra inputs"),
        ("shown = true", "shown = true\nurl = 3", "corpora.0.url: Extra inputs"),
        ("k = 4", "k = 4\ntopk = 4", "saes.topk: Extra inputs"),
        ("[meta]", "[latents]\ntop = 3\n[meta]", "latents.top: Extra inputs"),
        ("rows_per_meta_latent = 8", "width = 8", "meta.width: Extra inputs"),
        ("layer = 1", 'layer = "first"', "model.layer: Input should be a valid integer"),
        ("layer = 1", "layer = 0", "model.layer: Input should be greater than 0"),
        ("layer = 1\n", "", "model: Value error, give either layer"),
        ("layer = 1", 'layer = 1\nhook = "transformer"', "model: Value error, give either layer"),
        ("layer = 1", 'hook = ""', "model.hook: String should have at least 1 character"),
        ("k = 4", "k = -1", "saes.k: Input should be greater than 0"),
        ("k = 4", 'k = "four"', "saes.k: Input should be a valid number"),
        ("epochs = 1.0", "epochs = 0", "saes.epochs: Input should be greater than 0"),
        ("widths = [64, 128]", "widths = []", "saes.widths: "),
        ("widths = [64, 128]", "widths = [64, 0]", "saes.widths.1: "),
        ("k = 4", 'k = 4\ninitialisation = "best"', "saes.initialisation: "),
        ('title = "good"', 'title = "good"\nheldout_share = 0.5', "heldout_share: Input should be"),
        ("[meta]", "[meta]\nseeds = 1", "meta.seeds: "),
        ("k = 4", "k = 64", "saes: Value error, k = 64.0 must be below the smallest width 64"),
        ("widths = [64, 128]", "widths = [128, 64]", "saes: Value error, widths must ascend"),
        ("widths = [64, 128]", "widths = [64, 64]", "saes: Value error, widths must ascend"),
        ("shown = true", "shown = false", "run: Value error, corpora: at least one must have"),
        ("[meta]", "[meta]\nk = 16", "run: Value error, meta.k = 16 needs more than 16"),
        (
            "rows_per_meta_latent = 8",
            "rows_per_meta_latent = 128",
            "meta.rows_per_meta_latent = 128 leaves 1 meta-latents of 128 rows; lower it",
        ),
    ],
)
def test_a_config_that_cannot_be_used_names_the_key(tmp_path, line, replacement, expected):
    assert GOOD.count(line) == 1
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, GOOD.replace(line, replacement))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'mine.toml'} cannot be used:\n")
    assert expected in message


def test_a_config_with_a_layer_finds_what_was_made_before_there_were_hooks():
    # these digits name folders of work that took hours: they were printed by the version of
    # `ModelConfig` that knew `layer` alone, for this file
    model = load_config(CONFIGS / "minilm.toml").model
    assert model.fingerprint() == "bbf7c03148"
    assert model.fingerprint("a", "b") == "9f5846a1c4"
    assert model.place == "hidden_states[4]"


def test_a_hook_makes_another_fingerprint_for_each_place(tmp_path):
    configs = [
        _load(tmp_path, GOOD.replace("layer = 1", f'hook = "blocks.{n}.attn.hook_z"')).model
        for n in (0, 1)
    ]
    assert len({config.fingerprint() for config in configs}) == 2
    assert configs[1].place == configs[1].hook == "blocks.1.attn.hook_z"


def test_a_name_in_the_file_is_refused_since_the_file_has_one(tmp_path):
    with pytest.raises(ConfigError, match="'name'"):
        _load(tmp_path, 'name = "other"\n' + GOOD)


def test_a_config_without_corpora_is_refused(tmp_path):
    start, end = GOOD.index("[[corpora]]"), GOOD.index("[saes]")
    with pytest.raises(ConfigError, match="corpora: Field required"):
        _load(tmp_path, GOOD[:start] + GOOD[end:])


def test_a_missing_config_lists_its_neighbours(tmp_path):
    with pytest.raises(ConfigError, match=r"mine.toml does not exist. .*: none"):
        load_config(tmp_path / "mine.toml")
    (tmp_path / "other.toml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"mine.toml does not exist. .*: other.toml"):
        load_config(tmp_path / "mine.toml")


@pytest.mark.parametrize("content", [b"title = ", b"title = 'a'\ntitle = 'b'", b"\xff\xfe"])
def test_what_is_no_toml_says_so(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine.toml is not valid TOML"):
        load_config(path)


def test_a_folder_instead_of_a_config_says_so(tmp_path):
    with pytest.raises(ConfigError, match=str(tmp_path)):
        load_config(tmp_path)


def test_configs_are_frozen(tmp_path):
    config = _load(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        config.saes.k = 8  # pyright: ignore - that is the point


def test_a_fingerprint_changes_with_its_section_and_with_what_it_builds_on():
    config = MetaSaeConfig()
    assert config.fingerprint("a") == MetaSaeConfig().fingerprint("a")
    assert config.fingerprint("a") != config.fingerprint("b")
    assert config.fingerprint("a") != MetaSaeConfig(steps=2001).fingerprint("a")
