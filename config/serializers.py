from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

_OF_FORMS = {"csrfmiddlewaretoken"}


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know. Its own read-only ones may come back unread."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            allowed = {*self.fields, *(_OF_FORMS if isinstance(data, QueryDict) else ())}
            if unknown := [name for name in data if name not in allowed]:
                told = ErrorDetail("There is no such field.", code="unknown")
                raise serializers.ValidationError({name: [told] for name in unknown})
        return super().to_internal_value(data)
