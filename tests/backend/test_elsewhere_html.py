"""The box of what other tools say: everything with its source, nothing that acts."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from backend.elsewhere import said_elsewhere
from backend.elsewhere_html import elsewhere_html
from precompute.imports.foreign import ForeignLatent
from tests.backend.elsewhere_files import HASH, latent, write
from tests.hostile import HTML, WRITING
from tests.planted import WIDE

SAE = {"sae_id": WIDE, "decoder_sha256": HASH}


def drawn(folder: Path, found: ForeignLatent, **about: Any) -> str:
    write(folder / "run", {3: found}, **about)
    said, problems = said_elsewhere(folder / "run", SAE, 3)
    return elsewhere_html(said, problems, 97, 100_000, 2.0)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_nothing_imported_is_nothing_shown():
    assert elsewhere_html([], [], 1, 10, 1.0) == ""


def test_figures_there_stand_beside_those_here(tmp_path):
    told = words(drawn(tmp_path, latent()))
    assert "Neuronpedia gpt2-small · 8-res_fs32-jb" in told
    assert "scientists by scientists" in told
    assert "an older one" in told
    assert "0.12 % (0.097 % here) fires on" in told
    assert "7.25 (2.00 here) maximum" in told
    assert "promotes scientists 1.50 so 0.25" in told
    assert "suppresses scientists \u22120.50" in told
    assert "fires on scientists 60" in told
    assert "scientists: balanced accuracy 0.75, F1 – on 100 examples" in told  # noqa: RUF001
    assert "decomposition there scientists 0.50 meta-latent 7 0.25" in told
    assert "2 examples" in told
    assert "interval 1 to 2" in told
    assert "The same weights, as shown by: 32 decoder rows, median cosine 0.9999." in told


def test_a_density_that_was_rounded_to_nothing_is_not_nothing(tmp_path):
    told = words(drawn(tmp_path, latent(density=0.0)))
    assert "less than 0.00050 % (0.097 % here)" in told
    assert "0.0 % (0.097 % here)" in words(drawn(tmp_path, latent(density=0.0), density_step=""))


def test_what_a_tool_does_not_say_is_left_out(tmp_path):
    told = words(drawn(tmp_path, ForeignLatent()))
    assert told.endswith("median cosine 0.9999.")
    assert not re.search("promotes|suppresses|fires on|maximum|example|accuracy|there", told)


def test_trust_is_not_shown_as_a_check(tmp_path):
    told = words(drawn(tmp_path, latent(), checked=""))
    assert "Only its width was checked" in told
    assert "The same weights" not in told


def test_problems_are_shown_as_such():
    html = elsewhere_html([], ["x.parquet <b>is</b> broken"], 1, 10, 1.0)
    assert 'role="alert"' in html
    assert "&lt;b&gt;is&lt;/b&gt; broken" in html


@pytest.mark.parametrize("text", [*HTML, *WRITING])
def test_hostile_text_in_every_field_is_shown_escaped(tmp_path, text):
    about = dict.fromkeys(("tool", "source", "model", "checked", "density_step"), text)
    html = drawn(tmp_path, latent(text), **about)
    assert "<" not in text or text not in html
    for mark in ("<script", "<img", "<svg", "<iframe", "<style", "onerror=alert(1)>", "\u202e"):
        assert mark not in html


def test_an_example_with_a_false_peak_is_left_out(tmp_path):
    found = latent(scores=[])
    found.examples[0].peak = 7
    found.examples[1].values.append(1.0)
    assert "example" not in words(drawn(tmp_path, found))
