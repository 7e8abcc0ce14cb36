from typing import Any

class CSV:
    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any: ...
