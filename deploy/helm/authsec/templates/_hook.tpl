{{- /* Kept when it failed, so that its log can be read; replaced by the next. */}}
{{- define "authsec.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
