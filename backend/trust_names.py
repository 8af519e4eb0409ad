"""How well names tell members: the rows of `measurements` about labels, for one run."""

from __future__ import annotations

from backend.records import Record
from backend.store import Run

EXPERIMENT = "labels"


def label_figures(run: Run) -> list[Record]:
    """Rows of the experiment `labels`, meta-SAEs first, then from the largest down.

    Columns: experiment, subject, setting, metric, value, ci_low, ci_high, n, and of the subject:
    kind (`sae` or `meta`), parent_sae_id.
    """
    return run.fixed_query(
        """
        select m.*, s.kind, s.parent_sae_id from measurements m
        join saes s on s.sae_id = m.subject
        where m.experiment = $experiment
        order by s.kind, s.n_latents desc, m.subject, m.setting, m.metric
        """,
        experiment=EXPERIMENT,
    )
