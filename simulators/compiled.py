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


def lean(**options: Any) -> Callable[..., Any]:
    """As `compiled`, for what makes no arrays and gives none back.

    Nobody counts who uses the arrays that such code is given: for what is called at every step of
    the world that takes a third of the time.
    """
    return compiled(_nrt=False, **options)
