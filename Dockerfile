# Two images from one file; 155 and 227 MB on disk, uncompressed:
#
#   docker build --target controller -t slicewise-controller:0.1.0 .
#   docker build --target proxier    -t slicewise-proxier:0.1.0 .
#
# What npm brings is held still by package-lock.json. To hold Debian still as well, name the base by its digest and a moment of
# snapshot.debian.org, and let the builder set the times of all files:
#
#   docker buildx build --build-arg BASE=debian@sha256:... --build-arg SNAPSHOT=20261101T000000Z \
#     --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) --output type=image,rewrite-timestamp=true ...
ARG BASE=debian:trixie-slim

FROM ${BASE} AS base
ARG SNAPSHOT=
RUN if [ -n "$SNAPSHOT" ]; then \
      sed -i -E "s,https?://deb\.debian\.org/debian(-security)?,http://snapshot.debian.org/archive/debian\1/$SNAPSHOT," \
        $(grep -rlsF deb.debian.org /etc/apt/sources.list /etc/apt/sources.list.d) \
      && echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/80snapshot; \
    fi

# The bundle, the Node that the lock file names, and what that Node needs of Debian.
FROM base AS build
ARG NPM=11.19.1
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libatomic1 npm \
    && npm install --global "npm@$NPM"
WORKDIR /slicewise
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY rolldown.config.ts ./
COPY src src
RUN npm run build
# The list of what is in it, without the random number and the time that would make each build another.
RUN npm sbom --omit=dev --sbom-format=cyclonedx \
    | sed -E '/^ *"(serialNumber|timestamp)":/d' > slicewise.cdx.json \
    && node -e 'JSON.parse(require("fs").readFileSync("slicewise.cdx.json"))'
# The licences ask to go along with what is bundled.
RUN npm ls --omit=dev --all --parseable | tail -n +2 | while read -r package; do \
      find "$package" -maxdepth 1 -type f '(' -iname 'licen[cs]e*' -o -iname 'notice*' ')' -print -exec cat '{}' ';'; \
    done > licences.txt \
    && test -s licences.txt
# /out is the whole controller image: Node, the shared libraries that it names, and Debian's record of the packages they are from,
# where image scanners look for it.
RUN node="$(readlink -f node_modules/.bin/node)" \
    && install -D "$node" /out/usr/local/bin/node \
    && mkdir -p /out/etc /out/var/lib/dpkg/status.d \
    && for library in $(ldd "$node" | grep -oE '/[^ ]+'); do \
         cp -L --parents "$library" /out \
         && package="$(dpkg-query --search "$(realpath "$library")" | head -n 1 | cut -d : -f 1)" \
         && dpkg-query --status "$package" > "/out/var/lib/dpkg/status.d/$package" \
         && install -D -m 0644 "/usr/share/doc/$package/copyright" "/out/usr/share/doc/$package/copyright" || exit 1; \
       done \
    && cp /etc/debian_version /etc/os-release /out/etc/ \
    && echo 'hosts: files dns' > /out/etc/nsswitch.conf \
    && echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' > /out/etc/passwd \
    && echo 'nonroot:x:65532:' > /out/etc/group \
    && mkdir -p /out/usr/share/sbom \
    && cp slicewise.cdx.json /out/usr/share/sbom/ \
    && cp -r dist /out/usr/share/slicewise \
    && cp licences.txt /out/usr/share/slicewise/ \
    && chmod -R go=u-w /out

FROM scratch AS controller
LABEL org.opencontainers.image.title="slicewise controller" \
      org.opencontainers.image.description="The EndpointSlice controller of Kubernetes, in TypeScript" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ /
USER 65532:65532
# A small young generation: what decoding lists leaves behind is collected early.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=4", "/usr/share/slicewise/main.js"]
CMD ["controller"]

# Debian with both variants of iptables, conntrack, nfacct, and nft, which removes what a kube-proxy in mode nftables left. No wrapper
# around iptables is needed: `slicewise proxier` finds out which variant the host uses (--iptables-backend=auto) and starts that one
# by its own name.
FROM base AS proxier
LABEL org.opencontainers.image.title="slicewise proxier" \
      org.opencontainers.image.description="The kube-proxy of Kubernetes, in TypeScript" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends conntrack iptables libatomic1 nfacct nftables \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/cache/ldconfig/* /var/log/*
COPY --from=build /out/usr/local/bin/node /usr/local/bin/node
COPY --from=build /out/usr/share/slicewise/ /usr/share/slicewise/
COPY --from=build /out/usr/share/sbom/ /usr/share/sbom/
# Root, as loading rules needs it; the manifests take all of root's rights away but the one for the network.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=4", "/usr/share/slicewise/main.js"]
CMD ["proxier"]
