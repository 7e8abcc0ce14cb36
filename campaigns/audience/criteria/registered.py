"""Every criterion there is. One more needs an entry here, and a value in the tests."""

from accounts.enums import Consent, Gender
from accounts.text import fold
from campaigns.audience.criteria.criterion import Criterion, Verb
from campaigns.audience.criteria.dates import BeforeDays, Between, WithinDays
from campaigns.audience.criteria.operators import AnyOf, NoneOf
from campaigns.audience.criteria.references import Agents, Partners, Properties
from campaigns.audience.criteria.subjects import Column, Enrolled, FoldedColumn, Moment, Served
from campaigns.audience.criteria.values import Choices, Countries, Texts

VALUES = (AnyOf(), NoneOf())
LIVES = Verb(
    singular="lives",
    plural="live",
    negative="does not live",
    plural_negative="do not live",
    to="in",
)

REGISTERED = (
    Criterion(
        key="gender",
        label="Gender",
        group="Profile",
        help="Customers of one of these genders.",
        verb=Verb(singular="is", plural="are", negative="is not", plural_negative="are not"),
        subject=Column(
            "gender",
            Choices(
                dict(Gender.choices),
                spoken={
                    Gender.MALE: ("a man", "men"),
                    Gender.FEMALE: ("a woman", "women"),
                    Gender.PREFER_NOT_TO_SAY: (
                        "somebody who names no gender",
                        "people who name no gender",
                    ),
                },
            ),
            unknown="has no gender on record",
        ),
        operators=VALUES,
    ),
    Criterion(
        key="properties",
        label="Properties",
        group="Enrolments and sources",
        help="Customers enrolled in one of these; cancelled enrolments do not count.",
        verb=Verb(
            singular="is enrolled",
            plural="are enrolled",
            negative="is not enrolled",
            plural_negative="are not enrolled",
            to="in",
        ),
        subject=Enrolled(Properties()),
        operators=VALUES,
    ),
    Criterion(
        key="countries",
        label="Countries",
        group="Profile",
        help="Customers who live in one of these countries.",
        verb=LIVES,
        subject=Column("country", Countries(), unknown="has no country on record"),
        operators=VALUES,
    ),
    Criterion(
        key="states",
        label="States",
        group="Profile",
        help="Customers who live in one of these states, however it is capitalised.",
        verb=LIVES,
        subject=FoldedColumn("state", Texts("state"), fold=fold, unknown="has no state on record"),
        operators=VALUES,
    ),
    Criterion(
        key="traffic_sources",
        label="Traffic sources",
        group="Enrolments and sources",
        help="Customers who came in through one of these, however it is capitalised.",
        verb=Verb(
            singular="came in",
            plural="came in",
            negative="did not come in",
            plural_negative="did not come in",
            to="through",
        ),
        subject=FoldedColumn(
            "referral_source",
            Texts("referral_source"),
            fold=fold,
            unknown="has no traffic source on record",
        ),
        operators=VALUES,
    ),
    Criterion(
        key="agents",
        label="Agents",
        group="Agents and partners",
        help="Customers whom one of these enrolled (unless cancelled) or whose lead they closed.",
        verb=Verb(
            singular="is served",
            plural="are served",
            negative="is not served",
            plural_negative="are not served",
            to="by",
        ),
        subject=Served(Agents()),
        operators=VALUES,
    ),
    Criterion(
        key="partners",
        label="Partners",
        group="Agents and partners",
        help="Customers whom one of these approved partners referred.",
        verb=Verb(
            singular="was referred",
            plural="were referred",
            negative="was not referred",
            plural_negative="were not referred",
            to="by",
        ),
        subject=Column("referred_by_partner_id", Partners()),
        operators=VALUES,
    ),
    Criterion(
        key="joined",
        label="Joined",
        group="Profile",
        help="When customers joined.",
        verb=Verb(
            singular="joined",
            plural="joined",
            negative="did not join",
            plural_negative="did not join",
        ),
        subject=Moment("date_joined"),
        operators=(Between(), WithinDays(), BeforeDays()),
    ),
    Criterion(
        key="consent",
        label="Consent",
        group="Profile",
        help="What customers said about marketing; whoever opted out is never mailed.",
        verb=Verb(singular="has", plural="have", negative="has not", plural_negative="have not"),
        subject=Column(
            "marketing_consent",
            Choices(
                dict(Consent.choices),
                spoken={
                    Consent.UNKNOWN: ("said nothing about marketing",) * 2,
                    Consent.OPTED_IN: ("opted in",) * 2,
                    Consent.OPTED_OUT: ("opted out",) * 2,
                },
            ),
        ),
        operators=VALUES,
    ),
)
