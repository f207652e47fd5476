# Read by `flask` and by the server; .env and the environment come before it.
FLASK_APP=wsgi.py
FLASK_RUN_PORT=${PORT:-8000}
