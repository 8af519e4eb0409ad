"""The README's tables about trust, from `measurements` alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from precompute.trust import control_rows as kinds

Found = dict[tuple[str, str, str, str], dict[str, Any]]  # rows of `measurements` by key
VE = "variance_explained"
FIRST = 4  # components of `explained`


def trust_lines(found: Found) -> list[str]:
    """Markdown: controls, methods, sizes, scores of SAEs, facts; nothing for what is not there."""
    return [
        *_controls(found),
        *_methods(found),
        *_sizes(found),
        *_composition(found),
        *_relations(found),
        *_facts(found),
        *_explained(found),
        *_names(found),
    ]


def _names(found: Found) -> list[str]:
    lines = []
    for subject in _subjects(found, "labels"):
        auc, accuracy, shuffled, listed = (
            found.get(("labels", subject, setting, metric))
            for setting, metric in (
                ("label", "auc"),
                ("label", "balanced_accuracy"),
                ("shuffled labels", "auc"),
                ("members' words", "auc"),
            )
        )
        n = f"{auc['n']:,}" if auc else 0
        figures = " | ".join(value(row) for row in (auc, shuffled, listed, accuracy))
        lines.append(f"| {subject} | {figures} | {n} |")
    heads = (
        "names of | AUC, held out | shuffled names | words of members as names | balanced accuracy "
        "| judged"
    )
    return markdown_table(heads, lines)


def value(row: dict[str, Any] | None) -> str:
    """A figure with three decimals and its interval."""
    if row is None:
        return "-"
    if row["ci_low"] is None:
        return f"{row['value']:z.3f}"
    return f"{row['value']:z.3f} ({row['ci_low']:z.3f} to {row['ci_high']:z.3f})"


def markdown_table(heads: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    rule = "|" + "---|" * heads.count("|")
    return ["", f"| {heads} |", f"|---{rule}", *body] if body else []


def _subjects(found: Found, experiment: str) -> list[str]:
    return list(dict.fromkeys(key[1] for key in found if key[0] == experiment))


def _controls(found: Found) -> list[str]:
    lines = []
    for kind in _by_value(found, "controls", "held-out"):
        held, seen = (
            found.get(("controls", kind, split, VE)) for split in ("held-out", "in-sample")
        )
        again = found.get(("controls", kind, "between seeds", "matched_meta_latents"))
        n = held["n"] if held else 0
        lines.append(f"| {kind} | {value(held)} | {value(seen)} | {value(again)} | {n} |")
    heads = "the same meta-SAE on | held-out | in-sample | found by another seed | seeds"
    return markdown_table(heads, lines)


def _methods(found: Found) -> list[str]:
    lines = []
    for name in _by_value(found, "methods", "held-out"):
        held, seen = (
            found.get(("methods", name, split, VE)) for split in ("held-out", "in-sample")
        )
        size, parts = (
            found["methods", name, "held-out", m]["value"] for m in ("directions", "parts")
        )
        lines.append(f"| {name} | {size:,.0f} | {parts:.1f} | {value(held)} | {value(seen)} |")
    heads = "the same rows by | directions | parts a row | held-out | in-sample"
    return markdown_table(heads, lines)


def _sizes(found: Found) -> list[str]:
    lines = []
    for experiment in ("width_sweep", "k"):
        settings = [key[2] for key in found if key[:2] == (experiment, kinds.DECODER)]
        sizes = [s.removesuffix(", held-out") for s in settings if s.endswith(", held-out")]
        for size in sorted(sizes, key=_number):
            real, null = (
                found.get((experiment, kind, f"{size}, held-out", VE))
                for kind in (kinds.DECODER, kinds.COVARIANCE)
            )
            lines.append(f"| {size} | {value(real)} | {value(null)} | {real['n'] if real else 0} |")
    heads = f"meta-SAE of another size | {kinds.DECODER}, held-out | {kinds.COVARIANCE} | seeds"
    return markdown_table(heads, lines)


def _composition(found: Found) -> list[str]:
    lines = []
    for sae_id in sorted(_subjects(found, "composition"), key=_number):
        real, null = (
            found.get(("composition", sae_id, kind, VE))
            for kind in (kinds.DECODER, kinds.ISOTROPIC)
        )
        lines.append(f"| {sae_id} | {value(real)} | {value(null)} |")
    return markdown_table(f"composition score of | {kinds.DECODER} | {kinds.ISOTROPIC}", lines)


def _relations(found: Found) -> list[str]:
    lines = []
    for sae_id in sorted(_subjects(found, "relations"), key=_number):
        shared, chance = (found["relations", sae_id, s, "overlap"] for s in ("shared", "chance"))
        lines.append(f"| {sae_id} | {value(shared)} | {value(chance)} | {shared['n']:,} |")
    return markdown_table(
        "pairs with a meta-latent in common, related too by | share | by chance | pairs", lines
    )


def _facts(found: Found) -> list[str]:
    lines = []
    for name in _by_value(found, "attributes", "all attributes", "auroc"):
        row = found["attributes", name, "all attributes", "auroc"]
        off = found.get(("attributes", name, "all attributes", "auroc_difference"))
        lines.append(f"| {name} | {value(row)} | {value(off)} | {row['n']} |")
    return markdown_table("attribute recovery by | AUROC | less the meta-SAE's | values", lines)


def _explained(found: Found) -> list[str]:
    lines = []
    for subject in _subjects(found, "explained"):
        for k in range(1, FIRST + 1):
            setting = f"first {k} components"
            real = found["explained", subject, setting, "precision"]
            null = found["explained", subject, f"{setting}, shuffled", "precision"]
            lines.append(f"| {k} | {value(real)} | {value(null)} | {real['n']:,} |")
    heads = "first components | explained by a fact or a spelling | with facts shuffled | latents"
    return markdown_table(heads, lines)


def _by_value(found: Found, experiment: str, setting: str, metric: str = VE) -> list[str]:
    """Subjects with that figure, the largest first."""
    rows = {key[1]: row for key, row in found.items()
            if key[0] == experiment and key[2:] == (setting, metric)}  # fmt: skip
    return sorted(rows, key=lambda name: -rows[name]["value"])


def _number(name: str) -> float:
    """The first number in a name."""
    digits = "".join(c if c.isdigit() or c == "." else " " for c in name).split()
    return float(digits[0]) if digits else 0.0
