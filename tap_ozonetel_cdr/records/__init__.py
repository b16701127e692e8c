"""What a record becomes: a response in, rows out, flat in memory."""
