"""The sentences made from facts, and the parser of the almanac."""

import re
from collections import Counter
from pathlib import Path

import pytest

from precompute.corpus.documents import CorpusError, Document, almanac_documents, shown_documents
from precompute.corpus.grammar import gerund, listing, plural, possessive, third_person
from precompute.corpus.patterns import Fact, facts_stated
from precompute.corpus.sentences import PATTERNS, fact_documents
from precompute.corpus.tables import FACTS_FOLDER, read_table

# Every word of the corpus whose first letter misleads about its first sound, written by hand.
A_BEFORE_A_VOWEL_LETTER = {
    "euphonium", "euro", "european", "ukrainian", "ukulele", "union", "universal", "university",
    "uralic", "used", "useful", "ux", "one",
}  # fmt: skip
AN_BEFORE_A_CONSONANT_LETTER = {"heir", "honest", "hour", "x-ray"}
INITIALS_IN = {"facts/laureates", "facts/artists"}


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return fact_documents(0)


@pytest.fixture(scope="module")
def by_title(documents: list[Document]) -> dict[tuple[str, str], str]:
    return {(document.source, document.title): document.text for document in documents}


def test_a_seed_fixes_the_documents_and_another_seed_changes_them(documents):
    assert fact_documents(0) == documents
    others = fact_documents(1)
    assert [d.title for d in others][:50] == [d.title for d in documents][:50]
    same = sum(a.text == b.text for a, b in zip(documents, others, strict=False))
    assert same < len(documents) / 10


def test_every_table_file_has_patterns_and_every_row_has_its_document(by_title):
    assert {path.stem for path in FACTS_FOLDER.glob("*.tsv")} == set(PATTERNS)
    for table in PATTERNS:
        for row in read_table(FACTS_FOLDER / f"{table}.tsv"):
            key = row.get("name") or row["base"]
            named = {key, plural(key), row.get("surname", key)}
            if table == "countries":
                named |= {row["people"], row["capital"], row["adjective"]}
            if table == "verbs":
                named |= {row["past"], row["third_person"]}
            text = by_title[(f"facts/{table}", key[0].upper() + key[1:])].lower()
            assert any(name.lower() in text for name in named), (table, key, text)


def test_documents_are_finished_sentences_on_one_line(documents):
    for document in documents:
        text = document.text
        assert not re.search(r"[{}\n\t_]|\(n\)|  | ,|\.\.|\?\.", text), text
        assert text[0].isupper() or text[0] == "'", text
        assert text[-1] in ".?", text
        # An initial ("F. W. de Klerk") ends no sentence; a symbol ("K") or "Margaret I" may.
        initial = r"(?<! [A-Z]\.)" if document.source in INITIALS_IN else ""
        sentences = re.split(rf"(?<=[.?]){initial} ", f" {text}")
        sentences[0] = sentences[0].removeprefix(" ")
        assert 2 <= len(sentences) <= 4, text
        assert len(set(sentences)) == len(sentences), text
        for sentence in sentences:
            assert sentence[0].isupper() or sentence[0] == "'", text


def test_articles_agree_with_the_sound_that_follows(documents):
    for document in documents:
        for article, word in re.findall(r"(?<![\w'])(an?|An?) ([\w'-]+)", document.text):
            word = word.lower()
            sounds_like_a_vowel = (
                word in AN_BEFORE_A_CONSONANT_LETTER
                or (word[0] in "aeiouéáåö" and word not in A_BEFORE_A_VOWEL_LETTER)
            )  # fmt: skip
            assert (article.lower() == "an") == sounds_like_a_vowel, document.text


@pytest.mark.parametrize(
    ("table", "name", "wrong"),
    [
        ("laureates", "Marie Curie", {"he", "him", "his"}),
        ("laureates", "Albert Einstein", {"she", "her"}),
        ("laureates", "Toni Morrison", {"he", "him", "his"}),
        ("scientists", "Ada Lovelace", {"he", "him", "his"}),
        ("scientists", "Isaac Newton", {"she", "her"}),
        ("artists", "Jane Austen", {"he", "him", "his"}),
        ("monarchs", "Cleopatra", {"he", "him", "his"}),
        ("monarchs", "Peter the Great", {"she", "her"}),
    ],
)
def test_pronouns_agree_with_the_person(table, name, wrong):
    right = {"she", "her"} if "he" in wrong else {"he", "him", "his"}
    words: Counter[str] = Counter()
    for seed in range(6):
        [text] = [
            document.text
            for document in fact_documents(seed)
            if (document.source, document.title) == (f"facts/{table}", name)
        ]
        words.update(re.findall(r"\w+", text.lower()))
    assert not wrong & words.keys()
    assert right & words.keys()


def test_the_size_is_what_the_run_was_planned_for(documents):
    words = sum(len(document.text.split()) for document in documents)
    assert 110_000 <= words <= 140_000


def test_no_sentence_pattern_dominates_and_each_table_has_many():
    for table, patterns in PATTERNS.items():
        lists = sum(len(group) for group in patterns.shared.values())
        own = patterns.opening + patterns.detail
        assert len(own) + lists >= 12, table
        assert len(set(own)) == len(own), table


