"""Sentences about the lines of a file that people edit; the same words about many lines are one.

Both what is said and the lines stay few whatever the file holds: a file of a million bad lines
gives a page to read, not a million messages.
"""

from __future__ import annotations

MOST_MESSAGES = 40
MOST_RANGES = 8  # of lines in one message
SHOWN_CHARACTERS = 40  # of a cell quoted in a message


class LineMessages:
    """Sentences about lines: the same words about many lines are one sentence."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}
        self._n_more = 0

    def add(self, line: int, words: str) -> None:
        if words in self._lines or len(self._lines) < MOST_MESSAGES:
            self._lines.setdefault(words, []).append(line)
        else:
            self._n_more += 1

    def sentences(self) -> list[str]:
        told = [f"{_line_ranges(lines)}: {words}" for words, lines in self._lines.items()]
        if self._n_more:
            told.append(f"{self._n_more:,} lines more have problems of other kinds")
        return told


def quoted(text: str) -> str:
    """A cell as a message quotes it: short, without characters that act on a terminal."""
    shown = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
    return '"' + "".join(c if c.isprintable() else "?" for c in shown) + '"'


def _line_ranges(lines: list[int]) -> str:
    """ "line 3" or "lines 3 to 7, 12 and 4 more"; `lines` rise."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    shown = [f"{a} to {b}" if b > a else f"{a}" for a, b in ranges[:MOST_RANGES]]
    n_more = sum(b - a + 1 for a, b in ranges[MOST_RANGES:])
    more = f" and {n_more:,} more" if n_more else ""
    return ("line " if len(lines) == 1 else "lines ") + ", ".join(shown) + more
