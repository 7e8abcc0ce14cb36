from decimal import Decimal
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.columns import SavesChangedColumns
from accounts.countries import CountryField
from accounts.derived import DerivedCharField, DerivedModel, DerivedQuerySet
from accounts.enums import Role
from accounts.models import User
from accounts.text import SqueezedCharField, fold
from properties.enums import EnrollmentStatus, LeadStatus


class Property(DerivedModel):
    name = SqueezedCharField(max_length=200, unique=True)
    name_key = DerivedCharField(
        source="name", derive=fold, max_length=600, blank=True, default="", db_index=True
    )
    city = SqueezedCharField(max_length=100, blank=True)
    city_key = DerivedCharField(source="city", derive=fold, max_length=300, blank=True, default="")
    country = CountryField(max_length=2, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Property"]] = DerivedQuerySet["Property"].as_manager()

    class Meta:
        verbose_name_plural = "properties"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a name that another property has in another spelling."""
        others = Property.objects.exclude(pk=self.pk).filter(name_key=fold(self.name))
        if (other := others.first()) and not self._has_kept_its_name():
            message = f"A property named “{other.name}” exists already: choose another name."
            raise ValidationError({"name": ValidationError(message, code="unique")})

    def _has_kept_its_name(self) -> bool:
        return Property.objects.filter(pk=self.pk, name=self.name).exists()


class EnrollmentQuerySet(models.QuerySet["Enrollment", "Enrollment"]):
    @staticmethod
    def counting_q() -> Q:
        return ~Q(status=EnrollmentStatus.CANCELLED)

    def counting(self) -> Self:
        """Keep enrolments that still say something of a customer: all but the cancelled."""
        return self.filter(self.counting_q())


class Enrollment(SavesChangedColumns):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="enrollments")
    property = models.ForeignKey(Property, on_delete=models.CASCADE, related_name="enrollments")
    agent = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="served_enrollments",
        limit_choices_to={"role": Role.AGENT},
    )
    status = models.CharField(
        max_length=10, choices=EnrollmentStatus.choices, default=EnrollmentStatus.ONGOING
    )
    amount = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
    )
    enrolled_at = models.DateTimeField(default=timezone.now)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        verbose_name = "enrolment"
        # Partial indexes: the questions of segments never ask for cancelled enrolments.
        indexes = [
            models.Index(
                fields=["property", "user"],
                name="enrollment_property_user",
                condition=~Q(status=EnrollmentStatus.CANCELLED),
            ),
            models.Index(
                fields=["agent", "user"],
                name="enrollment_agent_user",
                condition=~Q(status=EnrollmentStatus.CANCELLED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.property}"


class Lead(SavesChangedColumns):
    client = models.ForeignKey(User, on_delete=models.CASCADE, related_name="leads")
    property = models.ForeignKey(Property, on_delete=models.CASCADE, related_name="leads")
    status = models.CharField(
        max_length=10, choices=LeadStatus.choices, default=LeadStatus.AVAILABLE
    )
    closed_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="closed_leads",
        limit_choices_to={"role": Role.AGENT},
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["closed_by", "client"],
                name="lead_closed_by_client",
                condition=Q(status=LeadStatus.CLOSED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} about {self.property}"
