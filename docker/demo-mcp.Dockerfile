# The demo MCP server. Build it from the repository's root:
#   docker build -f docker/demo-mcp.Dockerfile -t authsec-demo-mcp .

FROM node:22.23.3-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS build
ENV CI=true TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1
WORKDIR /src
COPY . .
RUN npx -y pnpm@12.21.0 install --frozen-lockfile --filter authsec --filter '@authsec/demo-mcp...'
RUN npx -y pnpm@12.21.0 exec turbo run build --filter=@authsec/demo-mcp --output-logs=errors-only
RUN npx -y pnpm@12.21.0 --filter @authsec/demo-mcp deploy --prod ../app
RUN npx -y pnpm@12.21.0 --filter @authsec/demo-mcp sbom --prod --sbom-type application --sbom-format cyclonedx --out ../app/sbom.cdx.json
RUN node docker/prune-folder.js ../app
RUN cp LICENSE ../app/

FROM gcr.io/distroless/nodejs22-debian12:nonroot@sha256:13593b7570658e8477de39e2f4a1dd25db2f836d68a0ba771251572d23bb4f8e
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="AuthSec demo MCP server" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      com.authsec.sbom="/app/sbom.cdx.json"
ENV NODE_ENV=production AUTHSEC_DEMO_HOST=0.0.0.0 AUTHSEC_DEMO_PORT=4701
WORKDIR /app
COPY --from=build /app /app
USER 65532:65532
EXPOSE 4701
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/nodejs/bin/node", "dist/check-health.js"]
ENTRYPOINT ["/nodejs/bin/node", "dist/main.js"]
