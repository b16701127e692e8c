"""The Ozonetel CDR API on loopback, with synthetic calls and named faults, for tests and demos."""
