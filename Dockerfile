# The application without its database: `docker compose up` (compose.yaml) adds that. Needs no secret to be built.
# `make image-check` carries all of this out and opens a page.

# --- What is installed and made at build time; only its results go into the image -------------------------------------

FROM debian:bookworm-slim AS build

# Headers and a compiler for mysqlclient. And of the packages of the database's client, which are 130 MB and want Perl,
# the two programs that dump and restore a database, also under their older names.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config python3-dev python3-venv \
    && mkdir /opt/packages && cd /opt/packages \
    && apt-get download mariadb-client mariadb-client-core \
    && for package in *.deb; do dpkg --extract "$package" .; done \
    && install -D -t /opt/client usr/bin/mariadb usr/bin/mariadb-dump \
    && ln -s mariadb /opt/client/mysql && ln -s mariadb-dump /opt/client/mysqldump \
    && rm -r /opt/packages /var/lib/apt/lists/*

WORKDIR /srv/himmes

# What changes seldom comes first: these layers are made anew only when these files change. Compiled further down.
COPY constraints.txt requirements.txt requirements-mysql.txt requirements-notices.txt requirements-formats.txt requirements-mqtt.txt ./
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --no-compile -c constraints.txt \
        -r requirements-mysql.txt -r requirements-notices.txt -r requirements-formats.txt -r requirements-mqtt.txt

# Node.js, for npm alone, stays in this stage.
COPY requirements-npm.txt package.json package-lock.json .npmrc ./
COPY scripts/npm.py scripts/
RUN python3 -m venv /opt/npm \
    && /opt/npm/bin/python -m pip install --no-cache-dir --no-compile -r requirements-npm.txt \
    && /opt/npm/bin/python scripts/npm.py ci --cache /tmp/npm

COPY . .

# Settings want a key. This one is forgotten with the shell that made it. What only a build needs is removed.
RUN /opt/venv/bin/python scripts/compile_translations.py \
    && DJANGO_SECRET_KEY="$(python3 -c 'import secrets; print(secrets.token_urlsafe(50))')" \
        /opt/venv/bin/python manage.py collectstatic --no-input \
    && /opt/venv/bin/python -m pip uninstall -y babel setuptools pip \
    && rm -r scripts constraints.txt requirements*.txt package*.json .npmrc

# Nothing can be compiled later, on a file system that can't be written to. Not checked against the time of the source,
# which builders may change.
RUN /opt/venv/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/venv/lib .

# --- The image --------------------------------------------------------------------------------------------------------

FROM debian:bookworm-slim

# libedit2 and libstdc++6 are for the database's client, tzdata knows the plant's time.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libedit2 libmariadb3 libstdc++6 python3 tzdata \
    && rm -r /var/lib/apt/lists/* \
    # The one folder that a volume may be laid over: an SQLite database, backups, files to import
    && install -d -o 10001 -g 10001 /data

COPY --from=build /opt/client /usr/local/bin
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/himmes /srv/himmes

# Without PORT gunicorn.conf.py would listen to the container itself only.
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8000
WORKDIR /srv/himmes

# What this is a build of, for the metrics: docker build --build-arg BUILD=...
ARG BUILD=unknown
ENV DJANGO_BUILD=$BUILD
# A number, so that an engine can see that it is not root; all files belong to root and can only be read.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "himmes.operations.healthcheck"]
CMD ["gunicorn"]
