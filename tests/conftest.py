import pytest
from hypothesis import settings

# A machine that is busy with something else is not a fault of ours.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def ask_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a list that Brevo says is not there be looked at again without a pause."""
    monkeypatch.setattr("campaigns.sync.list_identity.PAUSE", 0.0)


@pytest.fixture(autouse=True)
def nothing_waits_for_brevo_in_a_transaction(settings) -> None:
    settings.BREVO_REFUSE_IN_TRANSACTION = True
