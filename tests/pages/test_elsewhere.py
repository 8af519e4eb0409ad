"""The box on a latent's page, and labels that were imported."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backend.elsewhere_files import HASH, latent, write
from tests.pages.conftest import Opened
from tests.planted import WIDE

Open = Callable[..., Opened]


@pytest.fixture
def data(fixture_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(fixture_run, tmp_path / "planted")
    return tmp_path


def test_the_page_shows_what_was_imported_about_this_latent_only(opened: Open, data: Path) -> None:
    write(data / "planted", {3: latent("river banks")})
    page = opened("latent", data, sae=WIDE, latent="3")
    assert "Elsewhere" in page.words
    assert "river banks by river banks" in page.words
    assert "Elsewhere" not in opened("latent", data, sae=WIDE, latent="4").words
    assert "Elsewhere" not in opened("latent", data, sae="sae-8", latent="3").words


def test_a_broken_file_gives_a_message_and_the_page(opened: Open, data: Path) -> None:
    write(data / "planted", {3: latent()}).write_bytes(b"PAR1 broken PAR1")
    page = opened("latent", data, sae=WIDE, latent="3")
    assert page.heading == "paris"
    assert "neuronpedia-sae-32.parquet cannot be read" in page.words


def test_an_imported_label_names_the_latent_and_its_tool(opened: Open, data: Path) -> None:
    rows = f"sae_id,latent,label,decoder_sha256,source\n{WIDE},3,the capital,{HASH},neuronpedia\n"
    (data / "planted.labels.csv").write_text(rows)
    page = opened("latent", data, sae=WIDE, latent="3")
    assert page.heading == "the capital"
    assert "imported from Neuronpedia" in page.words
