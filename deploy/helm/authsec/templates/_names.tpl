{{- define "authsec.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-authsec" .Release.Name) (contains "authsec" .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "authsec.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ include "authsec.fullname" . }}-manager
{{- else -}}
{{ .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* Hooks come before what they belong to, so that they have one of their own. */}}
{{- define "authsec.hookServiceAccount" -}}
{{- ternary (printf "%s-migrate" (include "authsec.fullname" .)) .Values.serviceAccount.name .Values.serviceAccount.create -}}
{{- end }}

{{- /* Of all pods of the release. */}}
{{- define "authsec.releaseSelector" -}}
app.kubernetes.io/name: authsec
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /* (list $ "manager") */}}
{{- define "authsec.selector" -}}
{{ include "authsec.releaseSelector" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "authsec.labels" -}}
{{- $root := index . 0 -}}
{{ include "authsec.selector" . }}
app.kubernetes.io/part-of: authsec
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "authsec.image" -}}
{{- .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "authsec.host" -}}
{{- (urlParse .Values.url).hostname -}}
{{- end }}

{{- define "authsec.scheme" -}}
{{- ternary "HTTPS" "HTTP" (ne .Values.tls.existingSecret "") -}}
{{- end }}

{{- /* The port of a URL. */}}
{{- define "authsec.portOf" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- default (ternary "443" "80" (eq $url.scheme "https")) $port -}}
{{- end }}
