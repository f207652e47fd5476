"""The HTTP client transport with a deadline, shared by `cdn` and `audit`."""
