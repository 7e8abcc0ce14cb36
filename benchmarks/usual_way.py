"""The usual way: one POST per person, one after the other, nobody ever removed."""

import sys

import psycopg
import requests

from benchmarks.floor import NAMES, SELECT


def main(dsn: str, brevo_url: str, list_id: int, people: int) -> None:
    session = requests.Session()
    session.headers["api-key"] = "sandbox"
    with psycopg.connect(dsn) as connection:
        for email, *values in connection.execute(f"{SELECT} LIMIT {people}"):
            contact = {
                "email": email,
                "attributes": dict(zip(NAMES, values, strict=True)),
                "listIds": [list_id],
                "updateEnabled": True,
            }
            session.post(f"{brevo_url}/contacts", json=contact).raise_for_status()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
