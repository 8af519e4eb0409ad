"""How good a meta-SAE is beside its controls: bars on one axis, a sentence, and a table.

A setting of `measurements` reads "held-out, covariance-matched Gaussian null, 90 % of rows": what
stands before the first comma says on which rows, and each such group gets its own heading.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.lists_html import table_html
from backend.records import Record, grouped
from backend.text_html import MISSING, is_known, notice, number, safe, tip
from backend.trust_bars import UNIT, Bar, axis_html, bars_html

SPLITS = {"held-out": "held out", "in-sample": "in sample"}  # in the order of the page
CONTROL_WORDS = ("null", "random")
FAIREST_CONTROL = "covariance"
METRIC = "variance_explained"


def controls_html(rows: Sequence[Record]) -> str:
    """The section of the overview, from the rows of `measurements` about meta-SAEs."""
    explained = [row for row in rows if row["metric"] == METRIC]
    rest = [row for row in rows if row["metric"] != METRIC]
    if not explained:
        return notice("This run holds no measurements of its meta-SAE.")
    groups = grouped(({**row, **_parts(row["setting"])} for row in explained), "split")
    ordered = sorted(groups, key=lambda split: [*SPLITS, split].index(split))
    bars = "".join(_group(split, groups[split]) for split in ordered)
    told = (
        f"<p>How much of the variance of the decoder rows the {tip('meta-SAE')} explains, beside "
        f"the same on {tip('nulls', 'null')}, grey. {margin_words(explained)}</p>"
    )
    return f"{told}{bars}{_axis()}{_table(rest)}"


def margin_words(explained: Sequence[Record]) -> str:
    """The margin over the fairest control, held-out where it was measured; "" without one."""
    for split in SPLITS:
        own = {_parts(row["setting"])["what"]: row["value"] for row in explained
               if _parts(row["setting"])["split"] == split}  # fmt: skip
        real = [value for what, value in own.items() if not _is_control(what)]
        fair = [value for what, value in own.items() if FAIREST_CONTROL in what]
        if real and fair:
            margin = number(max(real) - fair[0])
            return (
                f"The fair comparison is rows with the same covariance: {SPLITS[split]}, "
                f"{number(max(real))} against {number(fair[0])}. That margin of {margin} is what "
                "sparse structure adds; the rest is the low-rank shape of the decoder."
            )
    return ""


def _parts(setting: str) -> dict[str, str]:
    """`split` (what stands before the first comma, "" without one of SPLITS) and `what`."""
    split, _, what = setting.partition(", ")
    return {"split": split, "what": what} if split in SPLITS else {"split": "", "what": setting}


def _is_control(what: str) -> bool:
    return any(word in what for word in CONTROL_WORDS)


def _group(split: str, rows: list[Record]) -> str:
    heaviest_first = sorted(rows, key=lambda row: -row["value"])
    bars = [
        Bar(safe(row["what"]), row, "null" if _is_control(row["what"]) else "own")
        for row in heaviest_first
    ]
    head = f"<h3>{tip(SPLITS[split].capitalize(), SPLITS[split])}</h3>" if split else ""
    return head + bars_html(bars, UNIT)


def _axis() -> str:
    return axis_html(UNIT, f"{tip('variance explained')}; thin line: 95 % interval")


def _table(rows: Sequence[Record]) -> str:
    if not rows:
        return ""
    cells = (
        (
            safe(row["metric"].replace("_", " ")),
            safe(row["setting"]),
            number(row["value"]),
            _interval(row["ci_low"], row["ci_high"]),
            f"{row['n']:,}",
        )
        for row in rows
    )
    heads = [(words, None) for words in ("figure", "measured on", "value", "95 % interval", "n")]
    return table_html(heads, cells, words=("measured on",))


def _interval(low: float | None, high: float | None) -> str:
    return f"{number(low)} to {number(high)}" if is_known(low) and is_known(high) else MISSING
