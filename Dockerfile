# The site in a slim image, without a compiler and not as root.
FROM python:3.13-slim AS build
RUN python -m venv /venv
WORKDIR /build
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FLASK_INSTANCE=/data \
    PORT=8000
RUN useradd --system --uid 10001 --home-dir /data --create-home broadsheet \
    && install --directory --owner=broadsheet /edge
COPY --from=build /venv /venv
WORKDIR /site
COPY . .
USER broadsheet
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["gunicorn", "wsgi:app"]
