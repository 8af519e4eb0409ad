"""Pairs of compared latents as HTML: figures in a row for one pair, tables for more."""

from __future__ import annotations

from collections.abc import Sequence

from backend.compare_html import LETTERS, letter_html, short_name
from backend.compare_pairs import Pair
from backend.compared import Compared
from backend.lists_html import facts_html, table_html
from backend.text_html import MISSING, number, safe, tip


def pairs_html(items: Sequence[Compared], pairs: Sequence[Pair], sample: str) -> str:
    """How alike each two of them are: figures in a row for one pair, tables for more.

    Args:
        sample: tokens (or decoder rows) on which firing together was counted, e.g. "500 tokens";
            "" when it was not counted.
    """
    counted = (
        f'<p class="note">Firing together was counted on {safe(sample)}.</p>' if sample else ""
    )
    if len(pairs) == 1:
        return _facts(pairs[0]) + counted
    heads = (
        ("pair", None),
        ("cosine", "cosine"),
        ("parts", "part overlap"),
        ("texts", "texts in common"),
        ("Jaccard", "Jaccard"),
        ("together", None),
        ("by chance", "together by chance"),
        ("lift", "pair lift"),
    )
    rows = [
        (
            _names(items[pair.first], items[pair.second], pair),
            _figure(pair.cosine, pair.cosine_words),
            _figure(pair.overlap, pair.overlap_words),
            _count(pair),
            *_together(pair),
        )
        for pair in pairs
    ]
    return (
        f"<h3>Cosines of their directions</h3>{_matrix(items, pairs)}"
        f"<h3>Each pair</h3>{table_html(heads, rows)}{_reasons(pairs)}{counted}"
    )


def _names(first: Compared, second: Compared, pair: Pair) -> str:
    """Two letters; the names are for a screen reader, the letters are explained above."""
    told = f'<span class="sr">{safe(first.name)} and {safe(second.name)}</span>'
    return f"{letter_html(pair.first)} {letter_html(pair.second)} {told}"


def _facts(pair: Pair) -> str:
    common = MISSING if pair.n_common is None else f"{pair.n_common:,}"
    facts = [
        (number(pair.cosine), "cosine of their directions", "cosine"),
        (number(pair.overlap), "cosine of their components", "part overlap"),
        (
            common,
            ", ".join(filter(None, ("texts in common", pair.common_words))),
            "texts in common",
        ),
    ]
    both = pair.together
    if both is not None:
        facts += [
            (number(both.jaccard, 3), "Jaccard of the tokens they fire on", "Jaccard"),
            (
                f"{both.together:,}",
                f"tokens together ({number(both.by_chance)} by chance)",
                "together by chance",
            ),
            (_times(both.lift), "as often as by chance", "pair lift"),
        ]
    missing = [
        f"{what}: {words}"
        for what, value, words in (
            ("cosine", pair.cosine, pair.cosine_words),
            ("components", pair.overlap, pair.overlap_words),
            ("texts", pair.n_common, pair.common_words),
            ("firing together", both, pair.together_words),
        )
        if value is None and words
    ]
    told = f'<p class="note">{safe("; ".join(missing))}.</p>' if missing else ""
    return facts_html(facts) + told


def _matrix(items: Sequence[Compared], pairs: Sequence[Pair]) -> str:
    known = {(pair.first, pair.second): pair for pair in pairs}
    rows = []
    for i, item in enumerate(items):
        cells = [f"{letter_html(i)} {safe(short_name(item))}"]
        for j in range(len(items)):
            pair = known.get((min(i, j), max(i, j)))
            cells.append("1" if pair is None else _figure(pair.cosine, pair.cosine_words))
        rows.append(cells)
    heads = "".join(f'<th scope="col" class="n">{letter_html(i)}</th>' for i in range(len(items)))
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f'<td class="n">{cell}</td>' for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        '<div class="scroll"><table class="plain cosines"><thead><tr><th scope="col">'
        f"{tip('cosine')}</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _reasons(pairs: Sequence[Pair]) -> str:
    """What each dash of the table means, once a reason, with the pairs that it holds for."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        letters = LETTERS[pair.first] + LETTERS[pair.second]
        for what, value, words in (
            ("cosine", pair.cosine, pair.cosine_words),
            ("parts", pair.overlap, pair.overlap_words),
            ("texts", pair.n_common, pair.common_words),
            ("Jaccard", pair.together, pair.together_words),
        ):
            if value is None:
                found.setdefault(f"{what}: {words}", []).append(letters)
    lines = "".join(
        f"<li>{safe(', '.join(letters))} {safe(words)}</li>" for words, letters in found.items()
    )
    return f'<ul class="note reasons">{lines}</ul>' if lines else ""


def _together(pair: Pair) -> list[str]:
    """Cells: Jaccard, together, by chance, lift."""
    both = pair.together
    if both is None:
        return [_figure(None, pair.together_words)] * 4
    return [
        number(both.jaccard, 3),
        f"{both.together:,}",
        number(both.by_chance),
        _times(both.lift),
    ]


def _times(lift: float | None) -> str:
    return MISSING if lift is None else f"{lift:,.0f} times" if lift >= 10 else f"{lift:.1f} times"


def _figure(value: float | None, words: str) -> str:
    if value is None:
        return f'<span class="none" title="{safe(words)}">{MISSING}</span>'
    return number(value)


def _count(pair: Pair) -> str:
    if pair.n_common is None:
        return _figure(None, pair.common_words)
    return f'<span title="{safe(pair.common_words)}">{pair.n_common:,}</span>'
