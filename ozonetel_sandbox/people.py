"""Made-up names, campaigns and remarks of a contact centre. No real person or number is in it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Direction = Literal["inbound", "manual", "progressive"]


class Campaign(NamedTuple):
    """A campaign: how its calls come about and what agents note about them."""

    name: str
    direction: Direction
    #: An inbound call is moved along these, from any of them on.
    skills: tuple[str, ...]
    dispositions: tuple[str, ...]


_SUPPORT = Campaign(
    "Support_Inbound",
    "inbound",
    ("General", "Billing", "Technical", "Hindi", "Tamil", "Supervisor"),
    ("Resolved", "Follow up", "Escalated", "Wrap up time exceeded :1"),
)
_SALES = Campaign(
    "Sales_Inbound",
    "inbound",
    ("Sales", "Sales_Hindi", "Sales_Tamil", "Upgrades", "Partners", "Sales_Overflow"),
    ("Sale", "Interested", "Not interested", "Follow up"),
)
_CALLBACKS = Campaign("Callback_Manual", "manual", ("",), ("Resolved", "Call back", "No answer"))
_COLLECTIONS = Campaign("Collections_Manual", "manual", ("",), ("Promised", "Paid", "No answer"))
_RENEWALS = Campaign(
    "Renewals_Progressive",
    "progressive",
    ("Renewals",),
    ("Renewed", "Call back", "Not interested", "Wrong number"),
)

#: The campaigns of each direction; more common ones stand more often.
CAMPAIGNS: dict[Direction, tuple[Campaign, ...]] = {
    "inbound": (_SUPPORT, _SUPPORT, _SUPPORT, _SALES, _SALES),
    "manual": (_CALLBACKS, _COLLECTIONS, _COLLECTIONS),
    "progressive": (_RENEWALS,),
}

CAMPAIGN_NAMES = frozenset(
    campaign.name for campaigns in CAMPAIGNS.values() for campaign in campaigns
)

#: Names with the characters that the measured account had, which were ASCII only. [measured]
PLAIN_FIRST_NAMES = (
    *("Aarav", "Aditi", "Arjun", "Divya", "Farhan", "Gayatri", "Harpreet", "Ishaan"),
    *("Jaya", "Kavya", "Lakshmi", "Meera", "Neha", "Om", "Priya", "Rahul"),
)
#: What other accounts may have.
RICH_FIRST_NAMES = (
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

PLAIN_COMMENTS = (
    "Asked for a call back after 5 pm",
    "Will pay on Monday",
    "Customer was busy, try again",
    "Explained the new plan",
)
#: What agents type: quotes, braces, line ends, other scripts, signs outside the basic plane.
RICH_COMMENTS = (
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
