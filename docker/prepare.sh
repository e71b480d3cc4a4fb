#!/bin/sh
# One-shot job of docker/compose.yml, in the OpenBao image: makes what every other service is given, once.
# Certificates come from OpenBao's own PKI engine, in a server that lives as long as this script.
set -eu
umask 027
# /secrets are the Manager's, /certs is the authority; the folders below /keys are of one service each.
: "${SECRETS:=/secrets}" "${CERTS:=/certs}" "${KEYS:=/keys}" "${VOLUMES:=/volumes}" "${OWNER:=65532:65532}"

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
hex() { head -c "$1" /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# Keeps what is there: this runs at each `up`.
secret() { [ -s "$1" ] || printf '%s' "$2" >"$1"; }

secret "$KEYS/postgres/password" "$(hex 24)"
secret "$SECRETS/database-url" "postgresql://authsec:$(cat "$KEYS/postgres/password")@postgres:5432/authsec"
secret "$SECRETS/sealing-keys" "k1:$(random 32)"
secret "$SECRETS/cookie-keys" "$(hex 32)"
secret "$SECRETS/operator-password" "$(hex 12)"
secret "$KEYS/openbao/unseal-key" "$(hex 32)"

if [ ! -s "$CERTS/ca.pem" ]; then
  unset BAO_CACERT
  BAO_TOKEN="$(hex 16)"
  export BAO_ADDR=http://127.0.0.1:8199 BAO_TOKEN HOME=/tmp
  bao server -dev -dev-no-store-token -dev-root-token-id="$BAO_TOKEN" -dev-listen-address=127.0.0.1:8199 >/dev/null 2>&1 &
  server=$!
  trap 'kill $server' EXIT
  tries=0
  until bao status >/dev/null 2>&1; do
    kill -0 $server
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo 'OpenBao does not start' >&2; exit 1; }
    sleep 0.2
  done
  bao secrets enable -max-lease-ttl=87600h pki
  bao write -field=certificate pki/root/generate/internal common_name='AuthSec compose' ttl=87600h >"$CERTS/ca.new"
  bao write pki/roles/server allow_any_name=true enforce_hostnames=false max_ttl=8760h
  for name in openbao proxy; do
    [ "$name" = openbao ] && alt=localhost || alt=auth.localhost,mcp.localhost,localhost
    bao write -field=certificate pki/issue/server common_name=$name alt_names=$alt ip_sans=127.0.0.1 \
      ttl=8760h format=pem_bundle >"$KEYS/$name/tls.pem"
  done
  mv "$CERTS/ca.new" "$CERTS/ca.pem"
fi

# So that no other service has to be root to write what is its own.
[ "$(id -u)" -ne 0 ] || chown -R "$OWNER" "$SECRETS" "$CERTS" "$KEYS" "$VOLUMES"
# The certificate authority is no secret; keys are in the bundles of their servers.
chmod 755 "$CERTS" && chmod 644 "$CERTS/ca.pem"
chmod 640 "$KEYS"/*/* "$SECRETS"/*
echo 'secrets and certificates are there'
