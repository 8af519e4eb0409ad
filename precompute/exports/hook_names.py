"""TransformerLens' name for a place in a model, where it has one."""

from __future__ import annotations

import re

_HIDDEN_STATES = re.compile(r"hidden_states\[(\d+)\]")
_HOOK = re.compile(r"blocks\.\d+\.(?:\w+\.)*hook_\w+")


def transformer_lens_hook(hook_name: str) -> str | None:
    """`blocks.3.hook_resid_post` for `hidden_states[4]`; None for a place without such a name.

    `hidden_states[n]` is what n blocks have made of the input; TransformerLens counts blocks from
    0. It holds for its `TransformerBridge`, also where a block ends with a norm, as in BERT: there
    the older `HookedEncoder` means by `hook_resid_post` the stream before that norm.
    """
    if _HOOK.fullmatch(hook_name):
        return hook_name
    found = _HIDDEN_STATES.fullmatch(hook_name)
    if found is None:
        return None
    number = int(found[1])
    return f"blocks.{number - 1}.hook_resid_post" if number else "blocks.0.hook_resid_pre"
