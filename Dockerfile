# Two images from one file:
#
#   docker build --target controller -t slicewise-controller:0.1.0 .
#   docker build --target proxier    -t slicewise-proxier:0.1.0 .
#
# What npm brings is held still by package-lock.json. To hold Debian still as well, name the base by its digest and a moment of
# snapshot.debian.org, and let the builder set the times of what it makes itself:
#
#   docker buildx build --build-arg BASE=debian@sha256:... --build-arg SNAPSHOT=20261101T000000Z \
#     --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) --output type=image,rewrite-timestamp=true ...
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
ARG SNAPSHOT=
RUN if [ -n "$SNAPSHOT" ]; then \
      sed -i -E "s,https?://deb\.debian\.org/debian(-security)?,http://snapshot.debian.org/archive/debian\1/$SNAPSHOT," \
        $(grep -rlsF deb.debian.org /etc/apt/sources.list /etc/apt/sources.list.d) \
      && echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/80snapshot; \
    fi
ARG NPM=11.19.1
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils ca-certificates conntrack iptables libatomic1 nfacct nftables npm \
    && rm -rf /var/lib/apt/lists/* \
    && npm install --global "npm@$NPM"
WORKDIR /slicewise
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY rolldown.config.ts ./
COPY src src
COPY image image
RUN npm run build && chmod 0755 dist/iptables-wrapper.js
# The packages that the bundle may have parts of. Their licences ask to go along.
RUN npm ls --omit=dev --all --parseable | tail -n +2 | sort > packages.txt && test -s packages.txt
RUN while read -r package; do \
      find "$package" -maxdepth 1 -type f '(' -iname 'licen[cs]e*' -o -iname 'notice*' ')' | sort | while read -r file; do \
        echo "$file" && cat "$file" || exit 1; \
      done; \
    done < packages.txt > licences.txt

# What both images have: the Node that the lock file names, without the fifth of it that only debuggers read; what it needs of Debian;
# and the bundle.
RUN install --strip "$(readlink -f node_modules/.bin/node)" /usr/local/bin/node \
    && image/collect.sh /out/runtime /usr/local/bin/node \
    && mkdir -p /out/runtime/etc /out/runtime/run \
    && cp /etc/debian_version /etc/os-release /out/runtime/etc/ \
    && echo 'hosts: files dns' > /out/runtime/etc/nsswitch.conf \
    && printf '%s\n' root:x:0:0:root:/:/sbin/nologin nonroot:x:65532:65532:nonroot:/:/sbin/nologin > /out/runtime/etc/passwd \
    && printf '%s\n' root:x:0: nonroot:x:65532: > /out/runtime/etc/group \
    && cp -r dist /out/runtime/usr/share/slicewise \
    && cp licences.txt /out/runtime/usr/share/slicewise/
# What the proxier starts: both variants of iptables with all their matches and targets, conntrack, nfacct, and nft, which removes what
# a kube-proxy in mode nftables left. The plain names are a program of ours that becomes the one of the variant that the host uses;
# `slicewise proxier` itself chooses one for good when it starts.
RUN set -e; cd /usr/sbin; variants=; \
    for name in iptables ip6tables; do for action in '' -save -restore; do \
      variants="$variants /usr/sbin/$name-nft$action /usr/sbin/$name-legacy$action"; \
      mkdir -p /out/proxier/usr/sbin; \
      ln -s /usr/share/slicewise/iptables-wrapper.js "/out/proxier/usr/sbin/$name$action"; \
    done; done; \
    BELOW=/out/runtime /slicewise/image/collect.sh /out/proxier /usr/sbin/conntrack /usr/sbin/nfacct /usr/sbin/nft $variants \
      /usr/sbin/xtables-nft-multi /usr/sbin/xtables-legacy-multi /usr/lib/*/xtables/*.so /etc/protocols
# What is in them, as CycloneDX; and no time of the build.
ARG SOURCE_DATE_EPOCH=0
RUN npm sbom --sbom-format=cyclonedx > npm.cdx.json \
    && for image in controller proxier; do mkdir -p "/out/$image/usr/share/sbom" || exit 1; done \
    && node image/sbom.ts npm.cdx.json packages.txt /out/runtime > /out/controller/usr/share/sbom/slicewise.cdx.json \
    && node image/sbom.ts npm.cdx.json packages.txt /out/runtime /out/proxier > /out/proxier/usr/share/sbom/slicewise.cdx.json \
    && chmod -R go=u-w /out \
    && find /out -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" '{}' +

FROM scratch AS runtime
COPY --from=build /out/runtime/ /
ENV PATH=/usr/local/bin:/usr/sbin MALLOC_ARENA_MAX=2
# A small young generation: what decoding lists leaves behind is collected early.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=4", "/usr/share/slicewise/main.js"]

FROM runtime AS controller
LABEL org.opencontainers.image.title="slicewise controller" \
      org.opencontainers.image.description="The EndpointSlice controller of Kubernetes, in TypeScript" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/controller/ /
USER 65532:65532
CMD ["controller"]

FROM runtime AS proxier
LABEL org.opencontainers.image.title="slicewise proxier" \
      org.opencontainers.image.description="The kube-proxy of Kubernetes, in TypeScript" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/proxier/ /
# Root, as loading rules needs it; the manifests take all of root's rights away but the one for the network.
USER 0:0
CMD ["proxier"]
