"""`python -m precompute label` and `labels`: what a user gives, and what is said at the end."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from backend.edited_labels import PERSON, labels_path, read_labels
from backend.manifest import RunError
from backend.verify import verify_run
from precompute.config import ConfigError
from precompute.model_labels.address import api_key, endpoint_url
from precompute.model_labels.answers import Answers
from precompute.model_labels.asking import Asker, Budget
from precompute.model_labels.endpoint import Endpoint
from precompute.model_labels.evidence import WHAT, Evidence, asked_saes, run_evidence, sae_rows
from precompute.model_labels.failures import EndpointError
from precompute.model_labels.label_file import (
    ModelLabel,
    check_mergeable,
    label_texts,
    merge_labels,
)
from precompute.model_labels.labelling import Labelled, Outcome, Survey, label_latents
from precompute.model_labels.prompts import first_prompt

log = logging.getLogger("precompute")

PARAMETERS = {"temperature": 0, "max_tokens": 64}
MOST_CONCURRENCY = 64
LONGEST_NAME = 200  # characters of a model's name
SHOWN_REFUSALS = 3


def add_label_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`label` and `labels` for the parser of `python -m precompute`."""
    label = commands.add_parser("label", help="ask a language model to label latents")
    label.add_argument("run", type=Path, help="folder of a run, e.g. data/minilm")
    label.add_argument("--endpoint", required=True, help="e.g. http://localhost:8000/v1")
    label.add_argument("--model", required=True, help="its name at that endpoint")
    label.add_argument("--what", choices=WHAT, default="meta", help="which latents (meta)")
    label.add_argument("--sae", help="those of one SAE or meta-SAE, instead of --what")
    label.add_argument("--limit", type=_positive, help="only those that fire most often")
    label.add_argument("--max-requests", type=_positive, help="send no more requests than this")
    label.add_argument("--max-tokens", type=_positive, help="use no more tokens than this")
    label.add_argument("--concurrency", type=_positive, default=4, help="requests at a time (4)")
    label.add_argument("--timeout", type=_positive, default=60, help="seconds for an answer (60)")
    label.add_argument("--parameters", default="{}", help="JSON, added to or instead of the usual")
    label.add_argument("--out", type=Path, help="label file (the run's, beside its folder)")
    label.add_argument("--work", type=Path, default=Path("work"), help="where answers are kept")
    label.add_argument("--dry-run", action="store_true", help="show a prompt, send nothing")
    label.set_defaults(command=_label)
    labels = commands.add_parser("labels", help="check the label file of a run")
    labels.add_argument("run", type=Path, help="folder of a run, e.g. data/minilm")
    labels.add_argument("--file", type=Path, help="another label file")
    labels.set_defaults(command=_labels)


def _label(options: argparse.Namespace) -> None:
    try:
        url = endpoint_url(options.endpoint)
        survey = Survey(_model_name(options.model), _parameters(options.parameters))
        verify_run(options.run)
        saes = sae_rows(options.run)
        asked = asked_saes(saes, options.what, options.sae)
        if not asked:
            known = ", ".join(row["sae_id"] for row in saes)
            raise ConfigError(f"{options.run} has nothing of the kind to label; it has {known}")
        path = options.out or labels_path(options.run)
        check_mergeable(path)
        evidence = _chosen(options, asked, set(label_texts(path, saes, PERSON)))
        if options.dry_run:
            _show_prompt(evidence)
            return
        endpoint = Endpoint(url, api_key(url, os.environ), options.timeout)
        budget = Budget(options.max_requests, options.max_tokens)
        kept = options.work / f"labels-{options.run.resolve().name}" / "answers.jsonl"
        concurrency = min(options.concurrency, MOST_CONCURRENCY)
        with closing(Answers(kept)) as answers:
            asker = Asker(endpoint, answers, budget)
            outcome = label_latents(evidence, survey, asker, answers, concurrency)
    except EndpointError as error:
        raise ConfigError(str(error)) from None
    hashes = {row["sae_id"]: row["decoder_sha256"] for row in saes}
    found = [_model_label(one, hashes, survey.model) for one in outcome.labelled]
    merge_labels(path, [label for label in found if label.label])
    _say(outcome, budget, path, kept)
    if outcome.is_interrupted:
        raise KeyboardInterrupt
    if outcome.error is not None:
        raise ConfigError(f"{outcome.error}. The same command goes on where it stopped")


def _chosen(
    options: argparse.Namespace, asked: list[dict[str, Any]], by_people: set[tuple[str, int]]
) -> list[Evidence]:
    """Evidence for the latents to ask about: not those that a person has labelled."""
    everything = run_evidence(options.run, asked)
    evidence = [one for one in everything if (one.sae_id, one.latent) not in by_people]
    n_by_people = len(everything) - len(evidence)
    if n_by_people:
        log.info("%d are labelled by people and not asked about", n_by_people)
    return evidence[: options.limit]


def _model_label(found: Labelled, hashes: dict[str, str], model: str) -> ModelLabel:
    sae_id = found.evidence.sae_id
    return ModelLabel(
        sae_id=sae_id,
        latent=found.evidence.latent,
        label=found.judgement.label,
        decoder_sha256=hashes[sae_id],
        model=model,
        note=found.note,
    )


def _say(outcome: Outcome, budget: Budget, path: Path, answers: Path) -> None:
    log.info("%d labels are in %s; each answer is in %s", outcome.n_labels, path, answers)
    log.info("used: %d requests, %s tokens", budget.requests, f"{budget.tokens:,}")
    for fault, n in outcome.faults.most_common():
        log.info("%d without a label: %s", n, fault or "the model found nothing in common")
    for message in outcome.refused[:SHOWN_REFUSALS]:
        log.info("no answer: %s", message)
    if outcome.n_open:
        used = "the budget is used: " if budget.is_used else ""
        log.info(
            "%s%d latents are left. Give the same command again to go on: nothing is asked twice",
            used,
            outcome.n_open,
        )


def _show_prompt(evidence: list[Evidence]) -> None:
    prompts = [first_prompt(one)[0]["content"] for one in evidence]
    if prompts:
        sys.stdout.write(prompts[0] + "\n")
    characters = f"{sum(map(len, prompts)):,}"
    log.info("%d prompts of %s characters in all; nothing was sent", len(prompts), characters)


def _labels(options: argparse.Namespace) -> None:
    verify_run(options.run)
    path = options.file or labels_path(options.run)
    if not path.exists():
        log.info("there is no label file %s", path)
        return
    found = read_labels(path, sae_rows(options.run))
    for label in found.labels:
        sys.stdout.write(f"{label.sae_id}\t{label.latent}\t{label.label}\t{label.source}\n")
    for note in found.notes:
        log.info("%s", note)
    for problem in found.problems:
        log.error("%s", problem)
    log.info("%d labels of %s are applied", len(found.labels), path)
    if found.problems:
        raise RunError(f"{path} has problems, listed above")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _model_name(name: str) -> str:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError("--model needs a name on one line")
    return name.strip()


def _parameters(text: str) -> dict[str, Any]:
    """The usual parameters with those of the user; null takes one away."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--parameters is not JSON ({error})") from None
    if not isinstance(given, dict) or {"model", "messages", "stream"} & set(given):
        raise ConfigError('--parameters needs an object such as {"temperature": 1}')
    return {name: value for name, value in {**PARAMETERS, **given}.items() if value is not None}
