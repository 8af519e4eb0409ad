"""What a search text finds, in which order, and that no text can break it."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from backend.answers import SECONDS, QuestionError, answer
from backend.question import Question, parse_question
from backend.records import Record, column
from backend.search import LONGEST_TEXT, clean_text, did_you_mean, phrases_with
from backend.store import Run
from tests.planted import DEAD, HOSTILE, META, SMALL, WIDE, labels


def hits(
    run: Run, text: str, sae_id: str = "", index: str = "any", way: str = "words"
) -> list[Record]:
    return answer(run, Question(text=text, sae_id=sae_id, index=index, way=way)).rows


def found(
    run: Run, text: str, sae_id: str = "", index: str = "any", way: str = "words"
) -> list[str]:
    """Hits as `sae/latent match`, best first."""
    rows = hits(run, text, sae_id, index, way)
    return [f"{row['sae_id']}/{row['latent']} {row['match']}" for row in rows]


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


def test_phrases_and_pieces_are_found_as_what_they_are(run: Run) -> None:
    # "young einstein" and "##stein" are planted: the phrase fires latent 0, the piece 0, 7 and 14
    first = hits(run, "young einstein")[0]
    assert (first["latent"], first["matched_in"], first["match"]) == (0, "phrases", "exact")
    assert found(run, "##stein") == ["sae-32/0 exact", "sae-32/7 exact", "sae-32/14 exact"]
    assert phrases_with(run, "Einstein") == [("young einstein", 30)]
    assert phrases_with(run, "eins") == []  # whole words only


def test_row_of_a_hit_has_all_that_its_line_shows(run: Run) -> None:
    first = hits(run, "einstein")[0]
    assert first["label"] == "einstein"
    assert first["matched_term"] == "einstein"
    assert first["matched_in"] == "fires"
    assert first["score"] == pytest.approx(0.9, rel=1e-3)
    assert first["precision"] == pytest.approx(1.0)
    assert first["recall"] == pytest.approx(0.8, rel=1e-3)
    assert first["count"] == 100
    assert first["lift"] == pytest.approx(50.0)
    parts = [(part["label"], round(part["activation"], 2)) for part in first["components"]]
    assert parts == [("scientist", 0.6), ("german", 0.5), ("words in e-", 0.4)]
    assert first["kind"] == "sae"
    assert first["text"] == "We met einstein there."
    start, end = first["token_starts"][first["position"]], first["token_ends"][first["position"]]
    assert first["text"][start:end] == "einstein"


def test_substring_inside_a_word(run: Run) -> None:
    assert found(run, "weist", index="fires")[0] == "sae-32/14 substring"
    assert hits(run, "weist")[0]["matched_term"] == "zweistein"


@pytest.mark.parametrize(
    ("pattern", "first", "match"),
    [
        ("^ein.*um$", 7, "exact"),  # einsteinium, matched whole
        ("n.*um", 7, "substring"),  # matched in part
        ("^r.ntgen$", 10, "exact"),  # accents are folded
        ("^(PLANCK|ZZZ)$", 6, "exact"),  # and so is case
    ],
)
def test_a_pattern_is_matched_against_the_words(
    run: Run, pattern: str, first: int, match: str
) -> None:
    row = hits(run, pattern, WIDE, "fires", "regex")[0]
    assert (row["latent"], row["match"]) == (first, match)


@pytest.mark.parametrize("pattern", ["(", "[a-", "*", "(?P<x", "a{2,1}", "\\", "(?<=a)b"])
def test_what_is_no_pattern_is_said(run: Run, pattern: str) -> None:
    with pytest.raises(QuestionError, match="regular expression"):
        hits(run, pattern, way="regex")


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(.*)*" * 10 + "x", "((a{0,99}){0,99}){0,9}", ".*" * 40 + "q"]
)
def test_regex_bombs_end(run: Run, pattern: str) -> None:
    """Linear-time matching, and a time limit above it: an answer or a message, both soon."""
    start = time.monotonic()
    with suppress(QuestionError):
        hits(run, pattern, way="regex")
    assert time.monotonic() - start < 3 * SECONDS  # the rest is for a busy machine


@pytest.mark.parametrize("text", ["RÖNTGEN", "rontgen", " röntgen ", "ro\u0308ntgen"])
def test_case_accents_and_space_do_not_matter(run: Run, text: str) -> None:
    assert found(run, text)[0] == "sae-32/10 exact"


def test_meta_latents_are_found_by_label(run: Run) -> None:
    rows = hits(run, "scientist", META)
    assert found(run, "scientist", META) == ["meta-4/1 label"]
    assert rows[0]["kind"] == "meta"
    assert column(rows, "components") == [None]


def test_one_sae_one_index(run: Run) -> None:
    assert found(run, "einstein", SMALL) == ["sae-8/0 exact"]
    promoted = hits(run, "einstein", WIDE, "promotes")
    assert set(column(promoted, "matched_in")) == {"promotes"}
    # 0 and 19 promote einstein, 7 promotes einsteinium; 1 and 8 only fire on them
    assert column(promoted, "latent") == [0, 19, 7]
    assert column(promoted, "score") == pytest.approx([2.0, 1.5, 2.0])  # logits
    assert column(promoted, "precision") == [None] * 3


@pytest.mark.parametrize("text", ["sae-32/7", "sae-32 / 7", "sae-32/#7"])
def test_number_in_one_sae(run: Run, text: str) -> None:
    assert found(run, text) == ["sae-32/7 number"]


def test_number_in_every_sae_comes_before_terms_with_that_number(run: Run) -> None:
    first = found(run, "3")[:3]
    assert first == ["sae-32/3 number", "sae-8/3 number", "meta-4/3 number"]
    assert found(run, "3", SMALL)[0] == "sae-8/3 number"
    assert found(run, "3", index="number") == first
    assert found(run, "999999999") == []
    assert found(run, "99999999999999999999999") == []


def test_dead_latent_is_found_by_number_without_an_example(run: Run) -> None:
    row = hits(run, f"{WIDE}/{DEAD}")[0]
    assert row["count"] == 0
    assert (row["context_id"], row["text"]) == (None, None)


def test_pages_together_are_all_hits_and_the_count_agrees(run: Run) -> None:
    question = Question(text="e")
    total = answer(run, question).n
    pages = [answer(run, question, 7, start) for start in range(0, total + 7, 7)]
    ids = [(row["sae_id"], row["latent"]) for page in pages for row in page.rows]
    assert len(ids) == len(set(ids)) == total
    assert {page.n for page in pages} == {total}  # beyond the last page too
    assert not pages[-1].rows


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_terms_are_found_as_they_are(run: Run, text: str) -> None:
    rows = hits(run, text, WIDE, "fires")
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
        ("\u0301", 0),  # a lone accent folds to nothing, and nothing is part of everything
        ("\ud800", 0),
        ("🙂🙂", 0),
        ("x" * 100_000, 0),
        ("einstein\x00", 6),
    ],
)
def test_no_text_is_sql_or_a_pattern(run: Run, text: str, n_hits: int) -> None:
    assert answer(run, Question(text=text)).n == n_hits
    assert len(hits(run, text)) == n_hits
    assert isinstance(did_you_mean(run, text), list)


def test_unknown_index_means_any_and_unknown_sae_nothing(run: Run) -> None:
    asked = parse_question({"q": "einstein", "index": "'; --", "sae": "sae-99"}, (SMALL, WIDE))
    assert asked == Question(text="einstein")
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
