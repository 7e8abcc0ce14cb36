"""Properties, and who enrolled in them or asked for them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin_base import BriefDeletion, FastAdmin, SearchesFolded
from accounts.countries import country_choices, country_names, flag
from accounts.foresight import ForeseeingAdmin
from accounts.ordering import Ordered
from accounts.unfolded import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    display,
)
from properties.enums import EnrollmentStatus, LeadStatus
from properties.models import Enrollment, Lead, Property

ENROLLMENT_COLOURS = {
    EnrollmentStatus.ONGOING.label: "info",
    EnrollmentStatus.COMPLETED.label: "success",
    EnrollmentStatus.SUSPENDED.label: "warning",
    EnrollmentStatus.CANCELLED.label: "danger",
}
LEAD_COLOURS = {
    LeadStatus.AVAILABLE.label: "info",
    LeadStatus.RESERVED.label: "warning",
    LeadStatus.CLOSED.label: "success",
}


class CountryFilter(DropdownFilter):
    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 -- Django's hook
        used = Property.objects.exclude(country="").order_by().values_list("country", flat=True)
        return sorted(((code, _named(code)) for code in used.distinct()), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 -- Django's hook
        code = self.value()
        return queryset.filter(country=code) if code else queryset


@admin.register(Property)
class PropertyAdmin(ForeseeingAdmin, BriefDeletion, SearchesFolded, FastAdmin):
    list_display = ("named", "in_city", "shown_country", "enrolled", "created_at")
    list_filter = (CountryFilter,)
    told_when_empty = "Segments ask for the people who enrolled in them."
    search_fields = ("name_key", "city_key")
    search_help_text = "Name or city"
    ordering = (Ordered("name_key", text=True),)
    sortable_by = ("named", "in_city", "created_at")
    fields = ("name", ("city", "country"), "created_at")
    readonly_fields = ("created_at",)

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "country":
            choices = [("", "—"), *country_choices()]
            return forms.ChoiceField(
                choices=choices, required=False, widget=UnfoldAdminSelectWidget(choices=choices)
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @display(description="Name", ordering=Ordered("name_key", text=True))
    def named(self, property_: Property) -> str:
        return property_.name

    @display(description="City", ordering=Ordered("city_key", text=True))
    def in_city(self, property_: Property) -> str:
        return property_.city or "—"

    @display(description="Country")
    def shown_country(self, property_: Property) -> str:
        return (
            f"{flag(property_.country)} {_named(property_.country)}" if property_.country else "—"
        )

    @display(description="Enrolments")
    def enrolled(self, property_: Property) -> str:
        # A link, not a number: counting them would read the whole table on each page.
        url = reverse("admin:properties_enrollment_changelist")
        return format_html(
            '<a href="{}?property__id__exact={}" class="text-primary-600 dark:text-primary-500" '
            'aria-label="Enrolments in {}">Show</a>',
            url,
            property_.pk,
            property_.name,
        )


@admin.register(Enrollment)
class EnrollmentAdmin(SearchesFolded, FastAdmin):
    list_display = ("user", "property", "agent", "shown_status", "shown_amount", "enrolled")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("property", AutocompleteSelectFilter),
        ("agent", AutocompleteSelectFilter),
    )
    list_select_related = ("user", "property", "agent")
    told_when_empty = "Whoever enrols in a property has a line here; segments ask for it."
    search_fields = ("user__email", "user__first_name", "user__last_name")
    search_help_text = "The customer's name or e-mail"
    autocomplete_fields = ("user", "property", "agent")
    fields = (("user", "property"), ("agent", "status"), "amount", "enrolled_at")

    @display(description="Status", label=ENROLLMENT_COLOURS)
    def shown_status(self, enrollment: Enrollment) -> str:
        return enrollment.get_status_display()

    @display(description="Amount")
    def shown_amount(self, enrollment: Enrollment) -> str:
        return f"{enrollment.amount:,.2f}"

    @display(description="Enrolled")
    def enrolled(self, enrollment: Enrollment) -> Any:
        return timezone.localdate(enrollment.enrolled_at)


@admin.register(Lead)
class LeadAdmin(SearchesFolded, FastAdmin):
    list_display = ("client", "property", "shown_status", "closed_by", "closed_at", "created_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("property", AutocompleteSelectFilter),
        ("closed_by", AutocompleteSelectFilter),
    )
    list_select_related = ("client", "property", "closed_by")
    told_when_empty = "Whoever asks for a property has a line here."
    search_fields = ("client__email", "client__first_name", "client__last_name")
    search_help_text = "The client's name or e-mail"
    autocomplete_fields = ("client", "property", "closed_by")
    fields = (("client", "property"), ("status", "closed_by"), "closed_at", "created_at")
    readonly_fields = ("created_at",)

    @display(description="Status", label=LEAD_COLOURS)
    def shown_status(self, lead: Lead) -> str:
        return lead.get_status_display()


def _named(code: str) -> str:
    return country_names().get(code, code)
