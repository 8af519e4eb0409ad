"""The Trust page's sections about the meta-SAE itself: controls, other methods, k, seeds.

Each has one question as its head, one sentence of answer made from the numbers, and one plot.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.glossary import MEANINGS
from backend.records import Record
from backend.text_html import notice, number, percent, safe, tip
from backend.trust_bars import CIRCLE, UNIT, Bar, plot_html, scale_of, whole
from backend.trust_figures import (
    DECODER_ROWS,
    HELD_OUT,
    IN_SAMPLE,
    META_SAE,
    RANDOM_MODEL,
    SAME_BUDGET,
    SPLIT_WORDS,
    WORD_DIRECTIONS,
    best_split,
    by_subject,
    hardest_null,
    is_control,
    method_kind,
    simpler_methods,
    verdict,
)

SUBJECT_KEYS = {"own": "rows of a real SAE", "other": "known parts", "null": "control"}
METHOD_KEYS = {"own": "meta-SAE", "other": "without a meta-SAE", "null": "random directions"}


def section_html(question: str, told: str, answer: str, plot: str) -> str:
    """A question, what was done, the answer and its plot; all but the question are HTML."""
    said = f'<p class="answer">{answer}</p>' if answer else ""
    return f'<h2>{safe(question)}</h2><p class="note">{told}</p>{said}{plot}'


def missing_html(question: str, experiment: str, what: str) -> str:
    """The section of an experiment that this run has no rows of."""
    told = notice(f"This run holds no rows of the experiment “{experiment}”: {what}.")
    return f"<h2>{safe(question)}</h2>{told}"


def known_tip(words: str, term: str | None = None) -> str:
    """Words of a run with the glossary's meaning where it has one."""
    term = term or words
    return tip(words, term) if term in MEANINGS else safe(words)


def controls_section(rows: Sequence[Record], margin: str) -> str:
    """Is it more than chance?

    Args:
        rows: of the experiment `controls`.
        margin: the sentence of the overview, for a run without them.
    """
    question = "Is it more than chance?"
    split = best_split(rows)
    found = by_subject(rows, split)
    if not found:
        what = "the meta-SAE trained on random rows, shuffled rows and known directions"
        shown = f"<p>{margin}</p>" if margin else ""
        return missing_html(question, "controls", what) + shown
    beside = by_subject(rows, IN_SAMPLE) if split == HELD_OUT else {}
    order = sorted(found.values(), key=lambda row: -row["value"])
    bars = [
        Bar(subject_html(row["subject"]), row, _subject_kind(row["subject"]),
            beside[row["subject"]]["value"] if row["subject"] in beside else None)
        for row in order
    ]  # fmt: skip
    keys = {**SUBJECT_KEYS, **({CIRCLE: SPLIT_WORDS[IN_SAMPLE]} if beside else {})}
    told = (
        f"The same training on real rows and on rows with nothing to find. Bars: rows that are "
        f"{tip(SPLIT_WORDS[split])}; lines: 95 % intervals over seeds."
    )
    axis = f"{tip('variance explained')} of the rows, {SPLIT_WORDS[split]} (n = seeds)"
    answer = _controls_answer(found, SPLIT_WORDS[split])
    return section_html(question, told, answer, plot_html(bars, scale_of(bars), axis, keys))


def methods_section(rows: Sequence[Record]) -> str:
    """Does the meta-SAE do better than simpler methods?"""
    question = "Does the meta-SAE do better than simpler methods?"
    split = best_split(rows)
    found = by_subject(rows, split)
    if not found:
        what = "the same rows rebuilt by pursuit, k-means and principal components"
        return missing_html(question, "methods", what)
    beside = by_subject(rows, IN_SAMPLE) if split == HELD_OUT else {}
    sizes, parts = by_subject(rows, split, "directions"), by_subject(rows, split, "parts")
    bars = []
    for row in sorted(found.values(), key=lambda row: -row["value"]):
        name = row["subject"]
        note = []
        if name in sizes:
            note.append(f"{sizes[name]['value']:,.0f} directions")
        if name in parts:
            note.append(f"{number(parts[name]['value'], 1)} parts a row")
        circle = beside[name]["value"] if name in beside else None
        bars.append(Bar(method_html(name), row, method_kind(name), circle, ", ".join(note)))
    keys = {**METHOD_KEYS, **({CIRCLE: SPLIT_WORDS[IN_SAMPLE]} if beside else {})}
    told = (
        "Every method rebuilds the same decoder rows from few parts. Larger dictionaries have it "
        f"easier. Bars: rows that are {tip(SPLIT_WORDS[split])}; below 0 is worse than their mean."
    )
    axis = f"{tip('variance explained')}, {SPLIT_WORDS[split]} (n = rows)"
    return section_html(
        question, told, _methods_answer(found, sizes), plot_html(bars, scale_of(bars), axis, keys)
    )


