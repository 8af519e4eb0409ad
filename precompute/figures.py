"""The README's tables: about a run, from its own `measurements` and `saes`; about a sweep.

`python -m precompute figures data/minilm` and `python -m precompute figures
precompute/sweeps/minilm.tsv` print them; `tests/test_readme.py` compares.
"""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from precompute.experiments.report import experiment_lines
from precompute.trust.report import Found, trust_lines, value

META_SETTINGS = (
    ("in-sample, shown seed", "all decoder rows, in-sample (the shown decomposition)"),
    ("in-sample, mean over seeds", "the same, mean over seeds"),
    ("in-sample, decoder rows, 90 % of rows", "trained on 90 % of the rows, on these"),
    ("held-out, decoder rows, 90 % of rows", "trained on 90 % of the rows, on the other 10 %"),
    (
        "in-sample, isotropic Gaussian null, 90 % of rows",
        "null: Gaussian unit rows of the same shape, in-sample",
    ),
    ("held-out, isotropic Gaussian null, 90 % of rows", "the same null, held-out rows"),
    (
        "in-sample, covariance-matched Gaussian null, 90 % of rows",
        "null: Gaussian rows with the same mean and covariance, in-sample",
    ),
    ("held-out, covariance-matched Gaussian null, 90 % of rows", "the same null, held-out rows"),
    ("in-sample, frozen random decoder", "control: decoder frozen at random directions"),
)

OTHER_META_SETTINGS = (
    ("in-sample, shown seed", "in-sample"),
    ("held-out, decoder rows, 90 % of rows", "held-out rows"),
    ("held-out, covariance-matched Gaussian null, 90 % of rows", "Gaussian rows, held-out"),
    ("held-out, named directions", "named directions"),
    ("held-out, covariance-matched Gaussian null", "Gaussian rows of their covariance"),
)

MERGED_METRICS = ("n_latents", "l0", "variance_explained")


def run_figures(folder: Path) -> str:
    """Markdown tables of a run's SAEs, of its meta-SAE with controls, and of its experiments."""
    return _sae_figures(folder) + experiment_figures(folder)


def experiment_figures(folder: Path) -> str:
    """Markdown tables of what a run's experiments on its model found; "" without any."""
    saes = pq.read_table(folder / "saes.parquet").to_pylist()
    metas = sorted((s for s in saes if s["kind"] == "meta"), key=lambda s: -s["n_latents"])
    lines = experiment_lines(_measured(folder), metas[0]["parent_sae_id"])
    return "".join(f"{line}\n" for line in lines)


def _measured(folder: Path) -> Found:
    rows = pq.read_table(folder / "measurements.parquet").to_pylist()
    return {(r["experiment"], r["subject"], r["setting"], r["metric"]): r for r in rows}


def _sae_figures(folder: Path) -> str:
    saes, found = pq.read_table(folder / "saes.parquet").to_pylist(), _measured(folder)
    lines = [
        "| SAE | variance explained, held-out tokens | on training tokens | L0, held-out | dead |",
        "|---|---|---|---|---|",
    ]
    for sae in sorted((s for s in saes if s["kind"] == "sae"), key=lambda s: s["n_latents"]):
        lines.append(
            f"| {sae['sae_id']} | {sae['variance_explained_heldout']:.3f} "
            f"| {sae['variance_explained']:.3f} | {sae['l0']:.1f} | {sae['dead_fraction']:.2%} |"
        )
    metas = sorted((s for s in saes if s["kind"] == "meta"), key=lambda s: -s["n_latents"])
    meta = metas[0]
    meta_id = meta["sae_id"]
    lines += ["", f"| {meta_id} on | variance explained | n |", "|---|---|---|"]
    for setting, title in META_SETTINGS:
        row = found["meta_sae", meta_id, setting, "variance_explained"]
        lines.append(f"| {title} | {value(row)} | {row['n']:,} |")
    lines += ["", f"| decompositions by {meta_id} | value | n |", "|---|---|---|"]
    for setting, metric, title in (
        ("shown seed", "mean_components", "components of a latent, mean"),
        ("other seeds", "mean_stability", "stability of a component over seeds, mean"),
        ("other seeds", "found_in_all_seeds", "components found in every seed, share"),
    ):
        row = found["decomposition", meta_id, setting, metric]
        lines.append(f"| {title} | {value(row)} | {row['n']:,} |")
    for other in metas[1:]:
        own = f"{other['parent_sae_id']} by {other['sae_id']}"
        for setting, title in OTHER_META_SETTINGS:
            row = found.get(("meta_sae", other["sae_id"], setting, "variance_explained"))
            if row is not None:  # a meta-SAE that was not trained on these rows has other controls
                told = f"{own}: variance explained, {title}"
                lines.append(f"| {told} | {value(row)} | {row['n']:,} |")
        row = found.get(("decomposition", other["sae_id"], "other seeds", "mean_stability"))
        if row is not None:
            lines.append(f"| {own}: stability, mean | {value(row)} | {row['n']:,} |")
    row = found["entities", meta_id, "all", "found"]
    lines.append(f"| entities named by a component | {row['value']:.0f} | {row['n']} |")
    sizes = {  # of the suite: an SAE of words was merged with none
        sae["sae_id"]: sae
        for sae in saes
        if ("merged", sae["sae_id"], "held-out", "n_latents") in found
    }
    lines += _stitching(found, sorted(sizes, key=lambda i: sizes[i]["n_latents"]), sizes)
    lines += trust_lines(found)
    return "\n".join(lines) + "\n"


