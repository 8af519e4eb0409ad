"""What the experiments on the model found: for each family its question and answer."""

from __future__ import annotations

import streamlit as st

from app_pages.frame import actions_html, opened, title
from backend import experiments, queries
from backend.experiment_answers import answer_of
from backend.experiment_families import FAMILIES
from backend.experiment_html import missing
from backend.links import EXPERIMENTS_PATH, experiment_link, experiments_link
from backend.records import Record
from backend.store import Run
from backend.text_html import link, tip


def experiments_page() -> None:
    run = opened(EXPERIMENTS_PATH)
    title("Experiments")
    here = experiments_link(run.name, run.manifest.short_hash)
    made = set(experiments.made(run))
    saes = queries.saes(run)
    told = (
        "Cut, swap and steer: what the model does when its activations are changed. Each answer is "
        f"computed from this run's figures and stands beside its {tip('control')}; a link leads to "
        "the figures."
    )
    st.html(
        actions_html(run, ["Experiments"], here)
        + f'<h1>What happens when you cut, swap and steer?</h1><p class="lead">{told}</p>'
        + "".join(_family(run, key, made, saes) for key in FAMILIES)
    )


def _family(run: Run, key: str, made: set[str], saes: list[Record]) -> str:
    family = FAMILIES[key]
    own = [name for name in family.experiments if name in made]
    if not own:
        return missing(family.question, family.sections[0], family.what)
    to = link(experiment_link(family.path, run=run.name).href, family.question)
    if own[0] != family.experiments[0]:
        return f"<h2>{to}</h2><p class='note'>This run holds of it only: {', '.join(own)}.</p>"
    answer = answer_of(key, experiments.figures(run, own[0]), saes)
    return f"<h2>{to}</h2><p class='answer'>{answer}</p>"


experiments_page()
