"""Every request this project can send to Brevo, and which of them may be sent twice.

Bodies are built in `client` and `payloads`; none of them can clear a blocklist flag.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of Brevo's API.

    `path` is a template, and the only form in which a path is logged. `purpose` completes the
    sentence "Brevo could not …". Only a `repeatable` call is sent again when it is uncertain
    whether Brevo carried it out: a second POST /contacts/lists would make a second list.
    """

    method: str
    path: str
    purpose: str
    repeatable: bool = True

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def is_about_contacts(self) -> bool:
        """True for the roomier of the two budgets (developers.brevo.com/docs/api-limits)."""
        return self.path.startswith("/contacts")


ACCOUNT = Endpoint("GET", "/account", "show the account")

FOLDERS = Endpoint("GET", "/contacts/folders", "list the folders")
CREATE_FOLDER = Endpoint("POST", "/contacts/folders", "make the folder", repeatable=False)

LISTS = Endpoint("GET", "/contacts/lists", "list the lists")
LISTS_OF_FOLDER = Endpoint("GET", "/contacts/folders/{id}/lists", "list the folder's lists")
CREATE_LIST = Endpoint("POST", "/contacts/lists", "make the list", repeatable=False)
RENAME_LIST = Endpoint("PUT", "/contacts/lists/{id}", "rename the list")
DELETE_LIST = Endpoint("DELETE", "/contacts/lists/{id}", "delete the list")
GET_LIST = Endpoint("GET", "/contacts/lists/{id}", "show the list")
LIST_MEMBERS = Endpoint("GET", "/contacts/lists/{id}/contacts", "show the list's contacts")
ADD_TO_LIST = Endpoint("POST", "/contacts/lists/{id}/contacts/add", "add contacts to the list")
REMOVE_FROM_LIST = Endpoint(
    "POST", "/contacts/lists/{id}/contacts/remove", "remove contacts from the list"
)

CONTACTS = Endpoint("GET", "/contacts", "show the contacts")
GET_CONTACT = Endpoint("GET", "/contacts/{id}", "show the contact")
UPSERT_CONTACT = Endpoint("POST", "/contacts", "save the contact")
UPDATE_CONTACTS = Endpoint("POST", "/contacts/batch", "update the contact")
IMPORT = Endpoint("POST", "/contacts/import", "import the contacts", repeatable=False)

ATTRIBUTES = Endpoint("GET", "/contacts/attributes", "show the contact attributes")
CREATE_ATTRIBUTE = Endpoint(
    "POST", "/contacts/attributes/normal/{id}", "make the contact attribute", repeatable=False
)

PROCESS = Endpoint("GET", "/processes/{id}", "show the process")
PROCESSES = Endpoint("GET", "/processes", "list the processes")
# The links behind a process lead to other hosts: neither key nor budget is spent on them.
REPORT = Endpoint("GET", "(report of a process)", "hand out the report of the import")

WEBHOOKS = Endpoint("GET", "/webhooks", "list the webhooks")
CREATE_WEBHOOK = Endpoint("POST", "/webhooks", "make the webhook", repeatable=False)
