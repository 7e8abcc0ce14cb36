"""A client generated from the committed schema does the whole main job against a live server."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from campaigns.models import Segment
from tests.factories import PASSWORD, make_admin, make_user

PACKAGE = "generated_campaigns_client"
SCHEMA = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def generated(django_db_setup, tmp_path_factory) -> Iterator[str]:
    # The database first: a server that starts before it would share one connection among threads.
    folder = tmp_path_factory.mktemp("client")
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")
    program = Path(sys.executable).with_name("openapi-python-client")
    options = ["--meta", "none", "--fail-on-warning", "--config", config]
    target = ["--path", SCHEMA, "--output-path", folder / PACKAGE]
    subprocess.run([program, "generate", *options, *target], check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


@pytest.fixture
def ask(generated, live_server) -> Iterator[Any]:
    """Call an operation by its name, logged in; return what the client made of the answer."""
    clients = import_module(f"{generated}.client")
    models = import_module(f"{generated}.models")
    make_admin(email="ada@example.com", password=PASSWORD)

    def called(client: Any, operation: str, *args: Any, **kwargs: Any) -> Any:
        (found,) = (Path(clients.__file__).parent / "api").glob(f"*/{operation}.py")
        module = import_module(f"{generated}.api.{found.parent.name}.{operation}")
        return module.sync_detailed(*args, client=client, **kwargs)

    nobody = clients.Client(base_url=live_server.url)
    body = models.LogInRequest(email="ada@example.com", password=PASSWORD)
    with nobody:
        tokens = called(nobody, "token_create", body=body).parsed
    ada = clients.AuthenticatedClient(base_url=live_server.url, token=tokens.access)
    with ada:
        yield lambda operation, *args, **kwargs: called(
            ada, f"campaigns_{operation}", *args, **kwargs
        )


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_a_generated_client_does_the_whole_main_job(generated, ask, brevo):
    models = import_module(f"{generated}.models")
    women = [make_user(gender="FEMALE", first_name=f"Ada {i}") for i in range(3)]
    draft = models.SegmentRequest(name="Women", gender=[models.GenderEnum.FEMALE])

    segment = ask("segments_create", body=draft).parsed
    preview = ask("segments_preview_list", segment.id, page_size=2).parsed
    plan = ask("segments_plan_create", segment.id, body=models.RunOptionsRequest()).parsed
    applied = ask("exports_apply_create", plan.id).parsed
    synced = ask("segments_sync_create", segment.id, body=models.RunOptionsRequest()).parsed
    joins = [models.CampaignsExportsChangesListKindItem.JOIN]
    lines = ask("exports_changes_list", applied.id, kind=joins).parsed

    assert (segment.name, segment.created_by.email) == ("Women", "ada@example.com")
    assert (preview.count, len(preview.results)) == (3, 2)
    assert preview.next_
    assert (plan.status.value, plan.joins) == ("PLANNED", 3)
    assert (applied.status.value, applied.added) == ("SUCCESS", 3)
    assert (synced.status.value, synced.added, synced.progress) == ("SUCCESS", 0, 1.0)
    assert [line.email for line in lines.results] == [user.email for user in women]
    assert len(brevo.members(segment.brevo_list_id)) == 3
    refused = ask("segments_create", body=draft)
    assert (refused.status_code, refused.parsed.errors[0].field) == (400, "name")
    assert ask("segments_destroy", segment.id).status_code == 204
    assert not Segment.objects.exists()
    assert brevo.lists() == {}


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_changes_only_what_it_was_given(generated, ask, brevo):
    models = import_module(f"{generated}.models")
    segment = Segment(
        name="Women",
        description="Kept",
        match="ANY",
        gender=["FEMALE"],
        states=["Lagos"],
        countries=["NG"],
    )
    segment.save()
    before = Segment.objects.values().get()

    changed = ask(
        "segments_partial_update",
        segment.pk,
        body=models.PatchedSegmentRequest(name="Ladies"),
    )
    refused = ask(
        "segments_update",
        segment.pk,
        body=models.SegmentRequest(name="Men", gender=[models.GenderEnum.MALE]),
    )

    assert (changed.status_code, refused.status_code) == (200, 400)
    after = Segment.objects.values().get()
    assert {name for name in before if before[name] != after[name]} == {
        "name",
        "name_key",
        "updated_at",
    }
