"""Pages with no run, a broken one, several, and one that was asked for and is not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixture_run import build_fixture_run
from tests.pages.conftest import Opened

Open = Callable[..., Opened]
PAGES = ("overview", "search", "latent", "meta")


@pytest.fixture
def copied_data(fixture_run: Path, tmp_path: Path) -> Path:
    """A data folder whose one run may be damaged."""
    shutil.copytree(fixture_run, tmp_path / "planted")
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("exists", [True, False])
def test_no_run_says_how_to_make_one(opened: Open, tmp_path: Path, page: str, exists: bool) -> None:
    data = tmp_path if exists else tmp_path / "missing"
    shown = opened(page, data)
    assert f"There is no run in {data} that can be shown." in shown.words
    assert "python -m precompute run precompute/configs/tiny.toml" in shown.words


@pytest.mark.parametrize("page", PAGES)
def test_a_flipped_byte_is_named_with_the_file(opened: Open, copied_data: Path, page: str) -> None:
    path = copied_data / "planted" / "latents.parquet"
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    shown = opened(page, copied_data)
    assert "latents.parquet" in shown.words
    assert "There is no run in" in shown.words


def test_a_broken_manifest_is_told(opened: Open, copied_data: Path) -> None:
    (copied_data / "planted" / "manifest.json").write_text("{", encoding="utf-8")
    shown = opened("latent", copied_data)
    assert "manifest.json" in shown.words


def test_a_broken_run_beside_a_good_one_shows_the_good_one(opened: Open, copied_data: Path) -> None:
    shutil.copytree(copied_data / "planted", copied_data / "a-broken")
    (copied_data / "a-broken" / "terms.parquet").unlink()
    # a manifest holds the name of its run only as information: the folder's name counts
    shown = opened("latent", copied_data, run="a-broken", sae="sae-32", latent="1")
    assert "terms.parquet" in shown.words
    assert shown.heading == "berlin"


def test_an_unknown_run_gives_a_message_and_the_one_there_is(opened: Open) -> None:
    shown = opened("latent", run="<i>other</i>", sae="sae-32", latent="1")
    assert "There is no run “<i>other</i>”" in shown.words
    assert "<i>other</i>" not in shown.html
    assert shown.heading == "berlin"


def test_the_run_picker_changes_the_run_and_forgets_the_latent(
    opened: Open, copied_data: Path
) -> None:
    build_fixture_run(copied_data / "second")
    shown = opened("latent", copied_data, sae="sae-32", latent="1")
    assert shown.app.selectbox[0].options == ["planted", "second"]
    shown.app.selectbox[0].select("second").run()
    assert shown.app.query_params["run"] == "second"
    assert "latent" not in shown.app.query_params
    assert Opened(shown.app).heading == "einstein"
