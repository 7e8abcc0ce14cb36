from fnmatch import fnmatchcase
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.columns import SavesChangedColumns
from accounts.countries import CountryField, country_choices
from accounts.derived import DerivedBooleanField, DerivedCharField, DerivedModel, DerivedQuerySet
from accounts.enums import (
    CUSTOMER_ROLES,
    STAFF_ROLES,
    Consent,
    Gender,
    PartnershipStatus,
    Role,
)
from accounts.fingerprint import fingerprint_field
from accounts.text import (
    SqueezedCharField,
    dialable,
    fold,
    fold_email,
    fold_unusual,
    is_usable_email,
)


class UserQuerySet(DerivedQuerySet["User"]):
    def update(self, **kwargs: Any) -> int:
        """Update, and say when: ``updated_at`` is as true in bulk writes as in single ones."""
        return super().update(**{"updated_at": timezone.now(), **kwargs})

    @staticmethod
    def customers_q() -> Q:
        return Q(is_active=True, role__in=CUSTOMER_ROLES)

    def customers(self) -> Self:
        """Keep the only people an audience may ever hold: active clients and partners."""
        return self.filter(self.customers_q())

    @staticmethod
    def approved_partners_q() -> Q:
        return Q(
            partnership__status=PartnershipStatus.APPROVED, partnership__suspended_at__isnull=True
        )

    def approved_partners(self) -> Self:
        """Keep partners whose partnership is approved and not suspended."""
        return self.filter(self.approved_partners_q())

    def agents(self) -> Self:
        return self.filter(role=Role.AGENT)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc] # built by Django at run time
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user: User = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "role": Role.ADMIN})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user who logs in by this e-mail address, whatever its case."""
        user: User = self.get(email_key=fold_email(username))
        return user


class User(DerivedModel, AbstractBaseUser):
    email = models.EmailField("e-mail address", max_length=254)
    email_key = DerivedCharField(
        source="email",
        derive=fold_email,
        max_length=254,
        unique=True,
        error_messages={"unique": "A user with this e-mail address exists already."},
    )
    email_is_usable = DerivedBooleanField(source="email", derive=is_usable_email)
    first_name = models.CharField(max_length=150, blank=True)
    first_name_folded = DerivedCharField(
        source="first_name", derive=fold_unusual, max_length=450, blank=True, default=""
    )
    last_name = models.CharField(max_length=150, blank=True)
    last_name_folded = DerivedCharField(
        source="last_name", derive=fold_unusual, max_length=450, blank=True, default=""
    )
    phone = models.CharField(max_length=32, blank=True, help_text="With country code: +234…")
    phone_e164 = DerivedCharField(source="phone", derive=dialable, max_length=20, blank=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.CLIENT)
    gender = models.CharField(
        max_length=20, choices=Gender.choices, default=Gender.PREFER_NOT_TO_SAY
    )
    country = CountryField(max_length=2, blank=True, choices=country_choices)
    state = SqueezedCharField(max_length=100, blank=True)
    state_key = DerivedCharField(source="state", derive=fold, max_length=300, blank=True)
    referral_source = SqueezedCharField("traffic source", max_length=100, blank=True)
    referral_source_key = DerivedCharField(
        source="referral_source", derive=fold, max_length=300, blank=True
    )
    referred_by_partner = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="referred_users",
        limit_choices_to={"role": Role.PARTNER},
    )
    marketing_consent = models.CharField(
        max_length=10, choices=Consent.choices, default=Consent.UNKNOWN
    )
    contact_fingerprint = fingerprint_field()
    is_active = models.BooleanField("active", default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        # Every question that a segment may ask has an index that ends in the primary key.
        indexes = [
            models.Index(fields=["gender", "id"], name="user_gender"),
            models.Index(fields=["country", "id"], name="user_country"),
            models.Index(fields=["state_key", "id"], name="user_state"),
            models.Index(fields=["referral_source_key", "id"], name="user_source"),
            models.Index(fields=["role", "id"], name="user_role"),
            models.Index(fields=["date_joined", "id"], name="user_joined"),
            models.Index(
                fields=["id"],
                name="user_opted_out",
                condition=Q(marketing_consent=Consent.OPTED_OUT),
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def name(self) -> str:
        return self.get_full_name()

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def is_superuser(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def is_customer(self) -> bool:
        """What ``UserQuerySet.customers`` keeps."""
        return self.is_active and self.role in CUSTOMER_ROLES

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name or self.email

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ARG002 -- Django's signature
        """True for what the role grants; ``ROLE_PERMISSIONS`` holds the grants."""
        if not self.is_active:
            return False
        patterns = settings.ROLE_PERMISSIONS.get(self.role, [])
        return self.is_superuser or any(fnmatchcase(perm, pattern) for pattern in patterns)

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 -- each model is asked anyway
        return self.is_active and self.is_staff


class Partnership(SavesChangedColumns):
    partner = models.OneToOneField(
        User,
        on_delete=models.CASCADE,
        related_name="partnership",
        limit_choices_to={"role": Role.PARTNER},
    )
    status = models.CharField(
        max_length=20, choices=PartnershipStatus.choices, default=PartnershipStatus.NONE
    )
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["status", "partner"], name="partnership_status")]

    def __str__(self) -> str:
        return f"{self.partner} ({self.get_status_display()})"


class LogInCount(models.Model):
    """How many attempts to log in failed for a person or a machine since a moment.

    ``key`` is a digest: whoever reads the table learns nobody's address.
    """

    key = models.CharField(max_length=64, unique=True)
    number = models.PositiveIntegerField()
    since = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.number} since {self.since:%Y-%m-%d %H:%M:%S}"


class KnownMachine(models.Model):
    """A machine that somebody has logged in from, as a digest of its address."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_machines")
    machine = models.CharField(max_length=64)
    last_used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "machine"], name="one_row_per_known_machine"),
        ]

    def __str__(self) -> str:
        return f"A machine of {self.user_id}"


class TokenFamily(models.Model):
    """The refresh tokens that come from one log-in, each from the one before; they end together."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "token families"

    def __str__(self) -> str:
        return f"Tokens of {self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"
