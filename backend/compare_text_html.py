"""Texts on which several of the compared latents fire: each once, every firing token marked.

A token has a band for each latent that fires on it, always at that latent's height and with its
own pattern, and the letters behind it: colour is never the only sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.compare_html import LETTERS, letter_html, short_name
from backend.compared import Compared
from backend.records import Record
from backend.text_html import notice, number, plain, safe
from backend.token_html import SNIPPET_TOKENS, shade
from backend.token_pieces import Piece, pieces

SHOWN_TEXTS = 4
MOST_TEXTS = 12
FAINTEST = 0.35  # a band of a weak firing is still seen


@dataclass(frozen=True)
class CommonText:
    """A context and the stored example of each latent (by place) that has it as one."""

    context_id: int
    examples: dict[int, Record]


def common_texts(examples: Sequence[Mapping[int, Record]]) -> list[CommonText]:
    """Contexts that two or more latents have among their stored examples: most latents first,
    then by the sum of their activations.

    Args:
        examples: by context id, for each latent.
    """
    found: dict[int, dict[int, Record]] = {}
    for place, own in enumerate(examples):
        for context_id, row in own.items():
            found.setdefault(context_id, {})[place] = row
    shared = [CommonText(context_id, own) for context_id, own in found.items() if len(own) > 1]
    return sorted(
        shared,
        key=lambda one: (
            -len(one.examples),
            -sum(row["activation"] for row in one.examples.values()),
            one.context_id,
        ),
    )[:MOST_TEXTS]


def texts_html(
    items: Sequence[Compared], shared: Sequence[CommonText], texts: Mapping[int, Record]
) -> str:
    """The texts in common, with a legend; a plain sentence when there is none."""
    if not shared:
        return notice(
            "No text is among the stored examples of two of them. Few examples a latent are "
            "stored, so they may still fire on the same text."
        )
    lines = [
        f"<li>{_letters(one)}<div>{_text(items, one, texts[one.context_id])}</div></li>"
        for one in shared
        if one.context_id in texts
    ]
    first, rest = lines[:SHOWN_TEXTS], lines[SHOWN_TEXTS:]
    folded = (
        f'<details class="fold"><summary>{len(rest)} more</summary>'
        f'<ol class="examples common">{"".join(rest)}</ol></details>'
        if rest
        else ""
    )
    return f'{_legend(items)}<ol class="examples common">{"".join(first)}</ol>{folded}'


def _letters(one: CommonText) -> str:
    return f'<span class="value">{"".join(letter_html(place) for place in one.examples)}</span>'


def _legend(items: Sequence[Compared]) -> str:
    keys = "".join(
        f'<span>{letter_html(place)}<span class="band b{place}"></span>'
        f"{safe(short_name(item))}</span>"
        for place, item in enumerate(items)
    )
    return (
        f'<div class="key">{keys}</div><p class="note">A band and a letter at every token on which '
        "a latent fires; a stronger band is a stronger firing. Only stored examples are drawn: a "
        "latent whose letter is not in front of a text may fire there too.</p>"
    )


def _text(items: Sequence[Compared], one: CommonText, context: Record) -> str:
    fired: dict[int, dict[int, float]] = {}  # token: latent: activation
    for place, row in one.examples.items():
        for token, activation in zip(row["positions"], row["activations"], strict=True):
            fired.setdefault(int(token), {})[place] = float(activation)
    tokens = sorted(fired)
    # where most of them fire, then where they do most strongly
    peak = max(
        tokens, key=lambda token: (len(fired[token]), sum(fired[token].values())), default=-1
    )
    starts, ends, text = context["token_starts"], context["token_ends"], context["text"]
    # the numbers of its tokens stand in for a piece's activations
    cut = pieces(starts, ends, tokens, tokens, peak)
    whole = _run_of(items, text, cut, fired, 0, len(text))
    source = " · ".join(part for part in (context["title"], context["source"]) if part)
    cite = f"<cite>{safe(source)}</cite>"
    centre = next((i for i, piece in enumerate(cut) if piece.holds_peak), 0)
    first, last = max(0, centre - SNIPPET_TOKENS), min(len(cut), centre + SNIPPET_TOKENS + 1)
    if first == 0 and last == len(cut):
        return f'<div class="ctx">{whole}</div>{cite}'
    start = cut[first].start if first else 0
    end = cut[last - 1].end if last < len(cut) else len(text)
    snippet = _run_of(items, text, cut[first:last], fired, start, end)
    before, after = "… " if first else "", " …" if last < len(cut) else ""
    return (
        f'<details class="ctx"><summary><span class="snip">{before}{snippet}{after}</span>'
        f'<span class="more">whole context</span></summary><div>{whole}</div></details>{cite}'
    )


def _run_of(
    items: Sequence[Compared],
    text: str,
    cut: Sequence[Piece],
    fired: Mapping[int, Mapping[int, float]],
    start: int,
    end: int,
) -> str:
    parts, at = [], start
    for piece in cut:
        if not piece.activations:
            continue  # plain text between marks is escaped in one go
        parts.append(safe(text[at : piece.start]))
        parts.append(_mark(items, text[piece.start : piece.end], piece, fired))
        at = piece.end
    return "".join([*parts, safe(text[at:end])])


def _mark(
    items: Sequence[Compared], words: str, piece: Piece, fired: Mapping[int, Mapping[int, float]]
) -> str:
    """One piece with a band for each latent, at the strongest of its tokens."""
    strongest: dict[int, float] = {}
    for token in piece.activations:
        for place, activation in fired[int(token)].items():
            strongest[place] = max(strongest.get(place, 0.0), activation)
    bands, told = [], []
    for place, activation in sorted(strongest.items()):
        strength = max(shade(activation, items[place].latent.max_activation), FAINTEST)
        bands.append(f'<span class="band b{place}" style="opacity:{strength:.2f}"></span>')
        told.append(f"{LETTERS[place]} {number(activation, 3)}")
    letters = "".join(LETTERS[place] for place in sorted(strongest))
    shown = safe(words) if plain(words).strip() else "␣"
    values = ", ".join(told)
    return (
        f'<mark class="many" title="{values}">{shown}<span class="bands">{"".join(bands)}</span>'
        f'<sup aria-hidden="true">{letters}</sup><span class="sr"> [{values}]</span></mark>'
    )
