"""Which examples repeat an earlier one: the same context, or shared runs of five tokens.

Word order counts and so does the document; case, digits and spaces do not. What is compared is the
text around the strongest token, as a page shows it first, so that two places far apart in a long
document are two examples.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from backend.records import Record
from backend.token_html import SNIPPET_TOKENS

RUN_TOKENS = 5
SHARED = 0.5  # of the runs of the shorter text; copies with a changed name or date share so much
SHARED_IN_DOCUMENT = 0.2  # windows of one document that overlap by a third share so much
_DIGITS = re.compile(r"\d+")


def repeats(rows: Sequence[Record]) -> list[int | None]:
    """For each example the index of the first one that it repeats, or None where it is new.

    Args:
        rows: with context_id, position, text, token_starts, token_ends and title, in the order in
            which they are shown.
    """
    contexts: dict[int, int] = {}
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    sizes: dict[int, int] = {}
    found: list[int | None] = []
    for i, row in enumerate(rows):
        first = contexts.get(row["context_id"])
        if first is None:
            runs = _runs(row)
            first = _most_alike(rows, i, runs, holders, sizes)
            if first is None:
                sizes[i] = len(runs)
                for run in runs:
                    holders[run].append(i)
            contexts[row["context_id"]] = i if first is None else first
        found.append(first)
    return found


def _most_alike(
    rows: Sequence[Record],
    i: int,
    runs: set[tuple[str, ...]],
    holders: dict[tuple[str, ...], list[int]],
    sizes: dict[int, int],
) -> int | None:
    shared = Counter(other for run in runs if run in holders for other in holders[run])
    best, most = None, 0.0
    for other, count in sorted(shared.items()):
        part = count / min(len(runs), sizes[other])
        same = rows[i]["title"] and rows[i]["title"] == rows[other]["title"]
        if part >= (SHARED_IN_DOCUMENT if same else SHARED) and part > most:
            best, most = other, part
    return best


def _runs(row: Record) -> set[tuple[str, ...]]:
    """Runs of five tokens around the strongest one; of a shorter text the only one."""
    text, peak = row["text"], int(row["position"])
    first, last = max(0, peak - SNIPPET_TOKENS), peak + SNIPPET_TOKENS + 1
    spans = zip(row["token_starts"][first:last], row["token_ends"][first:last], strict=True)
    words: list[str] = []
    for start, end in spans:
        word = _DIGITS.sub("0", text[start:end].strip().lower())
        # a year may be one token or two
        if word and not (word == "0" and words and words[-1] == "0"):
            words.append(word)
    if len(words) < RUN_TOKENS:
        return {tuple(words)}
    return set(zip(*(words[k:] for k in range(RUN_TOKENS)), strict=False))
