"""Numbers and figures from electrochemical data."""
