FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY bot bot
RUN pip wheel --no-cache-dir --wheel-dir /wheels ".[postgres,regex-rules]"

FROM python:3.12-slim
# /rules is a directory, not a file: editors save by renaming, which a mounted file would not follow.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index /wheels/*.whl \
    && useradd --system --uid 10001 --no-create-home bot \
    && install -d -o 10001 -g bot /data /rules
COPY --chown=10001 rules.yaml /rules/rules.yaml
ENV HOST=0.0.0.0 \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/bot.db \
    RULES_FILE=/rules/rules.yaml \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME ["/data", "/rules"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz', timeout=4)"]
CMD ["bot", "serve"]
