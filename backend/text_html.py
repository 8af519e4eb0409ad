"""Untrusted text made safe and visible: labels, terms, tokens and titles pass through here.

Four dangers: markup, which is escaped; control characters, which are shown as their code; direction
overrides (U+202E), which would turn the rest of a line around and are shown the same; and towers of
combining marks, which would cover the lines above and below and are cut.
"""

from __future__ import annotations

import math
import re
import unicodedata
from html import escape

from backend.glossary import meaning

MISSING = "–"  # a missing value must never look like a number  # noqa: RUF001
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
# kept beside visible characters: joiners are part of emoji and of Persian words, and implicit
# direction marks of Hebrew and Arabic text, where they order no more than their own neighbours
_KEPT = frozenset("\u200c\u200d\u200e\u200f\u061c")
_MOST_MARKS = 4  # on one character; Hebrew with vowels and accents has so many
_MARK = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u06d6-\u06ed\u0e31"
    "\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_TOWER = re.compile(f"({_MARK}{{{_MOST_MARKS}}})({_MARK}+)")


def plain(text: str) -> str:
    """`text` with line breaks as arrows and invisible characters as their code; not escaped."""
    if not text.isascii():
        text = _TOWER.sub(_cut_tower, text)
    # almost every text is harmless, and isprintable() is fast
    if text.isprintable():
        return text
    kept = _KEPT if any(c.isprintable() and not c.isspace() for c in text) else frozenset()
    return "".join(c if c in kept else _shown(c) for c in text)


def safe(text: str) -> str:
    """`text` for HTML: visible, escaped, fit for content and for quoted attributes."""
    return escape(plain(text), quote=True)


def latent_name(label: object, latent: int, kind: str = "sae") -> str:
    """A latent's label, or its number when it has none; not escaped."""
    if isinstance(label, str) and label.strip():
        return label
    return f"meta-latent {latent}" if kind == "meta" else f"latent {latent}"


def shortened(text: str, length: int) -> str:
    """The first `length` characters, with an ellipsis where something was cut; not escaped."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def number(value: float | None, digits: int = 2) -> str:
    """A figure with a true minus sign, or a dash when there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:z.{digits}f}".replace("-", "\u2212")  # z: no minus before what rounds to 0


def percent(value: float | None) -> str:
    """A share as a percentage with two significant digits, so that rare latents do not read 0."""
    if value is None or not math.isfinite(value):
        return MISSING
    shown = 100 * value
    digits = 1 if shown >= 10 or shown == 0 else min(6, 1 - math.floor(math.log10(abs(shown))))
    return f"{shown:.{digits}f} %"


def tip(words: str, term: str | None = None) -> str:
    """Words with the meaning of a term of jargon as a tooltip for mouse, keyboard and touch."""
    told = escape(meaning(term or words), quote=True)
    return (
        f'<span class="tip" tabindex="0" data-tip="{told}" aria-description="{told}">'
        f"{escape(words)}</span>"
    )


def link(href: str, words: str, extra_class: str = "") -> str:
    """An in-app link; `words` is untrusted, `href` comes from `backend.links`."""
    css = f' class="{extra_class}"' if extra_class else ""
    return f'<a{css} href="{escape(href, quote=True)}">{safe(words)}</a>'


def notice(words: str, kind: str = "info") -> str:
    """A plain message in a box; `words` is untrusted, `kind` is `info` or `problem`."""
    role = "alert" if kind == "problem" else "status"
    return f'<div class="notice {kind}" role="{role}">{safe(words)}</div>'


def _cut_tower(tower: re.Match[str]) -> str:
    return f"{tower[1]}[+{len(tower[2])} marks]"


def _shown(character: str) -> str:
    if character == "\n":
        return "↵"
    if character in ("\t", "\u00a0", "\u3000"):
        return " "
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return f"[U+{ord(character):04X}]"
    return character


def is_known(value: object) -> bool:
    """Whether a figure is there: a number, and not NaN."""
    return isinstance(value, int | float) and not math.isnan(value)


def bar_width(value: float) -> float:
    """A figure from 0 to 1 as a percentage; what lies outside is cut."""
    return 100 * min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
