"""How much of the model's loss each way of coding gives back, against the latents it uses."""

from __future__ import annotations

import numpy as np
import torch

from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups, variance_explained
from precompute.experiments.pursuit.codes import ENCODER, SWEPT, encoder_code, swept_codes
from precompute.experiments.section import PursuitConfig
from precompute.pursuit import Code
from precompute.splicing import SplicedModel, instead

NAME = "pursuit"
VARIANCE, LOSS, DISTANCE = "variance explained", "loss recovered", "embedding recovered"


class Judge:
    """Scores reconstructions of the same rows: by variance, and by what the model makes of them."""

    def __init__(self, model: SplicedModel, seed: int) -> None:
        self.model, self.x = model, model.rows()
        self.rows = Groups(model.context, seed)
        if model.is_causal:
            costs = model.token_costs({"zero": instead(torch.zeros_like(self.x))})["zero"]
            self.of_effect = Groups(model.context[costs.row.numpy()], seed)
            self.clean, self.zero = costs.clean.numpy(), costs.spliced.numpy()
        else:
            self.embedded = model.embeddings(None)
            self.of_effect = Groups(np.arange(model.n_contexts), seed)
            self.clean = np.zeros(model.n_contexts)
            self.zero = self._distance(torch.zeros_like(self.x))

    def judge(self, rebuilt: torch.Tensor) -> dict[str, Estimate]:
        """Of reconstructions [n_rows, d]: 1 is the untouched model, 0 the mean or zero ablation."""
        found = {VARIANCE: variance_explained(self.rows, self.x, rebuilt)}
        name = LOSS if self.model.is_causal else DISTANCE
        found[name] = self.of_effect.figure(
            lambda zero, own, clean: (zero - own) / (zero - clean),
            self.zero,
            self.effect(rebuilt),
            self.clean,
        )
        return found

    def l0(self, code: Code) -> Estimate:
        """Latents that a row uses."""
        return self.rows.mean(code.parts_of_rows(len(self.x)).cpu().numpy())

    def effect(self, rebuilt: torch.Tensor) -> np.ndarray:
        """Cross-entropy of each prediction, or distance of each embedding."""
        if not self.model.is_causal:
            return self._distance(rebuilt)
        return self.model.token_costs({"own": instead(rebuilt)})["own"].spliced.numpy()

    def gain(self, rebuilt: torch.Tensor, other: torch.Tensor) -> Estimate:
        """Share of the loss that `rebuilt` gives back beyond `other`, paired."""
        return self.of_effect.figure(
            lambda zero, own, others, clean: (others - own) / (zero - clean),
            self.zero,
            self.effect(rebuilt),
            self.effect(other),
            self.clean,
        )

    def _distance(self, rebuilt: torch.Tensor) -> np.ndarray:
        return (1 - (self.model.embeddings(instead(rebuilt)) * self.embedded).sum(1)).numpy()


def pursuit_against_encoder(bench: Bench, sae_id: str, settings: PursuitConfig) -> Findings:
    """Curves of every method, and each one's gain over the encoder at the encoder's own L0."""
    findings, sae = Findings(), bench.sae(sae_id)
    judge = Judge(bench.spliced(bench.heldout(settings.contexts)), bench.config.seed)
    x, n = judge.x, len(judge.x)

    def rebuilt(code: Code) -> torch.Tensor:
        return code.rebuilt(sae.W_dec.cpu(), sae.b_dec.cpu(), n).to(x.device)

    own = encoder_code(sae, x)
    own_rows = rebuilt(own)
    found_l0 = judge.l0(own)
    l0 = found_l0.value
    findings.measure(NAME, sae_id, ENCODER, "l0", found_l0)
    for metric, found in judge.judge(own_rows).items():
        findings.measure(NAME, sae_id, ENCODER, metric, found)
        findings.point(NAME, sae_id, ENCODER, metric, 0, l0, found)
    alike = max(1, round(l0))
    ks = sorted({alike, *(k for k in settings.ks if k <= sae.n_latents)})
    for method in SWEPT:
        for step, (k, code) in enumerate(swept_codes(method, sae, x, ks).items()):
            rows = rebuilt(code)
            judged = judge.judge(rows)
            for metric, found in judged.items():
                findings.point(NAME, sae_id, method, metric, step, code.parts_a_row(n), found)
            if k == alike:
                for metric, found in judged.items():
                    findings.measure(NAME, sae_id, method, metric, found)
                findings.measure(NAME, sae_id, method, "l0", judge.l0(code))
                gain = judge.gain(rows, own_rows)
                findings.measure(NAME, sae_id, method, "gain over the encoder", gain)
    return findings
