"""Which of its media types the API answers in."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer

PROBLEM = "application/problem+json"


class Negotiation(DefaultContentNegotiation):
    """Serves clients that accept problem documents alone: what is no problem comes as JSON.

    Generated clients send such an Accept with calls that have no body to answer.
    """

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            accepted = [each.partition(";")[0].strip() for each in self.get_accept_list(request)]
            if PROBLEM not in map(str.lower, accepted):
                raise
        renderer = next((r for r in renderers if isinstance(r, JSONRenderer)), renderers[0])
        return renderer, renderer.media_type