def sweep_figures(table: Path) -> str:
    """Markdown table of a sweep, a row a variant; shares and scores with two decimals."""
    lines = [
        "| block | k | start | VE held out | dead | one word | meta-SAE | isotropic null "
        "| covariance null |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    with table.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            pairs = [
                f"{float(row[f'{name}_in_sample']):.2f} / {float(row[f'{name}_heldout']):.2f}"
                for name in ("meta", "isotropic", "covariance")
            ]
            lines.append(
                f"| {row['layer']} | {float(row['k']):g} | {_start(row)} "
                f"| {float(row['variance_explained_heldout']):.3f} "
                f"| {float(row['dead_share']):.1%} | {float(row['one_word_share']):.0%} "
                f"| {' | '.join(pairs)} |"
            )
    return "\n".join(lines) + "\n"


def _stitching(found: Found, ids: list[str], sizes: dict[str, dict[str, Any]]) -> list[str]:
    """Neighbouring sizes, the SAE merged upward beside the suite, and split latents."""
    lines = [
        "",
        "| from, to | novel, of latents that fired | silent | AUC of the cosine | accuracy at 0.7 "
        "| best cut: accuracy | larger kind alone |",
        "|---|---|---|---|---|---|---|",
    ]
    for small, large in pairwise(ids):
        figures = {key[3]: row for key, row in found.items() if key[1] == f"{small} to {large}"}
        if "auc" not in figures:
            continue
        share = {name: figures[name]["value"] for name in figures}
        lines.append(
            f"| {small}, {large} | {value(figures['novel_share'])} | {share['silent_share']:.1%} "
            f"| {value(figures['auc'])} | {share['accuracy']:.3f} "
            f"| {share['best_cut']:.2f}: {share['best_accuracy']:.3f} | {share['majority']:.3f} |"
        )
    lines += [
        "",
        "| merged upward through | latents | L0 | variance explained | the SAE alone: latents, L0, "
        "variance explained |",
        "|---|---|---|---|---|",
    ]
    for sae_id in ids:
        step = {m: found["merged", sae_id, "held-out", m]["value"] for m in MERGED_METRICS}
        own = sizes[sae_id]
        lines.append(
            f"| {sae_id} | {step['n_latents']:,.0f} | {step['l0']:.1f} "
            f"| {step['variance_explained']:.3f} | {own['n_latents']:,}, {own['l0']:.1f}, "
            f"{own['variance_explained_heldout']:.3f} |"
        )
    lines += ["", "| ancestor in | latents with one | it is a component | by chance |"]
    lines.append("|---|---|---|---|")
    for sae_id in ids:
        if ("splitting", sae_id, "has an ancestor", "share") in found:
            linked = found["splitting", sae_id, "has an ancestor", "share"]["value"]
            share = found["splitting", sae_id, "ancestor is a component", "share"]
            chance = found["splitting", sae_id, "ancestor is a component", "chance"]["value"]
            lines.append(f"| {sae_id} | {linked:.1%} | {value(share)} | {chance:.3f} |")
    return lines


def _start(row: dict[str, str]) -> str:
    if row["initialisation"] != "words":
        return {"samples": "sampled rows", "random": "random directions"}[row["initialisation"]]
    share, rate = float(row["word_share"]), float(row["word_decoder_rate"])
    return f"{share:.0%} words, decoder speed {rate:g}"
