# docker build -t zos-gateway . && docker run -p 80:8080 -p 443:8443 -v gateway:/var/lib/zos-gateway zos-gateway
FROM node:24-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund && npm pack --pack-destination /tmp

FROM node:24-slim
COPY --from=build /tmp/zos-gateway-*.tgz /tmp/
RUN npm install --global --no-audit --no-fund /tmp/zos-gateway-*.tgz \
  && rm -rf /tmp/zos-gateway-*.tgz /root/.npm \
  && install -d -o node -g node -m 0700 /var/lib/zos-gateway
USER node
# A config of your own: mount it here as gateway.config.mts.
WORKDIR /etc/zos-gateway
VOLUME /var/lib/zos-gateway
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
ENTRYPOINT ["gateway", "--root", "/var/lib/zos-gateway"]
