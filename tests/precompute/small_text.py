"""A small text with what trips tokenisers: rare words, accents, Chinese, emoji, short lines."""

from __future__ import annotations

import json
import random
from pathlib import Path

from precompute.config import (
    CorpusConfig,
    LatentConfig,
    MetaSaeConfig,
    ModelConfig,
    RunConfig,
    SaeSuiteConfig,
)

FILE_NAME = "small.jsonl"
PUBLIC = "the small text of the tests"
N_DOCUMENTS = 60
# in the random models a common word is one piece, a rare one several
COMMON = "the river city and a of in is was they she water light music doctor king animal north old"
RARE = "zyzzyva einsteinium Röntgen café 北京 naïve qwxjz 🙂"
WORDS = COMMON.split() + RARE.split()


def documents() -> list[str]:
    """60 texts of 1 to 60 words, the same at every call."""
    rng = random.Random(5)
    lengths = [1, 2, 60] + [rng.randint(1, 60) for _ in range(N_DOCUMENTS - 3)]
    return [" ".join(rng.choices(WORDS, k=n)).capitalize() + "." for n in lengths]


def write_small_text(folder: Path) -> None:
    """`folder/small.jsonl`, one document a line."""
    lines = (json.dumps({"title": f"n {i}", "text": t}) for i, t in enumerate(documents()))
    (folder / FILE_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def small_config(
    source: str = "random:bert", layer: int = 1, heldout_share: float = 0.2
) -> RunConfig:
    """A config on the small text: contexts of 16 tokens, full precision."""
    return RunConfig(
        name="small",
        title="small",
        model=ModelConfig(
            source=source, layer=layer, context_size=16, batch_contexts=8, bfloat16=False
        ),
        corpora=(
            CorpusConfig(name="own", file=FILE_NAME, licence="ours", public=PUBLIC, shown=True),
        ),
        heldout_share=heldout_share,
        saes=SaeSuiteConfig(widths=(16,), k=2, epochs=1),
        meta=MetaSaeConfig(rows_per_meta_latent=2, k=2),
        latents=LatentConfig(),
    )
