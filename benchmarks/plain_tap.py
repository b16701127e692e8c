"""The same API through a plain Singer SDK tap, as the SDK's guide has it: what is compared with.

One request for the day ``start_date``; the API's 47 fields and nothing added; the SDK does all the
rest. It keeps no limit, and a refusal under HTTP 200 passes for an empty day.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

_INTEGERS = ("DialCount", "Rating")
_TEXTS = (
    *("AgentDialStatus", "AgentID", "AgentName", "CallAudio", "CallDate", "CallFlow", "CallID"),
    *("CallerConfAudioFile", "CallerID", "CampaignName", "Comments", "ConferenceDuration"),
    *("CustomerDialStatus", "CustomerRingTime", "DID", "DialOutName", "DialStatus"),
    *("DialedNumber", "Disposition", "Duration", "DynamicDID", "E164", "EndTime", "Event"),
    *("HandlingTime", "HangupBy", "HoldDuration", "Location", "PickupTime", "QueueTime"),
    *("RatingComments", "Skill", "StartTime", "Status", "TalkTime", "TimeToAnswer"),
    *("TransferType", "TransferredTo", "Type", "UCID", "UUI", "VideoRecordingURL", "WrapUpEndTime"),
    *("WrapUpStartTime", "WrapupDuration"),
)


class CallsStream(RESTStream[None]):
    """The records of one day."""

    name = "cdr"
    path = "/ca_reports/fetchCDRDetails"
    primary_keys = ("CallID", "UCID")
    records_jsonpath = "$.details[*]"
    schema = th.PropertiesList(
        *(th.Property(name, th.IntegerType) for name in _INTEGERS),
        *(th.Property(name, th.StringType) for name in _TEXTS),
    ).to_dict()

    @property
    def url_base(self) -> str:
        """The API's address."""
        return str(self.config["api_url"])

    @cached_property
    def authenticator(self) -> BearerTokenAuthenticator:
        """A bearer token, generated once."""
        response = requests.post(
            f"{self.url_base}/ca_apis/CAToken/generateToken",
            headers={"apiKey": self.config["api_key"]},
            json={"userName": self.config["user_name"]},
            timeout=self.timeout,
        )
        return BearerTokenAuthenticator(token=response.json()["token"])

    def prepare_request_payload(
        self,
        context: Context | None,  # noqa: ARG002
        next_page_token: None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return what is asked for, which this API takes as JSON on a GET."""
        day = self.config["start_date"]
        return {
            "fromDate": f"{day} 00:00:00",
            "toDate": f"{day} 23:59:59",
            "userName": self.config["user_name"],
        }


class PlainTap(Tap):
    """The tap around the one stream."""

    name = "plain-tap"
    config_jsonschema = th.PropertiesList(
        th.Property("user_name", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
        th.Property("api_url", th.StringType, required=True),
        th.Property("start_date", th.DateType, required=True),
    ).to_dict()

    def discover_streams(self) -> list[CallsStream]:
        """Return the one stream."""
        return [CallsStream(self)]
