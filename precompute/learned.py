"""An SAE of sae-lens that has been trained, read as a `Dictionary`."""

from __future__ import annotations

import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE
from sae_lens.saes.standard_sae import StandardTrainingSAE
from sae_lens.saes.topk_sae import TopKTrainingSAE

from precompute.dictionary import Dictionary

LearningSAE = StandardTrainingSAE | TopKTrainingSAE  # BatchTopK and Matryoshka SAEs are the latter


@torch.no_grad()
def dictionary_of(sae: LearningSAE) -> Dictionary:
    """A trained SAE with unit decoder rows, on its device; the encoder takes their norm.

    BatchTopK SAEs (Matryoshka too) come with their running threshold, which is biased: set the
    exact one. TopK SAEs keep k; ReLU SAEs have neither. A decoder bias that is taken from the rows
    first is folded into the encoder's.
    """
    norms = sae.W_dec.norm(dim=1).clamp_min(1e-12)
    W_enc = sae.W_enc * norms
    b_enc = sae.b_enc * norms
    if sae.cfg.apply_b_dec_to_input:
        b_enc = b_enc - sae.b_dec @ W_enc
    threshold, k = 0.0, None
    if isinstance(sae, BatchTopKTrainingSAE):
        threshold = float(sae.topk_threshold)
    elif isinstance(sae, TopKTrainingSAE):
        k = int(sae.cfg.k)
    tensors = (W_enc, b_enc, sae.W_dec / norms[:, None], sae.b_dec)
    return Dictionary(*(one.detach().float().clone() for one in tensors), threshold=threshold, k=k)
