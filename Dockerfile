# docker build -t crossfade .
# docker run --rm -v "$PWD/slots:/slots:ro" -v crossfade-log:/var/lib/crossfade \
#   -e CROSSFADE_SOURCE='host=db.internal dbname=ledger user=crossfade' crossfade run /slots/transaction-state.yaml

FROM swift:6.3-bookworm AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libpq-dev liblz4-dev zlib1g-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies first: they change seldom, and this layer is kept.
COPY Package.swift ./
RUN swift package resolve
COPY Sources ./Sources
COPY Tests ./Tests
COPY Benchmarks ./Benchmarks
RUN swift build -c release --static-swift-stdlib --product crossfade \
 && install -s .build/release/crossfade /usr/local/bin/crossfade

FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates libpq5 liblz4-1 zlib1g libstdc++6 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/crossfade --create-home crossfade
COPY --from=build /usr/local/bin/crossfade /usr/local/bin/crossfade
USER 10001
VOLUME /var/lib/crossfade
WORKDIR /var/lib/crossfade
STOPSIGNAL SIGTERM
ENTRYPOINT ["crossfade"]
CMD ["--help"]
