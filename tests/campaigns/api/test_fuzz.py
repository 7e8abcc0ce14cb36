"""Schemathesis throws at a live server whatever the committed schema allows, and what it forbids.

The checks send a few hundred requests. Thousands, in every phase, on PostgreSQL:

    FUZZ_EXAMPLES=60 TEST_DATABASE_URL=embedded python -m pytest -s tests/campaigns/api/test_fuzz.py
"""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken

from campaigns.models import ExportChange, Segment, SegmentExport, Suppression
from tests.factories import make_admin, make_user

SCHEMA = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
# A schema cannot say that a name is taken or that an id is unknown: what fits it may be refused.
CHECKS = ("--checks", "all", "--exclude-checks", "positive_data_acceptance")
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "")


@pytest.fixture
def token(transactional_db) -> str:
    token = AccessToken.for_user(make_admin(email="ada@example.com"))
    token.set_exp(lifetime=timedelta(days=1))
    return str(token)


@pytest.fixture
def shop(transactional_db) -> None:
    """Rows with small ids, as a fuzzer likes to guess them."""
    users = [make_user(gender="FEMALE") for _ in range(5)]
    segments = [Segment(name=f"Segment {i}", gender=["FEMALE"]) for i in range(10)]
    Segment.objects.bulk_create(segments)
    for segment in segments:
        export = SegmentExport.objects.create(segment=segment, segment_name=segment.name)
        SegmentExport.objects.filter(pk=export.pk).update(status="PLANNED", plan_only=True)
        ExportChange.objects.bulk_create(
            ExportChange(export=export, user=user, email=user.email, kind="JOIN") for user in users
        )
    Suppression.objects.bulk_create(Suppression(email=f"{i}@example.com") for i in range(10))


def run(url: str, token: str, *options: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("schemathesis")
    fixed = ["--seed", "1", "--generation-database", "none", "--no-color"]
    caller = ["--header", f"Authorization: Bearer {token}"]
    return subprocess.run(
        [program, "run", SCHEMA, "--url", url, *caller, *fixed, *CHECKS, *options],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.thorough
def test_the_api_keeps_to_its_schema_whatever_is_sent(
    django_db_setup, live_server, brevo, token, shop
):
    few = ("--phases", "examples,fuzzing", "--max-examples", "5")

    found = run(live_server.url, token, *(("--max-examples", EXAMPLES) if EXAMPLES else few))

    print(found.stdout)
    assert found.returncode == 0, found.stdout
