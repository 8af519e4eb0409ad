"""What SAE errors cost at every layer, against random vectors of their length."""

from __future__ import annotations

import torch

from precompute.experiments.bench import Bench
from precompute.experiments.errors.costs import add_ratios, distances, mean_costs, replacements
from precompute.experiments.errors.interventions import SAE
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Groups, variance_explained
from precompute.experiments.layers.places import every_layer
from precompute.experiments.layers.section import LayersConfig
from precompute.experiments.layers.training import sae_at
from precompute.splicing import SplicedModel, instead, only_at

NAME = "errors by layer"
ONE_TOKEN = " of one token"


def errors_at_layers(bench: Bench, _sae_id: str, settings: LayersConfig) -> Findings:
    """Figures with subjects "layer 1", "layer 2", ...; a killed run goes on with the next SAE."""
    findings, seed = Findings(), bench.config.seed
    trainings = bench.stages.experiments / f"layers-trainings-{settings.fingerprint()}"
    pieces = bench.heldout(settings.contexts)
    for number, place in every_layer(bench.config.model, bench.language_model).items():
        subject, folder = f"layer {number}", trainings / str(number)
        sae = sae_at(bench, place, settings, folder)
        model = SplicedModel(place, bench.language_model, pieces, bench.device)
        new = replacements(sae, model.rows(), seed)
        # of the changed rows themselves: an SAE that fails would make any error look harmful
        explained = variance_explained(Groups(model.context, seed), model.rows(), new[SAE])
        findings.measure(NAME, subject, SAE, "variance explained", explained)
        if not model.is_causal:
            distances(findings, NAME, subject, model, new, seed)
            continue
        costs = model.token_costs({name: instead(rows) for name, rows in new.items()})
        mean_costs(findings, NAME, subject, model, costs, seed)
        _one_token(findings, subject, model, new, settings.position, seed)
    return findings


def _one_token(
    findings: Findings,
    subject: str,
    model: SplicedModel,
    new: dict[str, torch.Tensor],
    position: int,
    seed: int,
) -> None:
    """One token of each context changed: what that costs at the token itself."""
    chosen = torch.from_numpy(model.position == position)
    costs = model.token_costs({name: only_at(chosen, instead(rows)) for name, rows in new.items()})
    row = costs[SAE].row.numpy()
    here = model.position[row] == position
    if not here.any():
        return
    groups = Groups(model.context[row[here]], seed)
    add_ratios(findings, NAME, subject, costs, here, groups, ONE_TOKEN)
