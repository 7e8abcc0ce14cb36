from typing import Any

class ModelResource:
    def __init__(self, **kwargs: Any) -> None: ...
