# Images that are only copied from fire no triggers: what these refer to is needed, and no circle.
FROM alpine AS base
COPY --from=example.com/obstage /x /y
FROM base AS build
RUN --mount=from=example.com/obstage,target=/m true
COPY --from=example.com/obself /x /y
FROM alpine AS other
COPY --from=build / /
FROM other
COPY --from=example.com/obcopy /x /y
COPY --from=example.com/obenv /x /y
