"""The gateway to Brevo: its HTTP API and nothing of ours, without Django."""

from campaigns.brevo.client import BrevoClient
from campaigns.brevo.errors import (
    BrevoAddressUnknown,
    BrevoDuplicate,
    BrevoError,
    BrevoKeyMissing,
    BrevoKeyWrong,
    BrevoMisconfigured,
    BrevoNotAllowed,
    BrevoNotFound,
    BrevoPermanent,
    BrevoTemporary,
    BrevoUnreachable,
    BrevoUnreadable,
    BrevoUrlWrong,
    in_words,
)
from campaigns.brevo.payloads import AttributeMap, ImportBody
from campaigns.brevo.rate_limits import Budgets, BudgetState
from campaigns.brevo.replies import (
    Account,
    Attribute,
    Contact,
    ContactDetails,
    ContactList,
    Folder,
    Moved,
    Process,
    Webhook,
)

__all__ = [
    "Account",
    "Attribute",
    "AttributeMap",
    "BrevoAddressUnknown",
    "BrevoClient",
    "BrevoDuplicate",
    "BrevoError",
    "BrevoKeyMissing",
    "BrevoKeyWrong",
    "BrevoMisconfigured",
    "BrevoNotAllowed",
    "BrevoNotFound",
    "BrevoPermanent",
    "BrevoTemporary",
    "BrevoUnreachable",
    "BrevoUnreadable",
    "BrevoUrlWrong",
    "BudgetState",
    "Budgets",
    "Contact",
    "ContactDetails",
    "ContactList",
    "Folder",
    "ImportBody",
    "Moved",
    "Process",
    "Webhook",
    "in_words",
]
