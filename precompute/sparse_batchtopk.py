"""BatchTopK training that touches only the k * B active entries: sae-lens' maths, less traffic.

sae-lens' `BatchTopKTrainingSAE` builds several dense [batch, n_latents] tensors a step. At 24,576
latents and k = 16 only one entry in 1,500 is non-zero, so on a CPU nearly all of the time goes to
zeros. This subclass keeps the class, the config, the loss and the saved files, and replaces the
forward and backward pass:

1. encode in row blocks small enough to stay in cache, keep the candidates above a running cut;
2. take exactly the k * B largest of them over the whole batch (Bussmann et al. 2024, BatchTopK);
3. decode and differentiate through a sparse [batch, n_latents] matrix of those entries;
4. let dead latents predict the residual (the auxiliary loss of sae-lens, unchanged in form).

`tests/precompute/test_sparse_batchtopk.py` holds its loss and gradients to those of sae-lens.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
from sae_lens.saes.sae import TrainStepInput, TrainStepOutput
from sae_lens.saes.topk_sae import calculate_topk_aux_acts

from precompute.sparse import candidates, entry_dots, sparse_matrix

SMALLEST_CUT = 1e-3  # below this, look at every positive entry
CUT_SHARE = (
    0.7  # candidates above this share of the last smallest kept score: about three times k * B
)


class ActiveEntries(NamedTuple):
    """The kept entries of a [batch, n_latents] matrix, in row-major order."""

    rows: torch.Tensor  # int64 [n_active]
    latents: torch.Tensor  # int64 [n_active]
    scores: torch.Tensor  # [n_active], pre-activation times decoder norm, all > 0


class SparseBatchTopKTrainingSAE(BatchTopKTrainingSAE):
    """`BatchTopKTrainingSAE` with a sparse step. Construct it with the same config."""

    def __init__(self, cfg: BatchTopKTrainingSAEConfig, use_error_term: bool = False):
        super().__init__(cfg, use_error_term)
        self._last_smallest = 0.0  # of the last batch; a hint for speed, so never saved
        if not cfg.rescale_acts_by_decoder_norm or cfg.normalize_activations != "none":
            raise ValueError(
                "the sparse step needs rescale_acts_by_decoder_norm=True and "
                "normalize_activations='none'"
            )

    def training_forward_pass(self, step_input: TrainStepInput) -> TrainStepOutput:
        """One BatchTopK step on rows [batch, d_in]; see the module docstring.

        Under autocast only the encoder's big product runs in bfloat16 (the kept scores are
        recomputed in float32); the sparse products have no bfloat16 kernel.
        """
        device_type = step_input.sae_in.device.type
        encode_dtype = (
            torch.bfloat16 if torch.is_autocast_enabled(device_type) else self.W_enc.dtype
        )
        with torch.autocast(device_type, enabled=False):
            return self._step(step_input, encode_dtype)

    def _step(self, step_input: TrainStepInput, encode_dtype: torch.dtype) -> TrainStepOutput:
        x = step_input.sae_in.to(self.W_dec.dtype)
        centred = x - self.b_dec if self.cfg.apply_b_dec_to_input else x
        active = self._select(centred.detach(), int(self.cfg.k * len(x)), encode_dtype)
        sae_out = _SparseAutoencode.apply(
            centred, self.W_enc, self.b_enc, self.W_dec, active.rows, active.latents
        )
        sae_out = sae_out + self.b_dec
        mse_loss = self.mse_loss_fn(sae_out, x).sum(dim=-1).mean()
        aux_loss = self._dead_latent_loss(x, centred, sae_out, step_input.dead_neuron_mask)
        self._update_threshold(active.scores)
        acts = torch.sparse_coo_tensor(
            torch.stack([active.rows, active.latents]),
            active.scores,
            (len(x), self.cfg.d_sae),
            is_coalesced=True,
        )
        return TrainStepOutput(
            sae_in=x,
            sae_out=sae_out,
            feature_acts=acts,
            hidden_pre=acts,
            loss=mse_loss + aux_loss,
            losses={"mse_loss": mse_loss, "auxiliary_reconstruction_loss": aux_loss},
            metrics={"topk_threshold": self.topk_threshold},
        )

    @torch.no_grad()
    def _select(self, centred: torch.Tensor, n_keep: int, dtype: torch.dtype) -> ActiveEntries:
        """The `n_keep` largest positive scores of the batch, ties resolved by position."""
        norms = self.W_dec.norm(dim=-1)
        weights = (self.W_enc * norms).to(dtype)
        bias = (self.b_enc * norms).to(dtype)
        inputs = centred.to(dtype)
        cut = CUT_SHARE * (self._last_smallest or float(self.topk_threshold))
        while True:
            index, scores = candidates(inputs, weights, bias, cut)
            if len(index) >= n_keep or cut == 0.0:
                break
            # too high for this batch; the outcome does not depend on the cut, only the time does
            cut = cut / 2 if cut > SMALLEST_CUT else 0.0
        if len(index) > n_keep:
            smallest = scores.float().kthvalue(len(scores) - n_keep + 1).values
            keep = scores > smallest
            ties = (scores == smallest).nonzero().squeeze(1)[: n_keep - int(keep.sum())]
            keep[ties] = True
            index, scores = index[keep], scores[keep]
        n_latents = self.cfg.d_sae
        rows = torch.div(index, n_latents, rounding_mode="floor")
        return ActiveEntries(rows, index - rows * n_latents, scores.float())

    def _dead_latent_loss(
        self,
        x: torch.Tensor,
        centred: torch.Tensor,
        sae_out: torch.Tensor,
        dead: torch.Tensor | None,
    ) -> torch.Tensor:
        """sae-lens' auxiliary loss, with the pre-activations of dead latents only."""
        if dead is None or not bool(dead.any()):
            return sae_out.new_tensor(0.0)
        index = dead.nonzero().squeeze(1)
        decoder = self.W_dec[index]
        norms = decoder.norm(dim=-1)
        hidden_pre = (centred @ self.W_enc[:, index] + self.b_enc[index]) * norms
        k_aux = min(x.shape[-1] // 2, len(index))
        scale = min(len(index) / (x.shape[-1] // 2), 1.0)
        acts = calculate_topk_aux_acts(
            k_aux=k_aux,
            hidden_pre=hidden_pre,
            dead_neuron_mask=torch.ones_like(index, dtype=torch.bool),
        )
        recons = (acts / norms) @ decoder
        residual = (x - sae_out).detach()
        loss = (recons - residual).pow(2).sum(dim=-1).mean()
        return self.cfg.aux_loss_coefficient * scale * loss

    @torch.no_grad()
    def _update_threshold(self, scores: torch.Tensor) -> None:
        """Running mean of the smallest kept score, started at its first value, not at 0."""
        if len(scores) == 0:
            return
        smallest = scores.min().to(self.topk_threshold.dtype)
        self._last_smallest = float(smallest)
        rate = self.cfg.topk_threshold_lr if float(self.topk_threshold) > 0 else 1.0
        self.topk_threshold = (1 - rate) * self.topk_threshold + rate * smallest


class _SparseAutoencode(torch.autograd.Function):
    """relu(centred @ W_enc + b_enc) @ W_dec at the given entries, without b_dec."""

    @staticmethod
    def forward(ctx: Any, centred, W_enc, b_enc, W_dec, rows, latents):
        encoder_rows = W_enc.t().contiguous()
        pre = entry_dots(centred, encoder_rows, rows, latents) + b_enc[latents]
        acts = pre.relu()
        shape = (len(centred), len(W_dec))
        ctx.save_for_backward(centred, encoder_rows, W_dec, rows, latents, acts)
        return sparse_matrix(rows, latents, acts, shape) @ W_dec

    @staticmethod
    def backward(ctx: Any, *grads):
        (grad,) = grads
        centred, encoder_rows, W_dec, rows, latents, acts = ctx.saved_tensors
        shape = (len(W_dec), len(centred))
        grad = grad.contiguous()
        grad_pre = entry_dots(grad, W_dec, rows, latents) * (acts > 0)
        order = torch.argsort(latents, stable=True)
        by_latent, by_row = latents[order], rows[order]
        grad_W_dec = sparse_matrix(by_latent, by_row, acts[order], shape) @ grad
        grad_W_enc = (sparse_matrix(by_latent, by_row, grad_pre[order], shape) @ centred).t()
        grad_b_enc = torch.zeros(len(W_dec), dtype=grad.dtype, device=grad.device)
        grad_b_enc.index_add_(0, latents, grad_pre)
        grad_centred = None
        if ctx.needs_input_grad[0]:
            by_sample = sparse_matrix(rows, latents, grad_pre, (shape[1], shape[0]))
            grad_centred = by_sample @ encoder_rows
        return grad_centred, grad_W_enc.contiguous(), grad_b_enc, grad_W_dec, None, None
