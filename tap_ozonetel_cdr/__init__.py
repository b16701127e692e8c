"""Singer tap for Ozonetel CloudAgent call detail records."""
