"""What the figures of errors, pursuit and absorption say: looked up, compared, put in order.

No HTML. A comparison is by intervals: figures whose intervals overlap are not told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.records import Record
from backend.trust_figures import bounds, first_number, verdict

SAE, EPS_RANDOM = "SAE", "eps-random"
OWN = (SAE, "norm-corrected SAE", "SAE norm")
ISOTROPIC = (EPS_RANDOM, "theta-random", "theta-random, SAE norm")
FAIR = ("like activations", "like errors", "another's error")
ABLATIONS = ("mean", "zero")
INTERVENTIONS = (*OWN, *ISOTROPIC, *FAIR)
CONTROLS = (*ISOTROPIC, *FAIR)
KL, CE_RISE, DISTANCE = "kl", "ce rise", "embedding distance"
OVER_RANDOM = " over eps-random"

ENCODER = "encoder"
METHODS = (ENCODER, "encoder, k highest", "encoder, refitted", "gradient pursuit",
           "matching pursuit")  # fmt: skip
ENCODER_CONTROLS = METHODS[:3]
SEARCHES = METHODS[3:]
LOSS, EMBEDDING, VARIANCE = "loss recovered", "embedding recovered", "variance explained"
GAIN = "gain over the encoder"


@dataclass(frozen=True)
class Figures:
    """Rows of `measurements` of one experiment, looked up by what they are about."""

    rows: Sequence[Record]

    def row(self, subject: str, setting: str, metric: str) -> Record | None:
        """One figure; None where the run has none."""
        return next(
            (
                row
                for row in self.rows
                if row["metric"] == metric
                and row["subject"] == subject
                and row["setting"] == setting
            ),
            None,
        )

    def of(self, subject: str, metric: str, settings: Iterable[str]) -> list[Record]:
        """One metric of one subject under these settings, in their order; absent ones left out."""
        found = (self.row(subject, setting, metric) for setting in settings)
        return [row for row in found if row is not None]

    def settings(self, subject: str, metric: str) -> list[str]:
        """The settings under which a metric of a subject was measured."""
        return [
            row["setting"]
            for row in self.rows
            if row["subject"] == subject and row["metric"] == metric
        ]


def sizes_of(rows: Sequence[Record], saes: Sequence[Record]) -> dict[str, int]:
    """The subjects of figures with their number of latents: SAEs from small to large.

    A subject that is no SAE of the run counts by the number in its name, and comes last.
    """
    known = {sae["sae_id"]: sae["n_latents"] for sae in saes}
    subjects = dict.fromkeys(row["subject"] for row in rows)
    order = [name for name in known if name in subjects]
    order += sorted(name for name in subjects if name not in known)
    return {name: known.get(name, first_number(name)) for name in order}


def main_subject(sizes: dict[str, int], saes: Sequence[Record]) -> str:
    """The SAE that the run decomposes, if it is a subject; else the widest of the main suite."""
    parents = [sae["parent_sae_id"] for sae in saes if sae["kind"] == "meta"]
    widest = max(main_suite(sizes), key=lambda name: sizes[name])
    return next((name for name in parents if name in sizes), widest)


def main_suite(sizes: dict[str, int]) -> list[str]:
    """The SAEs that lines over width are drawn through: words and other controls are beside them.

    All subjects where none is named like one of the suite.
    """
    return [name for name in sizes if name.startswith("sae-")] or list(sizes)


def over_width(rows: Iterable[Record], sizes: dict[str, int]) -> list[Record]:
    """Figures as points of lines over the number of latents; of `main_suite` only."""
    order = main_suite(sizes)
    return [
        {**row, "x": sizes[row["subject"]], "step": order.index(row["subject"])}
        for row in rows
        if row["subject"] in order
    ]


def in_order(rows: Sequence[Record], names: Sequence[str], key: str = "setting") -> list[Record]:
    """The rows of these settings, setting by setting in the order of their names."""
    return [row for name in names for row in rows if row[key] == name]


def highest(rows: Iterable[Record]) -> Record | None:
    """The row of the highest value; None of none."""
    return max(rows, key=lambda row: row["value"], default=None)


def is_above(row: Record, threshold: float) -> bool:
    """Whether its whole interval lies above; one without an interval counts by its value."""
    return bounds(row)[0] > threshold


def is_below(row: Record, threshold: float) -> bool:
    """Whether its whole interval lies below."""
    return bounds(row)[1] < threshold


def against(one: Record, other: Record) -> str:
    """How a figure stands to its control, to be followed by the control: "more than" or so."""
    told = {"Yes": "more than", "No": "less than", "Not clearly": "not clearly different from"}
    return told[verdict(one, other)]
