from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Column = TypeVar("_Column", bound=Callable[..., Any])

def display(
    *, description: str, ordering: Any = None, label: Mapping[str, str] | None = None
) -> Callable[[_Column], _Column]: ...
