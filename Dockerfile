# Images of veripatch. Base images are arguments, pinned by digest; name your mirror's instead:
#
#   docker build -t veripatch .                                    the runtime, with a portable file built from here
#   docker build -t veripatch --build-arg COMMIT="$(git rev-parse HEAD)" --build-arg RUNTIME_BASE=… .
#   docker build -t sandbox-python --target sandbox-python .       an example of an image that commands run in
#
# With dist/pp there (deno task build --portable) nothing is downloaded to build it, so `--network none` works.
ARG BUILD_BASE=node:22-bookworm-slim@sha256:83f487e0a63425e5b4d146fb5e5be574bcbe1b7b843d3ebafdd95eaf7767a7e5
ARG RUNTIME_BASE=debian:bookworm-slim@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716
ARG SANDBOX_PYTHON_BASE=python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY . .
# The commit of these sources: there is no git here that could say. A dist/pp of another one is refused.
ARG COMMIT=""
RUN test -x dist/pp || npx -y deno@2.9.6 task build --portable ${COMMIT:+--commit "$COMMIT"}
# Unpacked here once, so that containers start at once and need no place to write to.
RUN XDG_CACHE_HOME=/unpacked dist/pp --version --json >/unpacked.json \
  && { test -z "$COMMIT" || grep -q "\"commit\": *\"$COMMIT\"" /unpacked.json \
    || { echo "dist/pp is not of $COMMIT" >&2; exit 1; }; } \
  && mkdir /veripatch \
  && cp -R /unpacked/veripatch/portable/*/tree/. /veripatch/ \
  && chmod -R u=rwX,go=rX /veripatch \
  && chmod 0755 /veripatch/start.sh

FROM ${SANDBOX_PYTHON_BASE} AS sandbox-python
RUN python3 -m pytest --version || pip install --no-cache-dir pytest==8.4.2
USER 65532:65532
WORKDIR /workspace

FROM ${RUNTIME_BASE} AS runtime
# The gate reads repositories with git: --build-arg PACKAGES=git. Proving and verifying need nothing.
ARG PACKAGES=""
RUN if [ -n "$PACKAGES" ]; then \
    apt-get update && apt-get install -y --no-install-recommends $PACKAGES && rm -rf /var/lib/apt/lists/*; \
  fi
COPY --from=build /veripatch /opt/veripatch
RUN ln -s /opt/veripatch/start.sh /usr/local/bin/pp
# An engine's mounted socket belongs to a group: docker run --group-add "$(stat -c %g /var/run/docker.sock)".
USER 65532:65532
ENV HOME=/tmp
WORKDIR /workspace
ENTRYPOINT ["pp"]
