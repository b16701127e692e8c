"""Made-up names, campaigns and remarks of a contact centre. No real person or number is in it."""

from __future__ import annotations

from typing import NamedTuple


class Campaign(NamedTuple):
    """A campaign: how its calls come about and what agents note about them."""

    name: str
    type: str
    skills: tuple[str, ...]
    dispositions: tuple[str, ...]
    #: How many of a hundred calls are answered.
    answered: int


#: Sixteen entries, so that four random bits pick one: more common campaigns stand more often.
CAMPAIGNS = (
    *[
        Campaign(
            "Support_Inbound",
            "InBound",
            ("General", "Billing", "Technical", "Hindi"),
            ("Resolved", "Follow up", "Escalated", "Wrap up time exceeded :1"),
            89,
        )
    ]
    * 6,
    *[
        Campaign(
            "Sales_Inbound",
            "InBound",
            ("Sales", "Sales_Tamil"),
            ("Sale", "Interested", "Not interested", "Follow up"),
            92,
        )
    ]
    * 4,
    *[
        Campaign(
            "Renewals_Progressive",
            "Progressive",
            ("Renewals",),
            ("Renewed", "Call back", "Not interested", "Wrong number"),
            46,
        )
    ]
    * 4,
    Campaign(
        "Survey_Predictive",
        "Predictive",
        ("Survey",),
        ("Completed", "Refused", "Call back"),
        38,
    ),
    Campaign("Callback_Manual", "Manual", ("General",), ("Resolved", "Call back"), 61),
)

CAMPAIGN_NAMES = frozenset(campaign.name for campaign in CAMPAIGNS)

FIRST_NAMES = (
    *("Aarav", "Aditi", "Arjun", "Divya", "Farhan", "Gayatri", "Harpreet", "Ishaan"),
    *("José", "Kavya", "Lakshmi", "Meera", "Neha", "Oisín", "Priya", "Rahul"),
)
LAST_NAMES = (
    *("Banerjee", "Chopra", "D'Souza", "Fernandes", "Gupta", "Iyer", "Joshi", "Khan"),
    *("Menon", "Nair", "O'Brien", "Patel", "Reddy", "Sharma", "Singh", "Verma"),
)
LOCATIONS = (
    *("Bangalore", "Mumbai", "Delhi", "Hyderabad", "Chennai", "Kolkata", "Pune", ""),
    *("Ahmedabad", "Jaipur", "Kochi", "Lucknow", "Nagpur", "Surat", "Indore", ""),
)
HANGUPS = ("UserHangup", "AgentHangup", "UserHangup", "AgentHangup")
NO_ANSWERS = ("not_answered", "busy", "not_answered", "failed")
CALL_FLOWS = ("Main IVR", "Main IVR > Language > 1", "Main IVR > Billing > 2", "")

#: What agents type: quotes, braces, line ends, other scripts, signs outside the basic plane.
COMMENTS = (
    "Asked for a call back after 5 pm",
    'Said "not now", try again on Monday',
    "Rückruf erwünscht, Vertrag läuft aus",
    "ग्राहक ने बिल के बारे में पूछा",
    "Happy customer 👍🏽",
    "Line 1\nLine 2\r\n\tLine 3",
    '{"ticket": 4711, "tags": ["a", "b"]}',
    "Path C:\\calls\\new, 100 % done",
    "}, {",
    '"}, {"AgentDialStatus": "answered',
    "குரல் சரியாக கேட்கவில்லை",
    "<b>urgent</b> & important",
    "'; DROP TABLE calls; --",
    "zero\u200bwidth and no\u00a0break",
    "comma, semicolon; tab\tend",
    "]]]}}}",
)
RATING_COMMENTS = ("Very helpful", "Waited too long", "धन्यवाद", "ok")
