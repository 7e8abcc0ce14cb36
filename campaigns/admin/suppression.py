"""Whom we must not mail: by hand, from a file, from Brevo. Looked at, added to, rarely lifted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from import_export.admin import ImportMixin

from accounts.admin_base import SearchesFolded
from accounts.text import fold_email
from accounts.unfolded import ChoicesDropdownFilter, display
from campaigns.admin.base import CampaignsAdmin, guarded
from campaigns.admin.suppression_import import (
    ConfirmForm,
    Outlook,
    SemicolonOrComma,
    SuppressionResource,
    UploadForm,
)
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import Suppression
from campaigns.spreadsheets import BYTE_ORDER_MARK, streamed
from campaigns.sync.suppressing import Wish, lift_deletions, suppress

if TYPE_CHECKING:
    from accounts.models import User

REASON_COLOURS = {
    SuppressionReason.UNSUBSCRIBED.label: "warning",
    SuppressionReason.BOUNCED.label: "info",
    SuppressionReason.COMPLAINED.label: "danger",
    SuppressionReason.BLOCKLISTED.label: "warning",
    SuppressionReason.DELETED.label: "warning",
    SuppressionReason.REFUSED.label: "info",
}
WHAT_IT_DOES = (
    "Nothing is sent to this address any more: it is held back from every list, and taken off "
    "those it is on by their next sync. Its owner is held back under a new address too; a "
    "bounce, or a refusal by Brevo, concerns nothing but the address. An address may have several "
    "reasons."
)
COLUMNS = ("email", "reason", "note", "source", "created_at", "created_by")
FIXED = ("email", "reason", "source", "person", "created_at", "created_by", "other_reasons")
_CHUNK = 2000


class FoldedEmailField(forms.EmailField):
    """Reads an address before it judges it, as the API does."""

    def to_python(self, value: Any) -> Any:
        return fold_email(super().to_python(value))


class SuppressionForm(forms.ModelForm[Suppression]):
    """Lets an address that is suppressed already have another reason."""

    def clean_email(self) -> str:
        try:
            return Wish(
                self.cleaned_data["email"], SuppressionReason.BY_HAND, SuppressionSource.ADMIN
            ).email
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def validate_unique(self) -> None:
        data = self.cleaned_data
        if "email" not in data:  # it is not asked for, or was refused
            return
        row = Suppression.objects.filter(email=data["email"]).first()
        if row is not None and data.get("reason") in row.reasons:
            words = f"It is suppressed already: {row.get_reason_display()}."
            self.add_error("email", ValidationError(words, code="unique"))


@admin.register(Suppression)
class SuppressionAdmin(SearchesFolded, ImportMixin, CampaignsAdmin):
    list_display = ("email", "shown_reason", "source", "person", "created_at", "created_by", "note")
    list_filter = (
        ("reason", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("user", admin.EmptyFieldListFilter),
    )
    list_filter_submit = True
    list_select_related = ("user", "created_by")
    search_fields = ("email",)
    search_help_text = "E-mail"
    told_when_empty = (
        "Whoever unsubscribes at Brevo comes here by themselves. Add an address by hand, or import "
        "a CSV file."
    )
    ordering = ("-id",)
    sortable_by = ("email",)
    change_list_template = "admin/campaigns/suppression/change_list.html"
    import_export_change_list_template = change_list_template
    delete_selected_confirmation_template = (
        "admin/campaigns/suppression/delete_selected_confirmation.html"
    )

    # The import: the library carries the file from the look at it to the import.
    resource_classes: ClassVar[list[Any]] = [SuppressionResource]
    formats: ClassVar[list[Any]] = [SemicolonOrComma]
    form = SuppressionForm
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    import_template_name = "admin/campaigns/suppression/import.html"
    skip_admin_log = True  # each row says who brought it
    actions = ("allow_again",)

    def get_urls(self) -> list[URLPattern]:
        confirm = self.acting(
            self.process_import, lambda _: reverse("admin:campaigns_suppression_import")
        )
        return [
            self.own_path("csv/", self.export_csv, "export"),
            path("process_import/", confirm, name="campaigns_suppression_process_import"),
            *super().get_urls(),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "email":
            kwargs["form_class"] = FoldedEmailField
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002 -- Django's hook
        if obj is not None:
            return [(None, {"fields": (*FIXED, "note")})]
        return [(None, {"fields": ("email", "reason", "note"), "description": WHAT_IT_DOES})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002 -- Django's hook
        return () if obj is None else FIXED

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        why = SuppressionReason(obj.reason)
        suppress(
            obj.email, why, SuppressionSource.ADMIN, by=cast("User", request.user), note=obj.note
        )
        obj.pk = Suppression.objects.values_list("pk", flat=True).get(email=obj.email)
        obj.refresh_from_db()

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def get_import_resource_kwargs(self, request: HttpRequest, **_: Any) -> dict[str, Any]:
        return {"by": request.user}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if name := initial.get("import_file_name"):
            initial["import_file_name"] = ConfirmForm.signed(name)
        return initial

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return super().process_import(request, **kwargs)
        except FileNotFoundError:
            messages.error(
                request, "This upload was imported already, or is gone: upload it again."
            )
            return HttpResponseRedirect(reverse("admin:campaigns_suppression_import"))

    def add_data_read_fail_error_to_form(self, form: Any, _: Exception) -> None:
        form.add_error(
            "import_file",
            "This cannot be read: save it as CSV in UTF-8, with as many values in each line as the "
            "first line has names.",
        )

    def add_success_message(self, result: Outlook, request: HttpRequest) -> None:
        told = f"Addresses suppressed: {result.changed:,}."
        if result.kept:
            told += f" Suppressed already, and kept as they were: {result.kept:,}."
        messages.success(request, told)

    @guarded("campaigns.view_suppression")
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Send what the list shows, filters and search included."""
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:campaigns_suppression_changelist"))
        values = rows.values_list(
            "email", "reason", "note", "source", "created_at", "created_by__email"
        )
        return streamed("suppressions", COLUMNS, _as_text(values), begin=BYTE_ORDER_MARK)

    @admin.action(
        description="Allow to be mailed again, if only deleted in Brevo", permissions=["delete"]
    )
    def allow_again(self, request: HttpRequest, chosen: QuerySet[Suppression]) -> None:
        """Lift what holds people back because their contact was deleted, and nothing else."""
        rows = chosen.filter(reason=SuppressionReason.DELETED)
        self.log_deletions(request, rows)
        messages.success(request, f"Allowed to be mailed again: {lift_deletions(rows):,}.")

    @display(description="Reason", label=REASON_COLOURS)
    def shown_reason(self, suppression: Suppression) -> str:
        return suppression.get_reason_display()

    @display(description="Other reasons")
    def other_reasons(self, suppression: Suppression) -> str:
        shown = ((each,) for each in suppression.other_reasons)
        return format_html_join("", "<p>{}</p>", shown) or "—"

    @display(description="Person")
    def person(self, suppression: Suppression) -> str:
        if suppression.user is None:
            return "—"
        url = reverse("admin:accounts_user_change", args=[suppression.user.pk])
        return format_html('<a href="{}">{}</a>', url, suppression.user)


def _as_text(rows: QuerySet[Any, Any]) -> Iterator[tuple[str, ...]]:
    for email, reason, note, source, at, by in rows.iterator(chunk_size=_CHUNK):
        yield email, reason, note, source, at.isoformat(timespec="seconds"), by or ""
