"""The table that meltanolabs-target-snowflake makes of a SCHEMA, in fakesnow: its columns."""

from __future__ import annotations

import json

import fakesnow
import snowflake.connector
from target_snowflake.target import TargetSnowflake

CONFIG = {
    "user": "tester",
    "password": "tester",
    "account": "fake",
    "database": "CALLS",
    "warehouse": "CALLS",
    "default_target_schema": "PUBLIC",
    "add_record_metadata": False,
}

with fakesnow.patch():
    connection = snowflake.connector.connect(database="CALLS", schema="PUBLIC")
    TargetSnowflake(config=CONFIG).listen()
    found = connection.cursor().execute("DESCRIBE TABLE CALLS.PUBLIC.CDR").fetchall()
    print(json.dumps({row[0]: row[1] for row in found}))
