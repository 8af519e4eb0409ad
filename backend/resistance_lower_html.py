"""The lower sections of the Resistance page: dead latents by method, and toy models."""

from __future__ import annotations

from collections.abc import Sequence

from backend.experiment_html import missing, value
from backend.records import Record
from backend.resistance_figures import DEAD, EXPLAINED, subjects
from backend.text_html import number, percent, safe, tip
from backend.trust_bars import UNIT, Bar, plot_html, scale_of
from backend.trust_figures import is_control, verdict
from backend.trust_html import known_tip, section_html

NOTHING = "nothing"
COSINE, RECOVERED = "mean max cosine", "recovered"
DEAD_QUESTION = "Which method leaves the fewest latents dead?"
TOY_QUESTION = "Do SAEs find features that are known?"
SETTINGS = ("superposition", "hierarchical")
TOLD = {
    "superposition": "more features than dimensions, each on its own",
    "hierarchical": "features that only occur together with a parent",
}


def dead_section(rows: Sequence[Record]) -> str:
    """Share of dead latents after training with each method against them."""
    found = subjects(rows, DEAD)
    if not found:
        return missing(DEAD_QUESTION, "dead_latents", "SAEs trained with ghost gradients, "
                       "resampling or an auxiliary loss")  # fmt: skip
    explained = subjects(rows, EXPLAINED)
    order = sorted(found.values(), key=lambda row: row["value"])
    bars = [
        Bar(
            known_tip(row["subject"], _term(row["subject"])),
            row,
            "null" if row["subject"] == NOTHING else "own",
            note=f"variance explained {number(explained[row['subject']]['value'])}"
            if row["subject"] in explained
            else "",
        )
        for row in order
    ]
    told = (
        f"The same SAE trained with each method that revives {tip('dead')} latents, and with none. "
        "Lines: 95 % intervals over seeds."
    )
    keys = {"own": "with a method", "null": "nothing done"}
    plot = plot_html(bars, scale_of(bars), "share of latents that are dead (n = seeds)", keys)
    return section_html(DEAD_QUESTION, told, _dead_answer(order, explained), plot)


def toy_section(rows: Sequence[Record]) -> str:
    """How well SAEs find the features that toy data were made of, kind by kind."""
    settings = list(dict.fromkeys(row["setting"] for row in rows if row["metric"] == RECOVERED))
    if not settings:
        return missing(TOY_QUESTION, "toy_models", "SAEs of data whose features are known")
    settings.sort(key=lambda one: (SETTINGS.index(one) if one in SETTINGS else len(SETTINGS), one))
    html, answer = "", []
    for setting in settings:
        own = [row for row in rows if row["setting"] == setting]
        found, cosines = subjects(own, RECOVERED), subjects(own, COSINE)
        bars = [
            Bar(
                known_tip(name),
                row,
                "null" if is_control(name) else "own",
                note=f"{COSINE} {number(cosines[name]['value'])}" if name in cosines else "",
            )
            for name, row in sorted(found.items(), key=lambda item: -item[1]["value"])
        ]
        answer.append(_toy_answer(setting, found))
        keys = {"own": "SAE", "null": "control"}
        axis = f"{tip('recovered', 'recovered features')}, share of true features (n = seeds)"
        html += (
            f"<h3>{known_tip(setting)}</h3>"
            + (f'<p class="note">{TOLD[setting].capitalize()}.</p>' if setting in TOLD else "")
            + plot_html(bars, UNIT, axis, keys)
        )
    told = (
        "Data made from known features, which an SAE should find: a feature counts as recovered "
        "when a decoder row has a cosine of at least 0.9 with it. Below the names: the "
        f"{tip(COSINE)}. Control: random decoder rows."
    )
    return section_html(TOY_QUESTION, told, " ".join(answer), html)


def _dead_answer(order: Sequence[Record], explained: dict[str, Record]) -> str:
    """Fewest dead against nothing done, and what it does to the reconstruction."""
    nothing = next((row for row in order if row["subject"] == NOTHING), None)
    tried = [row for row in order if row["subject"] != NOTHING]
    if nothing is None or not tried:
        return ""
    best = tried[0]
    name = best["subject"]
    if verdict(nothing, best) != "Yes":
        return (
            f"<b>None clearly helps.</b> With nothing done {percent(nothing['value'])} of the "
            f"latents are dead, with {safe(name)} {percent(best['value'])}."
        )
    close = [row["subject"] for row in tried[1:] if verdict(row, best) != "Yes"]
    told = (
        f"<b>{safe(name).capitalize()}.</b> It leaves {percent(best['value'])} of the latents "
        f"dead; with nothing done it is {percent(nothing['value'])}."
    )
    if close:
        told += f" Not clearly behind: {safe(', '.join(close))}."
    if name in explained and NOTHING in explained:
        told += (
            f" Variance explained goes from {value(explained[NOTHING])} to "
            f"{value(explained[name])}."
        )
    return told


def _toy_answer(setting: str, found: dict[str, Record]) -> str:
    """The kind of SAE that finds most, against random decoder rows."""
    tried = [row for name, row in found.items() if not is_control(name)]
    null = next((row for name, row in found.items() if is_control(name)), None)
    if not tried:
        return ""
    best = max(tried, key=lambda row: row["value"])
    told = f"On {safe(setting)} data {safe(best['subject'])} finds {percent(best['value'])}"
    if null is None:
        return f"{told} of the features."
    told += f" of the features, random decoder rows {percent(null['value'])}"
    return told + ("." if verdict(best, null) == "Yes" else ": no clear difference.")


def _term(method: str) -> str:
    return "ghost gradients" if method.startswith("ghost gradients") else method
