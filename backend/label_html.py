"""What a label speaks of and how well it tells members from others, as one line of HTML.

A figure that is not known is said in words, never drawn as a number.
"""

from __future__ import annotations

from backend.text_html import is_known, number, safe, tip

KIND_WORDS = {"word": "word", "spelling": "spelling", "meaning": "meaning", "none": "no name"}
_SOURCES = {
    "members": "only lists words of the strongest members: nothing in common was found",
    "model": "written by a language model",
    "person": "written by hand",
    "neuronpedia": "imported from Neuronpedia",
    "delphi": "imported from Delphi's results",
    "metasae": "imported from the meta-SAE dashboard",
    "name": "known in advance",
}
# who wrote these did not say what they speak of; the kind is that of the run's own label
_BY_OTHERS = ("model", "person", "neuronpedia", "delphi", "metasae")


def kind_badge(kind: str) -> str:
    """What a label speaks of, as a badge; an unknown kind is shown as it is."""
    words = KIND_WORDS.get(kind)
    if words is None:
        return f'<span class="badge">{safe(kind)}</span>'
    return f'<span class="badge naming {kind}">{tip(words, "naming")}</span>'


def label_html(
    kind: str, source: str, accuracy: float | None, auc: float | None, tests: int
) -> str:
    """The badge of a label, where it is from if that matters, and its held-out test.

    Args:
        kind, source, accuracy, auc, tests: the `label_` columns of `latents`.
    """
    parts = [] if source in _BY_OTHERS else [kind_badge(kind)]
    if source in _SOURCES:
        parts.append(f"<span>{_SOURCES[source]}</span>")
    if kind != "none" or source in _BY_OTHERS:
        parts.append(f"<span>{test_words(accuracy, auc, tests)}</span>")
    return f'<p class="naming">{" ".join(parts)}</p>'


def test_words(accuracy: float | None, auc: float | None, tests: int) -> str:
    """What the held-out test of a label found, as HTML; "not tested" without one."""
    figures = []
    if is_known(accuracy):
        figures.append(f"{tip('accuracy', 'label accuracy')} {number(accuracy)}")
    if is_known(auc):
        figures.append(f"{tip('AUC', 'label AUC')} {number(auc)}")
    if not figures:
        return tip("not tested")
    return f"{', '.join(figures)} on {tests:,} {tip('held-out members')}"