def seeds_section(controls: Sequence[Record], decomposition: Sequence[Record]) -> str:
    """Do seeds agree?"""
    question = "Does another seed find the same meta-latents?"
    found = by_subject(controls, "between seeds", "matched_meta_latents")
    others = [row for row in decomposition if row["setting"] == "other seeds"]
    stable = {row["metric"]: row for row in others}
    if not found and not stable:
        what = "meta-SAEs trained with other seeds"
        return missing_html(question, "controls", what)
    told = f"Share of the {tip('meta-latents', 'meta-latent')} {tip('in the other seeds')}."
    answer = []
    real, null = found.get(DECODER_ROWS), hardest_null(found)
    if real is not None:
        against = f", against {percent(null['value'])} on {safe(null['subject'])}" if null else ""
        answer.append(
            f"<b>{percent(real['value'])}</b> of the meta-latents are found again{against}."
        )
    mean = stable.get("mean_stability")
    if mean is not None:
        answer.append(
            f"Of a latent's {tip('components', 'component')}, {percent(mean['value'])} come back "
            "with another seed on average."
        )
    every = stable.get("found_in_all_seeds")
    if every is not None:
        answer.append(f"{percent(every['value'])} come back with every seed.")
    bars = [
        Bar(subject_html(row["subject"]), row, _subject_kind(row["subject"]))
        for row in sorted(found.values(), key=lambda row: -row["value"])
    ]
    axis = f"{tip('found again', 'in the other seeds')}, share of meta-latents (n = pairs of seeds)"
    plot = plot_html(bars, UNIT, axis, SUBJECT_KEYS) if bars else ""
    return section_html(question, told, " ".join(answer), plot)


def subject_html(subject: str) -> str:
    """What a meta-SAE was trained on, with its meaning."""
    for ending in (RANDOM_MODEL, SAME_BUDGET):
        if subject.endswith(ending):
            return known_tip(subject, ending.removeprefix(", "))
    return known_tip(subject)


def method_html(method: str) -> str:
    """A method with its meaning."""
    for start, term in (
        ("pursuit on ", "pursuit"),
        ("meta-SAE with nearest latents", "meta-SAE with nearest latents"),
        ("meta-SAE with random directions", "meta-SAE with random directions"),
    ):
        if method.startswith(start):
            return known_tip(method, term)
    if method.endswith("principal components"):
        return known_tip(method, "principal components")
    return known_tip(method)


def _subject_kind(subject: str) -> str:
    if subject == WORD_DIRECTIONS:
        return "other"
    return "null" if is_control(subject) else "own"


def _controls_answer(found: dict[str, Record], rows: str) -> str:
    real, null = found.get(DECODER_ROWS), hardest_null(found)
    answer = []
    if real is not None and null is not None:
        told = verdict(real, null)
        margin = real["value"] - null["value"]
        answer.append(
            f"<b>{told}.</b> {rows.capitalize()}, the meta-SAE explains {number(real['value'])} of "
            f"the decoder rows and {number(null['value'])} of {safe(null['subject'])}, the hardest "
            f"control: a margin of {number(margin)}."
        )
    words = found.get(WORD_DIRECTIONS)
    if words is not None:
        answer.append(f"Of word directions, whose parts are known, {number(words['value'])}.")
    for name, row in found.items():
        alike = found.get(name.removesuffix(RANDOM_MODEL) + SAME_BUDGET)
        if name.endswith(RANDOM_MODEL) and alike is not None:
            answer.append(
                f"Of an SAE of a random model {number(row['value'])}, of one trained alike on the "
                f"real model {number(alike['value'])}."
            )
    return " ".join(answer)


def _methods_answer(found: dict[str, Record], sizes: dict[str, Record]) -> str:
    own, others = found.get(META_SAE), simpler_methods(found)
    if own is None or not others:
        return ""
    better = [row for row in others if verdict(row, own) == "Yes"]
    told = "Than some" if better else verdict(own, others[0])
    told = "No" if len(better) == len(others) else told

    def size(row: Record) -> float:
        known = sizes.get(row["subject"])
        return known["value"] if known else 0.0

    def named(row: Record) -> str:
        directions = f" ({size(row):,.0f} directions)" if size(row) else ""
        return f"{whole(row['subject'])}{directions}"

    answer = (
        f"<b>{told}.</b> Its variance explained is {number(own['value'])}; {len(better)} of "
        f"{len(others)} methods without a meta-SAE explain more. The best is {named(others[0])}: "
        f"{number(others[0]['value'])}."
    )
    if size(others[0]) > size(own) > 0:
        small = [row for row in others if 0 < size(row) <= size(own)]
        if small:
            answer += (
                f" With no more directions than the meta-SAE's {size(own):,.0f} it is "
                f"{whole(small[0]['subject'])}: {number(small[0]['value'])}."
            )
    pursued = found.get(f"pursuit on {META_SAE}")
    if pursued is not None:
        answer += f" Pursuit on the meta-SAE's own directions reaches {number(pursued['value'])}."
    return answer
