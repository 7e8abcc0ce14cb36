"""What the admin and the API call by one name is one thing."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from campaigns.admin.dashboard_figures import number_never_synced
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from tests.factories import make_manager, make_segment

pytestmark = pytest.mark.django_db


def test_never_synced_means_the_same_at_every_door() -> None:
    manager = make_manager()
    for status in ExportStatus:
        segment = make_segment(name=status.value)
        plan_only = status == ExportStatus.PLANNED
        SegmentExport.objects.create(
            segment=segment, segment_name=segment.name, status=status, plan_only=plan_only
        )
    make_segment(name="Without a run")
    browser, api = Client(), APIClient()
    browser.force_login(manager)
    api.force_authenticate(manager)

    listed = browser.get("/admin/campaigns/segment/?state=NEVER").context["cl"].result_list
    answered = api.get("/api/campaigns/segments/?state=never_synced").json()["results"]

    expected = {*ExportStatus.values, "Without a run"} - {"SUCCESS", "PARTIAL"}
    assert {segment.name for segment in listed} == expected
    assert {segment["name"] for segment in answered} == expected
    assert number_never_synced() == len(expected)
