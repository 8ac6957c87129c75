# Tags follow the Go version in go.mod.
FROM golang:1.26-bookworm AS build
WORKDIR /src

# Modules are a layer of their own: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
# The version comes from git; use --build-arg BUILDVCS=false where .git is not a plain directory (a git worktree).
ARG BUILDVCS=auto
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=${BUILDVCS} -ldflags="-s -w" -o /cacheproxy ./cmd/cacheproxy

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /cacheproxy /cacheproxy

# By number, so that an orchestrator can see that it is not root.
USER 65532:65532

# Configuration is by environment: CACHEPROXY_ORIGIN (required), CACHEPROXY_CACHE_SIZE, ... see docs/config.md.
# The admin listener stays on 127.0.0.1:8081 inside the container; the health check asks it there.
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/cacheproxy", "health"]
ENTRYPOINT ["/cacheproxy"]
