"""People and their partnerships."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.forms import AdminPasswordChangeForm

from accounts.admin_base import FastAdmin, Panel, PanelledAdmin, RelatedRows, SearchesFolded
from accounts.admin_forms import PartnershipForm, UserCreationForm, UserForm
from accounts.countries import country_names, flag
from accounts.enums import Consent, PartnershipStatus, Role
from accounts.foresight import ForeseeingAdmin
from accounts.history import KEPT, acted
from accounts.models import Partnership, User
from accounts.searching import PEOPLE
from accounts.text import fold
from accounts.unfolded import (
    AuthUserAdmin,
    ChoicesDropdownFilter,
    DropdownFilter,
    TextFilter,
    display,
)

# Nobody is given rights by groups here: roles decide.
admin.site.unregister(Group)
# These pages show tokens that log in as their owners.
admin.site.unregister([BlacklistedToken, OutstandingToken])

ROLE_COLOURS = {
    Role.ADMIN.label: "danger",
    Role.MANAGER.label: "warning",
    Role.AGENT.label: "info",
    Role.PARTNER.label: "primary",
}
CONSENT_COLOURS = {Consent.OPTED_IN.label: "success", Consent.OPTED_OUT.label: "danger"}
PARTNERSHIP_COLOURS = {
    PartnershipStatus.APPROVED.label: "success",
    PartnershipStatus.AWAITING_APPROVAL.label: "warning",
    PartnershipStatus.REJECTED.label: "danger",
}


class SameText(TextFilter):
    """Finds a text whatever its case, through the column that holds it folded."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 -- Django's hook
        wanted = fold(self.value())
        return queryset.filter(**{f"{self.parameter_name}_key": wanted}) if wanted else queryset


class StateFilter(SameText):
    title = "state"
    parameter_name = "state"


class SourceFilter(SameText):
    title = "traffic source"
    parameter_name = "referral_source"


class JoinedFilter(DropdownFilter):
    title = "joined"
    parameter_name = "joined_within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 -- Django's hook
        return [("7", "The last 7 days"), ("30", "The last 30 days"), ("365", "The last 365 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 -- Django's hook
        days = self.value()
        if days not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(date_joined__gte=timezone.now() - timedelta(days=int(days)))


class PartnershipInline(RelatedRows):
    model = Partnership
    form = PartnershipForm
    can_delete = False  # its own page says what follows from that
    fields = ("status", "suspended_at")
    verbose_name_plural = "partnership"


@admin.register(User)
class UserAdmin(ForeseeingAdmin, SearchesFolded, AuthUserAdmin, PanelledAdmin):
    list_display = ("name", "address", "shown_role", "consent", "place", "source", "joined")
    list_display_links = ("name", "address")
    list_filter = (
        ("role", ChoicesDropdownFilter),
        ("gender", ChoicesDropdownFilter),
        ("marketing_consent", ChoicesDropdownFilter),
        ("country", ChoicesDropdownFilter),
        StateFilter,
        SourceFilter,
        JoinedFilter,
    )
    search_fields = PEOPLE
    search_help_text = "Name, e-mail or phone"
    ordering = ("-id",)
    sortable_by = ("address", "joined")
    filter_horizontal = ()
    autocomplete_fields = ("referred_by_partner",)
    readonly_fields = ("last_login", "date_joined", "updated_at")
    fieldsets = (
        (None, {"fields": (("email", "phone"), ("first_name", "last_name"), "password")}),
        ("Role", {"fields": (("role", "is_active"),)}),
        (
            "What segments ask",
            {
                "fields": (
                    ("gender", "marketing_consent"),
                    ("country", "state"),
                    ("referral_source", "referred_by_partner"),
                )
            },
        ),
        ("Dates", {"fields": (("date_joined", "last_login", "updated_at"),)}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "email",
                    ("first_name", "last_name"),
                    ("role", "marketing_consent"),
                    "usable_password",
                    ("password1", "password2"),
                )
            },
        ),
    )
    form = UserForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    panels: ClassVar[list[Panel]] = []

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return shown
        (title, options), *others = shown  # who may only look needs no hash of a password
        fields = tuple(name for name in options["fields"] if name != "password")
        return [(title, {**options, "fields": fields}), *others]

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        **kwargs: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.editor = request.user
        return form

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_inlines(request, obj)
        is_partner = obj is not None and obj.role == Role.PARTNER
        return [*shown, PartnershipInline] if is_partner else shown

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        *found, protected = super().get_deleted_objects(objs, request)
        return *found, [*protected, *(KEPT.format(person) for person in acted(objs))]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj != request.user and super().has_delete_permission(request, obj)

    @display(description="Name")
    def name(self, user: User) -> str:
        return user.get_full_name() or "—"

    @display(description="E-mail", ordering="email_key")
    def address(self, user: User) -> str:
        return user.email

    @display(description="Role", label=ROLE_COLOURS)
    def shown_role(self, user: User) -> str:
        return user.get_role_display() if user.is_active else "Inactive"

    @display(description="Marketing", label=CONSENT_COLOURS)
    def consent(self, user: User) -> str:
        return user.get_marketing_consent_display()

    @display(description="Place")
    def place(self, user: User) -> str:
        # Django's get_country_display makes a dictionary of all countries, for each row anew.
        country = country_names().get(user.country, user.country)
        flagged = f"{flag(user.country)} {country}" if country else ""
        return ", ".join(filter(None, (user.state, flagged))) or "—"

    @display(description="Source")
    def source(self, user: User) -> str:
        return user.referral_source or "—"

    @display(description="Joined", ordering="date_joined")
    def joined(self, user: User) -> Any:
        return timezone.localdate(user.date_joined)


@admin.register(Partnership)
class PartnershipAdmin(ForeseeingAdmin, SearchesFolded, FastAdmin):
    form = PartnershipForm
    list_display = ("partner", "address", "shown_status", "suspended_at", "updated_at")
    list_filter = (("status", ChoicesDropdownFilter), ("suspended_at", admin.EmptyFieldListFilter))
    list_select_related = ("partner",)
    told_when_empty = "Segments ask for the people whom approved partners referred."
    search_fields = ("partner__email", "partner__first_name", "partner__last_name")
    search_help_text = "The partner's name or e-mail"
    autocomplete_fields = ("partner",)
    readonly_fields = ("created_at", "updated_at")

    @display(description="E-mail")
    def address(self, partnership: Partnership) -> str:
        return partnership.partner.email

    @display(description="Status", label=PARTNERSHIP_COLOURS)
    def shown_status(self, partnership: Partnership) -> str:
        return partnership.get_status_display()