def test_patterns_use_only_columns_of_their_table():
    derived = {"first", "second", "age", "people"}
    for table, patterns in PATTERNS.items():
        columns = set(read_table(FACTS_FOLDER / f"{table}.tsv")[0])
        for pattern in (*patterns.opening, *patterns.detail):
            assert facts_stated(pattern) <= columns | derived, (table, pattern)
        for column, group in (*patterns.shared.items(), *patterns.contrast.items()):
            assert column in columns, (table, column)
            for pattern in group:
                slots = {re.sub("^(first|second)_", "", slot) for slot in facts_stated(pattern)}
                assert slots <= columns | derived, (table, pattern)


def test_rows_listed_together_share_what_the_sentence_says(documents):
    rows = read_table(FACTS_FOLDER / "cities.tsv")
    language_of = {str(row["name"]): str(row["language"]) for row in rows}
    checked = 0
    for document in documents:
        for names, language in re.findall(
            r"([A-Z][\w, ]+) are (?:both|all) places where (\w+) is spoken", document.text
        ):
            for name in re.split(r", | and ", names):
                assert language_of[name].split()[-1] == language, document.text
                checked += 1
    assert checked > 20


def test_surnames_stand_alone_in_some_documents_about_people(documents):
    surname_of = {row["name"]: row for row in read_table(FACTS_FOLDER / "laureates.tsv")}
    alone = 0
    for document in documents:
        row = surname_of.get(document.title) if document.source == "facts/laureates" else None
        if row and row["name"] != row["surname"] and row["name"] not in document.text:
            assert row["surname"].lower() in document.text.lower()
            alone += 1
    assert 0.15 < alone / len(surname_of) < 0.35


@pytest.mark.parametrize(
    ("form", "word", "expected"),
    [
        (plural, "sea lion", "sea lions"),
        (plural, "polar bear", "polar bears"),
        (plural, "fox", "foxes"),
        (plural, "canary", "canaries"),
        (plural, "monkey", "monkeys"),
        (plural, "wolf", "wolves"),
        (plural, "sheep", "sheep"),
        (third_person, "bake bread", "bakes bread"),
        (third_person, "teach art", "teaches art"),
        (third_person, "carry bags", "carries bags"),
        (third_person, "sort and deliver mail", "sorts and delivers mail"),
        (gerund, "dig up the past", "digging up the past"),
        (gerund, "take pictures", "taking pictures"),
        (gerund, "open and repair locks", "opening and repairing locks"),
        (possessive, "Marie Curie", "Marie Curie's"),
        (possessive, "the Netherlands", "the Netherlands'"),
        (possessive, "she", "her"),
        (listing, ["Rome"], "Rome"),
        (listing, ["Rome", "Bari", "Como"], "Rome, Bari and Como"),
    ],
)
def test_english_forms(form, word, expected):
    assert form(word) == expected


def test_a_fact_applies_its_forms_from_left_to_right():
    assert f"{Fact('Netherlands'):the.s}" == "the Netherlands'"
    assert f"{Fact('airport'):at}" == "at an airport"
    assert f"{Fact('Peace'):prize}" == "the Nobel Peace Prize"


@pytest.mark.parametrize(
    ("lines", "place", "complaint"),
    [
        (["name\tcolour", "lime\tgreen", "lemon"], ":3", "1 cells"),
        (["name\tcolour", "lime\t "], ":2", "empty cell"),
        (["name\tcolour", "lime\tgreen", "plum\tblue", "lime\tgreen"], ":4", "appears twice"),
    ],
)
def test_a_broken_table_names_file_and_line(tmp_path: Path, lines, place, complaint):
    table = tmp_path / "fruit.tsv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=re.escape(f"fruit.tsv{place}: ")) as error:
        read_table(table)
    assert complaint in str(error.value)


def test_almanac_articles_keep_file_and_reading_order(tmp_path: Path):
    (tmp_path / "b.md").write_text("# Rain\nWater falls.\n\n# Snow\nIce falls.\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("\n# Äpfel\nFruit.", encoding="utf-8")
    assert almanac_documents(tmp_path) == [
        Document("Äpfel", "almanac/a", "Fruit."),
        Document("Rain", "almanac/b", "Water falls."),
        Document("Snow", "almanac/b", "Ice falls."),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Rain\nWater falls.\n", 1),
        ("# \nWater falls.\n", 1),
        ("#Rain\nWater falls.\n", 1),
        ("# Rain\n\nWater falls.\n", 2),
        ("# Rain", 2),
        ("# Rain\n# Snow\nIce falls.\n", 2),
        ("# Rain\nWater falls.\nMore water.\n", 3),
        ("# Rain\nWater falls.\n# Snow\nIce falls.\n", 3),
        ("# Rain\nWater falls.\n\n# Rain\nAgain.\n", 4),
    ],
)
def test_a_malformed_almanac_names_file_and_line(tmp_path: Path, text, line):
    (tmp_path / "weather.md").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"weather\.md:{line}: "):
        almanac_documents(tmp_path)


def test_an_empty_almanac_is_an_error(tmp_path: Path):
    with pytest.raises(CorpusError, match="no almanac articles"):
        almanac_documents(tmp_path)


def test_shown_documents_start_with_the_almanac_and_end_with_the_facts(documents):
    shown = shown_documents(0)
    assert shown[0].source.startswith("almanac/")
    assert shown[-len(documents) :] == documents
    assert not any(d.source.startswith("facts/") for d in shown[: -len(documents)])
