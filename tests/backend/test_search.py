"""What a search text finds, in which order, and that no text can break it."""

from __future__ import annotations

import pytest

from backend.records import column
from backend.search import LONGEST_TEXT, clean_text, count_hits, did_you_mean, search_latents
from backend.store import Run
from tests.planted import DEAD, HOSTILE, META, SMALL, WIDE, labels


def found(run: Run, text: str, sae_id: str | None = None, index: str = "any") -> list[str]:
    """Hits as `sae/latent match`, best first."""
    rows = search_latents(run, text, sae_id, index)
    ids = ((row["sae_id"], row["latent"], row["match"]) for row in rows)
    return [f"{sae}/{latent} {match}" for sae, latent, match in ids]


def test_exact_before_prefix_and_then_by_score_and_width(run: Run) -> None:
    # einstein fires latent 0 (F1 .9) and a little 1 (.45); 19 promotes it (logit 1.5, which is not
    # comparable and must not outrank an F1); einsteinium fires 7 (.9) and 8 (.45)
    assert found(run, "einstein") == [
        "sae-32/0 exact",
        "sae-8/0 exact",
        "sae-32/1 exact",
        "sae-32/19 exact",
        "sae-32/7 prefix",
        "sae-32/8 prefix",
    ]


def test_row_of_a_hit_has_all_that_its_line_shows(run: Run) -> None:
    first = search_latents(run, "einstein")[0]
    assert first["label"] == "einstein"
    assert first["matched_term"] == "einstein"
    assert first["matched_in"] == "fires"
    assert first["score"] == pytest.approx(0.9)
    assert first["precision"] == pytest.approx(1.0)
    assert first["recall"] == pytest.approx(0.8)
    assert first["count"] == 100
    assert first["decomposition"] == "0.60 scientist + 0.50 german + 0.40 words in e-"
    assert first["kind"] == "sae"
    assert first["text"] == "We met einstein there."
    start, end = first["token_starts"][first["position"]], first["token_ends"][first["position"]]
    assert first["text"][start:end] == "einstein"


def test_substring_inside_a_word(run: Run) -> None:
    hits = found(run, "weist", index="fires")
    assert hits[0] == "sae-32/14 substring"
    assert search_latents(run, "weist")[0]["matched_term"] == "zweistein"


@pytest.mark.parametrize("text", ["RÖNTGEN", "rontgen", " röntgen ", "ro\u0308ntgen"])
def test_case_accents_and_space_do_not_matter(run: Run, text: str) -> None:
    assert found(run, text)[0] == "sae-32/10 exact"


def test_meta_latents_are_found_by_label(run: Run) -> None:
    rows = search_latents(run, "scientist", META)
    assert found(run, "scientist", META) == ["meta-4/1 label"]
    assert rows[0]["kind"] == "meta"
    assert column(rows, "decomposition") == [None]


def test_one_sae_one_index(run: Run) -> None:
    assert found(run, "einstein", SMALL) == ["sae-8/0 exact"]
    promoted = search_latents(run, "einstein", WIDE, "promotes")
    assert set(column(promoted, "matched_in")) == {"promotes"}
    # 0 and 19 promote einstein, 7 promotes einsteinium; 1 and 8 only fire on them
    assert column(promoted, "latent") == [0, 19, 7]
    assert column(promoted, "score") == pytest.approx([2.0, 1.5, 2.0])  # logits
    assert column(promoted, "precision") == [None] * 3


@pytest.mark.parametrize("text", ["sae-32/7", "sae-32 / 7", "sae-32/#7"])
def test_number_in_one_sae(run: Run, text: str) -> None:
    assert found(run, text) == ["sae-32/7 index"]


def test_number_in_every_sae_comes_before_terms_with_that_number(run: Run) -> None:
    hits = found(run, "3")
    assert hits[:3] == ["sae-32/3 index", "sae-8/3 index", "meta-4/3 index"]
    assert found(run, "3", SMALL)[0] == "sae-8/3 index"
    assert found(run, "999999999") == []
    assert found(run, "99999999999999999999999") == []


def test_dead_latent_is_found_by_number_without_an_example(run: Run) -> None:
    row = search_latents(run, f"{WIDE}/{DEAD}")[0]
    assert row["count"] == 0
    assert (row["context_id"], row["text"]) == (None, None)


def test_pages_together_are_all_hits_and_the_count_agrees(run: Run) -> None:
    total = count_hits(run, "e")
    pages = [search_latents(run, "e", limit=7, offset=start) for start in range(0, total + 7, 7)]
    ids = [(row["sae_id"], row["latent"]) for page in pages for row in page]
    assert len(ids) == len(set(ids)) == total
    assert {n for page in pages for n in column(page, "n_hits")} == {total}
    assert not pages[-1]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_terms_are_found_as_they_are(run: Run, text: str) -> None:
    rows = search_latents(run, text, WIDE, "fires")
    assert rows[0]["label"] == text
    assert rows[0]["match"] == "exact"
    assert found(run, text)[0] == f"{WIDE}/{labels().index(text)} exact"


@pytest.mark.parametrize(
    ("text", "n_hits"),
    [
        ("%", 1),  # only the planted `100%_\` has these three, none of them is a wildcard
        ("_", 1),
        ("\\", 1),
        ("'", 1),  # it's "quoted"
        ('"', 1),
        ("' or 1=1 --", 0),
        ("'; drop table terms; --", 0),
        ("$text", 0),
        ("", 0),
        ("   ", 0),
        ("\x00", 0),
        ("\u0301", 0),  # a lone accent folds to nothing, and nothing is part of everything
        ("\ud800", 0),
        ("🙂🙂", 0),
        ("x" * 100_000, 0),
        ("einstein\x00", 6),
    ],
)
def test_no_text_is_sql_or_a_pattern(run: Run, text: str, n_hits: int) -> None:
    assert count_hits(run, text) == n_hits
    assert len(search_latents(run, text)) == n_hits
    assert isinstance(did_you_mean(run, text), list)


def test_unknown_index_means_any_and_unknown_sae_nothing(run: Run) -> None:
    assert found(run, "einstein", index="'; --") == found(run, "einstein")
    assert found(run, "einstein", "sae-99") == []


@pytest.mark.parametrize("typed", ["enistein", "einstien", "einsten", "Einsteim"])
def test_near_miss_is_corrected(run: Run, typed: str) -> None:
    assert did_you_mean(run, typed)[0] == "einstein"


def test_of_equally_near_words_the_more_frequent_comes_first(run: Run) -> None:
    # "filler1" is one letter from each of filler10 .. filler19; the lower index is more frequent
    near = [word for word in did_you_mean(run, "filler1", limit=9) if word.startswith("filler")]
    assert near == ["filler16", "filler17", "filler18", "filler19"]
    assert did_you_mean(run, "qqqqqqqq") == []
    assert did_you_mean(run, "") == []


def test_cleaning_drops_control_characters_and_length() -> None:
    assert clean_text(" a\tb\x00\x1b c ") == "a b c"
    assert clean_text("x" * 500) == "x" * LONGEST_TEXT
    assert clean_text(None) == ""
