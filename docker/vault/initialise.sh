#!/bin/sh
# One-shot job of docker/compose.yml, in the OpenBao image: initialises the server, sets it up for AuthSec, and leaves
# what the Manager logs in with. The root token lives as long as this script; the recovery key stays in /keys/openbao.
set -eu
umask 027
: "${SECRETS:=/secrets}" "${CERTS:=/certs}" "${KEYS:=/keys}" "${HERE:=/vault}" "${OWNER:=65532:65532}"
: "${BAO_ADDR:=https://openbao:8200}" "${BAO_CACERT:=$CERTS/ca.pem}"
export BAO_ADDR BAO_CACERT HOME=/tmp

answers() { bao status >/dev/null 2>&1 || [ $? -eq 2 ]; }
tries=0
until answers; do
  tries=$((tries + 1))
  [ $tries -lt 120 ] || { echo "$BAO_ADDR does not answer" >&2; exit 1; }
  sleep 0.5
done

if [ -s "$SECRETS/vault-secret-id" ]; then
  echo 'OpenBao is set up already'
  exit 0
fi

bao operator init -recovery-shares=1 -recovery-threshold=1 >"$KEYS/openbao/init"
BAO_TOKEN=$(sed -n 's/^Initial Root Token: //p' "$KEYS/openbao/init")
export BAO_TOKEN
until bao token lookup >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 240 ] || { echo 'OpenBao does not open' >&2; exit 1; }
  sleep 0.5
done

. "$HERE/set-up.sh"

bao write auth/approle/role/authsec-manager/role-id role_id=authsec-manager
bao write -f -field=secret_id auth/approle/role/authsec-manager/secret-id >"$SECRETS/vault-secret-id.new"
bao token revoke -self
sed -i '/Root Token/d' "$KEYS/openbao/init"
[ "$(id -u)" -ne 0 ] || chown "$OWNER" "$SECRETS"/vault-* "$KEYS/openbao/init"
chmod 640 "$SECRETS/vault-secret-id.new"
chmod 600 "$KEYS/openbao/init"
mv "$SECRETS/vault-secret-id.new" "$SECRETS/vault-secret-id"
echo 'OpenBao is set up'
