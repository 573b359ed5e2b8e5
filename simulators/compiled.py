"""How this package compiles its code: once, kept on the disk for the processes to come."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**options: Any) -> Callable[..., Any]:
    """Return the decorator of a function to compile; options: others of numba's `njit`."""
    return njit(
        cache=True,
        error_model="numpy",  # division by zero gives inf or nan, without a branch for each
        no_cfunc_wrapper=True,  # nobody calls them from C, and wrappers take time to compile
        **options,
    )  # type: ignore[call-overload]
