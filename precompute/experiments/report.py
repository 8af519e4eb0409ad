"""The README's tables about experiments on a model, from `measurements` alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from precompute.trust.report import Found, markdown_table, value


@dataclass(frozen=True)
class Figures:
    """One table of an experiment: a line for each setting, or for each subject; a column a metric.

    A table by subject is of all subjects; one by setting is of `subject`, or of the SAE that the
    run decomposes.
    """

    experiment: str
    head: str
    columns: tuple[tuple[str, str], ...]  # metric and its words
    settings: tuple[str, ...] = ()  # these alone; empty: all that have a figure
    by_subject: bool = False
    subject: str = ""


_SHARES = (("cause", "cause"), ("isolate", "isolate"), ("disentangle", "disentangle"))
_CHANGE = "change of {} against solo"
TABLES = (
    Figures("atlas", "questions about known facts", (("accuracy", "right"),), subject="all"),
    Figures(
        "errors",
        "in place of the activations",
        (
            ("kl", "KL, nats"),
            ("kl over eps-random", "over eps-random"),
            ("ce rise", "CE rise, nats"),
            ("embedding distance", "distance of embeddings"),
            ("embedding distance over eps-random", "over eps-random"),
        ),
    ),
    Figures(
        "errors by layer",
        "in place of the activations of",
        (
            ("kl", "KL, nats"),
            ("kl over eps-random", "over eps-random"),
            ("kl of one token over eps-random", "of one token, over eps-random"),
            ("embedding distance", "distance of embeddings"),
            ("embedding distance over eps-random", "over eps-random"),
        ),
        settings=("SAE", "another's error", "like activations"),
        by_subject=True,
    ),
    Figures(
        "pursuit",
        "latents chosen by, at the encoder's L0",
        (
            ("loss recovered", "loss recovered"),
            ("embedding recovered", "embedding recovered"),
            ("variance explained", "variance explained"),
            ("gain over the encoder", "gain over the encoder"),
        ),
    ),
    Figures("edits", "one fact changed by", _SHARES),
    Figures(
        "steering",
        "steered by",
        (
            ("effect at 0.1 nats of damage", "effect at 0.1 nats of damage"),
            ("gain over the vector at 0.1 nats of damage", "gain over the vector"),
            ("share of the Pareto front", "share of the Pareto front"),
        ),
    ),
    Figures(
        "absorption",
        "words",
        (
            ("probe f1", "F1 of the probe"),
            ("splits", "splits"),
            ("full absorption", "full absorption"),
            ("absorption fraction", "absorption fraction"),
            ("absorption rate", "rate by attribution"),
        ),
        settings=(
            "probe",
            "letters shuffled",
            "latents",
            "decoder rows shuffled",
            "attribution",
            "attribution, without logits",
            "attribution, decoder rows shuffled",
            "classes: probe",
            "classes: classes shuffled",
            "classes: latents",
            "classes: decoder rows shuffled",
        ),
    ),
    Figures(
        "resistance",
        "trained",
        tuple(
            (_CHANGE.format(metric), f"{words}, %")
            for metric, words in (
                ("mean |phi|", "mean absolute phi"),
                ("variance unexplained", "error"),
                ("ce rise", "CE rise"),
                ("meta-SAE variance explained, held out", "meta-SAE, held-out rows"),
            )
        ),
        by_subject=True,
    ),
    Figures(
        "dead latents",
        "against dead latents",
        (("dead latents", "dead, share"), ("variance explained", "variance explained")),
        by_subject=True,
    ),
    Figures(
        "toy models",
        "directions found by",
        (("mean max cosine", "mean max cosine"), ("recovered", "recovered at 0.9")),
        by_subject=True,
    ),
)


def experiment_lines(found: Found, sae_id: str) -> list[str]:
    """Markdown tables of every experiment that was made; nothing for what is not there.

    Args:
        found: rows of `measurements` by key.
        sae_id: the SAE that the run decomposes.
    """
    return [line for table in TABLES for line in _lines(table, found, sae_id)]


def _lines(table: Figures, found: Found, sae_id: str) -> list[str]:
    keys = [key for key in found if key[0] == table.experiment]
    metrics = {key[3] for key in keys}
    columns = [(metric, words) for metric, words in table.columns if metric in metrics]
    lines = []
    for subject, setting in _rows(table, keys, sae_id):
        rows = [found.get((table.experiment, subject, setting, metric)) for metric, _ in columns]
        if any(rows):
            n = max(row["n"] for row in rows if row)
            name = _name(table, keys, subject, setting)
            lines.append(f"| {name} | {' | '.join(map(value, rows))} | {n:,} |")
    return markdown_table(" | ".join([table.head, *(words for _, words in columns), "n"]), lines)


def _rows(
    table: Figures, keys: Sequence[tuple[str, str, str, str]], sae_id: str
) -> list[tuple[str, str]]:
    pairs = list(dict.fromkeys((key[1], key[2]) for key in keys))
    if table.by_subject:
        chosen = [pair for pair in pairs if not table.settings or pair[1] in table.settings]
        return sorted(chosen, key=lambda pair: (pair[1], pair[0]))
    subject = table.subject or sae_id
    own = [pair for pair in pairs if pair[0] == subject]
    return [(subject, s) for s in table.settings if (subject, s) in own] if table.settings else own


def _name(
    table: Figures, keys: Sequence[tuple[str, str, str, str]], subject: str, setting: str
) -> str:
    if not table.by_subject:
        return setting
    several = len({key[2] for key in keys}) > 1
    return f"{setting}: {subject}" if several else subject
