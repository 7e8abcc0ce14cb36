"""Which attributes people are sent with, and the memory of it.

No attribute stops a sync: people are sent without those that the account cannot hold, and the run
says which. Once it can hold one, everybody on a list who has such a value is sent again.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.text import fold_email
from campaigns.brevo import (
    Attribute,
    AttributeMap,
    BrevoAddressUnknown,
    BrevoClient,
    BrevoError,
    BrevoKeyMissing,
    BrevoKeyWrong,
    Contact,
)
from campaigns.models import ListMember, Segment, SentAttributes
from campaigns.sync.ledger import UNKNOWN
from campaigns.sync.outgoing import SENT_COLUMNS
from campaigns.sync.work import Run

# Names differ in spelling between any two systems, and numbers are no text: these three tell.
_TELLING = ("country", "state", "referral_source")
_SUBJECT = "attributes"


def read_attributes(client: BrevoClient) -> AttributeMap:
    """Return what the account calls our attributes, with the names that the settings give them."""
    return _named(client.attributes())


def _named(attributes: Iterable[Attribute]) -> AttributeMap:
    return AttributeMap.from_account(attributes, settings.BREVO_ATTRIBUTES)


def prepare(run: Run) -> dict[str, str]:
    """Compare what the account can hold with what people were sent; return the run's notes.

    Call it before the plan is made. Attributes that are missing are made, unless the run only
    plans. Brevo being out of reach holds up nothing: ``attributes_of`` asks again, as it does when
    nobody was sent anything yet.
    """
    is_first = not _members(run.segment).exists()
    if is_first and not run.export.plan_only:
        return {}
    try:
        attributes, notes = _read(run, is_first=is_first)
    except BrevoError:
        return {}
    _send_new_ones_to_all(run.segment, attributes)
    if not run.export.plan_only:
        run.attributes = attributes
    return notes


def attributes_of(run: Run) -> AttributeMap:
    """Return what the run sends people with, and remember it. Raises BrevoError."""
    attributes = run.attributes
    if attributes is None:
        attributes, notes = _read(run, is_first=not _members(run.segment).exists())
        run.save(notes={**run.export.notes, _SUBJECT: "", **notes})
        run.attributes = attributes
    _remember(run.segment, attributes)
    return attributes


def _read(run: Run, *, is_first: bool) -> tuple[AttributeMap, dict[str, str]]:
    """Return what the account can hold, and the notes of the run about it."""
    there = run.client.attributes()
    attributes, refused = _named(there), dict[str, str]()
    _forget_lost(attributes)
    _memory_of(run.segment, attributes)
    if not run.export.plan_only:
        attributes, refused = _make_missing(run.client, there)
    notes = left_out(attributes, refused)
    if is_first:
        with suppress(BrevoError):  # good to know, and no reason to stop
            notes += others_values(run.client, attributes)
    return attributes, {_SUBJECT: " ".join(notes)} if notes else {}


def left_out(attributes: AttributeMap, refused: Mapping[str, str]) -> list[str]:
    """Say which attributes people are sent without, and why; ``refused`` holds Brevo's words."""
    sentences = [
        f"People are sent without {name}: at Brevo it holds no text. Delete it there, or give ours "
        f"another name with BREVO_ATTRIBUTES; then everybody gets the value."
        for name in attributes.unusable
    ]
    sentences += [
        f"People are sent without {name}, because Brevo does not make it: “{words}”. Once it is "
        "there, everybody gets the value."
        for name, words in refused.items()
    ]
    if attributes.lacks_phone:
        sentences.append("People are sent without phone numbers: the account has no attribute SMS.")
    return sentences


