"""How much more an SAE's error costs the model than random vectors of its length."""

from __future__ import annotations

import numpy as np
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.bench import Bench
from precompute.experiments.errors.costs import distances, mean_costs, rebuilt, replacements
from precompute.experiments.errors.interventions import EPS_RANDOM, SAE, Moments, eps_random
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups
from precompute.experiments.section import ErrorsConfig
from precompute.splicing import SplicedModel, TokenCosts, instead, only_at

NAME = "errors"
BINS = np.linspace(-6, 2, 33)  # of log10 KL
MOST_TOKENS, LEAST_COUNT = 24, 20  # tokens named, and how often each must occur


def sae_errors(bench: Bench, sae_id: str, settings: ErrorsConfig) -> Findings:
    """All figures of one SAE; for an encoder only what its embeddings can tell."""
    findings, sae, seed = Findings(), bench.sae(sae_id), bench.config.seed
    model = bench.spliced(bench.heldout(settings.contexts))
    new = replacements(sae, model.rows(), seed)
    _describe(findings, sae_id, model, new, seed)
    if not model.is_causal:
        distances(findings, NAME, sae_id, model, new, seed)
        return findings
    costs = model.token_costs({name: instead(rows) for name, rows in new.items()})
    mean_costs(findings, NAME, sae_id, model, costs, seed)
    _where(findings, sae_id, model, costs, seed)
    _by_token(findings, sae_id, bench, model, costs, seed)
    _one_token(findings, sae_id, model, new, settings, seed)
    _many_draws(findings, sae_id, bench, sae, settings)
    return findings


def _describe(
    findings: Findings, sae_id: str, model: SplicedModel, new: dict[str, torch.Tensor], seed: int
) -> None:
    """How far each intervention goes: distance over the norm of x, norm ratio, and cosine."""
    x = model.rows()
    groups, norm = Groups(model.context, seed), x.norm(dim=1)
    for name, rows in new.items():
        figures = {
            "distance over norm": (rows - x).norm(dim=1) / norm,
            "norm ratio": rows.norm(dim=1) / norm,
            "cosine": torch.cosine_similarity(rows, x, dim=1),
        }
        for metric, values in figures.items():
            found = groups.mean(values.cpu().numpy())
            findings.measure(NAME, sae_id, name, metric, found)


def _where(
    findings: Findings, sae_id: str, model: SplicedModel, costs: dict[str, TokenCosts], seed: int
) -> None:
    """Every token changed: the KL by position, and its distribution."""
    row = costs[SAE].row.numpy()
    position = model.position[row]
    for place in np.unique(position):
        here = position == place
        at = Groups(model.context[row[here]], seed)
        for name, own in costs.items():
            found = at.mean(own.kl.numpy()[here])
            findings.point(NAME, sae_id, name, "kl by position", int(place), place, found)
    for name, own in costs.items():
        logs = np.log10(own.kl.clamp_min(1e-12).numpy())
        counts = np.histogram(logs.clip(BINS[0], BINS[-1]), BINS)[0]
        for step, count in enumerate(counts):
            share = Estimate(count / len(logs), None, None, len(logs))
            findings.point(NAME, sae_id, name, "kl distribution", step, BINS[step], share)


def _by_token(
    findings: Findings,
    sae_id: str,
    bench: Bench,
    model: SplicedModel,
    costs: dict[str, TokenCosts],
    seed: int,
) -> None:
    """Where the SAE's error does most beyond a random one: the tokens that it was made on."""
    ids = np.concatenate([batch.ids[batch.ordinary].numpy() for batch in model.batches])
    row = costs[SAE].row.numpy()
    excess = (costs[SAE].kl - costs[EPS_RANDOM].kl).numpy()
    token, number, count = np.unique(ids[row], return_inverse=True, return_counts=True)
    mean = np.bincount(number, excess) / count
    frequent = np.flatnonzero(count >= LEAST_COUNT)
    best = frequent[np.argsort(-mean[frequent], kind="stable")][:MOST_TOKENS]
    for step, one in enumerate(best):
        here = number == one
        name = str(bench.language_model.tokenizer.decode([int(token[one])]))
        found = Groups(model.context[row[here]], seed).mean(excess[here])
        findings.point(NAME, sae_id, name, "excess kl by token", step, step, found)


def _one_token(
    findings: Findings,
    sae_id: str,
    model: SplicedModel,
    new: dict[str, torch.Tensor],
    settings: ErrorsConfig,
    seed: int,
) -> None:
    """One token of each context changed: how long that is felt."""
    chosen = torch.from_numpy(model.position == settings.position)
    costs = model.token_costs({name: only_at(chosen, instead(rows)) for name, rows in new.items()})
    row = costs[SAE].row.numpy()
    offset = model.position[row] - settings.position
    for after in range(settings.window + 1):
        here = offset == after
        if not here.any():
            return
        groups = Groups(model.context[row[here]], seed)
        random = costs[EPS_RANDOM].kl.numpy()[here]
        for name, own in costs.items():
            values = own.kl.numpy()[here]
            found = groups.mean(values)
            findings.point(NAME, sae_id, name, "kl after one token", after, after, found)
            ratio = groups.ratio(values, random)
            metric = "kl after one token over eps-random"
            findings.point(NAME, sae_id, name, metric, after, after, ratio)


def _many_draws(
    findings: Findings, sae_id: str, bench: Bench, sae: Dictionary, settings: ErrorsConfig
) -> None:
    """For single tokens, the SAE's KL in standard deviations of that of many random vectors."""
    place, end = settings.position, settings.position + 2
    pieces = [piece[:end] for piece in bench.heldout(settings.contexts) if len(piece) >= end]
    pieces = pieces[: settings.sampled_tokens]
    if not pieces:
        return
    model = bench.spliced(pieces)
    x = model.rows()
    s = rebuilt(sae, x)
    moments = Moments.of(x, s)
    chosen = torch.from_numpy(model.position == place)

    def kl_of(new: torch.Tensor) -> np.ndarray:
        costs = model.token_costs({"new": only_at(chosen, instead(new))})["new"]
        return costs.kl.numpy()[model.position[costs.row.numpy()] == place]

    generator = torch.Generator().manual_seed(bench.config.seed)
    draws = np.stack([kl_of(eps_random(x, s, moments, generator)) for _ in range(settings.draws)])
    own = kl_of(s)
    deviations = (own - draws.mean(0)) / draws.std(0, ddof=1)
    groups = Groups(np.arange(len(own)), bench.config.seed)
    above = groups.mean((own > draws.max(0)).astype(float))
    findings.measure(NAME, sae_id, SAE, "share above all random draws", above)
    median = groups.statistic(lambda tokens: float(np.median(deviations[tokens])))
    findings.measure(NAME, sae_id, SAE, "median deviations above random", median)
    for step, value in enumerate(np.sort(deviations)):
        found = Estimate(float(value), None, None, settings.draws)
        share = (step + 0.5) / len(own)
        findings.point(NAME, sae_id, SAE, "deviations above random", step, share, found)
