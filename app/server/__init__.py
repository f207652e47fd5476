"""The server process: a gunicorn worker that gives complete requests to its threads."""
