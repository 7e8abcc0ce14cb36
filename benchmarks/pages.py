"""What each page of the admin costs the server in a shop of a million, and the live count."""

import json
import subprocess
import sys

import psycopg

from benchmarks import world

PLANS = world.ROOT / "benchmarks" / "plans.txt"
_FILL = """
INSERT INTO properties_property (name, name_key, city, city_key, country, created_at)
    SELECT 'Property ' || n, 'property ' || n, 'Lagos', 'lagos', 'NG', now()
    FROM generate_series(1, 50) n;
INSERT INTO properties_enrollment (user_id, property_id, status, amount, enrolled_at)
    SELECT id, 1 + id % 50, CASE WHEN id % 10 = 0 THEN 'CANCELLED' ELSE 'ONGOING' END, 1000, now()
    FROM accounts_user;
INSERT INTO properties_lead (client_id, property_id, status, created_at)
    SELECT id, 1 + id % 50, 'AVAILABLE', now() FROM accounts_user WHERE id % 5 = 0;
"""
_LINES = """
INSERT INTO campaigns_exportchange
    (export_id, user_id, email, kind, reason, outcome, message, without_phone, unconfirmed, alone)
    SELECT %s, id, email_key, 'JOIN', '', 'DONE', '', FALSE, FALSE, FALSE FROM accounts_user
    WHERE state_key = 'lagos'
"""
_MEMBERS = """
INSERT INTO campaigns_listmember
    (segment_id, user_id, email, email_at_brevo, fingerprint, added_at, added_by)
    SELECT %s, id, email_key, '', md5(email_key)::uuid, now(), 1 FROM accounts_user
    WHERE state_key = 'lagos'
"""


def fill(dsn: str) -> None:
    """Add enrolments, leads, and what a first run of a broad segment leaves behind."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_FILL)


def remember_run(dsn: str, segment: int, export: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_LINES, (export,))
        connection.execute(_MEMBERS, (segment,))
        connection.execute("VACUUM ANALYZE")


def run(people: int) -> dict[str, float]:
    """Return the median milliseconds of each page; keep the plan of its slowest query."""
    dsn = world.database(people)
    try:
        fill(dsn)
        env = world.environment(dsn, world.NOWHERE)
        env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DJANGO_ALLOWED_HOSTS": "testserver"}
        command = [sys.executable, "-m", "benchmarks.pages_inside", dsn]
        done = subprocess.run(
            command, env=env, cwd=world.ROOT, check=True, capture_output=True, text=True
        )
    finally:
        world.drop(dsn)
    found = json.loads(done.stdout.splitlines()[-1])
    plans = [f"# {name}\n\n{plan}\n" for name, plan in sorted(found["plans"].items())]
    PLANS.write_text(f"{people:,} people\n\n" + "\n".join(plans), encoding="utf-8")
    medians: dict[str, float] = found["medians"]
    return medians


def report(people: int) -> str:
    rows = sorted(run(people).items(), key=lambda row: -row[1])
    lines = [f"| {name} | {median:,.0f} |" for name, median in rows]
    return "\n".join([f"| {people:,} people | median, ms |", "|---|---:|", *lines])
