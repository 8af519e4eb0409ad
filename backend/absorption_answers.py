"""The Absorption page's sentences, made from its figures; the same for letters and for classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.experiment_figures import Figures, against, highest, is_above, main_suite
from backend.experiment_html import value
from backend.experiment_marks import has_interval
from backend.records import Record
from backend.text_html import number, percent, safe, tip
from backend.trust_figures import bounds, verdict

FULL, FRACTION, SPLITS = "full absorption", "absorption fraction", "splits"
SHUFFLED = "decoder rows shuffled"
PROBE_F1, RATE = "probe f1", "absorption rate"
ATTRIBUTION = "attribution"
ATTRIBUTION_CONTROL = "attribution, decoder rows shuffled"
AUROC = "auroc of the best component"
SAME_KIND = "share of other words of the same sub-class"


@dataclass(frozen=True)
class Concepts:
    """What is asked of words: `letters` or `classes`; how their settings begin."""

    one: str
    many: str
    prefix: str = ""

    @property
    def latents(self) -> str:
        return f"{self.prefix}latents"

    @property
    def shuffled(self) -> str:
        return f"{self.prefix}{SHUFFLED}"

    @property
    def probe(self) -> str:
        return f"{self.prefix}probe"

    @property
    def cosine(self) -> str:
        return f"best component's cosine with the {self.one}"

    @property
    def carriers(self) -> tuple[str, ...]:
        """Whose best components are compared; the first is ours, the others are controls."""
        own = f"{self.prefix}absorbing latents"
        return own, f"{self.prefix}latents at random", f"{own}, other {self.many}"

    @property
    def main(self) -> str:
        """Main latents: what a latent that stands for the concept has, the positive control."""
        return f"{self.prefix}main latents"


CONCEPTS = {
    "letters": Concepts("letter", "letters"),
    "classes": Concepts("class", "classes", "classes: "),
}


def held_concepts(figures: Figures, subject: str) -> list[str]:
    """Keys of `CONCEPTS` that were asked for; those of which something can be said come first."""
    asked = [
        name
        for name, one in CONCEPTS.items()
        if figures.row(subject, one.probe, f"{one.many} known") is not None
    ]
    return sorted(
        asked, key=lambda name: figures.row(subject, CONCEPTS[name].latents, FULL) is None
    )


def answer(figures: Figures, subject: str, concepts: Concepts, is_brief: bool = False) -> str:
    """Whether latents go silent where they should fire, against shuffled rows, as HTML.

    Args:
        is_brief: only the rate and its control.
    """
    own = figures.row(subject, concepts.latents, FULL)
    control = figures.row(subject, concepts.shuffled, FULL)
    known = figures.row(subject, concepts.probe, f"{concepts.many} known")
    if own is None:
        if known is None:
            return f"No {concepts.many} were asked for in {safe(subject)}."
        return (
            f"The model's activations do not tell {concepts.many}: of {known['n']:,}, a probe "
            f"knows {known['value']:,.0f}, so nothing can be said of latents that stand for them."
        )
    told = verdict(own, control) if control is not None else "Yes" if is_above(own, 0) else "No"
    head = {"Yes": "Yes, on some words", "No": "No", "Not clearly": "Not more than by chance"}[told]
    words = [
        f"<b>{head}.</b> In {safe(subject)}, on {_share(own)} of {own['n']:,} words all "
        f"{tip('main latents')} of the {concepts.one} are silent while one other latent carries "
        f"it ({tip('full absorption')})."
    ]
    if control is not None:
        words.append(f"That is {against(own, control)} the {_share(control)} with {tip(SHUFFLED)}.")
    if is_brief:
        return " ".join(words)
    fraction = figures.row(subject, concepts.latents, FRACTION)
    if fraction is not None:
        words.append(f"The mean {tip('absorption fraction')} is {value(fraction)}.")
    if known is not None:
        f1 = figures.row(subject, concepts.probe, PROBE_F1)
        reads = f", with an {tip('F1')} of {value(f1)}" if f1 is not None else ""
        words.append(
            f"A {tip('probe')} knows {known['value']:,.0f} of {known['n']:,} {concepts.many}"
            f"{reads}."
        )
    return " ".join(words)


def widths_answer(figures: Figures, sizes: dict[str, int], concepts: Concepts) -> str:
    """Whether the widest SAE absorbs more than the smallest."""
    rows = (figures.row(name, concepts.latents, FULL) for name in main_suite(sizes))
    found = [row for row in rows if row is not None]
    if len(found) < 2:
        return ""
    first, last = found[0], found[-1]
    told = {
        "Yes": "More in wider SAEs",
        "No": "Less in wider SAEs",
        "Not clearly": "No clear difference",
    }[verdict(last, first)]
    controls = (figures.row(row["subject"], concepts.shuffled, FULL) for row in found)
    above = sum(
        control is not None and verdict(row, control) == "Yes"
        for row, control in zip(found, controls, strict=True)
    )
    if not above:
        told = "Not beyond the control at any width"
    return (
        f"<b>{told}.</b> {safe(first['subject'])} {_share(first)}, {safe(last['subject'])} "
        f"{_share(last)}; {above} of {len(found)} SAEs absorb clearly more than with shuffled rows."
    )


def attribution_answer(figures: Figures, subject: str) -> str:
    """The rate by effects on the model's answer, against shuffled rows; "" where not measured."""
    own = figures.row(subject, ATTRIBUTION, RATE)
    control = figures.row(subject, ATTRIBUTION_CONTROL, RATE)
    if own is None or control is None:
        return ""
    told = {"Yes": "Yes", "No": "No", "Not clearly": "Not more than by chance"}
    return (
        f"<b>{told[verdict(own, control)]}.</b> By effects on the answer {_share(own)} of "
        f"{own['n']:,} words are absorbed, with shuffled rows {_share(control)}."
    )


