{{- define "authsec.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "authsec.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- /* A pod that Kubernetes gives nothing to. */}}
{{- define "authsec.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "authsec.podSecurity" . | nindent 2 }}
{{- end }}

{{- /* What every command of the Manager's image is told. */}}
{{- define "authsec.env" -}}
{{- $secrets := "/run/secrets/authsec" -}}
{{- with .Values -}}
- { name: AUTHSEC_URL, value: {{ .url | quote }} }
- { name: AUTHSEC_TRUSTED_PROXIES, value: {{ join "," .trustedProxies | quote }} }
{{- range $name, $value := .settings }}
- { name: {{ $name }}, value: {{ (kindIs "float64" $value | ternary (int64 $value) $value) | toString | quote }} }
{{- end }}
- { name: AUTHSEC_DATABASE_URL_FILE, value: {{ $secrets }}/{{ .secrets.keys.databaseUrl }} }
{{- with .secrets.keys.tenantDatabaseUrl }}
- { name: AUTHSEC_TENANT_DATABASE_URL_FILE, value: {{ $secrets }}/{{ . }} }
{{- end }}
- { name: AUTHSEC_SEALING_KEYS_FILE, value: {{ $secrets }}/{{ .secrets.keys.sealingKeys }} }
- { name: AUTHSEC_COOKIE_KEYS_FILE, value: {{ $secrets }}/{{ .secrets.keys.cookieKeys }} }
{{- with .certificates.trust }}
- { name: NODE_EXTRA_CA_CERTS, value: /etc/authsec/certificates/{{ . }} }
{{- end }}
{{- if .vault.enabled }}
- { name: VAULT_ADDR, value: {{ .vault.address | quote }} }
{{- with .vault.caFile }}
- { name: VAULT_CACERT, value: /etc/authsec/certificates/{{ . }} }
{{- end }}
- { name: AUTHSEC_VAULT_AUTH, value: {{ .vault.auth.method }} }
{{- if eq .vault.auth.method "kubernetes" }}
- { name: AUTHSEC_VAULT_KUBERNETES_ROLE, value: {{ .vault.auth.kubernetes.role | quote }} }
- { name: AUTHSEC_VAULT_KUBERNETES_TOKEN_FILE, value: /run/secrets/vault/token }
{{- else }}
- { name: AUTHSEC_VAULT_ROLE_ID, value: {{ .vault.auth.approle.roleId | quote }} }
- { name: AUTHSEC_VAULT_SECRET_ID_FILE, value: {{ $secrets }}/{{ .secrets.keys.vaultSecretId }} }
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "authsec.volumeMounts" -}}
- { name: secrets, mountPath: /run/secrets/authsec, readOnly: true }
- { name: tmp, mountPath: /tmp }
{{- with .Values }}
{{- if .certificates.existingConfigMap }}
- { name: certificates, mountPath: /etc/authsec/certificates, readOnly: true }
{{- end }}
{{- if and .vault.enabled (eq .vault.auth.method "kubernetes") }}
- { name: vault-token, mountPath: /run/secrets/vault, readOnly: true }
{{- end }}
{{- end }}
{{- end }}

{{- /* Of the Secret, only what this component reads: (list $ "manager"). */}}
{{- define "authsec.volumes" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- with $root.Values -}}
- name: secrets
{{- if .secrets.existingSecret }}
  secret:
    secretName: {{ .secrets.existingSecret }}
    defaultMode: 0440
    items:
      {{- $keys := list .secrets.keys.databaseUrl .secrets.keys.sealingKeys .secrets.keys.cookieKeys }}
      {{- with .secrets.keys.tenantDatabaseUrl }}{{ $keys = append $keys . }}{{ end }}
      {{- if and .vault.enabled (eq .vault.auth.method "approle") }}{{ $keys = append $keys .secrets.keys.vaultSecretId }}{{ end }}
      {{- if eq $component "bootstrap" }}{{ $keys = append $keys .secrets.keys.operatorPassword }}{{ end }}
      {{- range $keys }}
      - { key: {{ . }}, path: {{ . }} }
      {{- end }}
{{- else }}
  {{- toYaml .secrets.volume | nindent 2 }}
{{- end }}
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- with .certificates.existingConfigMap }}
- name: certificates
  configMap: { name: {{ . }} }
{{- end }}
{{- if and .vault.enabled (eq .vault.auth.method "kubernetes") }}
{{- with .vault.auth.kubernetes }}
- name: vault-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: { path: token, audience: {{ .audience | quote }}, expirationSeconds: {{ int .tokenSeconds }} }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
