from collections.abc import Iterable
from copy import copy
from http import HTTPStatus
from typing import Any, cast

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.text import get_text_list
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.columns import SavesChangedColumns
from accounts.history import ADDITION, CHANGE, DELETION, log_action
from accounts.models import User
from campaigns.api.filters import Filters, may_be_repeated
from campaigns.api.idempotency import IdempotentMixin
from campaigns.api.permissions import RolePermission
from campaigns.api.preconditions import Preconditions


class View(IdempotentMixin, GenericViewSet[Any]):
    """What all calls share. By the name of an action ``permissions`` says what those of a view's
    own need, and ``parameters`` which the query may hold beside filters and pages.
    """

    permission_classes = [RolePermission]
    filter_backends = [Filters]
    lookup_value_converter = "int"
    model_name: str
    tag: str  # under which the schema shows the calls
    permissions: dict[str, str] = {}
    parameters: dict[str, tuple[str, ...]] = {}
    filtered: tuple[str, ...] = ("list",)
    paged: tuple[str, ...] = ("list",)

    @property
    def caller(self) -> User:
        """Who asks; known once the permissions were checked."""
        return cast("User", self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.action or self.action == "metadata":
            return  # no such method, or what there is to be asked
        known = self._parameters()
        if unknown := [name for name in request.query_params if name not in known]:
            told = ErrorDetail("There is no such parameter.", code="unknown")
            raise ValidationError({name: [told] for name in unknown})
        if twice := self._given_twice(request):
            told = ErrorDetail("This parameter is given twice: send it once.", code="duplicate")
            raise ValidationError({name: [told] for name in twice})

    def _given_twice(self, request: Request) -> list[str]:
        """Name the parameters of which all values but the last would be dropped."""
        filterset = getattr(self, "filterset_class", None)
        known = {} if filterset is None else filterset.get_filters()
        return [
            name
            for name, values in request.query_params.lists()
            if len(values) > 1 and not (name in known and may_be_repeated(known[name]))
        ]

    def _parameters(self) -> set[str]:
        """Name what the query of this call may hold: a misspelt filter would narrow nothing."""
        known = {"format", *self.parameters.get(self.action, ())}
        filterset = getattr(self, "filterset_class", None)
        if self.action in self.filtered and filterset is not None:
            known |= filterset.get_filters().keys()
        if self.action in self.paged:
            known |= getattr(self.pagination_class, "parameters", frozenset())
        return known


class WritingView(Preconditions, View):
    """A view of rows that are written here: with ETags, and a history of who wrote what."""

    locks_to_delete = True

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if self.locks_to_delete and self.action == "destroy" and "If-Match" in self.request.headers:
            return rows.select_for_update(of=("self",), no_key=True)
        return rows

    def made(self, row: Model, data: Any) -> Response:
        log_action(self.caller, row, ADDITION, "Made through the API.")
        there = self.reverse_action("detail", args=[row.pk])
        headers = {"Location": there, "ETag": self.etag_of(row)}
        return Response(data, HTTPStatus.CREATED, headers=headers)

    def changed(self, row: SavesChangedColumns, data: Any, fields: Iterable[str] = ()) -> Response:
        """Answer with the row; ``fields`` are what may be named as changed."""
        if named := [name for name in fields if name in row.saved_columns]:
            words = f"Changed {get_text_list(named, 'and')} through the API."
            log_action(self.caller, row, CHANGE, words)
        return Response(data, headers={"ETag": self.etag_of(row)})

    def destroy(self, *_: Any, **__: Any) -> Response:
        """Delete the row that the caller has seen, or none."""
        with transaction.atomic():
            self.delete_row(self.get_object())
        return Response(status=HTTPStatus.NO_CONTENT)

    def delete_row(self, row: Any, **options: Any) -> None:
        trace = copy(row)
        row.delete(**options)
        log_action(self.caller, trace, DELETION, "Deleted through the API.")
