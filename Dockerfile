# A digest pins the base as well: --build-arg BASE=python@sha256:…
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
# With it, what is built and compiled is the same whenever that is done.
ENV SOURCE_DATE_EPOCH=315532800
COPY .ci/requirements.lock .ci/build.lock ./
RUN python -m venv --without-pip /opt/bot \
    && pip --python /opt/bot install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock \
    && pip install --no-cache-dir --require-hashes --only-binary :all: -r build.lock
COPY pyproject.toml README.md ./
COPY bot bot
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/bot install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM ${BASE}
# /rules is a directory, not a file: editors save by renaming, which a mounted file would not follow.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bot \
    && install -d -o 10001 -g bot /data /rules
COPY --from=build /opt/bot /opt/bot
COPY --chown=10001 rules.yaml /rules/rules.yaml
ENV PATH=/opt/bot/bin:$PATH \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/bot.db \
    RULES_FILE=/rules/rules.yaml \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME ["/data", "/rules"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
CMD ["bot", "serve"]