def others_values(client: BrevoClient, attributes: AttributeMap) -> list[str]:
    """Say which of our attributes hold values at Brevo that we have not written.

    It looks at one page of the account's contacts, and at none that a list of ours ever had.
    """
    page: list[Contact] = next(iter(client.contacts(modified_since=None)), [])
    emails = {fold_email(contact.email) for contact in page if contact.email}
    ours = set(ListMember.objects.filter(email__in=emails).values_list("email", flat=True))
    theirs = [contact for contact in page if fold_email(contact.email) not in ours]
    people = {
        user["email_key"]: user
        for user in User.objects.filter(email_key__in=emails - ours).values("email_key", *_TELLING)
    }
    return [
        _in_words(attributes.names[name], name, values, len(page))
        for name in _TELLING
        if name in attributes.names
        and (values := _others(theirs, attributes.names[name], name, people))
    ]


def _others(
    contacts: list[Contact], theirs: str, ours: str, people: Mapping[str, Mapping[str, str]]
) -> list[str]:
    values = []
    for contact in contacts:
        value = str(contact.attributes.get(theirs) or "").strip()
        wanted = people.get(fold_email(contact.email), {}).get(ours, "")
        if value and value.casefold() != wanted.casefold():
            values.append(value)
    return values


def _in_words(theirs: str, ours: str, values: list[str], looked_at: int) -> str:
    return (
        f"{theirs} holds values that are not ours, such as “{values[0]}”, for {len(values):,} of "
        f"{looked_at:,} contacts looked at: a sync overwrites them for the people it sends. To "
        f"keep them, set BREVO_ATTRIBUTES={ours}=OUR_{theirs}."
    )


def _make_missing(
    client: BrevoClient, there: list[Attribute]
) -> tuple[AttributeMap, dict[str, str]]:
    """Make what is missing; return what is there then, and Brevo's words on what it refused.

    What another run made in the meantime is refused here, and there all the same.
    """
    words: dict[str, str] = {}
    missing = _named(there).missing
    for name in missing:
        try:
            client.create_attribute(name)
        except (BrevoKeyMissing, BrevoKeyWrong, BrevoAddressUnknown):
            raise
        except BrevoError as error:
            words[name] = error.brevo_message or str(error)
    made = [Attribute(name, "normal", "text") for name in missing]
    attributes = _named(client.attributes() if words else [*there, *made])
    return attributes, {name: words.get(name, "no reason given") for name in attributes.missing}


def _forget_lost(attributes: AttributeMap) -> None:
    """Remember for no segment what the account does not hold any more: its values are gone."""
    for memory in SentAttributes.objects.all():
        kept = _common(memory.names, attributes)
        if kept != memory.names:
            SentAttributes.objects.filter(pk=memory.pk).update(names=kept)


def _send_new_ones_to_all(segment: Segment, attributes: AttributeMap) -> None:
    """Doubt the members who have values that they could not be sent with until now."""
    with transaction.atomic():
        memory = _memory_of(segment, attributes)
        new = {ours for ours, name in attributes.names.items() if memory.names.get(ours) != name}
        if not new:
            return
        has_value = Q()
        for ours in new:
            has_value |= Q((f"{SENT_COLUMNS[ours]}__gt", ""))
        people = User.objects.filter(has_value).values("pk")
        _members(segment).filter(user_id__in=people).update(fingerprint=UNKNOWN)
        memory.names = dict(attributes.names)
        memory.save(update_fields=["names"])


def _remember(segment: Segment, attributes: AttributeMap) -> None:
    """Write what all members will have been sent with, before any of them is."""
    were_sent = _members(segment).exclude(fingerprint=UNKNOWN).exists()
    memory = _memory_of(segment, attributes)
    names = _common(memory.names, attributes) if were_sent else dict(attributes.names)
    if names != memory.names:
        SentAttributes.objects.filter(pk=memory.pk).update(names=names)


def _memory_of(segment: Segment, attributes: AttributeMap) -> SentAttributes:
    """Return what is remembered; at first, that people were sent all that there is."""
    return SentAttributes.objects.get_or_create(
        segment_id=segment.pk, defaults={"names": dict(attributes.names)}
    )[0]


def _common(names: Mapping[str, str], attributes: AttributeMap) -> dict[str, str]:
    return {ours: name for ours, name in names.items() if attributes.names.get(ours) == name}


def _members(segment: Segment) -> QuerySet[ListMember]:
    return ListMember.objects.current().filter(segment=segment)
