"""Questions about the experiments of a run: figures, lines, edits, what was written, what concerns
a latent.

Everything is looked up by leading columns of a sort key, so that DuckDB reads few row groups; every
answer has an upper bound.
"""

from __future__ import annotations

from typing import Any

from backend.bounds import MOST_ROWS, as_index, as_text
from backend.records import Record, column
from backend.store import Run

ERRORS, LAYERS, PURSUIT, EDITS = "errors", "errors by layer", "pursuit", "edits"
STEERING, ABSORPTION, RESISTANCE = "steering", "absorption", "resistance"
DEAD_LATENTS, TOY_MODELS = "dead latents", "toy models"
EXPERIMENTS = (
    ERRORS, LAYERS, PURSUIT, EDITS, STEERING, ABSORPTION, RESISTANCE, DEAD_LATENTS, TOY_MODELS,
)  # fmt: skip
MOST_FIGURES, MOST_POINTS = 5_000, 10_000  # of one answer
EDIT_COLUMNS = ("kind", "entity", "other", "attribute", "method", "is_changed")


def made(run: Run) -> list[str]:
    """The experiments that this run holds figures of, in the order of `EXPERIMENTS`."""
    rows = run.fixed_query(
        """
        select distinct experiment from measurements
        where list_contains($experiments, experiment) order by experiment
        """,
        experiments=EXPERIMENTS,
    )
    held = set(column(rows, "experiment"))
    return [name for name in EXPERIMENTS if name in held]


def figures(run: Run, experiment: str, subject: str | None = None) -> list[Record]:
    """Rows of `measurements` of one experiment, of one subject or of all.

    Columns: experiment, subject, setting, metric, value, ci_low, ci_high, n; by the last three of
    the key.
    """
    where, params = _conditions(experiment=experiment, subject=subject)
    return run.fixed_query(
        f"from measurements where {where} order by subject, setting, metric limit {MOST_FIGURES}",
        **params,
    )


def curves(
    run: Run,
    experiment: str,
    metric: str | None = None,
    subject: str | None = None,
    setting: str | None = None,
) -> list[Record]:
    """Points of the lines of one experiment: line by line, each in order of its steps.

    Columns: experiment, subject, setting, metric, step, x, value, ci_low, ci_high, n.
    """
    where, params = _conditions(
        experiment=experiment, subject=subject, setting=setting, metric=metric
    )
    return run.query(
        f"from curves where {where} order by subject, setting, metric, step limit {MOST_POINTS}",
        **params,
    )


def edits(run: Run, **where: Any) -> list[Record]:
    """Rows of `edits` in the order of its key.

    Args:
        where: values that columns of `EDIT_COLUMNS` must have, e.g. `entity="Paris"`.

    Raises:
        ValueError: a column that may not be asked for.
    """
    unknown = set(where) - set(EDIT_COLUMNS)
    if unknown:
        raise ValueError(f"edits cannot be asked for by {sorted(unknown)}; use {EDIT_COLUMNS}")
    conditions, params = _conditions(**where)
    return run.query(
        f"""
        from edits where {conditions}
        order by kind, entity, other, attribute, method limit {MOST_ROWS}
        """,
        **params,
    )


def edit_values(run: Run, name: str, **where: str) -> list[str]:
    """What one of the columns of `EDIT_COLUMNS` holds where others have these values, in order."""
    if not {name, *where} <= set(EDIT_COLUMNS):
        raise ValueError(f"edits have no values of {name} by {sorted(where)}; use {EDIT_COLUMNS}")
    conditions, params = _conditions(**where)
    rows = run.query(
        f"""
        select distinct {name} from edits where {conditions}
        order by {name} limit {MOST_FIGURES}
        """,
        **params,
    )
    return column(rows, name)


def continuations(run: Run, experiment: str, subject: str, setting: str) -> list[Record]:
    """What the model wrote under one setting: number, strength, prompt, text, hits; by number."""
    where, params = _conditions(experiment=experiment, subject=subject, setting=setting)
    return run.query(
        f"""
        select number, strength, prompt, text, hits from continuations where {where}
        order by number limit {MOST_ROWS}
        """,
        **params,
    )


def concerned(run: Run, sae_id: str, latent: int) -> list[Record]:
    """What experiments say of one latent or meta-latent.

    Columns: experiment, subject, setting, metric, value, n; in the order of the key.
    """
    return run.query(
        f"""
        select experiment, subject, setting, metric, value, n from concerned
        where sae_id = $sae_id and latent = $latent
        order by experiment, subject, setting, metric limit {MOST_ROWS}
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )


def _conditions(**where: Any) -> tuple[str, dict[str, Any]]:
    """A condition on each column that is not None, and its parameters; names are our own."""
    asked = {name: value for name, value in where.items() if value is not None}
    params = {
        name: value if isinstance(value, bool) else as_text(value) for name, value in asked.items()
    }
    return " and ".join(f"{name} = ${name}" for name in asked) or "true", params
