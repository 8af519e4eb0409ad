"""A place in a model: activations read there, replaced there, and brought to the residual stream.

`precompute/hooks.py` finds places by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

from precompute.config import ConfigError

Change = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Place:
    """What a module of a model reads or gives, one row of `d_in` numbers a token."""

    name: str
    """As a config names it."""
    module: torch.nn.Module
    module_name: str
    is_input: bool
    """Whether the rows are what the module reads; else they are what it gives."""
    d_in: int
    in_stream: bool = False
    """Whether rows are vectors of the residual stream, or are added to it as they are."""
    n_heads: int | None = None
    """Attention heads whose parts of a row stand side by side; None when they do not."""
    projection: torch.nn.Module | None = None
    """The linear map that writes rows into the residual stream, when they are not in it."""
    norm: torch.nn.Module | None = None
    """A root-mean-square norm between `projection` and the residual stream."""
    passed_by: torch.nn.Module | None = None
    """The block whose skip connection carries the rows past `module` too."""

    @property
    def words(self) -> str:
        return f"{'input' if self.is_input else 'output'} of {self.module_name}"

    def capture(self, forward: Callable[[], object]) -> torch.Tensor:
        """Activations [n_contexts, n_positions, d_in] of a forward pass, which ends at this place.

        What comes later in the model would be thrown away.

        Raises:
            ConfigError: the pass never comes to this place.
        """
        captured: list[torch.Tensor] = []

        def keep(rows: torch.Tensor) -> torch.Tensor:
            captured.append(rows)
            raise _Captured

        with self._hooked(keep), suppress(_Captured):
            forward()
        if not captured:
            raise ConfigError(f"{self.name}: the model's forward pass never calls {self.words}")
        return captured[0]

    @contextmanager
    def replace(self, change: Change) -> Iterator[None]:
        """Forward passes inside go on with `change(activations)` in place of the activations."""
        if self.passed_by is None:
            with self._hooked(change):
                yield
            return
        # the module reads the new rows; the skip connection past it gets what they differ by
        differences: list[torch.Tensor] = []

        def changed(rows: torch.Tensor) -> torch.Tensor:
            new = change(rows)
            differences.append(new - rows)
            return new

        with (
            self._hooked(changed),
            hooked_output(self.passed_by, lambda rows: rows + differences.pop()),
        ):
            yield

    def into_residual(self, rows: torch.Tensor) -> torch.Tensor | None:
        """What rows [n, d_in], directions of this place, add to the residual stream [n, d_model].

        Biases are left out. A norm on the way scales each token's sum by a number of its own, so
        only its weights count and the length of the result means nothing.

        Returns:
            None when no single linear map leads from here to the residual stream.
        """
        if self.in_stream:
            return rows
        if self.projection is None:
            return None
        weight = torch.as_tensor(self.projection.weight).detach()
        weight = weight if isinstance(self.projection, Conv1D) else weight.t()
        written = rows @ weight.to(rows.device, torch.float32)
        if self.norm is None:
            return written
        with torch.no_grad():  # a row of ones has root mean square 1: its norm is the weights
            ones = torch.ones(1, weight.shape[1], dtype=weight.dtype, device=weight.device)
            return written * self.norm(ones).to(rows.device, torch.float32)

    @contextmanager
    def _hooked(self, change: Change) -> Iterator[None]:
        hooked = _hooked_input if self.is_input else hooked_output
        with hooked(self.module, change):
            yield


@contextmanager
def hooked_output(module: torch.nn.Module, change: Change) -> Iterator[None]:
    """Inside, `module` gives `change` of its output; of a tuple, the first tensor is meant.

    Raises:
        ConfigError: when the module runs and gives something else.
    """

    def after(_module: torch.nn.Module, _inputs: object, output: Any) -> Any:
        if isinstance(output, torch.Tensor):
            return change(output)
        if isinstance(output, tuple) and output and isinstance(output[0], torch.Tensor):
            return (change(output[0]), *output[1:])
        raise ConfigError(
            f"{type(module).__name__} gives a {type(output).__name__}, not a tensor or a tuple "
            "that begins with one, so there are no activations to read there"
        )

    handle = module.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _hooked_input(module: torch.nn.Module, change: Change) -> Iterator[None]:
    """Inside, `module` reads `change` of its first argument."""

    def before(
        _module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if args:
            return (change(args[0]), *args[1:]), kwargs
        first = next(iter(kwargs))
        return args, {**kwargs, first: change(kwargs[first])}

    handle = module.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


class _Captured(Exception):
    """Raised to leave the forward pass once the wanted module has run."""
