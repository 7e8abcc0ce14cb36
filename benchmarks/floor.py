"""The floor: the least that anybody could do, written by hand.

One SELECT, the same JSON encoding, the same bytes over HTTP, one import at a time. It keeps no
record, removes nobody, and knows nothing when it dies.
"""

import json
import sys
import time

import psycopg
import requests

COLUMNS = ("first_name", "last_name", "phone_e164", "country", "state", "referral_source")
NAMES = ("FIRSTNAME", "LASTNAME", "SMS", "COUNTRY", "STATE", "REFERRAL_SOURCE")
SELECT = f"SELECT email_key, {', '.join(COLUMNS)} FROM accounts_user WHERE country = 'NG'"
MAX_BYTES = 8_000_000


def main(dsn: str, brevo_url: str, list_id: int) -> None:
    session = requests.Session()
    session.headers["api-key"] = "sandbox"
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    head = json.dumps(
        {"listIds": [list_id], "updateExistingContacts": True, "disableNotification": True}
    )[:-1]

    def send(contacts: list[str]) -> None:
        body = f'{head},"jsonBody":[{",".join(contacts)}]}}'.encode()
        process = session.post(f"{brevo_url}/contacts/import", data=body).json()["processId"]
        while session.get(f"{brevo_url}/processes/{process}").json()["status"] != "completed":
            time.sleep(0.05)

    with psycopg.connect(dsn) as connection, connection.cursor(name="floor") as cursor:
        cursor.itersize = 10_000
        cursor.execute(SELECT)
        contacts: list[str] = []
        size = 0
        for email, *values in cursor:
            attributes = {name: value for name, value in zip(NAMES, values, strict=True) if value}
            contact = encode({"email": email, "attributes": attributes})
            if size + len(contact) > MAX_BYTES:
                send(contacts)
                contacts, size = [], 0
            contacts.append(contact)
            size += len(contact) + 1
        send(contacts)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