def splits_answer(figures: Figures, subject: str, concepts: Concepts) -> str:
    """Over how many latents a concept is spread."""
    row = figures.row(subject, concepts.latents, SPLITS)
    if row is None:
        return ""
    return (
        f"In {safe(subject)} a {concepts.one} needs {value(row)} latents beyond its first on "
        f"average ({tip('splits')})."
    )


def carried_answer(figures: Figures, subject: str, concepts: Concepts) -> str:
    """Whether meta-latents of absorbing latents carry the concept; "" where not measured."""
    own, *controls = (figures.row(subject, name, concepts.cosine) for name in concepts.carriers)
    best = highest(row for row in controls if row is not None)
    if own is None or best is None:
        return ""
    auroc = figures.row(subject, concepts.carriers[0], AUROC)
    ranks = (
        f" Ranked by it, absorbing latents are told from random ones with an {tip('AUROC')} of "
        f"{number(auroc['value'])}."
        if auroc is not None
        else ""
    )
    told = verdict(own, best) if has_interval(own) and has_interval(best) else "Too few to tell"
    noun = "latent" if own["n"] == 1 else "latents"
    return (
        f"<b>{told}.</b> The best component of {own['n']:,} absorbing {noun} has a "
        f"cosine of {value(own)} with the {concepts.one}'s probe; of the hardest control "
        f"({safe(best['setting'].removeprefix(concepts.prefix))}) {value(best)}.{ranks}"
    )


def kinds_answer(own: Record, control: Record | None = None) -> str:
    """Whether absorbing latents fire on one kind of a class more than dealt-out kinds would."""
    if control is None:
        return ""
    return (
        f"<b>{verdict(own, control)}.</b> {_share(own)} are of the same kind, dealt out anew "
        f"{_share(control)}."
    )


def named(rows: Sequence[Record], concepts: Concepts) -> list[Record]:
    """Rows with a `name`: their setting without what tells letters from classes."""
    return [{**row, "name": row["setting"].removeprefix(concepts.prefix)} for row in rows]


def by_concept(points: Sequence[Record], concepts: Concepts) -> list[Record]:
    """Points of single letters or classes, highest first; `name` is what they are about."""
    start = f"{concepts.one} "
    own = [
        {**row, "name": row["setting"].removeprefix(start)}
        for row in points
        if row["setting"].startswith(start)
    ]
    return sorted(own, key=lambda row: (-row["value"], row["name"]))


def _share(row: Record) -> str:
    low, high = bounds(row)
    if low == high:
        return percent(row["value"])
    ends = f"({percent(low)} to {percent(high)})"
    return f'<span class="whole">{percent(row["value"])} {ends}</span>'
