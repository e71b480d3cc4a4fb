#!/usr/bin/env bash
# The chart in a real cluster, which it makes and leaves: bash deploy/helm/try-in-kind.sh <image of the Manager, as name:tag>
# Needs a container engine, kind, kubectl and helm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
image="${1:?which image of the Manager, as name:tag}"

show() {
  kubectl -n authsec get all,networkpolicies,events || true
  kubectl -n authsec describe pods || true
  kubectl -n authsec logs --all-containers --prefix --tail 200 -l app.kubernetes.io/name=authsec || true
}
trap show ERR

kind create cluster --name authsec --wait 120s
kind load docker-image --name authsec "$image"

kubectl create namespace postgresql
kubectl -n postgresql run postgresql --image=postgres:18 --env=POSTGRES_PASSWORD=postgres --port=5432 --expose
kubectl -n postgresql wait --for=condition=Ready pod/postgresql --timeout=180s
for _ in {1..60}; do
  kubectl -n postgresql exec postgresql -- pg_isready -q -U postgres -h 127.0.0.1 && break
  sleep 1
done

kubectl create namespace authsec
kubectl label namespace authsec pod-security.kubernetes.io/enforce=restricted
kubectl -n authsec create secret generic authsec \
  --from-literal=database-url=postgresql://postgres:postgres@postgresql.postgresql:5432/authsec \
  --from-literal=sealing-keys="k1:$(openssl rand -base64 32)" \
  --from-literal=cookie-keys="$(openssl rand -hex 32)" \
  --from-literal=operator-password="$(openssl rand -hex 16)"

values=(--namespace authsec --wait --timeout 10m
  --set url=https://auth.example.com --set image.repository="${image%:*}" --set image.tag="${image##*:}"
  --set secrets.existingSecret=authsec --set 'trustedProxies={10.0.0.0/8}')
helm install authsec deploy/helm/authsec "${values[@]}" --set bootstrap.enabled=true --set bootstrap.email=operator@example.com
helm test authsec --namespace authsec --logs
kubectl -n authsec exec deploy/authsec-manager -- /nodejs/bin/node dist/main.js doctor --json || true

# Again, as an upgrade: the Job of migrations finds nothing to do, and one replica after the other is replaced.
helm upgrade authsec deploy/helm/authsec "${values[@]}" --set settings.AUTHSEC_LOG_LEVEL=debug
helm test authsec --namespace authsec

# From another namespace nobody reaches the Manager, nor its metrics.
for port in 80 9464; do
  service=manager
  [[ "$port" == 9464 ]] && service=metrics
  kubectl -n default run "stranger-$port" --rm -i --restart=Never --image="$image" --image-pull-policy=Never --command -- \
    /nodejs/bin/node -e "fetch('http://authsec-$service.authsec:$port/', { signal: AbortSignal.timeout(5000) }).then(() => process.exit(1), () => {})"
done
echo 'the chart installs, upgrades and shuts strangers out'
