"""Questions that a page asks before it needs the answers.

Much of a page's time goes by in DuckDB, during which Python is free to draw what is above. The
answers are the same in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

_THREADS = ThreadPoolExecutor(2, thread_name_prefix="ahead")


def ahead(
    question: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs
) -> Callable[[], Answer]:
    """Ask on another thread; what comes back waits for the answer, and raises what it raised.

    Args:
        question: must not touch the page: it runs without one.
    """
    return _THREADS.submit(question, *args, **kwargs).result
