"""A suite of generated SAEs of any size, with the config of a run that uses them.

    python -m benchmarks.generated_suite --out FOLDER --latents 1536 3072 6144 [--d-in 768]
        [--architecture standard] [--l0 40] [--documents 3000] [--meta-steps 200]

For measuring how a run grows: nobody trained these SAEs, but they are shaped as if someone had.

1. Model: a GPT-2 of width `d_in` and two blocks with random weights; it reads this repository's
   own text with the tokenizer of `precompute/random_model.py`. Its activations differ by word.
2. Decoder row i is a unit vector: a few of m hidden unit directions and some noise, so there is
   something for a meta-SAE to find. The hidden directions are directions of activations. Row i is
   the same in every SAE of the suite but for noise of its own, so a larger SAE knows what a
   smaller one knows, and more.
3. The encoder is the decoder times one number, fitted to the activations. Latent i fires on a share
   p_i of the tokens, by a power law; with s(p) the quantile of all standardised projections, its
   threshold is mean_i + deviation_i s(p_i), whose mean and deviation follow from the activations'
   mean and covariance. All shares together are the mean number of active latents, `l0`.

Writes `model/`, `saes/<id>/` in sae-lens' layout and `<name>.toml`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

from precompute.config import CorpusConfig, ModelConfig
from precompute.harvest import activations_of
from precompute.random_model import random_model
from precompute.sources import load_language_model, read_documents

N_LAYERS, HEAD_WIDTH, CONTEXT = 2, 64, 128
SAMPLE_ROWS = 16_384
HIDDEN_EACH = 3  # hidden directions in a decoder row
ROWS_PER_HIDDEN = 21  # decoder rows a hidden direction: that of the recipe's meta-SAE
NOISE, OWN_NOISE = 0.35, 0.3  # length against the rest: of every row, and of its copy in one SAE
SHARE_POWER, LARGEST_SHARE = 0.7, 0.2  # of the latents' frequencies
ROWS_AT_ONCE = 16_384
FITTED_ROWS, POOLED_LATENTS = 2048, 1024
SUITE_SEED = 0


@dataclass(frozen=True)
class Activations:
    """A sample of them, float32 [n, d], with their mean [d] and a root [d, d] of their covariance:
    a unit vector w has a projection of deviation |root @ w|."""

    rows: torch.Tensor
    mean: torch.Tensor
    root: torch.Tensor

    @staticmethod
    def of(rows: torch.Tensor) -> Activations:
        values, vectors = torch.linalg.eigh(torch.cov(rows.double().t()))
        root = (vectors * values.clamp_min(0).sqrt()).t()
        return Activations(rows, rows.mean(0), root.float())


def main() -> None:
    parser = argparse.ArgumentParser(description="Write generated SAEs and a config.")
    parser.add_argument("--out", type=Path, required=True, help="folder that is made or filled")
    parser.add_argument("--latents", type=int, nargs="+", required=True, help="of each SAE")
    parser.add_argument("--d-in", type=int, default=768, help="width of model and SAEs")
    parser.add_argument("--architecture", choices=("standard", "jumprelu"), default="jumprelu")
    parser.add_argument("--l0", type=float, default=40.0, help="mean active latents a token")
    parser.add_argument("--documents", type=int, help="use only the first so many")
    parser.add_argument("--meta-steps", type=int, help="of each meta-SAE; those of the recipe")
    options = parser.parse_args()
    widths = sorted(options.latents)
    write_model(options.out / "model", options.d_in)
    activations = Activations.of(sampled_rows(options.out / "model"))
    for width in widths:
        folder = options.out / "saes" / sae_name(width)
        write_sae(folder, width, max(widths), activations, options.architecture, options.l0)
        print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir()) / 1e6:.0f} MB")
    text = config_text(options.out, widths, options.documents)
    if options.meta_steps is not None:
        text += f"\n[meta]\nsteps = {options.meta_steps}\n"
    path = options.out / f"generated_{max(widths)}.toml"
    path.write_text(text, encoding="utf-8")
    print(path)


def sae_name(width: int) -> str:
    return f"generated_{width}"


def write_model(folder: Path, d_in: int) -> None:
    """A random GPT-2 of this width, with the tokenizer of the tiny random one."""
    _, tokenizer = random_model("gpt2")
    with torch.random.fork_rng():
        torch.manual_seed(SUITE_SEED)
        heads = max(1, d_in // HEAD_WIDTH)
        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(tokenizer),
                n_embd=d_in,
                n_layer=N_LAYERS,
                n_head=heads,
                n_positions=CONTEXT,
            )
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@torch.no_grad()
def sampled_rows(folder: Path) -> torch.Tensor:
    """float32 [at least SAMPLE_ROWS, d]: activations on documents of the repository's text."""
    config = ModelConfig(source=str(folder), layer=1, context_size=CONTEXT)
    model = load_language_model(config)
    corpus = CorpusConfig(name="subatomic", licence="Apache-2.0", shown=True)
    texts = [document.text for _, document in read_documents((corpus,), folder, SUITE_SEED)]
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(SUITE_SEED))
    parts: list[torch.Tensor] = []
    for i in order.tolist():
        ids = model.tokenizer(texts[i], add_special_tokens=False, verbose=False)["input_ids"]
        rows = activations_of(config, model, [ids[:CONTEXT]], torch.device("cpu"))
        parts.append(rows.float())
        if sum(map(len, parts)) >= SAMPLE_ROWS:
            break
    return torch.cat(parts)


