import type { Values } from './render-chart.js';

const digest = `sha256:${'01'.repeat(32)}`;

/** What has no default. */
export const minimal: Values = {
  url: 'https://auth.example.com',
  image: { repository: 'registry.example.com/authsec-manager', digest },
  secrets: { existingSecret: 'authsec' },
  trustedProxies: ['10.0.0.0/8'],
};

/** Everything that can be turned on. */
export const everything: Values = {
  ...minimal,
  image: { repository: 'registry.example.com:5000/authsec-manager', tag: '0.1.0', digest },
  imagePullSecrets: [{ name: 'registry' }],
  secrets: { existingSecret: 'authsec', keys: { tenantDatabaseUrl: 'tenant-database-url' } },
  trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
  settings: {
    AUTHSEC_LOG_LEVEL: 'debug',
    AUTHSEC_MAX_OPEN_TENANTS: 10_000,
    AUTHSEC_METRICS_TENANT_LABEL: true,
    VAULT_NAMESPACE: 'admin/authsec',
  },
  certificates: { existingConfigMap: 'authorities', trust: 'own.pem' },
  manager: {
    podLabels: { team: 'identity' },
    podAnnotations: { 'example.com/checked': 'yes' },
    nodeSelector: { pool: 'web' },
    tolerations: [{ operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'high',
  },
  autoscaling: { enabled: true },
  bootstrap: { enabled: true, email: 'operator@example.com' },
  serviceAccount: { annotations: { 'example.com/role': 'none' } },
  vault: { enabled: true, address: 'https://vault.example.com:8200', caFile: 'vault.pem' },
  service: { type: 'LoadBalancer', annotations: { 'example.com/balancer': 'network' } },
  tls: { existingSecret: 'authsec-tls' },
  ingress: { enabled: true, className: 'nginx', tlsSecret: 'authsec-public-tls' },
  metrics: {
    labels: { release: 'prometheus' },
    serviceMonitor: { enabled: true },
    rules: { enabled: true, runbook: 'https://wiki.example.com/authsec' },
    dashboard: { enabled: true },
  },
  telemetry: { endpoint: 'http://collector.monitoring:4318', headers: { existingSecret: 'otlp', key: 'headers' } },
  networkPolicy: {
    postgresql: { to: [{ ipBlock: { cidr: '10.4.0.0/24' } }], ports: [5432, 6432] },
    vaultTo: [{ ipBlock: { cidr: '10.5.0.0/24' } }],
    telemetryTo: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    extraEgress: [{ to: [{ ipBlock: { cidr: '10.9.0.0/16' } }], ports: [{ port: 443 }] }],
  },
  demo: {
    enabled: true,
    image: { repository: 'registry.example.com/authsec-demo-mcp', digest },
    credentials: { existingSecret: 'demo', keys: ['acme.json', 'globex.json'] },
    host: 'mcp.example.com',
    ingress: { enabled: true, tlsSecret: 'demo-tls' },
  },
};

/** What is one way or another. */
export const variants: Readonly<Record<string, Values>> = {
  minimal,
  everything,
  'an AppRole, files by a CSI driver, another service account': {
    ...minimal,
    secrets: { volume: { csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true } } },
    serviceAccount: { create: false, name: 'own' },
    vault: {
      enabled: true,
      address: 'https://vault.example.com',
      auth: { method: 'approle', approle: { roleId: 'a-role' } },
    },
  },
  'no ingress, no metrics, no policy, migrations at the start': {
    ...minimal,
    trustedProxies: [],
    migrate: { by: 'start' },
    metrics: { enabled: false },
    networkPolicy: { enabled: false },
  },
  'an AppRole whose secret id is in the Secret, one more key, migrations by the operator': {
    ...minimal,
    migrate: { by: 'operator' },
    bootstrap: { enabled: true, email: 'operator@example.com' },
    vault: {
      enabled: true,
      address: 'https://vault.example.com',
      auth: { method: 'approle', approle: { roleId: 'a-role' } },
    },
  },
};
