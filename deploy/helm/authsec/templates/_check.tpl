{{- /* What a schema cannot say in words: everything that is missing or does not fit, at once. */}}
{{- define "authsec.check" -}}
{{- $faults := list -}}
{{- with .Values -}}
{{- if not .url -}}
{{- $faults = append $faults "url: say the public address, such as https://auth.example.com" -}}
{{- end -}}
{{- $images := dict "image" .image -}}
{{- if .demo.enabled -}}{{- $_ := set $images "demo.image" .demo.image -}}{{- end -}}
{{- range $option, $image := $images -}}
{{- if not $image.repository -}}
{{- $faults = append $faults (printf "%s.repository: name the image" $option) -}}
{{- end -}}
{{- if not (or $image.digest $image.tag) -}}
{{- $faults = append $faults (printf "%s.digest: say which image, as sha256:…; or %s.tag, which may become another" $option $option) -}}
{{- end -}}
{{- end -}}
{{- if and (not .serviceAccount.create) (not .serviceAccount.name) -}}
{{- $faults = append $faults "serviceAccount.name: name one, or set serviceAccount.create" -}}
{{- end -}}
{{- if not (or .secrets.existingSecret .secrets.volume) -}}
{{- $faults = append $faults "secrets.existingSecret: name the Secret that holds database-url, sealing-keys and cookie-keys, or give secrets.volume; nothing secret is a value of this chart" -}}
{{- end -}}
{{- if and .secrets.existingSecret .secrets.volume -}}
{{- $faults = append $faults "secrets.volume: set either it or secrets.existingSecret, not both" -}}
{{- end -}}
{{- if not (kindIs "slice" .trustedProxies) -}}
{{- $faults = append $faults "trustedProxies: say from which addresses X-Forwarded-For is believed; [] where nothing is in front of the Manager" -}}
{{- else if and .ingress.enabled (not .trustedProxies) -}}
{{- $faults = append $faults "trustedProxies: with an ingress, name the addresses of its controller; otherwise everybody counts as one client" -}}
{{- end -}}
{{- range .trustedProxies -}}
{{- if hasSuffix "/0" . -}}
{{- $faults = append $faults (printf "trustedProxies: %s is everybody, who then chooses the address that counts; name the subnet of the proxies" .) -}}
{{- end -}}
{{- end -}}
{{- if and .autoscaling.enabled (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) -}}
{{- $faults = append $faults "autoscaling.maxReplicas: is less than autoscaling.minReplicas" -}}
{{- end -}}
{{- if and .ingress.enabled (not .ingress.tlsSecret) -}}
{{- $faults = append $faults "ingress.tlsSecret: name the Secret of the certificate; the Manager is reached by https alone" -}}
{{- end -}}
{{- if and .bootstrap.enabled (not .bootstrap.email) -}}
{{- $faults = append $faults "bootstrap.email: say the address of the first operator" -}}
{{- end -}}
{{- if .vault.enabled -}}
{{- if not .vault.address -}}
{{- $faults = append $faults "vault.address: say where it is, such as https://vault.example.com:8200" -}}
{{- end -}}
{{- if and (eq .vault.auth.method "approle") (not .vault.auth.approle.roleId) -}}
{{- $faults = append $faults "vault.auth.approle.roleId: is required with vault.auth.method approle" -}}
{{- end -}}
{{- end -}}
{{- if and (or .vault.caFile .certificates.trust) (not .certificates.existingConfigMap) -}}
{{- $faults = append $faults "certificates.existingConfigMap: name the ConfigMap that holds vault.caFile and certificates.trust" -}}
{{- end -}}
{{- if and (or .metrics.serviceMonitor.enabled .metrics.rules.enabled) (not .metrics.enabled) -}}
{{- $faults = append $faults "metrics.enabled: is required with metrics.serviceMonitor and metrics.rules" -}}
{{- end -}}
{{- if and .demo.enabled (not .demo.credentials.existingSecret) -}}
{{- $faults = append $faults "demo.credentials.existingSecret: name the Secret with what applications create wrote" -}}
{{- end -}}
{{- if and .demo.enabled (not .demo.host) -}}
{{- $faults = append $faults "demo.host: say the name by which the demo is reached" -}}
{{- end -}}
{{- if and .demo.enabled .demo.ingress.enabled (not .demo.ingress.tlsSecret) -}}
{{- $faults = append $faults "demo.ingress.tlsSecret: name the Secret of the certificate" -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\nThe chart cannot be installed:\n  %s\n" (join "\n  " $faults)) -}}
{{- end -}}
{{- end }}