@torch.no_grad()
def write_sae(
    folder: Path, width: int, widest: int, activations: Activations, architecture: str, l0: float
) -> None:
    """One SAE in sae-lens' layout."""
    d_in, standard = len(activations.mean), architecture == "standard"
    decoder, encoder = torch.empty(width, d_in), torch.empty(d_in, width)
    for start, rows in directions(width, widest, activations):
        decoder[start : start + len(rows)] = rows
        encoder[:, start : start + len(rows)] = rows.t()
    cut = thresholds(decoder, activations, firing_shares(width, l0))
    sample = activations.rows[:FITTED_ROWS] - activations.mean
    rebuilt = torch.zeros_like(sample)
    for start in range(0, width, ROWS_AT_ONCE):  # a million latents at once would take 17 GB
        some = slice(start, start + ROWS_AT_ONCE)
        projection, above = sample @ encoder[:, some], cut[some]
        kept = projection - above if standard else projection
        rebuilt += (kept * (projection > above)) @ decoder[some]
    scale = float((rebuilt * sample).sum() / rebuilt.pow(2).sum())
    encoder *= scale
    bias = -(activations.mean @ encoder)
    tensors = {"W_enc": encoder, "b_enc": bias, "W_dec": decoder, "b_dec": activations.mean}
    own = {"b_enc": bias - scale * cut} if standard else {"threshold": scale * cut}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors | own, folder / "sae_weights.safetensors")
    config = {
        "architecture": architecture,
        "d_in": d_in,
        "d_sae": width,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": False,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"generated": True},
    }
    (folder / "cfg.json").write_text(json.dumps(config, indent=2, sort_keys=True))


def directions(
    width: int, widest: int, activations: Activations
) -> Iterator[tuple[int, torch.Tensor]]:
    """Blocks of unit decoder rows [n, d] with the number of their first."""
    n_hidden = max(HIDDEN_EACH, widest // ROWS_PER_HIDDEN)
    chosen = torch.randint(len(activations.rows), (n_hidden,), generator=_generator(1))
    hidden = _unit(activations.rows[chosen] - activations.mean)
    hidden = _unit(hidden + NOISE * _unit(torch.randn(hidden.shape, generator=_generator(2))))
    for number, start in enumerate(range(0, width, ROWS_AT_ONCE)):
        n = min(ROWS_AT_ONCE, width - start)
        shared, own = _generator(3 + number), _generator(number, width)
        parts = torch.randint(n_hidden, (ROWS_AT_ONCE, HIDDEN_EACH), generator=shared)
        weights = 0.4 + torch.rand(ROWS_AT_ONCE, HIDDEN_EACH, generator=shared)
        noise = torch.randn(ROWS_AT_ONCE, hidden.shape[1], generator=shared)[:n]
        rows = torch.einsum("nk,nkd->nd", weights[:n], hidden[parts[:n]])
        rows = _unit(_unit(rows) + NOISE * _unit(noise))
        yield start, _unit(rows + OWN_NOISE * _unit(torch.randn(rows.shape, generator=own)))


def firing_shares(width: int, l0: float) -> torch.Tensor:
    """float32 [width] in random order: the share of tokens that each latent fires on."""
    shares = torch.arange(1, width + 1, dtype=torch.float64).pow(-SHARE_POWER)
    for _ in range(10):  # what is cut off goes to the others
        shares = (shares * l0 / shares.sum()).clamp_max(LARGEST_SHARE)
    return shares.float()[torch.randperm(width, generator=_generator(0, width))]


def thresholds(
    decoder: torch.Tensor, activations: Activations, shares: torch.Tensor
) -> torch.Tensor:
    """float32 [n]: centred projections above this are so rare; see the module docstring."""
    deviation = torch.cat(
        [(block @ activations.root.t()).norm(dim=1) for block in decoder.split(ROWS_AT_ONCE)]
    )
    pooled = decoder[torch.randperm(len(decoder), generator=_generator(9))[:POOLED_LATENTS]]
    standard = (activations.rows - activations.mean) @ pooled.t()
    standard = (standard / (pooled @ activations.root.t()).norm(dim=1)).flatten().sort().values
    place = ((1 - shares.double()) * (len(standard) - 1)).round().long()
    return deviation * standard[place]


def config_text(folder: Path, widths: list[int], documents: int | None) -> str:
    """A config of a run on these SAEs, the widest of them decomposed."""
    ids = ", ".join(f'"{sae_name(n)}"' for n in widths)
    limit = "" if documents is None else f"documents = {documents}\n"
    return f"""title = "Generated SAEs, for measuring only"
seed = 0

[model]
source = "{folder.resolve() / "model"}"
layer = 1
context_size = {CONTEXT}

[saes]
path = "{folder.resolve() / "saes"}"
ids = [{ids}]

[[corpora]]
name = "subatomic"
licence = "Apache-2.0"
{limit}shown = true
"""


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return rows / rows.norm(dim=1, keepdim=True)


def _generator(*numbers: int) -> torch.Generator:
    """One stream of random numbers for each list of numbers."""
    seed = SUITE_SEED
    for number in numbers:
        seed = seed * 1_000_003 + number + 1
    return torch.Generator().manual_seed(seed)


if __name__ == "__main__":
    main()
