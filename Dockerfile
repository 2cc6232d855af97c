FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1

# By number, so that an orchestrator can see that it is not root.
RUN useradd --system --uid 10001 --no-create-home syllabus

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY backend ./backend

USER 10001
WORKDIR /app/backend
EXPOSE 8000

# /livez and not /readyz: a database that is away is no reason to restart this process. The start period is for migrations.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10m --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]

CMD ["./start.sh"]
