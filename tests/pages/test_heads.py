"""The heads of a latent of `hook_z`, on a copy of the planted run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests import fixture_run as fixture
from tests.pages.conftest import Opened
from tests.planted import WIDE, Row, latent_rows

SHARES = [0.125, 0.5, 0.25, 0.125]


def _with_heads(components: list[Row]) -> Iterator[Row]:
    for row in latent_rows(components):
        yield {**row, "head_shares": SHARES} if row["sae_id"] == WIDE else row


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with patch("tests.fixture_run.latent_rows", _with_heads):
        fixture.build_fixture_run(tmp_path / "planted")
    return tmp_path


def test_a_latent_of_the_heads_shows_its_share_in_each(
    opened: Callable[..., Opened], data: Path
) -> None:
    page = opened("latent", data, sae=WIDE, latent="0")
    assert "Attention heads Head 1 alone holds at least half of the direction." in page.words
    assert "head 1 0.50 head 2 0.25 head 0 0.12 head 3 0.12 0 0.25" in page.words


def test_a_latent_of_another_place_shows_no_heads(
    opened: Callable[..., Opened], data: Path
) -> None:
    page = opened("latent", data, sae="sae-8", latent="0")
    assert "Attention heads" not in page.words
