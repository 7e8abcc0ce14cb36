from django.db.models import TextChoices


class Role(TextChoices):
    ADMIN = "ADMIN", "Admin"
    MANAGER = "MANAGER", "Manager"
    AGENT = "AGENT", "Agent"
    PARTNER = "PARTNER", "Partner"
    CLIENT = "CLIENT", "Client"


STAFF_ROLES = (Role.ADMIN, Role.MANAGER)
CUSTOMER_ROLES = (Role.CLIENT, Role.PARTNER)


class Gender(TextChoices):
    MALE = "MALE", "Male"
    FEMALE = "FEMALE", "Female"
    PREFER_NOT_TO_SAY = "PREFER_NOT_TO_SAY", "Prefers not to say"


class Consent(TextChoices):
    UNKNOWN = "UNKNOWN", "Unknown"
    OPTED_IN = "OPTED_IN", "Opted in"
    OPTED_OUT = "OPTED_OUT", "Opted out"


class PartnershipStatus(TextChoices):
    NONE = "NONE", "None"
    AWAITING_APPROVAL = "AWAITING_APPROVAL", "Awaiting approval"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
