"""What a prompt is made from, in the planted run."""

from __future__ import annotations

from pathlib import Path

import pytest

from precompute.model_labels.evidence import (
    Evidence,
    asked_saes,
    run_evidence,
    sae_rows,
    strongest_members,
)
from tests.planted import DEAD, META, SMALL, WIDE, fire_count, labels


def _ids(run: Path, what: str, sae_id: str | None = None) -> list[str]:
    return [row["sae_id"] for row in asked_saes(sae_rows(run), what, sae_id)]


def _evidence(run: Path, what: str) -> dict[tuple[str, int], Evidence]:
    found = run_evidence(run, asked_saes(sae_rows(run), what, None))
    return {(one.sae_id, one.latent): one for one in found}


def test_what_chooses_meta_saes_saes_or_both_and_sae_one_of_them(fixture_run):
    assert _ids(fixture_run, "meta") == [META]
    assert sorted(_ids(fixture_run, "latents")) == [WIDE, SMALL]
    assert sorted(_ids(fixture_run, "both")) == [META, WIDE, SMALL]
    assert _ids(fixture_run, "meta", SMALL) == [SMALL]
    assert _ids(fixture_run, "meta", "sae-9") == []


def test_a_meta_latent_is_told_by_its_strongest_members(fixture_run):
    """`city`: weights 0.9 paris, 0.8 edinburgh, then berlin (1) and geneva (15) with 0.7."""
    city = _evidence(fixture_run, "meta")[META, 3]
    names = [label for label, _ in city.members]
    assert names[:5] == ["paris", "edinburgh", "berlin", "geneva", "hamburg"]
    assert len(names) == 15
    assert city.members[0] == ("paris", ("paris",))
    assert city.texts[0] == "We met [[paris]] there."
    assert len(city.texts) == 5
    assert city.promoted == ("city", "##s")
    members = strongest_members(fixture_run, META)
    assert [labels()[latent] for latent in members[3]] == names


def test_a_latent_is_told_by_its_words_and_its_strongest_text(fixture_run):
    evidence = _evidence(fixture_run, "latents")
    einstein = evidence[WIDE, 0]
    assert einstein.members == ()
    assert einstein.terms == ("einstein",)
    assert einstein.texts == (
        "We met [[einstein]] there.",
        "In 1905 [[einstein]] was young.",
        "Röntgen naïvely [[visited]] 東京 with 🙂 and left.",
    )
    assert (WIDE, DEAD) not in evidence


def test_the_most_frequent_come_first(fixture_run):
    counts = [one.count for one in _evidence(fixture_run, "latents").values()]
    assert counts == sorted(counts, reverse=True)
    meta = _evidence(fixture_run, "meta")
    assert {latent: one.count for (_, latent), one in meta.items()} == {
        latent: fire_count(META, latent) for latent in range(4)
    }


def test_only_text_of_the_run_is_in_it(fixture_run):
    """Labels, words and contexts of the run: all of it stands on pages too."""
    for one in _evidence(fixture_run, "both").values():
        words = " ".join([*one.terms, *one.promoted, *one.texts, *(m[0] for m in one.members)])
        assert "\n" not in words


def test_a_long_context_is_cut_around_the_token(tiny_run):
    cut = [text for one in _evidence(tiny_run, "latents").values() for text in one.texts]
    assert cut
    for text in cut:
        before, rest = text.split("[[", 1)
        token, after = rest.rsplit("]]", 1)
        assert len(before) <= 71
        assert len(after) <= 71
        assert token.strip()


@pytest.mark.parametrize("what", ["meta", "latents"])
def test_a_real_run_has_evidence_for_what_fires(tiny_run, what):
    found = run_evidence(tiny_run, asked_saes(sae_rows(tiny_run), what, None))
    assert found
    assert all(one.count > 0 and not one.is_empty for one in found)
